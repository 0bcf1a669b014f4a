"""What is told outside the house when nobody inside answers: rows for the hooks, in the escalation's transaction."""

from collections.abc import Sequence
from datetime import datetime

from gateway.model.alarms import Alarm
from gateway.runtime.clock import to_ms
from gateway.store import hooks
from gateway.store.alarms import SQL
from gateway.store.pool import Connection


class HookQueue:
    """Queues one message for each of `targets`; no name of a resident is in it, and of a silent alarm no address."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = tuple(targets)

    async def tell(self, connection: Connection, alarm: Alarm, reason: str, now: datetime) -> None:
        """Queue what is to be told about `alarm`; once for each reason, however often it is said."""
        if not self._targets:
            return
        place = await connection.fetchrow(SQL["find_place"], alarm.alarm_id)
        payload = {
            "alarm_no": alarm.alarm_no,
            "kind": alarm.kind,
            "level": alarm.level,
            "area_id": alarm.area_id,
            "area_name": place["area_name"] if place else "",
            "address": place["address"] if place and not alarm.is_silent else "",
            "state": alarm.state.value,
            "escalation_level": alarm.escalation_level,
            "raised_at": to_ms(alarm.raised_at),
        }
        await hooks.put(connection, alarm.alarm_id, reason, self._targets, payload, now)
