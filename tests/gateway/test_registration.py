from pathlib import Path

import pytest

from gateway import registration
from gateway.model.errors import ConfigurationError
from gateway.store import registry
from gateway.store.pool import Database
from tests.kit.servers import REPOSITORY

VILLAGE = REPOSITORY / "firmware_stubs" / "villages" / "liuwan.toml"


async def test_registering_twice_changes_nothing(database_dsn: str) -> None:
    """The second time a household keeps the token that its box already has."""
    community = registration.read(VILLAGE)
    await registration.register(database_dsn, community)
    database = Database(database_dsn)
    await database.start()
    before = await registry.households(database, "110105001001")
    assert await registration.register(database_dsn, community) == {"households": 8, "devices": 21, "cameras": 8}
    assert await registry.households(database, "110105001001") == before
    area = await registry.area(database, "110105001001")
    assert area is not None
    assert area.plan["shapes"]
    await database.stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[community]\narea_id = "11"\nname = "x"\n', "community.area_id"),
        ('[community]\narea_id = "110105001001"\nnmae = "x"\n', "community.name"),
        (
            '[community]\narea_id = "110105001001"\nname = "x"\n[[device]]\nid = "a"\nkind = "stb"\nhousehold = "h9"\n',
            "unknown household 'h9'",
        ),
        (
            '[community]\narea_id = "110105001001"\nname = "x"\n'
            '[[device]]\nid = "a"\nkind = "stb"\n[[device]]\nid = "a"\nkind = "stb"\n',
            "'a' stands twice",
        ),
    ],
)
def test_a_mistake_in_a_community_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    """The refusal says which entry is wrong."""
    path = tmp_path / "village.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        registration.read(path)
    assert said in str(refused.value)


def test_an_open_port_is_filled_in() -> None:
    """`{port}` of the file becomes the first port of the imitated cameras, `{port+1}` the next."""
    sources = {camera.source for camera in registration.read(VILLAGE, camera_port=24000).camera}
    assert {"rtsp://127.0.0.1:24000/stream", "http://127.0.0.1:24001/mjpeg"} <= sources
    assert not any("{" in source for source in sources)
