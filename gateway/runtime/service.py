"""Services: one shape for everything that runs, kept alive with backoff, stopped in reverse order.

A service's constructor does nothing. `start` returns when it is ready; `stop` may come before `start` and twice.
"""

import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import orjson

from gateway.model.errors import LinliError
from gateway.runtime import logs, metrics

log = logs.get(__name__)

FIRST_RETRY_S = 0.2
LONGEST_RETRY_S = 15.0
STOP_PATIENCE_S = 2.5

Statistics = Mapping[str, float | int | str]

_RESTARTS = metrics.counter(
    "linli_service_restarts",
    "Times a service's loop ended with an error and was begun again.",
    ("service",),
)


class Service(Protocol):
    """Something that runs between `start` and `stop`."""

    async def start(self) -> None:
        """Begin; returns when the service is ready for its callers."""
        ...

    async def stop(self) -> None:
        """End and free everything; also before `start`, also twice."""
        ...

    def statistics(self) -> Statistics:
        """Return the service's own figures, cheap and without waiting."""
        ...


def next_delay_s(previous_s: float, *, first_s: float = FIRST_RETRY_S, longest_s: float = LONGEST_RETRY_S) -> float:
    """Return a decorrelated-jitter delay after one of `previous_s` (0 at first)."""
    return min(longest_s, random.uniform(first_s, max(first_s, previous_s * 3)))


class KeptRunning:
    """Runs a loop for ever: an error is logged once an outage, counted, and the loop begins again with backoff."""

    def __init__(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        self.name = name
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self.restarts = 0

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def statistics(self) -> Statistics:
        return {"restarts": self.restarts}

    async def _run(self) -> None:
        delay_s, last_error = 0.0, ""
        while True:
            try:
                await self._loop()
                delay_s, last_error = 0.0, ""
            except Exception as error:  # noqa: BLE001  the one place that keeps a service alive
                if (said := f"{type(error).__name__}: {error}") != last_error:
                    _log_failure(self.name, error)
                last_error = said
            self.restarts += 1
            _RESTARTS.labels(self.name).inc()
            delay_s = next_delay_s(delay_s)
            await asyncio.sleep(delay_s)


def _log_failure(name: str, error: Exception) -> None:
    if isinstance(error, LinliError):
        log.warning("service_failed", service=name, error=str(error))
    else:
        log.exception("service_failed", service=name, error=str(error))


def keep_running(name: str, loop: Callable[[], Awaitable[None]]) -> KeptRunning:
    """Return a service that runs `loop` and begins it again whenever it ends."""
    return KeptRunning(name, loop)


def announce_ready(program: str, **facts: object) -> None:
    """Print the one line by which the launcher knows that `program` is ready."""
    sys.stdout.write(orjson.dumps({"ready": program, **facts}).decode() + "\n")
    sys.stdout.flush()


@contextlib.asynccontextmanager
async def running(services: Sequence[Service]) -> AsyncIterator[None]:
    """Start `services` in order and stop those that started in reverse order, whatever happens between."""
    started: list[Service] = []
    try:
        for service in services:
            started.append(service)
            await service.start()
        yield
    finally:
        for service in reversed(started):
            await _stop(service)


async def _stop(service: Service) -> None:
    name = type(service).__name__
    try:
        async with asyncio.timeout(STOP_PATIENCE_S):
            await service.stop()
    except TimeoutError:
        log.error("service_did_not_stop", service=name, patience_s=STOP_PATIENCE_S)
    except Exception:
        log.exception("service_stop_failed", service=name)


async def wait_for_signal() -> str:
    """Wait for SIGINT or SIGTERM and return its name."""
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[str] = loop.create_future()

    def hear(number: signal.Signals) -> None:
        if not heard.done():
            heard.set_result(number.name)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear, number)
    return await heard


async def run_until_signal(
    program: str,
    services: Sequence[Service],
    ready: Callable[[], Mapping[str, object]] = dict,
) -> None:
    """Run `services`, announce readiness with the facts of `ready()`, and stop them at SIGINT or SIGTERM."""
    stopping = asyncio.create_task(wait_for_signal())
    running_services = asyncio.create_task(_run_services(program, services, ready))
    done, _ = await asyncio.wait({stopping, running_services}, return_when=asyncio.FIRST_COMPLETED)
    if stopping in done:
        log.info("stopping", signal=stopping.result())
    stopping.cancel()
    running_services.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running_services


async def _run_services(program: str, services: Sequence[Service], ready: Callable[[], Mapping[str, object]]) -> None:
    async with running(services):
        announce_ready(program, **ready())
        log.info("ready")
        await asyncio.Event().wait()
