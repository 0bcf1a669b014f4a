"""Forged, replayed, re-timed, oversized and malformed alarms over MQTT: each flagged or refused by name, none lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.alarms.ledger import AlarmLedger
from gateway.alarms.shelter.reception import Reception
from gateway.alarms.shelter.spool import Spool, spool_path
from gateway.contract import messages, topics
from gateway.contract.messages import Event, Receipt
from gateway.contract.signing import alarm_key, check_receipt, sign_event
from gateway.contract.topics import TopicKind
from gateway.ingest.pipeline import Pipeline
from gateway.ingest.settings import GatewaySettings
from gateway.model.ids import new_ulid
from gateway.outbound.outbox import Outbox
from gateway.runtime import metrics
from gateway.runtime.clock import SystemClock
from gateway.runtime.service import running
from gateway.runtime.settings import MqttSettings
from gateway.store import registry
from gateway.store.pool import Database
from tests.kit.community import AREA, registered
from tests.kit.mqtt import Peer, peer
from tests.kit.servers import Mosquitto

BUTTON = "sos-0301"
PATIENCE_S = 15.0
CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Village:
    """A gateway, its database, and the line of a button with a key."""

    database: Database
    button: Peer
    key: bytes

    def event(self, seq: int, kind: str = "sos_pressed", *, signed: bool = True) -> Event:
        now = CLOCK.now()
        said = Event(new_ulid(now), 7, seq, now.replace(microsecond=0), kind, {"held_ms": 2100})
        return replace(said, signature=sign_event(self.key, BUTTON, said)) if signed else said

    async def say(self, payload: bytes) -> None:
        await self.button.publish(topics.up_evt(AREA, BUTTON), payload)

    async def receipt(self, event_id: str) -> Receipt:
        """Return the next receipt of an event, checked as the button checks it."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                said = messages.decode(TopicKind.DOWN_RECEIPT, (await self.button.next_message())[1])
                assert isinstance(said, Receipt)
                if said.event_id == event_id:
                    assert check_receipt(self.key, BUTTON, said)
                    return said


@pytest.fixture
async def village(mosquitto: Mosquitto, database_dsn: str, tmp_path: Path) -> AsyncIterator[Village]:
    password = mosquitto.add_user(BUTTON)
    key, gateway = alarm_key(BUTTON, password), mosquitto.credentials["gateway"]
    mqtt = MqttSettings(host=mosquitto.host, port=mosquitto.port, username="gateway", password=gateway)
    async with registered(database_dsn) as database:
        async with database.transaction() as connection:
            await registry.write_alarm_keys(connection, {BUTTON: key})
        reception = Reception(database, AlarmLedger(database, CLOCK), Spool(spool_path(tmp_path, "gateway")), CLOCK)
        pipeline = Pipeline(database, CLOCK, mqtt, GatewaySettings(), reception)
        async with running([reception, pipeline, Outbox(database, pipeline.control, CLOCK, batch=10)]):
            for session in pipeline.sessions:
                await session.wait_connected()
            topic = topics.down_receipt(AREA, BUTTON)
            async with peer(mosquitto.host, mosquitto.port, BUTTON, password, topic) as button:
                yield Village(database, button, key)


def doubted(reason: str) -> float:
    labels = {"reason": reason, "source": "mqtt"}
    return metrics._REGISTRY.get_sample_value("linli_alarms_doubted_total", labels) or 0.0


@pytest.mark.parametrize(
    ("claim", "suspicion"),
    [(None, ""), ("", "unsigned"), ("0" * 64, "bad_signature"), ("é", "bad_signature"), ("0" * 9000, "bad_signature")],
)
async def test_a_forged_alarm_is_recorded_flagged_and_counted(
    village: Village, claim: str | None, suspicion: str
) -> None:
    """The signature decides the flag and never whether somebody comes; the receipt is signed all the same."""
    said = village.event(1)
    said = said if claim is None else replace(said, signature=claim)
    before = doubted(suspicion)
    await village.say(said.encode())
    assert (await village.receipt(said.event_id)).state == "recorded"
    row = await village.database.fetchrow("select suspicion, details from alarms")
    assert row is not None and tuple(row) == (suspicion, {"held_ms": 2100})
    assert doubted(suspicion) == before + bool(suspicion)


