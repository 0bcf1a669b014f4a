"""Logs as JSON lines on standard error: an event name and its facts, secrets masked."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

_SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization")
_MASK = "***"


class JsonFormatter(logging.Formatter):
    """One record, one line: `at`, `level`, `program`, `event`, then the facts."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self.program = program

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = getattr(record, "facts", {})
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": self.program,
            "logger": record.name,
            "event": record.getMessage(),
            **{name: _masked(name, value) for name, value in facts.items()},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _masked(name: str, value: object) -> object:
    return _MASK if any(word in name.lower() for word in _SECRET_WORDS) else value


class EventLog:
    """Writes events with facts as keywords: `log.info("alarm_raised", alarm_no=no)`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **facts: object) -> None:
        self._write(logging.DEBUG, event, facts)

    def info(self, event: str, **facts: object) -> None:
        self._write(logging.INFO, event, facts)

    def warning(self, event: str, **facts: object) -> None:
        self._write(logging.WARNING, event, facts)

    def error(self, event: str, **facts: object) -> None:
        self._write(logging.ERROR, event, facts)

    def exception(self, event: str, **facts: object) -> None:
        """Like `error`, with the traceback of the exception that is being handled."""
        self._logger.error(event, extra={"facts": facts}, exc_info=True)

    def _write(self, level: int, event: str, facts: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"facts": facts})


def get(name: str) -> EventLog:
    """Return the event log of one module; pass `__name__`."""
    return EventLog(logging.getLogger(name))


def configure(program: str, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log of this process as JSON lines to `stream` (standard error); call once, first."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter(program))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.getLogger("asyncio").setLevel(logging.WARNING)
