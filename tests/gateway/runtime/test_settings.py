from pathlib import Path

import pytest
from pydantic import Field

from gateway.model.errors import ConfigurationError
from gateway.runtime.settings import Section, load, reference


class LampSettings(Section, section="lamp"):
    watts: int = Field(8, ge=1, le=60, description="Power of the lamp in watts.")
    colour: str = Field("warm", description="Colour of the light.")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "linli.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    """A key that is not in the file has the default of its section."""
    settings = load(written(tmp_path, "[lamp]\nwatts = 5\n"), LampSettings)
    assert (settings.of(LampSettings).watts, settings.of(LampSettings).colour) == (5, "warm")


@pytest.mark.parametrize(
    ("text", "place", "cure"),
    [
        ("[lamp]\n\nwats = 5\n", ":3 [lamp] wats", "Did you mean 'watts'?"),
        ("[lamp]\nwatts = 500\n", ":2 [lamp] watts", "It is now 500."),
        ("[lamp]\nwatts = 'many'\n", ":2 [lamp] watts", "It is now 'many'."),
        ("[lamp]\ncolour = 3\nwatts = 5\n", ":2 [lamp] colour", "It is now 3."),
        ("[lamp\n", ":1", "Correct that line."),
        ("lamp = 3\n", ":1", "Write [lamp]"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_cure(tmp_path: Path, text: str, place: str, cure: str) -> None:
    """Every refusal names file:line, section, key and what to do."""
    with pytest.raises(ConfigurationError) as refused:
        load(written(tmp_path, text), LampSettings)
    assert place in refused.value.place
    assert cure in refused.value.cure


def test_a_section_of_nobody_is_refused_only_where_all_are_known(tmp_path: Path) -> None:
    """One program passes over the sections of another; the check of the whole file does not."""
    path = written(tmp_path, "[lamp]\n[lampp]\n")
    load(path, LampSettings)
    with pytest.raises(ConfigurationError, match=r"\[lampp\]"):
        load(path, LampSettings, is_complete=True)


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LINLI_<SECTION>_<KEY> replaces what the file says."""
    monkeypatch.setenv("LINLI_LAMP_WATTS", "12")
    assert load(written(tmp_path, "[lamp]\nwatts = 5\n"), LampSettings).of(LampSettings).watts == 12


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is an error with its path, not an empty configuration."""
    with pytest.raises(ConfigurationError, match="absent"):
        load(tmp_path / "absent.toml", LampSettings)


def test_the_reference_says_every_key() -> None:
    """The generated table has a row for each key with its default and meaning."""
    table = reference(LampSettings)
    assert "| `lamp` | `watts` | `8` | Power of the lamp in watts. |" in table
