"""What a household is told about its alarm: the stage, the names, and what is never told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.alarms.escalation import chain_of
from gateway.alarms.facts import facts_of, stage_of
from gateway.model.alarms import Alarm, AlarmState, Delays
from tests.kit.clock import BEGINNING

AREA = "110105001001"
NAMES = {"110105001000": "柳湾镇", "110105000000": "青溪县"}
CHAIN = tuple(step.document() for step in chain_of(AREA, Delays(), NAMES))
ALARM = Alarm(
    "01K8Z6Q91RN5Y7W3T9X2B4D6FH", "A20261120-0007", "stb-1", 1, 1, "01K8Z6Q8V0H4T6Y2N5R7W9X3AB", "h-1", AREA, "sos", 1,
    AlarmState.RAISED, 1, "mqtt", BEGINNING, BEGINNING, None, None, None, None, None, None, None, None, None, None,
    None, None, None, None, 1, {}, chain=CHAIN,
)  # fmt: skip
LATER = BEGINNING + timedelta(minutes=1)
SIGNED: dict[str, Any] = {"acknowledged_at": LATER, "acknowledged_by": "p-1", "acknowledged_name": "周敏"}


@pytest.mark.parametrize(
    ("changed", "stage"),
    [
        ({}, "recorded"),
        ({"state": AlarmState.NOTIFIED}, "recorded"),
        ({"chain": ()}, "arrived"),
        ({"chain": CHAIN[:1]}, "arrived"),
        ({"escalation_level": 1}, "escalated"),
        ({"state": AlarmState.NOTIFIED, "escalation_level": 3}, "escalated"),
        ({"state": AlarmState.ACKNOWLEDGED, "escalation_level": 2}, "acknowledged"),
        ({"state": AlarmState.VERIFIED}, "acknowledged"),
        ({"state": AlarmState.DISPATCHED}, "dispatched"),
        ({"state": AlarmState.ON_SCENE}, "on_scene"),
        ({"state": AlarmState.RESOLVED}, "closed"),
        ({"state": AlarmState.CLOSED, "cancelled_by_user_at": LATER}, "closed"),
        ({"state": AlarmState.NOTIFIED, "cancelled_by_user_at": LATER, "escalation_level": 1}, "cancelled"),
    ],
)
def test_the_stage_follows_the_ledger(changed: dict[str, Any], stage: str) -> None:
    """One row of the table for each screen."""
    assert stage_of(replace(ALARM, **changed)) == stage


def test_who_is_asked_next_comes_from_the_alarms_own_chain() -> None:
    """Seconds and name are the chain's first step that waits for a signature, not a number of the screen's."""
    facts = facts_of(ALARM)
    assert (facts["next_after_s"], facts["next_to"]) == (30, "柳湾镇")
    slow = chain_of(AREA, Delays(street_s=45), {"110105001000": "东风街道"})
    facts = facts_of(replace(ALARM, chain=tuple(step.document() for step in slow)))
    assert (facts["next_after_s"], facts["next_to"]) == (45, "东风街道")
    assert facts_of(replace(ALARM, chain=()))["next_to"] == ""


@pytest.mark.parametrize(("level", "name"), [(0, ""), (1, "柳湾镇"), (2, "青溪县"), (3, "青溪县")])
def test_the_desk_that_was_asked_is_named(level: int, name: str) -> None:
    """Each level has the name of its desk."""
    assert facts_of(replace(ALARM, escalation_level=level))["escalated_to"] == name


def test_an_expired_signature_takes_its_name_along() -> None:
    """Whoever signed and did nothing stands on no screen any more, whatever the row still says."""
    expired = replace(ALARM, state=AlarmState.NOTIFIED, **SIGNED)
    assert (facts_of(expired)["operator"], stage_of(expired)) == ("", "recorded")
    assert facts_of(replace(expired, state=AlarmState.ACKNOWLEDGED))["operator"] == "周敏"


def test_a_box_is_not_told_whether_an_alarm_is_silent() -> None:
    """The facts of a silent alarm are those of another one, word for word."""
    assert facts_of(replace(ALARM, is_silent=True, suspicion="unsigned")) == facts_of(ALARM)
