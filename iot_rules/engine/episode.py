"""One rule and one device through time: when a duration begins, breaks and ends. Pure; no wish is made here.

    IDLE --true--> ARMED --due--> ACTIVE --false--> IDLE     MUTED stands for ACTIVE where the rule decided
    ARMED --not true any more--> IDLE                        not to fire.

Truth is the trigger and the window. It begins to count with the first sample that says so, but a change counts as an
edge only from FALSE: what was unknown before has not changed. An absent device keeps its last word for as long as
the gap policy forgives; nothing fires meanwhile, unless the policy says hold.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from iot_rules.conditions.triggers import Silence
from iot_rules.conditions.truth import Truth
from iot_rules.engine.timers import Episode, Phase
from iot_rules.rules import Cause, GapPolicy, Rule

#: After its return a device gets this long to say how things are before an overdue duration fires.
RETURN_GRACE = timedelta(seconds=5)


class Turn(StrEnum):
    """What the step calls for: nothing, a decision to fire, or the rule's `else`."""

    NOTHING = "nothing"
    FIRE = "fire"
    END = "end"


def next_moment(rule: Rule, episode: Episode) -> datetime | None:
    """Return when this episode changes by itself, if nothing is heard."""
    waits = episode.phase is Phase.ARMED and not _is_held_back(rule, episode)
    runs_out = episode.phase is Phase.ACTIVE
    due_at = episode.due_at if waits or runs_out else None
    if due_at is not None and waits and episode.cooled_at is not None:
        due_at = max(due_at, episode.cooled_at)
    return min((at for at in (due_at, episode.look_at, _gap_end(rule, episode)) if at is not None), default=None)


def pass_moment(rule: Rule, episode: Episode, at: datetime) -> tuple[Episode, Turn]:
    """Let `at`, a moment that `next_moment` named, pass."""
    gap_end = _gap_end(rule, episode)
    if gap_end is not None and gap_end <= at:
        return _retruth(rule, replace(episode, reading=Truth.UNKNOWN), at)
    if episode.look_at is not None and episode.look_at <= at:
        return _retruth(rule, episode, at)
    if episode.phase is Phase.ACTIVE:
        return replace(episode, phase=Phase.IDLE, due_at=None), Turn.END
    return episode, Turn.FIRE


def observe(rule: Rule, episode: Episode, reading: Truth, at: datetime) -> tuple[Episode, Turn]:
    """Take what the trigger says about a new sample."""
    return _retruth(rule, replace(episode, reading=reading, absent_at=None), at)


def hear(rule: Rule, episode: Episode, at: datetime) -> tuple[Episode, Turn]:
    """Take any sign of life for a rule about silence: its duration begins again."""
    trigger = rule.trigger
    after = trigger.after if isinstance(trigger, Silence) else rule.hold
    turn = Turn.END if episode.phase is Phase.ACTIVE else Turn.NOTHING
    return replace(episode, phase=Phase.ARMED, since=at, due_at=at + after), turn


def go_absent(episode: Episode, at: datetime) -> Episode:
    """Note that the device went away; the first such moment counts."""
    return episode if episode.absent_at is not None else replace(episode, absent_at=at)


def come_back(episode: Episode, at: datetime) -> Episode:
    """Note that the device is there again, before it has said how things are."""
    if episode.absent_at is None:
        return episode
    due_at = episode.due_at
    if episode.phase is Phase.ARMED and due_at is not None:
        due_at = max(due_at, at + RETURN_GRACE)
    return replace(episode, absent_at=None, due_at=due_at)


def prolong(episode: Episode, blind: timedelta) -> Episode:
    """Give a silence the time back in which nobody could have heard anything."""
    if episode.phase is not Phase.ARMED or episode.due_at is None:
        return episode
    return replace(episode, due_at=episode.due_at + blind)


def because(episode: Episode, cause: Cause, chain: tuple[str, ...]) -> Episode:
    """Remember which message armed it; while it runs or is active, the first one stays."""
    if episode.phase in {Phase.ARMED, Phase.ACTIVE} and episode.cause is not None:
        return episode
    return replace(episode, cause=cause, chain=chain)


def _is_held_back(rule: Rule, episode: Episode) -> bool:
    return episode.absent_at is not None and rule.gap.policy is not GapPolicy.HOLD


def _gap_end(rule: Rule, episode: Episode) -> datetime | None:
    if episode.absent_at is None or episode.reading is Truth.UNKNOWN or rule.gap.policy is GapPolicy.HOLD:
        return None
    return episode.absent_at + (rule.gap.limit if rule.gap.policy is GapPolicy.FORGIVE else timedelta())


def _retruth(rule: Rule, episode: Episode, at: datetime) -> tuple[Episode, Turn]:
    window = rule.window
    truth = episode.reading & Truth.of(window is None or window.holds(at))
    was, watched = episode.truth, window is not None and episode.reading is not Truth.FALSE
    episode = replace(episode, truth=truth, look_at=window.next_change(at) if window and watched else None)
    match truth:
        case Truth.TRUE:
            return _begin(rule, episode, was, at), Turn.NOTHING
        case Truth.FALSE:
            return _end(episode)
        case _:
            return (_idle(episode) if episode.phase is Phase.ARMED else episode), Turn.NOTHING


def _begin(rule: Rule, episode: Episode, was: Truth, at: datetime) -> Episode:
    if episode.phase is not Phase.IDLE:
        return episode
    is_edge = was is Truth.FALSE or (was is Truth.UNKNOWN and rule.fires_on_first)
    if not rule.hold and not is_edge:
        return episode
    return replace(episode, phase=Phase.ARMED, since=at, due_at=at + rule.hold)


def _end(episode: Episode) -> tuple[Episode, Turn]:
    turn = Turn.END if episode.phase is Phase.ACTIVE else Turn.NOTHING
    return _idle(episode), turn


def _idle(episode: Episode) -> Episode:
    return replace(episode, phase=Phase.IDLE, since=None, due_at=None)
