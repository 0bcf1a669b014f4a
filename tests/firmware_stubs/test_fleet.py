"""A village on a real broker: everybody there, the past told, orders obeyed, gone when told to."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from firmware_stubs import log, settings, village_file
from firmware_stubs.clock import SystemClock
from firmware_stubs.control import Order, ask
from firmware_stubs.fleet import Village
from gateway.contract import messages, topics
from gateway.contract.messages import Event, Status, Telemetry
from gateway.contract.signing import alarm_key
from gateway.contract.topics import TopicKind
from gateway.model.errors import ConfigurationError
from tests.firmware_stubs.conftest import AREA, Listen
from tests.kit import servers

FILE = """
[community]
area_id = "110105001001"
[[device]]
id = "stb-0301"
kind = "stb"
profile = "set_top_box"
household = "hh-0301"
[[device]]
id = "sos-0301"
kind = "button"
profile = "button"
household = "hh-0301"
[[device]]
id = "meter-0301"
kind = "meter"
profile = "meter"
household = "hh-0301"
[[device]]
id = "door-0301"
kind = "sensor"
profile = "door"
household = "hh-0301"
[[device]]
id = "air-1"
kind = "sensor"
profile = "air_station"
"""
DEVICES = ("stb-0301", "sos-0301", "meter-0301", "door-0301", "air-1")
CAMERAS = """
[[camera]]
id = "cam-1"
source = "http://127.0.0.1:{port}/mjpeg"
[[camera]]
id = "cam-2"
source = "rtsp://127.0.0.1:{port+1}/stream"
"""
AIR = "No,year,month,day,hour,PM2.5,wd\n1,2017,2,28,22,NA,N\n2,2017,2,28,23,7,NA\n"


def _prepare(broker: servers.Mosquitto, folder: Path, extra: str = "") -> Path:
    (folder / "secrets").mkdir()
    passwords = {device: broker.add_user(device) for device in DEVICES}
    (folder / "secrets" / "devices.json").write_text(json.dumps(passwords))
    (folder / "village.toml").write_text(FILE)
    config = folder / "linli.toml"
    mqtt = f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\n'
    config.write_text(f'[node]\ndata_dir = "{folder}"\n{mqtt}[village]\nhistory_days = 1\nreport_s = 0.5\n{extra}')
    return config


def _key(folder: Path) -> bytes:
    """The key of the button's alarms, made from its password as the registration does it."""
    return alarm_key("sos-0301", json.loads((folder / "secrets" / "devices.json").read_text())["sos-0301"])


def _village(config: Path) -> Village:
    return Village(village_file.read(config.parent / "village.toml"), settings.load(config, {}), SystemClock())


@contextlib.asynccontextmanager
async def _living(config: Path) -> AsyncIterator[Village]:
    village = _village(config)
    await village.start()
    try:
        yield village
    finally:
        await village.stop()


async def test_everybody_comes_and_tells_the_past(
    mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path
) -> None:
    """When `start` has returned, all are online, the meter's day has 24 batches of six, the air's 24 of one."""
    heard: list[tuple[topics.Topic, messages.Message]] = []
    async with listening(mosquitto) as ear, _living(_prepare(mosquitto, tmp_path)) as village:
        assert village.connected_count == len(DEVICES)
        while sum(isinstance(message, Telemetry) for _, message in heard) < 24 + 24 + 5:
            topic, payload = await ear.line.next_message()
            parsed = topics.parse(topic)
            heard.append((parsed, messages.decode(parsed.kind, payload)))
    await village.stop()
    past = [(topic.device_id, said) for topic, said in heard if isinstance(said, Telemetry) and said.history]
    assert sum(len(said.samples) for name, said in past if name == "meter-0301") == 24 * 6
    assert sum(len(said.samples) for name, said in past if name == "air-1") == 24
    assert {topic.device_id for topic, said in heard if isinstance(said, Status)} == set(DEVICES)