async def test_an_alarm_of_a_revoked_device_outweighs_its_right_signature(village: Village) -> None:
    """A stolen button knows its key; what counts is that somebody revoked it."""
    await village.database.execute("update devices set revoked_at = now() where device_id = $1", BUTTON)
    async with village.database.transaction() as connection:
        await registry.notify_registry(connection)
    await asyncio.sleep(0.3)
    said = village.event(1)
    await village.say(said.encode())
    await village.receipt(said.event_id)
    assert await village.database.fetchval("select suspicion from alarms") == "revoked_device"


async def test_a_replay_gets_its_old_receipt_and_a_changed_one_is_counted(village: Village) -> None:
    """Recorded from the air and sent again: the same number, no second row; changed and sent again: that, counted."""
    said = village.event(1)
    labels = {"source": "mqtt"}
    before = metrics._REGISTRY.get_sample_value("linli_alarm_replay_differs_total", labels) or 0.0
    await village.say(said.encode())
    first = await village.receipt(said.event_id)
    await village.say(said.encode())
    assert (await village.receipt(said.event_id)).alarm_no == first.alarm_no
    await village.say(replace(said, at=said.at - timedelta(hours=1)).encode())
    assert (await village.receipt(said.event_id)).alarm_no == first.alarm_no
    assert metrics._REGISTRY.get_sample_value("linli_alarm_replay_differs_total", labels) == before + 1
    assert await village.database.fetchval("select count(*) from alarm_presses") == 1


@pytest.mark.parametrize("year", [1970, 1999, 2100, 2200, 9999])
async def test_a_re_timed_alarm_is_taken_and_told_the_time(village: Village, year: int) -> None:
    """A clock that is wrong by decades costs nobody an alarm; the receipt says what time it is."""
    said = replace(village.event(1, signed=False), at=datetime(year, 1, 3, tzinfo=UTC))
    said = replace(said, signature=sign_event(village.key, BUTTON, said))
    await village.say(said.encode())
    receipt = await village.receipt(said.event_id)
    assert abs(receipt.now - CLOCK.now()) < timedelta(seconds=10)
    row = await village.database.fetchrow("select is_clock_wrong, late_by_s, suspicion from alarms")
    assert row is not None and tuple(row) == (True, 0, "")


async def test_a_smoke_event_with_a_wrong_clock_happened_now(village: Village) -> None:
    """Events that are no alarms by themselves are taken too; rules and pages read our time, not 1970."""
    said = replace(village.event(1, "smoke"), at=datetime(1970, 1, 1, tzinfo=UTC))
    await village.say(said.encode())
    await village.receipt(said.event_id)
    at = await village.database.fetchval("select at from device_events")
    assert abs(at - CLOCK.now()) < timedelta(seconds=10)


BROKEN = {
    "oversized": lambda said: json.dumps({**said, "d": {"x": "y" * 70_000}}),
    "too_deep": lambda said: json.dumps({**said, "d": {"x": [[[[[[[[1]]]]]]]]}}),
    "missing_field": lambda said: json.dumps({name: value for name, value in said.items() if name != "seq"}),
    "bad_format": lambda said: json.dumps({**said, "id": "x"}),
    "wrong_type": lambda said: json.dumps({**said, "ts": "yesterday"}),
    "broken_json": lambda said: json.dumps(said)[:-1],
}


@pytest.mark.parametrize("reason", BROKEN)
async def test_a_malformed_alarm_is_counted_kept_as_a_sample_and_stops_nothing(village: Village, reason: str) -> None:
    """Each is refused by its name; the good alarm behind it is recorded."""
    said = village.event(1)
    await village.say(BROKEN[reason](json.loads(said.encode())).encode())
    await village.say(said.encode())
    assert (await village.receipt(said.event_id)).state == "recorded"
    assert (await registry.quarantine_counts(village.database)).get(reason) == 1


async def test_a_silent_alarm_stays_its_own_and_cannot_be_taken_back(village: Village) -> None:
    """Under coercion the household may be made to press CANCEL: it meets the loud alarm or nothing."""
    quiet, loud = village.event(1, "sos_silent"), village.event(2)
    for said in (quiet, loud, village.event(3, "sos_silent"), village.event(4, "cancelled")):
        await village.say(said.encode())
        await village.receipt(said.event_id)
    rows = await village.database.fetch(
        "select is_silent, kind, press_count, cancelled_by_user_at is not null from alarms order by is_silent"
    )
    assert [tuple(row) for row in rows] == [(False, "sos", 1, True), (True, "sos", 2, False)]
