"""The few errors of the platform, each with the place where it happened and the cure."""


class LinliError(Exception):
    """Something could not be done.

    `place` says where (a file:line, a JSON path, a topic, a setting) and `cure` what a person can do about it;
    both may be empty. `code` is the stable word that machines read.
    """

    code = "internal"

    def __init__(self, message: str = "", *, place: str = "", cure: str = "") -> None:
        super().__init__(message or self.code)
        self.message = message or self.code.replace("_", " ")
        self.place = place
        self.cure = cure

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        cure = f" {self.cure}" if self.cure else ""
        end = "" if self.message.endswith((".", "?", "!")) or not cure else "."
        return f"{place}{self.message}{end}{cure}"


class BadInput(LinliError):
    """What came in cannot be understood or is not allowed to be said; `reason` is the counter's label."""

    code = "bad_input"

    def __init__(
        self,
        message: str = "",
        *,
        reason: str = "bad_input",
        place: str = "",
        cure: str = "",
    ) -> None:
        super().__init__(message, place=place, cure=cure)
        self.reason = reason


class Unauthenticated(LinliError):
    """Nobody has said who is asking, or not in a way that could be believed."""

    code = "unauthenticated"


class Forbidden(LinliError):
    """The one who asks is known and may not do this."""

    code = "forbidden"


class NotFound(LinliError):
    """The thing that was named does not exist, or not for the one who asks."""

    code = "not_found"


class Conflict(LinliError):
    """Somebody else was faster: the thing has changed since it was read."""

    code = "conflict"


class TooMany(LinliError):
    """More was asked than the limit allows; `retry_after_s` says when it may be asked again."""

    code = "too_many"

    def __init__(
        self,
        message: str = "",
        *,
        retry_after_s: float = 1.0,
        place: str = "",
        cure: str = "",
    ) -> None:
        super().__init__(message, place=place, cure=cure)
        self.retry_after_s = retry_after_s


class Unavailable(LinliError):
    """Something that this needs is away for now; the same request may work later."""

    code = "unavailable"


class ConfigurationError(LinliError):
    """A settings file, a rule file or a command line says something that cannot be run."""

    code = "configuration"
