"""What comes with the installation goes the same way as everybody's apps, once."""

from tests.tv_apps.miniapps.conftest import AREA, Console
from tv_apps.miniapps.installation import Installation


async def test_the_bundled_apps_are_published_once_and_one_may_wait_for_an_official(console: Console) -> None:
    """Again changes nothing; the record says that nobody looked; what is held waits in review."""
    for _ in range(2):
        made = Installation(console.database, console.clock, console.folder / "secrets", AREA)
        assert await made.publish(hold=["clinic"]) == ["cn.linli.clinic", "cn.linli.library"]
    states = {each.app_id: each.state for each in await console.apps.desk.store.all()}
    assert states == {"cn.linli.clinic": "in_review", "cn.linli.library": "approved"}
    (entry,) = await console.apps.catalog.shelf(AREA)
    assert entry.loaded is not None
    steps = await console.apps.desk.store.steps(entry.submission.submission_id)
    assert (steps[-1].by_name, steps[-1].note) == ("安装程序", "随安装自带，没有人工审核")
