"""One transaction of the ledger: rows go in as they come, history, receipts and wake-ups at the very end.

The history is written last because an area's hash chain is locked from there to the commit: everything slow must have
happened before. Locks are always taken in this order: household, alarm rows by id, number of the day, chains by area.
"""

from collections.abc import Mapping
from datetime import datetime

from gateway.model.alarms import Alarm, Cancellation, Press
from gateway.model.people import Person
from gateway.runtime.clock import to_ms
from gateway.store import alarms as rows
from gateway.store import events
from gateway.store.alarms import HistoryRow
from gateway.store.pool import Connection


class Entry:
    """What one transaction will have said; `now` is its moment."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._history: list[HistoryRow] = []
        self._receipts: list[tuple[str, Mapping[str, object]]] = []

    @property
    def has_history(self) -> bool:
        """Tell whether an alarm changes with this transaction."""
        return bool(self._history)

    def tell(
        self,
        alarm: Alarm,
        kind: str,
        by: Person,
        details: Mapping[str, object],
        *,
        before: Alarm | None = None,
    ) -> None:
        """Add a line to the alarm's history; with `before` it is a change of state, a first line is one too."""
        facts = {name: value for name, value in details.items() if value not in ("", None)}
        from_state = before.state if before else None
        to_state = alarm.state if before or kind == "raised" else None
        self._history.append(
            HistoryRow(
                alarm.area_id, alarm.alarm_id, alarm.version, kind, self.now,
                by.person_id, by.display_name, from_state, to_state, facts,
            )
        )  # fmt: skip

    def answer(self, press: Press | Cancellation | Alarm, alarm: Alarm, state: str, at: datetime | None = None) -> None:
        """Queue the receipt of a press; what the platform raised itself has nobody to answer."""
        payload = {
            "id": press.event_id,
            "boot": press.boot,
            "seq": press.seq,
            "st": state,
            "no": alarm.alarm_no,
            "at": to_ms(at or self.now),
        }
        self._receipts.append((press.device_id, payload))

    async def close(self) -> None:
        """Write what was said; nothing but the commit may follow."""
        if self._receipts:
            await events.put_receipts(self.connection, self._receipts, self.now)
        if self._history:
            await rows.append_history(self.connection, self._history)
