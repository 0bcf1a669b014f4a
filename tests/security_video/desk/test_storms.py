"""Which alarms become one line of the queue, and which never do: pure promises of a storm."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.alarms import Alarm, AlarmState
from gateway.store.desk import Face
from security_video.desk import storms
from security_video.desk.alarm_rows import group_row
from security_video.desk.storms import MORE_THAN, MOST_ROWS, StormKey, after, arrange

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
AREA = "110105001001"
EMPTY = dict.fromkeys(Alarm.__dataclass_fields__)


def face(number: int, **facts: Any) -> Face:
    """An alarm of household `number`, raised that many seconds after noon."""
    usual = {
        "alarm_id": f"a{number:05d}",
        "alarm_no": f"A20261121-{number:04d}",
        "device_id": f"d{number}",
        "household_id": f"h{number}",
        "area_id": AREA,
        "kind": "sos",
        "level": 1,
        "state": AlarmState.RAISED,
        "version": 1,
        "source": "https",
        "raised_at": NOON + timedelta(seconds=number),
        "device_at": NOON,
        "press_count": 1,
        "details": {},
        "is_silent": False,
        "is_drill": False,
        "escalation_level": 0,
        "chain": (),
        "evidence": (),
        "late_by_s": 0,
        "suspicion": "",
        "is_clock_wrong": False,
    }
    return Face(Alarm(**{**EMPTY, **usual, **facts}), "", "", "", "", "柳湾社区")


def ids(faces: Any) -> list[str]:
    return [one.alarm.alarm_id for one in faces]


def test_ten_alarms_are_ten_rows_and_eleven_are_one_line() -> None:
    """Up to ten of a kind each have a row; the eleventh within ten minutes makes a storm of all of them."""
    ten = arrange(face(number) for number in range(MORE_THAN))
    assert (len(ten.rows), ten.groups) == (10, ())
    eleven = arrange(face(number) for number in range(MORE_THAN + 1))
    [group] = eleven.groups
    assert (len(eleven.rows), len(group.members)) == (0, 11)
    line = group_row(group)
    assert (line.area_name, line.kind, line.count, line.households) == ("柳湾社区", "sos", 11, 11)
    assert line.first.alarm_id == "a00000"


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "smoke", "level": 2},
        {"area_id": "110105001002"},
        {"is_drill": True},
        {"is_silent": True},
        {"state": AlarmState.ACKNOWLEDGED},
        {"raised_at": NOON + timedelta(hours=1)},
    ],
)
def test_what_is_outside_a_storm_keeps_its_row(other: dict[str, Any]) -> None:
    """Another kind, another area, a drill, a silent one, one in hand, one of an hour later: each stands alone."""
    storm = [face(number) for number in range(20)]
    arranged = arrange([*storm, face(99, **other)])
    assert ids(arranged.rows) == ["a00099"]
    assert len(arranged.groups[0].members) == 20


def test_the_window_slides() -> None:
    """Eleven alarms over eleven minutes are no storm; one more in between makes one of those that came together."""
    spread = [face(number * 66) for number in range(11)]
    assert arrange(spread).groups == ()
    denser = [*spread, face(601), face(602)]
    [group] = arrange(denser).groups
    assert MORE_THAN < len(group.members) <= len(denser)


def test_the_alarm_in_the_panel_keeps_its_row_and_is_still_counted() -> None:
    """What an operator looks at never vanishes into a line; the line tells the whole number all the same."""
    arranged = arrange((face(number) for number in range(30)), keep={"a00007"})
    assert ids(arranged.rows) == ["a00007"]
    assert len(arranged.groups[0].members) == 30
    assert arranged.storm_of["a00007"] == StormKey(AREA, "sos").text


def test_the_first_of_each_household_comes_before_any_second_one() -> None:
    """A household that has two alarms in a storm does not push another one back."""
    double = [face(number, household_id="h1") for number in range(8)]
    others = [face(100 + number) for number in range(8)]
    turn = storms.in_turn([*double, *others])
    assert ids(turn)[:9] == ["a00000", *(f"a{100 + number:05d}" for number in range(8))]


def test_silent_alarms_stand_first_and_drills_last() -> None:
    """Silent before anything else, real before practice, then level, unanswered and newest first."""
    arranged = arrange(
        [
            face(1, kind="smoke", level=2),
            face(2, is_drill=True),
            face(3),
            face(4, is_silent=True),
            face(5, state=AlarmState.VERIFIED),
        ]
    )
    assert ids(arranged.rows) == ["a00004", "a00003", "a00005", "a00001", "a00002"]


def test_what_is_in_hand_beyond_two_hundred_rows_is_counted_and_nothing_that_waits_is() -> None:
    """A snapshot is bounded by alarms that somebody has; every unanswered one outside a storm still has its row."""
    in_hand = [face(number, state=AlarmState.ACKNOWLEDGED) for number in range(500)]
    waiting = [face(1000 + number, kind="smoke", level=2) for number in range(MORE_THAN)]
    arranged = arrange([*in_hand, *waiting])
    assert len(arranged.rows) == MOST_ROWS
    assert set(ids(waiting)) <= set(ids(arranged.rows))
    assert len(arranged.groups[0].members) == 310


def test_pages_of_a_group_follow_each_other() -> None:
    """Each alarm is on exactly one page; where the cursor's alarm has left, the first page comes again."""
    members = [face(number) for number in range(120)]
    seen: list[str] = []
    cursor = ""
    while True:
        page, cursor = after(members, cursor, 50)
        seen += ids(page)
        if not cursor:
            break
    assert seen == ids(members)
    assert ids(after(members, "gone", 50)[0]) == ids(members[:50])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.sampled_from(["sos", "smoke"]),
            st.sampled_from(["raised", "verified"]),
            st.booleans(),
        ),
        max_size=80,
    )
)
def test_every_alarm_is_a_row_or_in_a_line_and_none_is_both(drawn: list[tuple[int, str, str, bool]]) -> None:
    """Whatever comes, nothing is lost: rows and groups together are exactly what is open."""
    faces = [
        face(number, raised_at=NOON + timedelta(seconds=at), kind=kind, state=AlarmState(state), is_silent=is_silent)
        for number, (at, kind, state, is_silent) in enumerate(drawn)
    ]
    arranged = arrange(faces)
    shown = ids(arranged.rows) + [one for group in arranged.groups for one in ids(group.members)]
    assert sorted(shown) == sorted(ids(faces))
    assert not any(one.alarm.is_silent for group in arranged.groups for one in group.members)
