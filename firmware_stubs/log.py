"""The stubs' own log: JSON lines on standard error, one fact per key; counters of everything that was dropped."""

import json
import logging
import sys
from collections import Counter
from datetime import UTC, datetime

#: What was not sent, not read or not understood, by reason.
DROPPED: Counter[str] = Counter()

_LOGGER = logging.getLogger("firmware_stubs")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"ts": at, "level": record.levelname.lower(), "program": "village", "event": record.getMessage()}
        return json.dumps({**line, **facts}, ensure_ascii=False, default=str)


def configure(level: str = "INFO") -> None:
    """Write to standard error from `level` upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False


def info(event: str, **facts: object) -> None:
    _LOGGER.info(event, extra={"facts": facts})


def warning(event: str, **facts: object) -> None:
    _LOGGER.warning(event, extra={"facts": facts})


def dropped(reason: str, **facts: object) -> None:
    """Count something that goes no further, and say so."""
    DROPPED[reason] += 1
    _LOGGER.warning("dropped", extra={"facts": {"reason": reason, **facts}})
