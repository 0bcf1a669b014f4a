"""Device events stored once each, and the outbox: what must be told to devices until it has been."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.store.pool import Connection, Database
from gateway.store.queries import named

SQL = named("events")


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """Something that happened at a device; (device_id, boot, seq) is its identity."""

    device_id: str
    boot: int
    seq: int
    event_id: str
    area_id: str
    kind: str
    at: datetime
    received_at: datetime
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One thing to tell a device; it stays until `finish`."""

    outbox_id: int
    kind: str
    device_id: str
    area_id: str
    payload: Mapping[str, object]
    attempts: int
    #: By which the device knows that it is we who speak; None where it signs nothing.
    alarm_key: bytes | None = field(default=None, repr=False)


async def insert_event(connection: Connection, event: DeviceEvent) -> bool:
    """Store the event once; tell whether it was new."""
    values = [getattr(event, name) for name in DeviceEvent.__dataclass_fields__]
    return await connection.fetchval(SQL["insert_event"], *values) is not None


async def put_receipt(
    connection: Connection,
    device_id: str,
    area_id: str,
    payload: Mapping[str, object],
    now: datetime,
) -> None:
    """Queue a receipt, told only if the transaction commits; the same receipt again is told again, in the same row.

    `payload` is the body of `down/receipt` without `now`; (boot, seq, st) make it the same.
    """
    reference = f"receipt:{device_id}:{payload['boot']}:{payload['seq']}:{payload['st']}"
    await connection.execute(SQL["put_outbox"], reference, "receipt", device_id, area_id, dict(payload), now)
    await connection.execute(SQL["notify_outbox"])


async def put_receipts(
    connection: Connection,
    receipts: Sequence[tuple[str, Mapping[str, object]]],
    now: datetime,
) -> None:
    """Queue the receipts of (device, body) as `put_receipt` does; devices that are not registered are left out."""
    devices = [device_id for device_id, _ in receipts]
    payloads = [dict(payload) for _, payload in receipts]
    await connection.execute(SQL["put_receipts"], devices, payloads, now)


async def claim(database: Database, now: datetime, limit: int) -> list[OutboxRow]:
    """Return what is due, oldest first, and put its next attempt further away (2, 4, 8 … 60 s)."""
    rows = await database.fetch(SQL["claim_outbox"], now, limit)
    found = [OutboxRow(*row) for row in rows]
    return sorted(found, key=lambda row: row.outbox_id)


async def finish(database: Database, outbox_ids: Sequence[int], now: datetime) -> None:
    """Mark rows as told."""
    await database.execute(SQL["finish_outbox"], list(outbox_ids), now)


async def count_waiting(database: Database) -> int:
    """Return how many rows are not told yet."""
    return int(await database.fetchval(SQL["count_waiting"]))


async def prune(database: Database, before: datetime) -> str:
    """Forget what was told before `before`."""
    return await database.execute(SQL["prune_outbox"], before)
