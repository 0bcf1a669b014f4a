import asyncio

import pytest

from gateway.model.errors import Unavailable
from gateway.runtime.service import keep_running, next_delay_s, running


class Recorder:
    def __init__(self, name: str, story: list[str], *, breaks: bool = False) -> None:
        self.name, self.story, self.breaks = name, story, breaks

    async def start(self) -> None:
        self.story.append(f"start {self.name}")
        if self.breaks:
            raise Unavailable("no")

    async def stop(self) -> None:
        self.story.append(f"stop {self.name}")

    def statistics(self) -> dict[str, int]:
        return {}


async def test_services_stop_in_reverse_order() -> None:
    """What was started last is stopped first."""
    story: list[str] = []
    async with running([Recorder("a", story), Recorder("b", story)]):
        story.append("work")
    assert story == ["start a", "start b", "work", "stop b", "stop a"]


async def test_a_start_that_fails_stops_what_was_begun() -> None:
    """The service that failed and those before it are stopped; those behind it were never started."""
    story: list[str] = []
    services = [Recorder("a", story), Recorder("b", story, breaks=True), Recorder("c", story)]
    with pytest.raises(Unavailable):
        async with running(services):
            story.append("work")
    assert story == ["start a", "start b", "stop b", "stop a"]


async def test_a_loop_that_breaks_is_begun_again() -> None:
    """A kept loop survives its own errors and counts them."""
    calls = 0
    done = asyncio.Event()

    async def loop() -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError
        done.set()
        await asyncio.Event().wait()

    service = keep_running("test", loop)
    await service.start()
    async with asyncio.timeout(5):
        await done.wait()
    assert service.statistics() == {"restarts": 1}
    await service.stop()


async def test_stop_before_start_and_twice_is_fine() -> None:
    """Stopping is always allowed."""
    service = keep_running("test", _wait_for_ever)
    await service.stop()
    await service.start()
    await service.stop()
    await service.stop()


def test_delays_grow_and_stay_below_the_longest() -> None:
    """Decorrelated jitter never leaves [first, longest]."""
    delay_s = 0.0
    for _ in range(200):
        delay_s = next_delay_s(delay_s, first_s=0.1, longest_s=3.0)
        assert 0.1 <= delay_s <= 3.0


async def _wait_for_ever() -> None:
    await asyncio.Event().wait()
