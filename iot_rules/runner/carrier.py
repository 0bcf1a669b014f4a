"""Carrying out: wishes from the database to the ledger, the televisions and the desk, each exactly once.

Every deed has an identity made of its wish, so that doing it again after a kill changes nothing.
"""

import asyncio
import hashlib
from datetime import datetime, timedelta

from gateway.alarms import failpoints
from gateway.alarms.doubts import LATE_AFTER_S, Timeliness, timeliness_of
from gateway.alarms.ledger import AlarmLedger
from gateway.model.alarms import Press
from gateway.model.errors import BadInput, NotFound, Unavailable
from gateway.model.notices import TvMessage
from gateway.runtime import logs, metrics
from gateway.runtime.clock import Clock
from gateway.runtime.service import Statistics
from gateway.store.pool import Database
from gateway.store.rules import DeskNotice, RuleStore, WishRow
from gateway.store.tv import TvStore
from iot_rules.rules import Cause, ClearTv, NoticeToDesk, RaiseAlarm, Scope, ShowOnTv
from iot_rules.runner.rows import cause_from_row, deed_from_row

log = logs.get(__name__)

BATCH = 50
POLL_S = 1.0
SPEAKERS = {Scope.HOUSEHOLD.value: "家里的规则", Scope.COMMUNITY.value: "社区的规则"}
#: An alarm without an event of its own gets a seq that no device counts up to; the wish makes it the same each time.
OWN_SEQS = 2**52

_DONE = metrics.counter("linli_rule_deeds", "Deeds that rules wished for, by how they ended.", ("deed", "result"))


class Carrier:
    """Carries out what waits; `wake` says that there is something new."""

    def __init__(self, database: Database, clock: Clock, ledger: AlarmLedger) -> None:
        self._store = RuleStore(database)
        self._tv = TvStore(database)
        self._ledger = ledger
        self._clock = clock
        self._woken = asyncio.Event()
        self._counts = {"done": 0, "retried": 0}

    def wake(self) -> None:
        self._woken.set()

    def statistics(self) -> Statistics:
        return dict(self._counts)

    async def follow(self) -> None:
        """Carry out wishes as they come, and look for waiting ones every second; ends only by cancellation."""
        while True:
            self._woken.clear()
            while await self.carry_out_waiting() == BATCH:
                pass
            try:
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def carry_out_waiting(self) -> int:
        """Carry out at most BATCH wishes that are due, and return how many were tried."""
        rows = await self._store.claim_wishes(self._clock.now(), BATCH)
        for row in rows:
            await self._carry_out(row)
        return len(rows)

    async def _carry_out(self, row: WishRow) -> None:
        failpoints.hit("after_wish_before_deed")
        try:
            result = await self._do(row)
        except Unavailable as error:
            self._counts["retried"] += 1
            log.warning("deed_waits", wish=row.wish_id, deed=row.deed, error=str(error))
            return
        except (NotFound, BadInput, KeyError, TypeError, ValueError) as error:
            # It would be refused tomorrow as well; it is counted, kept with its reason and put aside.
            metrics.dropped("rules", "deed_refused")
            log.error("deed_refused", wish=row.wish_id, deed=row.deed, error=str(error))
            result = "refused"
        failpoints.hit("after_deed_before_done")
        await self._store.finish_wish(row.wish_id, self._clock.now(), result)
        self._counts["done"] += 1
        _DONE.labels(row.deed, result).inc()
        log.info("deed_done", rule=row.rule_id, deed=row.deed, device=row.device_id, result=result)

    async def _do(self, row: WishRow) -> str:
        match deed_from_row(row.deed, row.payload):
            case RaiseAlarm() as alarm:
                return await self._raise_alarm(row, alarm)
            case ShowOnTv() as words:
                return await self._show(row, words)
            case ClearTv():
                taken = await self._store.take_from_tv(_message_prefix(row), self._clock.now())
                return "cleared" if taken else "nothing_to_clear"
            case NoticeToDesk() as notice:
                return await self._tell_desk(row, notice)
            case _:
                return "no_way_yet"

    async def _raise_alarm(self, row: WishRow, alarm: RaiseAlarm) -> str:
        cause = cause_from_row(row.cause)
        boot, seq, event_id = _identity(row, cause)
        timeliness = _timeliness_of(row, cause)
        press = Press(
            device_id=row.device_id,
            boot=boot,
            seq=seq,
            kind=alarm.kind,
            source="rule",
            event_id=event_id,
            device_at=cause.at,
            level=alarm.level,
            details={"rule": row.rule_id, "rule_version": row.rule_version, "text": alarm.text},
            late_by_s=timeliness.late_by_s,
            is_clock_wrong=timeliness.is_clock_wrong,
        )
        receipt = await self._ledger.raise_alarm(press)
        return "raised" if receipt.is_new else "known"

    async def _show(self, row: WishRow, words: ShowOnTv) -> str:
        now = self._clock.now()
        expires_at = row.created_at + words.lasts
        if expires_at <= now:
            return "expired"
        if await self._store.is_cleared(row.rule_id, row.device_id, row.started_at):
            return "overtaken"
        homes = await self._homes(row)
        for household_id in homes:
            await self._tv.post_message(_message(row, words, household_id, expires_at))
        return "shown" if homes else "no_television"

    async def _homes(self, row: WishRow) -> list[str]:
        if row.payload.get("scope") == Scope.COMMUNITY.value:
            return await self._store.households_of(row.area_id)
        return [row.household_id] if row.household_id else []

    async def _tell_desk(self, row: WishRow, notice: NoticeToDesk) -> str:
        line = DeskNotice(
            notice_id=row.wish_id,
            area_id=row.area_id,
            household_id=row.household_id,
            device_id=row.device_id,
            text=notice.text,
            source=f"rule:{row.rule_id}",
            created_at=row.created_at,
        )
        await self._store.post_desk_notice(line)
        return "told"


def _identity(row: WishRow, cause: Cause) -> tuple[int, int, str]:
    """Return (boot, seq, event id) of an alarm: those of its event, else ones that its wish always gets."""
    if cause.event_id:
        return cause.boot, cause.seq, cause.event_id
    number = int.from_bytes(hashlib.sha256(row.wish_id.encode()).digest()[:6])
    return cause.boot, OWN_SEQS + number, row.wish_id


def _timeliness_of(row: WishRow, cause: Cause) -> Timeliness:
    """Return how late the alarm is: by its event's own clock where that can be believed, and by the rules' delay."""
    heard = timeliness_of(cause.at, row.created_at) if cause.event_id else Timeliness()
    ours_s = round(row.late_s) if row.late_s > LATE_AFTER_S else 0
    return Timeliness(max(heard.late_by_s, ours_s), heard.is_clock_wrong)


def _message_prefix(row: WishRow) -> str:
    """Return how the ids begin of all that one episode of a rule shows; `:` stands in no device or rule id."""
    since_epoch = row.started_at - datetime.fromtimestamp(0, row.started_at.tzinfo)
    return f"rule:{row.rule_id}:{row.device_id}:{since_epoch // timedelta(milliseconds=1)}:"


def _message(row: WishRow, words: ShowOnTv, household_id: str, expires_at: datetime) -> TvMessage:
    return TvMessage(
        message_id=f"{_message_prefix(row)}{row.wish_id}:{household_id}",
        household_id=household_id,
        title=words.title,
        body=words.body,
        source=SPEAKERS[str(row.payload["scope"])],
        level=words.level,
        created_at=row.created_at,
        expires_at=expires_at,
    )
