"""What must be told outside the house: written with the escalation, claimed one by one, kept when done or given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.store.pool import Connection, Database
from gateway.store.queries import named

SQL = named("hooks")

#: How `last_error` begins in a row that is done without having been told.
GIVEN_UP = "given up: "


@dataclass(frozen=True, slots=True)
class Delivery:
    """One thing to tell one target; `reference` is the same in every attempt."""

    delivery_id: int
    reference: str
    alarm_id: str
    target: str
    payload: Mapping[str, object]
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A row whose time was over before its target had taken it."""

    reference: str
    target: str
    attempts: int
    last_error: str


async def put(  # noqa: PLR0917  the row in the order of its meaning, as the ledger calls it
    connection: Connection,
    alarm_id: str,
    reason: str,
    targets: Sequence[str],
    payload: Mapping[str, object],
    now: datetime,
) -> None:
    """Queue one row for each target, told only if the transaction commits; the same alarm and reason again adds none.

    `payload` is JSON about the alarm: `alarm_no`, `kind`, `level`, `area_id`, `area_name`, `address`, `state`,
    `escalation_level`, `raised_at` (ms). No names of residents. `reason` is added here.
    """
    if not targets:
        return
    said = {"reason": reason, **payload}
    await connection.execute(SQL["put_delivery"], f"{alarm_id}:{reason}", alarm_id, said, now, list(targets))
    await connection.execute(SQL["notify_hooks"])


async def claim(database: Database, target: str, now: datetime, lease_s: float) -> Delivery | None:
    """Return what is due for `target` for longest, not to be handed out again for `lease_s`; None when nothing is."""
    row = await database.fetchrow(SQL["claim_delivery"], target, now, lease_s)
    return Delivery(*row) if row else None


async def finish(database: Database, delivery_id: int, now: datetime) -> None:
    """Mark a row as told."""
    await database.execute(SQL["finish_delivery"], delivery_id, now, "")


async def give_up(database: Database, delivery_id: int, now: datetime, error: str) -> None:
    """Close a row that its target will never take; it stays readable with its error."""
    await database.execute(SQL["finish_delivery"], delivery_id, now, f"{GIVEN_UP}{error}")


async def put_off(database: Database, delivery_id: int, until: datetime, error: str) -> None:
    """Note why an attempt failed and when the next one is."""
    await database.execute(SQL["put_off_delivery"], delivery_id, until, error)


async def give_up_late(database: Database, before: datetime, now: datetime) -> list[GivenUp]:
    """Close every row that was made before `before` and return them."""
    return [GivenUp(*row) for row in await database.fetch(SQL["give_up_late"], before, now)]


async def count_waiting(database: Database) -> Mapping[str, int]:
    """Return how many rows wait, by target."""
    return {row["target"]: row["waiting"] for row in await database.fetch(SQL["count_waiting"])}
