from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.model.errors import ConfigurationError
from gateway.model.registry import Area, Camera
from gateway.runtime import metrics
from gateway.store import registry
from gateway.store.pool import Database
from security_video.roster import decode_plans, encode_plans, from_file, from_registry

AREA = "110105001001"
GOOD = """
[[camera]]
id = "cam-01"
name = "小区东门"
source = "testcard:1"
masks = [[[0.0, 0.0], [0.3, 0.0], [0.3, 0.4]]]

[[camera]]
id = "cam-02"
source = "file:clip.avi?loop=no"
"""


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    database = Database(database_dsn, min_size=1, max_size=2)
    await database.start()
    yield database
    await database.stop()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cameras.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_cameras_file_is_read(tmp_path: Path) -> None:
    """A cameras file gives cameras with names, masks and absolute paths."""
    one, other = from_file(written(tmp_path, GOOD), AREA)
    assert (one.camera_id, one.name, one.area_id) == ("cam-01", "小区东门", AREA)
    assert one.masks == (((0.0, 0.0), (0.3, 0.0), (0.3, 0.4)),)
    assert (other.name, other.source) == ("cam-02", f"file:{tmp_path}/clip.avi?loop=no")


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "no camera"),
        ("camera = 3", 1, "no camera"),
        ("[[camera]]\nid = ", 2, "not TOML"),
        ('[[camera]]\nid = "a"\nsource = "testcard:1"\ncolour = "red"', 4, "colour is not known"),
        ('[[camera]]\nid = "a b"\nsource = "testcard:1"', 2, "not an id"),
        ('[[camera]]\nid = "a"', 1, "source must be a text"),
        ('[[camera]]\nid = "a"\nsource = "ftp://x"', 3, "source camera source is not understood"),
        ('[[camera]]\nid = "a"\nsource = "testcard:1"\nmasks = [[[0, 0], [1, 1]]]', 4, "masks has a polygon"),
        ('[[camera]]\nid = "a"\nsource = "testcard:1"\nmasks = "all"', 4, "masks"),
        ('[[camera]]\nid = "a"\nsource = "testcard:1"\narea_id = "12"', 4, "area_id"),
        (GOOD + '[[camera]]\nid = "cam-01"\nsource = "testcard:3"', 12, "used twice"),
    ],
)
def test_mistake_in_a_cameras_file_names_its_line(tmp_path: Path, text: str, line: int, word: str) -> None:
    """Each mistake is refused with file, line, key and what to write instead."""
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        from_file(path, AREA)
    assert f"{path}:{line}" in str(refused.value)
    assert word in str(refused.value)
    assert refused.value.cure


def test_missing_cameras_file_is_said(tmp_path: Path) -> None:
    """A cameras file that is not there is named."""
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        from_file(tmp_path / "none.toml", AREA)


def test_plans_survive_the_way_to_a_capture_process(tmp_path: Path) -> None:
    """What the supervisor writes, a capture process reads."""
    plans = from_file(written(tmp_path, GOOD), AREA)
    assert decode_plans(encode_plans(plans)) == plans


async def test_registry_lists_enabled_cameras_and_leaves_out_bad_addresses(database: Database) -> None:
    """Cameras come from the registry; one with a wrong address is counted and does not stop the others."""
    async with database.transaction() as connection:
        await registry.put_area(connection, Area(AREA, "柳湾社区", "Liuwan", None, {}))
        for name, source, is_enabled in (("a", "testcard:1", True), ("b", "bogus", True), ("c", "testcard:3", False)):
            camera = Camera(name, AREA, name, "", None, None, 0, 90, 30, source, is_enabled)
            await registry.put_camera(connection, camera)
    before = metrics.dropped_count("capture", "unknown_source")
    assert [plan.camera_id for plan in await from_registry(database, AREA)] == ["a"]
    assert metrics.dropped_count("capture", "unknown_source") == before + 1
