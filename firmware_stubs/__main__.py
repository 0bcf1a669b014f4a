"""Front door of the simulated outside world: a village, one device, a key press, a replay, a fault."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware_stubs import faults, log, replay, settings, village_file
from firmware_stubs.clock import SystemClock
from firmware_stubs.control import Order, ask, obey
from firmware_stubs.fleet import Village
from firmware_stubs.member import Member
from firmware_stubs.settings import StubSettings
from gateway.contract.messages import Telemetry
from gateway.model.errors import LinliError, NotFound, Unavailable

LIUWAN = Path(__file__).parent / "villages" / "liuwan.toml"
CONNECT_PATIENCE_S = 10.0


def _print(facts: object) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)


async def _stop_signal() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _member(options: argparse.Namespace, config: StubSettings) -> Member:
    plan = village_file.read(options.village)
    for device in plan.devices:
        if device.device_id == options.device:
            return Member(device, plan.area_id, config, SystemClock())
    cure = f"Known: {', '.join(device.device_id for device in plan.devices)}."
    raise NotFound(f"no device {options.device!r}", place=str(options.village), cure=cure)


@contextlib.asynccontextmanager
async def _living(member: Member, *, must_connect: bool = True) -> AsyncIterator[Member]:
    await member.start()
    try:
        if must_connect:
            await _connected(member)
        yield member
    finally:
        await member.stop()


async def _connected(member: Member) -> None:
    try:
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            await member.device.connected.wait()
    except TimeoutError as error:
        raise Unavailable("the broker cannot be reached", cure="Look at [mqtt] and the device's password.") from error


async def _village(options: argparse.Namespace, config: StubSettings) -> int:
    plan = village_file.read(options.file, camera_port=config.village.camera_port)
    village = Village(plan, config, SystemClock())
    stop = asyncio.create_task(_stop_signal())
    try:
        start = asyncio.create_task(village.start())
        await asyncio.wait([start, stop], return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            _print({"ready": "village", "devices": len(village.members), "connected": village.connected_count})
        await stop
        start.cancel()
    finally:
        stop.cancel()
        await village.stop()
    return 0


async def _device(options: argparse.Namespace, config: StubSettings) -> int:
    async with _living(_member(options, config)) as member:
        member.begin_reporting()
        _print({"ready": options.device, "boot": member.device.boot})
        await _stop_signal()
    return 0


async def _order(options: argparse.Namespace, config: StubSettings) -> int:
    """Give the order to the running village; where none runs, bring the one device to life for it."""
    order = Order(
        options.verb,
        options.device,
        getattr(options, "held_ms", 2100),
        getattr(options, "wait_s", 0.0),
        _values(options),
    )
    answer = await ask(config.control_path, order)
    if answer is None:
        async with _living(_member(options, config), must_connect=options.verb == "fault") as member:
            answer = await obey(member, order)
    _print(answer)
    return 0 if answer.get("ok") else 1


def _values(options: argparse.Namespace) -> dict[str, Any]:
    values: dict[str, Any] = {"name": options.name} if options.verb == "fault" else {}
    if getattr(options, "how", "") == "silent":
        values["silent"] = True
    for pair in getattr(options, "values", []):
        name, _, text = pair.partition("=")
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


async def _replay(options: argparse.Namespace, config: StubSettings) -> int:
    recording = replay.read(options.file).last_days(options.days)
    mode = "history" if options.speed is None else "live"
    folder = config.state_dir / options.device
    progress = replay.Progress.load(folder, recording, mode, SystemClock().now())
    if options.again:
        progress.first = -1
    make = replay.batches if options.speed is None else replay.live
    messages = list(make(recording, options.device, progress.shift))
    async with _living(_member(options, config)) as member:
        if options.speed is None:
            sent = await replay.send_history(member, iter(messages), progress)
        else:
            sent = await replay.send_live(member, iter(messages), options.speed, progress)
    _print({"replayed": str(options.file), "device": options.device, "sent": sent, **_facts(recording, messages)})
    return 0


def _facts(recording: replay.Recording, messages: list[Telemetry]) -> dict[str, object]:
    rows = [sample for message in messages for sample in message.samples]
    return {
        "rows": len(rows),
        "values": sum(len(row.values) for row in rows),
        "messages": len(messages),
        "broken_rows": recording.broken,
        "first": rows[0].at.isoformat() if rows else None,
        "last": rows[-1].at.isoformat() if rows else None,
    }


@dataclass(frozen=True, slots=True)
class _Verb:
    run: Callable[[argparse.Namespace, StubSettings], Awaitable[int]]
    help: str


_VERBS = {
    "village": _Verb(_village, "run every device of a village file until SIGTERM"),
    "device": _Verb(_device, "run one device until SIGTERM"),
    "press": _Verb(_order, "press a button or a box's red key and wait for the receipt"),
    "cancel": _Verb(_order, "take the alarm back at the box and wait for the receipt"),
    "set": _Verb(_order, "change what a sensor measures, such as smoke=true or open=true"),
    "replay": _Verb(_replay, "replay a CSV (air station or home) as a device's telemetry"),
    "fault": _Verb(_order, "let a device misbehave"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_stubs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, verb in _VERBS.items():
        sub = verbs.add_parser(name, help=verb.help)
        sub.add_argument("--config", type=Path, help="linli.toml; without it the defaults")
        if name == "village":
            sub.add_argument("file", type=Path, nargs="?", default=LIUWAN, help="village file")
            continue
        sub.add_argument("--device", required=True, help="device id")
        sub.add_argument("--village", type=Path, default=LIUWAN, help="village file that describes the device")
        _add_own(name, sub)
    return parser


def _add_own(name: str, parser: argparse.ArgumentParser) -> None:
    if name in {"press", "cancel", "set"}:
        parser.add_argument("--wait-s", type=float, default=30.0, help="how long to wait for the receipt")
    if name == "press":
        parser.add_argument("--held-ms", type=int, default=2100, help="how long the key is held")
        parser.add_argument("how", nargs="?", choices=("silent",), help="three short touches: a silent alarm")
    if name == "set":
        parser.add_argument("values", nargs="+", metavar="NAME=VALUE", help="properties, values as JSON")
    if name == "fault":
        parser.add_argument("name", choices=sorted(faults.FAULTS), help="what goes wrong")
    if name == "replay":
        parser.add_argument("file", type=Path, help="the CSV")
        parser.add_argument("--days", type=int, default=0, help="only the last days of the file; 0: all")
        parser.add_argument("--speed", type=float, help="live samples so many times faster than life; 0: at once")
        parser.add_argument("--again", action="store_true", help="send also what was acknowledged before")


def main() -> int:
    """Run the command line; 0 is success, 1 an order without success, 2 a mistake that the message explains."""
    options = _parser().parse_args()
    try:
        config = settings.load(options.config)
        log.configure(config.log_level)
        return asyncio.run(_run(options, config))
    except LinliError as error:
        print(error, file=sys.stderr)
        return 2


async def _run(options: argparse.Namespace, config: StubSettings) -> int:
    return await _VERBS[options.verb].run(options, config)


if __name__ == "__main__":
    sys.exit(main())