async def test_a_file_takes_the_place_of_invention(
    mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path
) -> None:
    """With `air_csv` the first air station tells what the file says, and nothing invented."""
    (tmp_path / "air.csv").write_text(AIR)
    config = _prepare(mosquitto, tmp_path, f'air_csv = "{tmp_path / "air.csv"}"\n')
    async with listening(mosquitto) as ear, _living(config):
        while True:
            topic, payload = await ear.line.next_message()
            said = messages.decode(topics.parse(topic).kind, payload)
            if "/air-1/" in topic and isinstance(said, Telemetry) and said.history:
                break
    assert [dict(sample.values) for sample in said.samples] == [{"wind_direction": "N"}, {"pm2_5": 7.0}]


async def test_orders_reach_a_running_village(mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path) -> None:
    """Press and set come through the socket and wait for the receipt; without one the answer says so."""
    config = _prepare(mosquitto, tmp_path)
    control = settings.load(config, {}).control_path
    assert await ask(control, Order("press", "sos-0301")) is None
    async with listening(mosquitto) as ear, _living(config):
        pressing = asyncio.create_task(ask(control, Order("press", "sos-0301", wait_s=5)))
        await ear.receipt(await ear.event(), key=_key(tmp_path))
        assert (await pressing or {})["ok"] is True
        silence = asyncio.create_task(ask(control, Order("press", "sos-0301", wait_s=5, values={"silent": True})))
        event = await ear.event()
        assert event.kind == "sos_silent"
        await ear.receipt(event, key=_key(tmp_path))
        assert (await silence or {})["ok"] is True
        opening = asyncio.create_task(ask(control, Order("set", "door-0301", wait_s=0.1, values={"open": True})))
        assert (await ear.event()).kind == "door_opened"
        assert (await opening or {})["ok"] is False
    assert not control.exists()


NONSENSE = (
    Order("press", "door-0301"),
    Order("cancel", "sos-0301"),
    Order("press", "nobody"),
    Order("dance", "sos-0301"),
    Order("press", "door-0301", values={"silent": True}),
    Order("press", "sos-0301", held_ms=10),
    Order("set", "door-0301", values={"colour": "red"}),
    Order("fault", "sos-0301", values={"name": "dance"}),
)


async def test_an_order_that_makes_no_sense_is_answered_and_not_obeyed(
    mosquitto: servers.Mosquitto, tmp_path: Path
) -> None:
    """A wrong device, verb, property, fault or a short touch: the answer names the mistake."""
    config = _prepare(mosquitto, tmp_path)
    control = settings.load(config, {}).control_path
    async with _living(config) as village:
        answers = [await ask(control, order) or {} for order in NONSENSE]
        assert all(answer["ok"] is False and answer["error"] for answer in answers)
        assert all(member.sender.pending == () for member in village.members.values())


