"""Who is doubted and whose clock: two pure tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.alarms.doubts import Timeliness, suspicion_of, timeliness_of
from gateway.contract.examples import DEVICE, EVENT, KEY
from gateway.contract.messages import Event
from gateway.contract.times import from_any_ms
from gateway.model.registry import Device
from tests.kit.clock import BEGINNING

PLAIN = Device(DEVICE, "110105001001", "hh-0501", None, "stb")
KEYED = replace(PLAIN, alarm_key=KEY)
UNSIGNED = replace(EVENT, signature="")
FORGED = replace(EVENT, signature="0" * 64)
MOVED = replace(EVENT, seq=EVENT.seq + 1)
REVOKED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("device", "event", "by_mqtt", "with_token"),
    [
        (KEYED, EVENT, "", ""),
        (KEYED, UNSIGNED, "unsigned", ""),
        (KEYED, FORGED, "bad_signature", "bad_signature"),
        (KEYED, MOVED, "bad_signature", "bad_signature"),
        (KEYED, replace(EVENT, signature="\ud800"), "bad_signature", "bad_signature"),
        (PLAIN, EVENT, "", ""),
        (PLAIN, UNSIGNED, "", ""),
        (PLAIN, FORGED, "", ""),
        (replace(KEYED, revoked_at=REVOKED), EVENT, "revoked_device", "revoked_device"),
        (replace(KEYED, revoked_at=REVOKED), FORGED, "revoked_device", "revoked_device"),
        (replace(PLAIN, revoked_at=REVOKED), UNSIGNED, "revoked_device", "revoked_device"),
    ],
)
def test_the_gravest_doubt_is_told_and_the_token_stands_in_for_a_missing_signature(
    device: Device, event: Event, by_mqtt: str, with_token: str
) -> None:
    """Every combination of key, signature, revocation and road."""
    assert suspicion_of(device, event) == by_mqtt
    assert suspicion_of(device, event, has_token=True) == with_token


WRONG = Timeliness(is_clock_wrong=True)


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (timedelta(0), Timeliness()),
        (timedelta(seconds=10), Timeliness()),
        (timedelta(seconds=11), Timeliness(11)),
        (timedelta(days=1), Timeliness(86400)),
        (timedelta(days=1, milliseconds=1), WRONG),
        (timedelta(seconds=-60), Timeliness()),
        (timedelta(seconds=-60, milliseconds=-1), WRONG),
    ],
)
def test_late_is_a_measure_and_a_wrong_clock_is_none(behind: timedelta, expected: Timeliness) -> None:
    """At once up to ten seconds, late up to a day, wrong beyond that or a minute ahead; both edges of each."""
    assert timeliness_of(BEGINNING - behind, BEGINNING) == expected


@pytest.mark.parametrize("ts", [0, 951782400, 2**64 - 1, -(2**63), 7_258_118_400_000])
def test_an_impossible_time_is_a_wrong_clock(ts: int) -> None:
    """1970, seconds for milliseconds, the end of the calendar, 2200: nothing overflows, all are wrong clocks."""
    assert timeliness_of(from_any_ms(ts), BEGINNING) == WRONG
