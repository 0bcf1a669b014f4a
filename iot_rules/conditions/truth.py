"""Truth with three values: what is not known is neither true nor false (Kleene's strong logic)."""

from enum import StrEnum

#: What a device reports for one property. A flag is not a number, although Python says so.
Value = float | bool | str


class Truth(StrEnum):
    """TRUE, FALSE, or UNKNOWN: never seen, away for too long, or not a value that can be judged."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, known: bool | None) -> "Truth":  # noqa: FBT001  the one thing that it converts
        if known is None:
            return cls.UNKNOWN
        return cls.TRUE if known else cls.FALSE

    def __and__(self, other: "Truth") -> "Truth":
        if Truth.FALSE in {self, other}:
            return Truth.FALSE
        return Truth.UNKNOWN if Truth.UNKNOWN in {self, other} else Truth.TRUE

    def __or__(self, other: "Truth") -> "Truth":
        if Truth.TRUE in {self, other}:
            return Truth.TRUE
        return Truth.UNKNOWN if Truth.UNKNOWN in {self, other} else Truth.FALSE

    def __invert__(self) -> "Truth":
        return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(self, Truth.UNKNOWN)
