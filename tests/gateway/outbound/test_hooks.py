import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from gateway.alarms.escalator import Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.outside import HookQueue
from gateway.contract import codec
from gateway.model.alarms import Press
from gateway.model.ids import new_ulid
from gateway.outbound.hooks import Hooks, Promise, promise_of, retry_after_s, targets_of
from gateway.outbound.message import Answer, Message, Target
from gateway.outbound.settings import HookSettings, WebhookTarget
from gateway.runtime import logs
from gateway.runtime.clock import Clock, SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import NodeSettings
from gateway.store import hooks
from gateway.store.pool import Database, Record
from tests.kit.clock import FakeClock
from tests.kit.community import registered
from tests.kit.gateway import GatewayProcess, launch, settings_text
from tests.kit.receiver import Receiver, behaving, drips, hangs, never_ends, receiving
from tests.kit.servers import Mosquitto

SECRET = "a secret of the duty phone"
FACTS = {"alarm_no": "A20260719-0001", "kind": "sos", "level": 1, "area_name": "柳湾社区", "address": "3号楼 2单元 301"}


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    async with registered(database_dsn) as database:
        yield database


async def raised(database: Database, clock: Clock) -> str:
    """Raise an alarm and return its id."""
    press = Press("sos-0301", 7, 1, "sos", "mqtt", new_ulid(clock.now()), clock.now())
    return (await AlarmLedger(database, clock).raise_alarm(press)).alarm_id


async def put(database: Database, clock: Clock, *targets: str, reason: str = "supervisor", alarm_id: str = "") -> None:
    alarm_id = alarm_id or await raised(database, clock)
    async with database.transaction() as connection:
        await hooks.put(connection, alarm_id, reason, targets, FACTS, clock.now())


async def rows(database: Database) -> list[Record]:
    return await database.fetch("select * from hook_deliveries order by delivery_id")


async def until(condition: Callable[[], Awaitable[object]], patience_s: float = 15) -> None:
    async with asyncio.timeout(patience_s):
        while not await condition():
            await asyncio.sleep(0.02)


async def are_done(database: Database) -> bool:
    return all(row["done_at"] for row in await rows(database))


def service(database: Database, clock: Clock, urls: dict[str, str], *, timeout_s: float = 0.5) -> Hooks:
    webhooks = tuple(WebhookTarget(name=name, url=url, secret=SECRET) for name, url in urls.items())
    settings = HookSettings(webhooks=webhooks, timeout_s=timeout_s)
    return Hooks(database, clock, targets_of(settings, NodeSettings(), clock), promise_of(settings))


def test_the_waits_double_up_to_a_minute() -> None:
    """2, 4, 8, 16, 32 and then every 60 seconds, however often it has failed."""
    assert [retry_after_s(attempts) for attempts in (1, 2, 3, 4, 5, 6, 7, 100_000)] == [2, 4, 8, 16, 32, 60, 60, 60]


async def test_each_target_is_told_once(database: Database, clock: FakeClock) -> None:
    """One row for each target goes out with what was written; the same reason again adds nothing."""
    async with receiving() as phone, receiving() as office:
        await put(database, clock, "phone", "office", alarm_id=(alarm_id := await raised(database, clock)))
        await put(database, clock, "phone", "office", alarm_id=alarm_id)
        async with running([service(database, clock, {"phone": phone.url, "office": office.url})]):
            await until(lambda: are_done(database))
        assert len(phone.heard) == len(office.heard) == 1
    said = codec.decode(phone.heard[0].body)
    assert said == {"id": f"{alarm_id}:supervisor:phone", "reason": "supervisor", **FACTS}
    assert [row["last_error"] for row in await rows(database)] == ["", ""]


async def test_nothing_is_queued_where_the_transaction_is_undone(database: Database, clock: FakeClock) -> None:
    """A row stands and falls with the escalation that wrote it."""
    alarm_id = await raised(database, clock)

    async def write_and_fail() -> None:
        async with database.transaction() as connection:
            await hooks.put(connection, alarm_id, "supervisor", ["phone"], FACTS, clock.now())
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await write_and_fail()
    assert await rows(database) == []


