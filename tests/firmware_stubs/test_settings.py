"""The stubs read the same linli.toml with their own eyes."""

from pathlib import Path

import pytest

from firmware_stubs import settings
from gateway.model.errors import ConfigurationError


def _file(folder: Path, text: str) -> Path:
    path = folder / "linli.toml"
    path.write_text(text)
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Broker, data folder, village and the API's address come from the file; other sections are passed over."""
    mqtt = '[mqtt]\nhost = "h"\nport = 7\nprotocol = 4\n'
    text = f'[node]\ndata_dir = "d"\n{mqtt}[api]\nport = 9\n[village]\nseed = 3\n[tv]\nx = 1'
    read = settings.load(_file(tmp_path, text), {})
    assert read.broker == settings.Broker("h", 7, 4)
    assert (read.data_dir, read.village.seed, read.api_url) == (Path("d"), 3, "http://127.0.0.1:9")


def test_nothing_written_means_defaults() -> None:
    """Without a file there is a broker on this machine, and no second road."""
    read = settings.load(None, {})
    assert read.broker == settings.Broker()
    assert read.api_url == ""


def test_the_environment_overrides(tmp_path: Path) -> None:
    """LINLI_<SECTION>_<KEY> wins over the file."""
    read = settings.load(_file(tmp_path, "[mqtt]\nport = 7"), {"LINLI_MQTT_PORT": "8", "LINLI_VILLAGE_SEED": "5"})
    assert (read.broker.port, read.village.seed) == (8, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[village]\nsead = 3", "Did you mean 'seed'?"),
        ("[village]\nseed = 'many'", "'many' is not int"),
        ("[mqtt]\nport = true", "[mqtt] port"),
        ("village = 3", "[village] is not a table"),
        ("[village", "not TOML"),
    ],
)
def test_a_mistake_names_place_and_cure(tmp_path: Path, text: str, words: str) -> None:
    """Wrong key, wrong type, wrong shape and wrong language are told apart."""
    with pytest.raises(ConfigurationError) as caught:
        settings.load(_file(tmp_path, text), {})
    assert words in str(caught.value)


def test_missing_and_broken_secrets(tmp_path: Path) -> None:
    """No file of passwords is an empty one; a broken one is refused."""
    read = settings.load(_file(tmp_path, f'[node]\ndata_dir = "{tmp_path}"'), {})
    assert read.passwords() == {}
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "devices.json").write_text("{")
    with pytest.raises(ConfigurationError):
        read.passwords()
