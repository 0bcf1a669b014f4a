"""Between the engine's values and the database's rows."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta

from gateway.store import rules as store
from iot_rules.engine.facts import EngineState, Step
from iot_rules.engine.timers import Key, cause_to_row, episode_from_row, memory_from_row, to_row
from iot_rules.rulefile.deeds import word_of
from iot_rules.rules import Cause, ClearTv, Deed, NoticeToDesk, RaiseAlarm, SendCommand, ShowOnTv, Wish

_DEEDS: Mapping[str, type[Deed]] = {
    "alarm": RaiseAlarm,
    "show_on_tv": ShowOnTv,
    "clear_tv": ClearTv,
    "command": SendCommand,
    "tell_desk": NoticeToDesk,
}


def step_to_rows(step: Step, forgotten: tuple[Key, ...] = ()) -> store.Step:
    """Return everything that a step writes."""
    return store.Step(
        episodes=[
            store.EpisodeRow(rule_id, device_id, one.phase.value, one.due_at, to_row(one))
            for (rule_id, device_id), one in step.episodes.items()
        ],
        memories=[store.MemoryRow(device_id, to_row(memory)) for device_id, memory in step.memories.items()],
        wishes=[wish_to_row(wish, step.now) for wish in step.wishes],
        traces=[
            store.TraceRow(
                trace.at,
                trace.rule_id,
                trace.rule_version,
                trace.device_id,
                trace.outcome,
                trace.late_s,
                trace.wishes,
                trace.detail,
            )
            for trace in step.traces
        ],
        forgotten=forgotten,
    )


async def load_state(rules: store.RuleStore) -> EngineState:
    """Return what the rules remembered when they last ran."""
    episodes = {(rule, device): episode_from_row(row) for rule, device, row in await rules.episodes()}
    memories = {device: memory_from_row(row) for device, row in await rules.memories()}
    return EngineState(episodes, memories, await rules.ticked_at())


def wish_to_row(wish: Wish, now: datetime) -> store.WishRow:
    """Return a wish as it is kept until it is carried out."""
    return store.WishRow(
        wish_id=wish.wish_id,
        rule_id=wish.rule_id,
        rule_version=wish.rule_version,
        device_id=wish.device_id,
        household_id=wish.household_id,
        area_id=wish.area_id,
        deed=word_of(wish.deed),
        payload={**_deed_to_row(wish.deed), "scope": wish.scope},
        cause=cause_to_row(wish.cause),
        chain=wish.chain,
        started_at=wish.started_at,
        due_at=wish.due_at,
        late_s=wish.late_s,
        created_at=now,
    )


def deed_from_row(word: str, row: Mapping[str, object]) -> Deed:
    """Return the deed that was wished for; KeyError or TypeError where the row is not of that shape."""
    kind = _DEEDS[word]
    values = {one.name: row[one.name] for one in fields(kind) if one.name in row}
    if "lasts" in values:
        values["lasts"] = timedelta(seconds=float(str(values["lasts"])))
    return kind(**values)  # type: ignore[arg-type]  # the row was made from the same fields


def cause_from_row(row: Mapping[str, object]) -> Cause:
    """Return the message that led to a wish."""
    return Cause(
        device_id=str(row["device_id"]),
        boot=int(str(row["boot"])),
        seq=int(str(row["seq"])),
        event_id=str(row["event_id"]),
        at=datetime.fromisoformat(str(row["at"])),
    )


def _deed_to_row(deed: Deed) -> dict[str, object]:
    row = {one.name: getattr(deed, one.name) for one in fields(deed)}
    return {name: value.total_seconds() if isinstance(value, timedelta) else value for name, value in row.items()}