async def test_a_failure_is_tried_again_until_it_is_taken(database: Database, clock: FakeClock) -> None:
    """After 500 the same message comes again, two and four seconds later, under the same id, and then no more."""
    async with receiving() as phone:
        phone.answers.extend([500, 503])
        await put(database, clock, "phone")
        async with running([service(database, clock, {"phone": phone.url})]):
            for attempt, wait_s in ((1, 2), (2, 4)):

                async def is_put_off(attempt: int = attempt) -> bool:
                    (row,) = await rows(database)
                    return bool(row["last_error"]) and row["attempts"] == attempt

                await until(is_put_off)
                (row,) = await rows(database)
                assert (row["next_attempt_at"] - clock.now()).total_seconds() == wait_s
                assert len(phone.heard) == attempt
                clock.advance(wait_s)
            await until(lambda: are_done(database))
    assert len(phone.heard) == 3
    assert len({heard.headers["Linli-Delivery"] for heard in phone.heard}) == 1
    (row,) = await rows(database)
    assert (row["attempts"], row["last_error"]) == (3, "")


@pytest.mark.parametrize("how", [hangs, drips])
async def test_a_hanging_target_delays_no_other(database: Database, how: Callable[..., Awaitable[None]]) -> None:
    """While one target takes a connection and says nothing, the other gets everything; one request open at a time."""
    clock = SystemClock()
    async with behaving(how) as bad, receiving() as phone:
        alarm_id = await raised(database, clock)
        for number in range(20):
            await put(database, clock, "bad", "phone", reason=f"r{number}", alarm_id=alarm_id)
        urls = {"bad": bad.url, "phone": phone.url}
        async with running([service(database, clock, urls, timeout_s=3)]):

            async def has_heard() -> bool:
                return len(phone.heard) == 20

            await until(has_heard, patience_s=2.9)
            assert bad.open_now == bad.most_open == bad.calls == 1
    assert [heard.headers["Linli-Delivery"] for heard in phone.heard] == [
        f"{alarm_id}:r{number}:phone" for number in range(20)
    ]


async def test_gone_is_given_up_at_once_and_stays_readable(database: Database, clock: FakeClock) -> None:
    """410 ends a row with its reason; nothing more is sent, and it is counted."""
    async with receiving() as phone:
        phone.answers.append(410)
        await put(database, clock, "phone")
        telling = service(database, clock, {"phone": phone.url})
        async with running([telling]):
            await until(lambda: are_done(database))
            clock.advance(3600)
            await asyncio.sleep(1.2)
    assert len(phone.heard) == 1
    assert (await rows(database))[0]["last_error"] == "given up: 410"
    assert telling.statistics()["given_up"] == 1


