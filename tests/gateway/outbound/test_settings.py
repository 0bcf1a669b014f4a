from pathlib import Path

import pytest

from gateway.model.errors import ConfigurationError
from gateway.outbound.settings import HookSettings
from gateway.runtime.settings import load

GOOD = '{ name = "phone", url = "https://phone.example/x?token=abc", secret = "sesame-sesame-sesame" }'


def settings_of(folder: Path, text: str) -> HookSettings:
    file = folder / "linli.toml"
    file.write_text(f"[hooks]\n{text}\n")
    return load(file, HookSettings).of(HookSettings)


def test_nobody_is_told_where_nobody_is_named() -> None:
    """Without the section there are no targets."""
    assert load(None, HookSettings).of(HookSettings).targets == ()


def test_targets_have_names_that_show_no_secret(tmp_path: Path) -> None:
    """A web hook has its own name, a messenger one made from its address: the same each time, and not the address."""
    settings = settings_of(tmp_path, f'webhooks = [{GOOD}]\nnotify = ["ntfy://user:pw@h/topic", "ntfy://h/other"]')
    phone, one, other = settings.targets
    assert phone == "phone"
    assert one != other and one.startswith("ntfy-") and len(one) == len("ntfy-") + 6
    assert settings_of(tmp_path, 'notify = ["ntfy://user:pw@h/topic"]').targets == (one,)
    assert "sesame" not in repr(settings) and "pw@h" not in repr(settings) and "token=abc" not in repr(settings)
    assert settings.webhooks[0].place == "https://phone.example"


def test_lists_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable holds the list as JSON, so that a secret need not stand in a file."""
    monkeypatch.setenv("LINLI_HOOKS_NOTIFY", '["ntfy://h/topic"]')
    monkeypatch.setenv("LINLI_HOOKS_WEBHOOKS", '[{"name":"a","url":"http://h","secret":"sesame-sesame-sesame"}]')
    assert len(load(None, HookSettings).of(HookSettings).targets) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"webhooks = [{GOOD.replace('https', 'file')}]", "http(s)"),
        (f"webhooks = [{GOOD.replace('https://', 'https://sesame:open@')}]", "no user or password"),
        (f"webhooks = [{GOOD.replace('sesame-sesame-sesame', 'sesame')}]", "webhooks.0.secret"),
        (f"webhooks = [{GOOD.replace('phone', 'Phone 1', 1)}]", "webhooks.0.name"),
        (f"webhooks = [{GOOD.replace('secret', 'sekret')}]", "webhooks.0.secret"),
        (f"webhooks = [{GOOD}, {GOOD}]", "same name"),
        ('notify = ["sesame"]', "kind://"),
        ('notify = "sesame"', "JSON"),
        ('notify = [{ url = "sesame" }]', "notify.0"),
    ],
)
def test_a_refusal_names_the_key_and_shows_no_secret(tmp_path: Path, text: str, said: str) -> None:
    """Whatever is wrong with a target, the sentence tells where, and none of what may be secret."""
    with pytest.raises(ConfigurationError) as refused:
        settings_of(tmp_path, text)
    assert said in str(refused.value)
    assert "sesame" not in str(refused.value) and "token=abc" not in str(refused.value)
