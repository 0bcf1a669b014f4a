"""What is doubted about an alarm: who says it, and when it was. Pure; a doubt marks an alarm and never refuses it.

A device that has a key signs. Without a signature, or with a wrong one, its alarm is suspicious; the household's token
stands in for a missing one, because it proves the same. A revoked identity outweighs both. A clock is wrong when it is
more than a day behind or a minute ahead: then only our own time means anything, and the alarm is not late.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.contract.messages import Event
from gateway.contract.signing import check_event
from gateway.model.registry import Device

REVOKED: Final = "revoked_device"
UNSIGNED: Final = "unsigned"
BAD_SIGNATURE: Final = "bad_signature"

#: An alarm that comes this much after its device's clock says so is marked late.
LATE_AFTER_S: Final = 10.0
#: Beyond these a device's clock is wrong.
MOST_BEHIND: Final = timedelta(days=1)
MOST_AHEAD: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How far an alarm's own time can be believed; `late_by_s` is 0 for one that came at once."""

    late_by_s: int = 0
    is_clock_wrong: bool = False


def timeliness_of(at: datetime, taken_at: datetime) -> Timeliness:
    """Compare the device's clock with the moment at which the alarm was taken in, into the ledger or the spool."""
    behind = taken_at - at
    if behind > MOST_BEHIND or -behind > MOST_AHEAD:
        return Timeliness(is_clock_wrong=True)
    late_by_s = behind.total_seconds()
    return Timeliness(round(late_by_s)) if late_by_s > LATE_AFTER_S else Timeliness()


def suspicion_of(device: Device, event: Event, *, has_token: bool = False) -> str:
    """Return why the identity behind an event is doubted, or the empty word; the gravest reason alone is told.

    `has_token`: it came with the token of the device's household.
    """
    if device.revoked_at is not None:
        return REVOKED
    if device.alarm_key is None or (has_token and not event.signature):
        return ""
    if not event.signature:
        return UNSIGNED
    return "" if check_event(device.alarm_key, device.device_id, event) else BAD_SIGNATURE
