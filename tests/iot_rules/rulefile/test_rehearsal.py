"""The examples inside rule files, and the command line that plays them."""

from pathlib import Path

import pytest

from iot_rules.__main__ import main
from iot_rules.rulefile.reader import read_rule_file
from iot_rules.rulefile.rehearsal import rehearse
from iot_rules.rulefile.vocabulary import Vocabulary
from iot_rules.settings import PRESET


def test_every_rule_of_the_preset_keeps_its_own_promises() -> None:
    """Each rule that is shipped has examples, and each example comes out as it says."""
    file = read_rule_file("village.toml", PRESET.read_bytes(), Vocabulary())
    assert all(file.examples[rule.rule_id] for rule in file.rules)
    assert [one for one in rehearse(file) if not one.passed] == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('for = "10 min"', 'for = "9 min"'),
        ('gap = "2 min"', 'gap = "reset"'),
        ('else = [{ do = "clear_tv" }]', ""),
        ('hysteresis = "30 µg/m³"', 'hysteresis = "5 µg/m³"'),
    ],
)
def test_a_changed_rule_breaks_its_example(good: str, bad: str) -> None:
    """Control: another duration, another policy or a missing `else` makes an example fail."""
    text = PRESET.read_text(encoding="utf-8")
    assert good in text
    file = read_rule_file("village.toml", text.replace(good, bad).encode(), Vocabulary())
    assert [one for one in rehearse(file) if not one.passed]


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["iot_rules", *words])
    return main()


def test_check_prints_each_problem_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`check` names file, line and cure on standard output and ends with 1; a good file ends with 0."""
    bad = tmp_path / "mine.toml"
    bad.write_text(PRESET.read_text(encoding="utf-8").replace('for = "10 min"', 'for = "10"'), encoding="utf-8")
    assert run(monkeypatch, "check", str(bad)) == 1
    assert 'rule "door-open-at-night": for: "10" has no unit. Write "10 min" or "10 s".' in capsys.readouterr().out
    assert run(monkeypatch, "check", str(PRESET)) == 0


def test_test_says_what_a_rule_did_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failing example is shown with its line, what was done and when, and what was promised."""
    bad = tmp_path / "mine.toml"
    bad.write_text(PRESET.read_text(encoding="utf-8").replace('for = "10 min"', 'for = "12 min"'), encoding="utf-8")
    assert run(monkeypatch, "test", str(bad)) == 1
    said = capsys.readouterr().out
    assert "it did 22:43:00 show_on_tv, 22:50:00 clear_tv; the example says 22:41:00 show_on_tv" in said


def test_a_missing_file_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is said with its name."""
    assert run(monkeypatch, "check", "nowhere.toml") == 2
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err