async def test_after_the_deadline_it_is_given_up_loudly(
    database: Database, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """What nobody takes in 24 hours ends as an error in the log and a readable row; also for a forgotten target."""
    logs.configure("test")
    async with receiving() as phone:
        phone.answers.extend([500] * 1000)
        await put(database, clock, "phone", "forgotten")
        async with running([service(database, clock, {"phone": phone.url})]):

            async def has_failed() -> bool:
                return bool((await rows(database))[0]["last_error"])

            await until(has_failed)
            clock.advance(86390)
            await asyncio.sleep(1.3)
            assert not any(row["done_at"] for row in await rows(database))
            clock.advance(11)
            await until(lambda: are_done(database))
    assert [row["last_error"] for row in await rows(database)] == ["given up: 500", "given up: never attempted"]
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert {line["target"] for line in said if line["event"] == "hook_given_up"} == {"phone", "forgotten"}
    assert {line["level"] for line in said if line["event"] == "hook_given_up"} == {"error"}
    assert any(line["event"] == "hook_target_unknown" for line in said)
    assert SECRET not in json.dumps(said) and "/hook" not in json.dumps(said)


async def test_a_storm_waits_in_the_table_and_goes_out_one_by_one(database: Database, clock: FakeClock) -> None:
    """A thousand messages: each once, in their order, never two requests at a time."""
    async with receiving() as phone:
        alarm_id = await raised(database, clock)
        async with database.transaction() as connection:
            for number in range(1000):
                await hooks.put(connection, alarm_id, f"r{number}", ["phone"], FACTS, clock.now())
        async with running([service(database, clock, {"phone": phone.url}, timeout_s=5)]):
            await until(lambda: are_done(database), patience_s=90)
    told = [heard.headers["Linli-Delivery"] for heard in phone.heard]
    assert told == [f"{alarm_id}:r{number}:phone" for number in range(1000)]
    assert phone.most_open == 1


async def test_the_address_stays_in_the_house_where_it_is_said_so(database: Database, clock: FakeClock) -> None:
    """`with_address = false` leaves the address out; keys that nobody allowed never leave; the desk's link is added."""
    told: list[Message] = []

    class Ear:
        name, timeout_s = "ear", 1.0

        async def tell(self, message: Message) -> Answer:
            told.append(message)
            return Answer()

    targets: Sequence[Target] = [Ear()]
    alarm_id = await raised(database, clock)
    async with database.transaction() as connection:
        facts = {**FACTS, "resident_name": "王桂兰"}
        await hooks.put(connection, alarm_id, "supervisor", ["ear"], facts, clock.now())
    promise = Promise(with_address=False, desk_url="https://desk.example/")
    async with running([Hooks(database, clock, targets, promise)]):
        await until(lambda: are_done(database))
    (message,) = told
    assert "address" not in message.facts and "resident_name" not in message.facts
    assert message.facts["link"] == f"https://desk.example/?alarm={alarm_id}"


async def test_two_gateways_tell_it_once(database: Database, clock: FakeClock) -> None:
    """Two processes' workers for one target share the table: every message goes out once."""
    async with receiving() as phone:
        alarm_id = await raised(database, clock)
        for number in range(50):
            await put(database, clock, "phone", reason=f"r{number}", alarm_id=alarm_id)
        urls = {"phone": phone.url}
        async with running([service(database, clock, urls), service(database, clock, urls)]):
            await until(lambda: are_done(database))
    assert len(phone.heard) == len({heard.headers["Linli-Delivery"] for heard in phone.heard}) == 50


async def test_a_kill_between_sending_and_noting_sends_again_with_the_same_id(
    mosquitto: Mosquitto, database_dsn: str, tmp_path: Path
) -> None:
    """SIGKILL after the receiver took it and before the row is done: it comes again under its id, and then no more."""
    async with receiving() as phone, registered(database_dsn) as database:
        gateway = _gateway(mosquitto, database_dsn, tmp_path, phone)
        try:
            await put(database, SystemClock(), "phone")
            await asyncio.to_thread(gateway.wait_until_killed)
            assert len(phone.heard) == 1 and not await are_done(database)
            await asyncio.to_thread(gateway.launch_again)
            await until(lambda: are_done(database))
        finally:
            await asyncio.to_thread(gateway.stop)
    first, second = phone.heard
    assert first.headers["Linli-Delivery"] == second.headers["Linli-Delivery"]
    assert first.body == second.body
    assert SECRET not in gateway.log()


def _gateway(broker: Mosquitto, dsn: str, folder: Path, phone: Receiver) -> GatewayProcess:
    hook = f'[hooks]\nwebhooks = [{{ name = "phone", url = "{phone.url}", secret = "{SECRET}" }}]\ntimeout_s = 1.0'
    settings = folder / "linli.toml"
    settings.write_text(settings_text(broker, dsn, folder) + f"\n{hook}\n")
    return launch(settings, folder, {"LINLI_FAILPOINT": "after_hook_before_done"})


async def test_an_endless_answer_does_not_stop_the_next_message(database: Database, clock: FakeClock) -> None:
    """A receiver whose bodies never end is told everything all the same."""
    async with behaving(never_ends) as bad:
        alarm_id = await raised(database, clock)
        for number in range(5):
            await put(database, clock, "bad", reason=f"r{number}", alarm_id=alarm_id)
        async with running([service(database, clock, {"bad": bad.url})]):
            await until(lambda: are_done(database))
    assert (bad.calls, bad.most_open) == (5, 1)


async def test_an_alarm_that_nobody_signs_reaches_the_phone(database: Database, clock: FakeClock) -> None:
    """Ninety seconds without a signature, and the escalation engine's message is at the receiver, once."""
    async with receiving() as phone:
        engine = Escalator(AlarmLedger(database, clock), clock, outside=HookQueue(["phone"]))
        alarm_id = await raised(database, clock)
        async with running([service(database, clock, {"phone": phone.url})]):
            clock.advance(89)
            await engine.fire_once()
            assert await rows(database) == []
            clock.advance(2)
            await engine.fire_once()
            await engine.fire_once()
            await until(lambda: are_done(database))
            await asyncio.sleep(1.2)
    (heard,) = phone.heard
    said = codec.decode(heard.body)
    assert said["alarm_no"] == (await AlarmLedger(database, clock).alarm(alarm_id)).alarm_no
    assert (said["kind"], said["level"], said["escalation_level"], said["area_name"]) == ("sos", 1, 3, "柳湾社区")
    assert said["address"] == "3号楼 2单元 301" and "王桂兰" not in heard.body.decode()
