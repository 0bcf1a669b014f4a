"""Named places where a test may kill this process: `LINLI_FAILPOINT=name[:n]` ends it at the n-th hit.

Without the variable a hit costs one comparison. Only tests set it.
"""

import os
import signal

VARIABLE = "LINLI_FAILPOINT"

KNOWN = (
    "after_insert_before_commit",
    "after_commit_before_receipt",
    "after_commit_before_puback",
    "after_receipt_before_done",
    "after_spool_before_puback",
    "after_record_before_settle",
    "after_wish_before_deed",
    "after_deed_before_done",
    "after_hook_before_done",
)

_name, _, _count = os.environ.get(VARIABLE, "").partition(":")
_hits_left = int(_count or 1)


def hit(name: str) -> None:
    """End this process by SIGKILL where the variable names this place and its count is used up."""
    global _hits_left  # noqa: PLW0603  the count of one process
    if name != _name:
        return
    _hits_left -= 1
    if _hits_left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
