"""Programs with one promise broken: `python -m tests.chaos.sabotage NAME gateway run --config FILE`.

The product has no switch for any of this: the broken part is put in place here, in the started process, and then the
program's own front door is called. `honest` breaks nothing. `devices FILE` instead of `gateway …` breaks the devices.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from paho.mqtt import client as paho

import gateway.__main__ as gateway_program
from firmware_stubs.events import EventSender
from firmware_stubs.journal import Journal
from gateway import app
from gateway.alarms.entry import Entry
from gateway.alarms.escalator import Escalator
from gateway.alarms.ledger import AlarmLedger
from gateway.contract.messages import Event
from gateway.contract.topics import TopicKind
from gateway.model.errors import Unavailable
from gateway.mqtt.client import Delivery, PahoClient
from gateway.outbound.outbox import Outbox
from gateway.store import alarms as rows
from gateway.store.events import OutboxRow
from gateway.store.pool import Connection, Database
from tests.chaos import devices


def honest() -> None:
    """Break nothing."""


def receipt_before_commit() -> None:
    """Tell the device `recorded` inside the transaction, before it has been committed."""
    outboxes: list[Outbox] = []
    keep, close = Outbox.__init__, Entry.close

    def remember(self: Outbox, *given: Any, **named: Any) -> None:
        keep(self, *given, **named)
        outboxes.append(self)

    async def tell_first(self: Entry) -> None:
        await outboxes[0]._session.wait_connected(0.5)
        for device_id, payload in self._receipts:
            area_id = await self.connection.fetchval("select area_id from devices where device_id = $1", device_id)
            await outboxes[0]._send(OutboxRow(0, "receipt", device_id, area_id, payload, 0))
        await close(self)

    _put(Outbox, __init__=remember)
    _put(Entry, close=tell_first)


def asynchronous_commit() -> None:
    """Run on a database that forgets: the look at its settings is left out."""

    async def look_away(_self: Database) -> None:
        pass

    _put(Database, assert_durable=look_away)


def trust_puback() -> None:
    """A device that takes the broker's PUBACK for a receipt and forgets its event."""

    async def publish_once(self: EventSender, event: Event) -> None:
        try:
            await self.device.publish(TopicKind.UP_EVT, event)
        except Unavailable:
            return
        journal: Journal = self._journal
        journal.settle(event.event_id, "recorded", "")
        self._attempts.pop(event.event_id, None)

    _put(EventSender, _publish=publish_once)


def clean_start() -> None:
    """A gateway that begins a new session with every connection; the broker throws the old one away."""
    connect = paho.Client.connect

    def connect_anew(self: paho.Client, *given: Any, **named: Any) -> Any:
        return connect(self, *given, **{**named, "clean_start": True})

    _put(paho.Client, connect=connect_anew)


def automatic_puback() -> None:
    """A gateway whose library acknowledges each message as it comes in, whatever becomes of it then."""
    make = PahoClient._make

    def make_careless(self: PahoClient, client_id: str) -> paho.Client:
        client = make(self, client_id)
        client.manual_ack_set(False)
        return client

    def acknowledged_already(_self: PahoClient, _delivery: Delivery) -> bool:
        return True

    _put(PahoClient, _make=make_careless, acknowledge=acknowledged_already)


def no_unique_key() -> None:
    """A ledger that does not look whether it has a press, on tables that do not mind either."""
    start = app.Durability.start

    async def drop_keys(self: app.Durability) -> None:
        await start(self)
        await self._database.execute("alter table alarm_presses drop constraint if exists alarm_presses_pkey")
        await self._database.execute("alter table alarms drop constraint if exists alarms_device_id_boot_seq_key")

    async def never_repeated(_self: AlarmLedger, _press: object) -> None:
        return None

    _put(app.Durability, start=drop_keys)
    _put(AlarmLedger, _repeated=never_repeated)


def timers_in_memory() -> None:
    """A gateway that keeps an alarm's chain in its own memory and writes a timer down only when it is due."""
    waiting: list[tuple[str, tuple[str, int, str, str, datetime]]] = []
    put, fire = rows.put_timers, Escalator.fire_once

    async def keep(
        _connection: Connection, alarm_id: str, timers: Sequence[tuple[str, int, str, str, datetime]]
    ) -> None:
        waiting.extend((alarm_id, timer) for timer in timers)

    async def fire_remembered(self: Escalator) -> int:
        now = self._clock.now()
        for one in [one for one in waiting if one[1][-1] <= now]:
            waiting.remove(one)
            async with self._ledger._database.transaction() as connection:
                await put(connection, one[0], [one[1]])
        return await fire(self)

    _put(rows, put_timers=keep)
    _put(Escalator, fire_once=fire_remembered)


SABOTAGES: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        deed.__name__: deed
        for deed in (
            honest,
            receipt_before_commit,
            asynchronous_commit,
            trust_puback,
            clean_start,
            automatic_puback,
            no_unique_key,
            timers_in_memory,
        )
    }
)


def _put(place: Any, **parts: Any) -> None:
    """Put other parts in the place of those of the same names; a name that is not there is a mistake of ours."""
    for name, part in parts.items():
        if not hasattr(place, name):
            raise AttributeError(f"{place} has no {name}")
        setattr(place, name, part)


def main() -> int:
    """Break what was named and become the program; the exit code is the program's."""
    name, program, *rest = sys.argv[1:]
    SABOTAGES[name]()
    sys.argv = [program, *rest]
    if program == "devices":
        devices.main()
        return 0
    return gateway_program.main()


if __name__ == "__main__":
    sys.exit(main())
