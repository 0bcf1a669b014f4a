from datetime import timedelta

import pytest

from gateway.alarms.overdue import (
    DELIVERY_STUCK,
    ENGINE_DEAD,
    OUTSIDE_REFUSES,
    Deed,
    Patience,
    deed_of,
    findings_of,
)
from gateway.store.oversight import Incident, OpenTimer, Unsent, WaitingAlarm
from tests.kit.clock import BEGINNING

CHAIN = (
    {"kind": "unseen", "level": 1, "after_s": 5.0, "area": "110105001000", "name": "街道"},
    {"kind": "street", "level": 1, "after_s": 30.0, "area": "110105001000", "name": "街道"},
    {"kind": "district", "level": 2, "after_s": 60.0, "area": "110105000000", "name": "区"},
    {"kind": "supervisor", "level": 3, "after_s": 90.0, "area": "110105000000", "name": "区"},
)
PATIENCE = Patience(slack_s=10, unsent_s=60)


def alarm(state: str, level: int) -> WaitingAlarm:
    return WaitingAlarm("01M7", "A20260719-0001", state, level, CHAIN, BEGINNING)


@pytest.mark.parametrize(
    ("state", "level", "after_s", "missing"),
    [
        ("raised", 0, 4, ""),
        ("raised", 0, 15, ""),
        ("raised", 0, 15.1, "unseen"),
        ("raised", 1, 15.1, ""),
        ("notified", 0, 15.1, ""),
        ("notified", 0, 40, ""),
        ("notified", 0, 40.1, "street"),
        ("notified", 1, 70, ""),
        ("notified", 1, 70.1, "district"),
        ("raised", 1, 70.1, "district"),
        ("notified", 2, 100, ""),
        ("notified", 2, 100.1, "supervisor"),
        ("notified", 3, 100_000, ""),
        ("notified", 0, -3600, ""),
    ],
)
def test_a_step_is_missed_when_its_time_and_the_slack_are_over(
    state: str, level: int, after_s: float, missing: str
) -> None:
    """Each step by its own time; `unseen` is waited for only while no desk has shown the alarm."""
    found = findings_of(BEGINNING + timedelta(seconds=after_s), PATIENCE, [alarm(state, level)], [], [])
    assert [finding.subject for finding in found] == ([f"A20260719-0001 {missing}"] if missing else [])
    assert all(finding.kind == ENGINE_DEAD for finding in found)


def test_a_step_that_was_brought_forward_is_due_at_once() -> None:
    """Where nobody was on duty, the chain's own row says that there is no wait."""
    waiting = WaitingAlarm("01M7", "A1", "raised", 0, ({**CHAIN[0], "after_s": 0.0, "nobody": True},), BEGINNING)
    at = BEGINNING + timedelta(seconds=10.1)
    assert [finding.since for finding in findings_of(at, PATIENCE, [waiting], [], [])] == [BEGINNING]


def test_timers_and_what_waits_are_found_by_their_age_and_the_oldest_comes_first() -> None:
    """An open timer after the slack, an unsent row after a minute; what is tried in vain is another thing."""
    now = BEGINNING + timedelta(seconds=100)
    timers = [OpenTimer(7, "A1", "progress", now - timedelta(seconds=age)) for age in (10, 11)]
    unsent = [
        Unsent("receipt", 1, "sos-0301", now - timedelta(seconds=60), is_tried=False),
        Unsent("receipt", 2, "sos-0301", now - timedelta(seconds=61), is_tried=False),
        Unsent("hook", 3, "phone", now - timedelta(seconds=62), is_tried=True),
    ]
    found = findings_of(now, PATIENCE, [], timers, unsent)
    assert [(finding.kind, finding.reference) for finding in found] == [
        (OUTSIDE_REFUSES, "hook:3"),
        (DELIVERY_STUCK, "receipt:2"),
        (ENGINE_DEAD, "timer:7"),
    ]


def test_a_reference_is_the_same_at_every_look_and_new_in_a_new_round() -> None:
    """What identifies a finding does not depend on when somebody looks; a signature that expired begins a new one."""
    first, again = (
        findings_of(BEGINNING + timedelta(seconds=after_s), PATIENCE, [alarm("raised", 0)], [], [])[0].reference
        for after_s in (20, 2000)
    )
    later = WaitingAlarm("01M7", "A1", "raised", 0, CHAIN, BEGINNING + timedelta(seconds=400))
    new_round = findings_of(BEGINNING + timedelta(seconds=2000), PATIENCE, [later], [], [])[0].reference
    assert first == again != new_round


@pytest.mark.parametrize(
    ("is_found", "incident", "deed"),
    [
        (True, None, Deed.RAISE),
        (True, Incident("x", is_over=False), Deed.NOTHING),
        (True, Incident("x", is_over=True), Deed.RAISE),
        (False, None, Deed.NOTHING),
        (False, Incident("x", is_over=False), Deed.NOTE_END),
        (False, Incident("x", is_over=True), Deed.NOTHING),
    ],
)
def test_an_incident_is_raised_once_and_its_end_is_noted_once(
    is_found: bool, incident: Incident | None, deed: Deed
) -> None:
    """What to do follows from what is found and from the platform's own open alarm, nothing else."""
    assert deed_of(is_found=is_found, incident=incident) is deed
