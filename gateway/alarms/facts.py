"""An alarm as its own household may see it: how far it is, who has it, who is asked next; pure.

A name stands here only after that person has signed, and goes again when the signature has expired. What the desk
notes for itself, and whether an alarm is silent, never stands here.
"""

from datetime import datetime
from typing import Final

from gateway.alarms.escalation import UNSEEN, steps_of
from gateway.model.alarms import Alarm, AlarmState
from gateway.runtime.clock import to_ms

OVER: Final = frozenset({AlarmState.RESOLVED, AlarmState.CLOSED})


def stage_of(alarm: Alarm) -> str:
    """Return the screen that a household sees: recorded, arrived, escalated, acknowledged … closed, cancelled.

    `recorded` says who is asked next, `arrived` is for alarms that nobody else will be asked about.
    """
    if alarm.state in OVER:
        return "closed"
    if alarm.cancelled_by_user_at is not None:
        return "cancelled"
    if alarm.is_waiting:
        if alarm.escalation_level:
            return "escalated"
        return "recorded" if _next_step(alarm) else "arrived"
    return {AlarmState.DISPATCHED: "dispatched", AlarmState.ON_SCENE: "on_scene"}.get(alarm.state, "acknowledged")


def moment_of(alarm: Alarm) -> datetime:
    """Return when the stage began that the household sees."""
    if alarm.is_waiting:
        return alarm.raised_at
    moments = (alarm.closed_at, alarm.resolved_at, alarm.on_scene_at, alarm.dispatched_at, alarm.acknowledged_at)
    return next((moment for moment in moments if moment is not None), alarm.raised_at)


def facts_of(alarm: Alarm) -> dict[str, object]:
    """Return an alarm as a box may see it."""
    is_signed = not alarm.is_waiting
    after_s, next_to = _next_step(alarm) or (0, "")
    return {
        "alarm_id": alarm.alarm_id,
        "no": alarm.alarm_no,
        "short_no": alarm.short_no,
        "state": alarm.state.value,
        "stage": stage_of(alarm),
        "at": to_ms(moment_of(alarm)),
        "recorded_at": to_ms(alarm.raised_at),
        "cancelled": alarm.cancelled_by_user_at is not None,
        "operator": (alarm.acknowledged_name or "") if is_signed else "",
        "acknowledged_at": _ms(alarm.acknowledged_at),
        "dispatched_to": alarm.dispatched_to or "",
        "dispatched_at": _ms(alarm.dispatched_at),
        "on_scene_at": _ms(alarm.on_scene_at),
        "closed_at": _ms(alarm.closed_at),
        "press_count": alarm.press_count,
        "escalation_level": alarm.escalation_level,
        "escalated_to": escalated_to(alarm),
        "next_after_s": after_s,
        "next_to": next_to,
        "drill": alarm.is_drill,
        "late_by_s": alarm.late_by_s,
    }


def escalated_to(alarm: Alarm) -> str:
    """Return the name of the desk that was asked last, as the alarm's own chain has it; empty where it has none."""
    names = [step.area_name for step in steps_of(alarm.chain) if step.level == alarm.escalation_level]
    return names[-1] if names else ""


def _next_step(alarm: Alarm) -> tuple[int, str] | None:
    """Return after how many seconds without a signature which desk is asked first; None where none will be."""
    steps = [(round(step.after_s), step.area_name) for step in steps_of(alarm.chain) if step.kind != UNSEEN]
    return steps[0] if steps and steps[0][1] else None


def _ms(moment: datetime | None) -> int | None:
    return to_ms(moment) if moment else None
