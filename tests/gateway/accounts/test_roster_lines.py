"""Lines of a roster: what can be a shift, and the reason for everything that cannot."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.accounts import roster_lines
from gateway.accounts.roster_lines import Draft, Line, Refused
from gateway.model.errors import BadInput

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 7, 19, 12, tzinfo=UTC)
AREA = "110105001001"
GOOD = Line(2, AREA, "周敏", "138 0000 0000", "operator", "2026-07-19 20:00", "2026-07-20 08:00")
HEADER = "area_id,person,phone,role,begins,ends\n"


def changed(**facts: str) -> Draft | Refused:
    return roster_lines.draft_of(Line(**{**{name: getattr(GOOD, name) for name in GOOD.__slots__}, **facts}), ZONE, NOW)


def test_times_are_the_communitys_wall_clock() -> None:
    """20:00 in Shanghai is noon in Greenwich; a spreadsheet's and a browser's way to write it mean the same."""
    for begins in ("2026-07-19 20:00", "2026-07-19T20:00", "2026/7/19 20:00", "2026-07-19 20:00:00"):
        draft = changed(begins=begins)
        assert isinstance(draft, Draft)
        assert draft.begins_at == NOW
        assert draft.ends_at == NOW + timedelta(hours=12)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"area_id": "1101"}, "bad_area"),
        ({"person": ""}, "bad_name"),
        ({"person": "周" * 61}, "bad_name"),
        ({"phone": "call me"}, "bad_phone"),
        ({"role": "admin"}, "bad_role"),
        ({"begins": "tomorrow"}, "bad_time"),
        ({"begins": "2026-07-19"}, "bad_time"),
        ({"ends": "2026-02-30 08:00"}, "bad_time"),
        ({"ends": "2026-07-19 20:00"}, "ends_before_begin"),
        ({"ends": "2026-07-26 20:01"}, "shift_too_long"),
        ({"begins": "2062-07-19 20:00", "ends": "2062-07-20 08:00"}, "too_far_away"),
        ({"begins": "2016-07-19 20:00", "ends": "2016-07-20 08:00"}, "too_far_away"),
    ],
)
def test_each_wrong_value_is_named_by_its_reason(facts: dict[str, str], reason: str) -> None:
    """A shift with a wrong year would hide every gap: it is refused with all else that cannot be."""
    refused = changed(**facts)
    assert isinstance(refused, Refused)
    assert (refused.number, refused.reason) == (2, reason)


def test_roles_are_said_in_either_language() -> None:
    """班长 is a supervisor, nothing said is an operator."""
    roles = [
        draft.role for word in ("班长", "值班员", "", "Supervisor") if isinstance(draft := changed(role=word), Draft)
    ]
    assert roles == ["supervisor", "operator", "operator", "supervisor"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_read_as_a_spreadsheet_writes_it(encoding: str) -> None:
    """Byte order mark, GB18030, columns in another order, empty lines and quotes are read; lines keep their number."""
    written = ["Person,area_id,phone,role,ends,begins", "", '"周敏, 夜",1,,operator,b,a', ",,,,,", "李强,x,1,,d,c", ""]
    text = "\r\n".join(written)
    lines = roster_lines.read_csv(text.encode(encoding))
    assert [(line.number, line.person, line.begins, line.ends) for line in lines] == [
        (3, "周敏, 夜", "a", "b"),
        (5, "李强", "c", "d"),
    ]


def test_a_line_with_another_number_of_values_is_refused_not_guessed() -> None:
    """A missing comma must not move a telephone number into the role."""
    [line] = roster_lines.read_csv((HEADER + f"{AREA},周敏,operator,2026-07-19 20:00,2026-07-20 08:00\n").encode())
    refused = roster_lines.draft_of(line, ZONE, NOW)
    assert isinstance(refused, Refused)
    assert refused.reason == "bad_area"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "roster_columns"),
        (b"a,b\n", "roster_columns"),
        (HEADER.encode() + b"\xff\xff\xff\n", "roster_encoding"),
        (HEADER.encode() + b"x" * roster_lines.MAX_BYTES, "roster_too_large"),
        (HEADER.encode() + b"1,2,3,4,5,6\n" * (roster_lines.MAX_LINES + 1), "roster_too_large"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_as_a_whole(raw: bytes, reason: str) -> None:
    """Other columns, another encoding and too much of it are each said."""
    with pytest.raises(BadInput) as caught:
        roster_lines.read_csv(raw)
    assert caught.value.reason == reason


def test_uncovered_time_is_what_lies_between_shifts() -> None:
    """Shifts that meet leave no gap, shifts inside others neither; before the first and after the last is a gap."""

    def at(hour: float) -> datetime:
        return NOW + timedelta(hours=hour)

    assert roster_lines.uncovered([], at(0), at(24)) == [(at(0), at(24))]
    assert roster_lines.uncovered([(at(-2), at(12)), (at(12), at(30))], at(0), at(24)) == []
    shifts = [(at(14), at(16)), (at(1), at(12)), (at(2), at(3)), (at(40), at(50))]
    assert roster_lines.uncovered(shifts, at(0), at(24)) == [(at(0), at(1)), (at(12), at(14)), (at(16), at(24))]