async def test_a_camera_with_an_open_port_is_brought_to_life(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """A viewer gets pictures from the port that the settings name; a taken port costs only its camera."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1] - 1
        config = _prepare(mosquitto, tmp_path, f"camera_port = {port}\n")
        with (tmp_path / "village.toml").open("a") as file:
            file.write(CAMERAS)
        plan = village_file.read(tmp_path / "village.toml", camera_port=port)
        before = log.DROPPED["camera_not_started"]
        village = Village(plan, settings.load(config, {}), SystemClock())
        await village.start()
        try:
            assert log.DROPPED["camera_not_started"] == before + 1
            async with aiohttp.ClientSession() as viewer, viewer.get(f"http://127.0.0.1:{port}/mjpeg") as answer:
                assert b"\xff\xd8" in await answer.content.readuntil(b"\xff\xd9")
        finally:
            await village.stop()


async def test_a_village_without_a_password_says_whose(mosquitto: servers.Mosquitto, tmp_path: Path) -> None:
    """A device that was never registered stops the start, with its name."""
    config = _prepare(mosquitto, tmp_path)
    path = tmp_path / "secrets" / "devices.json"
    path.write_text(json.dumps({name: word for name, word in json.loads(path.read_text()).items() if name != "air-1"}))
    village = _village(config)
    with pytest.raises(ConfigurationError, match="air-1"):
        await village.start()
    await village.stop()


async def _run(*arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "firmware_stubs", *map(str, arguments),
        cwd=servers.REPOSITORY, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def test_the_program_says_ready_and_stops_on_sigterm(
    mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path
) -> None:
    """`village FILE` prints one line of JSON when ready and ends with 0, everybody said goodbye."""
    config = _prepare(mosquitto, tmp_path)
    async with listening(mosquitto) as ear:
        program = await _run("village", tmp_path / "village.toml", "--config", config)
        assert program.stdout is not None
        ready = json.loads(await program.stdout.readline())
        assert ready == {"ready": "village", "devices": 5, "connected": 5}
        program.send_signal(signal.SIGTERM)
        assert (await program.communicate())[0] == b""
        assert program.returncode == 0
        gone = set[str]()
        while gone != set(DEVICES):
            topic, payload = await ear.line.next_message()
            said = messages.decode(topics.parse(topic).kind, payload)
            if isinstance(said, Status) and said.state == "offline":
                gone.add(topics.parse(topic).device_id)


async def test_a_press_without_a_village_brings_the_button_to_life(
    mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path
) -> None:
    """`press --device` starts the one device, waits for the receipt, prints the number and ends with 0."""
    config = _prepare(mosquitto, tmp_path)
    file = tmp_path / "village.toml"
    async with listening(mosquitto) as ear:
        program = await _run("press", "--device", "sos-0301", "--config", config, "--village", file, "--wait-s", "10")
        event = await ear.event()
        assert isinstance(event, Event)
        await ear.receipt(event, key=_key(tmp_path))
        answer = json.loads((await program.communicate())[0])
    assert (program.returncode, answer["receipts"][0]["no"]) == (0, "A20261120-0007")


async def test_a_replay_says_what_it_sent_and_goes_on_where_it_was(
    mosquitto: servers.Mosquitto, listening: Listen, tmp_path: Path
) -> None:
    """`replay` prints its count; a second run has nothing to send; `--again` repeats the same identities."""
    config = _prepare(mosquitto, tmp_path)
    (tmp_path / "air.csv").write_text(AIR)
    file = tmp_path / "village.toml"
    command = ("replay", tmp_path / "air.csv", "--device", "air-1", "--config", config, "--village", file)
    said: list[Telemetry] = []
    sent: list[int] = []
    async with listening(mosquitto) as ear:
        for extra in ((), (), ("--again",)):
            program = await _run(*command, *extra)
            facts = json.loads((await program.communicate())[0])
            assert (program.returncode, facts["rows"], facts["values"]) == (0, 2, 2)
            sent.append(facts["sent"])
        for _ in range(2):
            message = await ear.next_of(TopicKind.UP_TELE)
            assert isinstance(message, Telemetry)
            said.append(message)
    assert sent == [1, 0, 1]
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("press", "--device", "nobody"), "no device 'nobody'"),
        (("replay", "/nowhere.csv", "--device", "sos-0301"), "cannot be read"),
        (("village", "/nowhere.toml"), "cannot be read"),
        (("press", "--device", "sos-0301", "--config", "/nowhere.toml"), "cannot be read"),
    ],
)
async def test_a_mistake_on_the_command_line_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, the sentence on standard error, no traceback."""
    program = await _run(*arguments)
    _, errors = await program.communicate()
    assert program.returncode == 2
    assert words in errors.decode()
    assert b"Traceback" not in errors


def test_the_area_of_the_tests_is_the_villages() -> None:
    """The file above and the ear speak of the same community."""
    assert AREA in FILE
