"""The chain of an alarm and what its timers mean, as tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.alarms import escalation
from gateway.alarms.escalation import Deed, Timer
from gateway.model.alarms import Alarm, AlarmState, Delays, desk_level

AREA, STREET, DISTRICT = "110105001001", "110105001000", "110105000000"
NAMES = {AREA: "柳湾社区", STREET: "柳湾镇", DISTRICT: "青溪县"}
NOW = datetime(2026, 7, 19, 20, 0, tzinfo=UTC)

_NOTHING: dict[str, Any] = dict.fromkeys(Alarm.__dataclass_fields__)
ALARM = Alarm(
    **{**_NOTHING, "alarm_no": "A20260719-0001", "area_id": AREA, "state": AlarmState.RAISED, "escalation_level": 0}
)


def timer(kind: str) -> Timer:
    return Timer(1, "a", 1, kind, 1, STREET, "柳湾镇", NOW)


def test_an_alarm_goes_to_the_street_the_district_and_the_supervisor() -> None:
    """5, 30, 60 and 90 seconds, each with the desk that is asked then."""
    chain = escalation.chain_of(AREA, Delays(), NAMES)
    assert [(step.kind, step.after_s, step.level, step.area_name) for step in chain] == [
        ("unseen", 5.0, 1, "柳湾镇"),
        ("street", 30.0, 1, "柳湾镇"),
        ("district", 60.0, 2, "青溪县"),
        ("supervisor", 90.0, 3, "青溪县"),
    ]
    assert not any(step.brought_forward for step in chain)


@pytest.mark.parametrize(
    ("deserted", "waits_s"),
    [
        ((), (5, 30, 60, 90)),
        ((AREA,), (0, 0, 60, 90)),
        ((AREA, STREET), (0, 0, 0, 90)),
        # A street that is deserted changes nothing while somebody is on duty in the community.
        ((STREET,), (5, 30, 60, 90)),
        ((AREA, DISTRICT), (0, 0, 60, 90)),
    ],
)
def test_a_desk_where_nobody_is_on_duty_is_not_waited_for(deserted: tuple[str, ...], waits_s: tuple[int, ...]) -> None:
    """The next desk is asked at once; the chain beyond it keeps its times."""
    chain = escalation.chain_of(AREA, Delays(), NAMES, deserted)
    assert tuple(step.after_s for step in chain) == waits_s
    assert [step.brought_forward for step in chain] == [wait == 0 for wait in waits_s]


def test_a_chain_is_the_same_after_it_was_kept() -> None:
    """What an alarm's row keeps gives the steps again."""
    chain = escalation.chain_of(AREA, Delays(), NAMES, [AREA])
    assert escalation.steps_of([step.document() for step in chain]) == chain
    assert escalation.due_times(chain, NOW)[3] == NOW + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("kind", "acting"),
    [
        ("unseen", {AlarmState.RAISED: Deed.ESCALATE}),
        ("street", {AlarmState.RAISED: Deed.ESCALATE, AlarmState.NOTIFIED: Deed.ESCALATE}),
        ("supervisor", {AlarmState.RAISED: Deed.ESCALATE, AlarmState.NOTIFIED: Deed.ESCALATE}),
        (
            "progress",
            {
                AlarmState.ACKNOWLEDGED: Deed.EXPIRE,
                AlarmState.VERIFIED: Deed.REMIND,
                AlarmState.DISPATCHED: Deed.REMIND,
                AlarmState.ON_SCENE: Deed.REMIND,
            },
        ),
    ],
)
def test_a_timer_acts_only_while_what_it_waits_for_has_not_happened(kind: str, acting: dict[AlarmState, Deed]) -> None:
    """For every state there is one deed."""
    for state in AlarmState:
        deed = escalation.deed_of(timer(kind), replace(ALARM, state=state))
        assert deed is acting.get(state, Deed.NOTHING), state


@pytest.mark.parametrize(
    ("level", "reached"),
    [(0, {AREA}), (1, {AREA, STREET}), (2, {AREA, STREET, DISTRICT}), (3, {AREA, STREET, DISTRICT, "110100000000"})],
)
def test_an_alarm_reaches_the_desks_that_it_has_come_up_to(level: int, reached: set[str]) -> None:
    """Its own community always; street, district and city one after the other; a neighbour never."""
    alarm = replace(ALARM, escalation_level=level)
    everybody = {AREA, STREET, DISTRICT, "110100000000", "110105001002", "330100000000"}
    assert {area for area in everybody if alarm.reaches(area)} == reached
    assert [desk_level(area) for area in (AREA, STREET, DISTRICT, "110100000000", "0" * 12)] == [0, 1, 2, 3, 3]
