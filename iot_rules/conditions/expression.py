"""Expressions of rules in CEL (the only home of cel-expr-python): typed at load, three-valued when asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cel_expr_python import cel

from gateway.model.errors import ConfigurationError
from iot_rules.conditions.truth import Truth, Value

MAX_CHARACTERS = 2000

_WHERE = re.compile(r"<input>:(\d+):(\d+): (.*)")


class ValueType(StrEnum):
    """What kind of value a name of an expression stands for."""

    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    ANY = "any"


_CEL_TYPE = {
    ValueType.NUMBER: cel.Type.DOUBLE,
    ValueType.FLAG: cel.Type.BOOL,
    ValueType.TEXT: cel.Type.STRING,
    ValueType.ANY: cel.Type.DYN,
}


class BadExpression(ConfigurationError):
    """The text is no CEL, or its types do not fit; `line` and `column` start at 1 inside the expression."""

    def __init__(self, message: str, *, line: int, column: int, cure: str) -> None:
        super().__init__(message, cure=cure)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Expression:
    """One compiled condition; compare and print by its text."""

    text: str
    names: tuple[str, ...]
    program: Any = field(compare=False, repr=False)

    def judge(self, values: Mapping[str, Value]) -> Truth:
        """Return the truth of the expression; UNKNOWN where it depends on a name that `values` does not have.

        `false && unknown` is FALSE and `true || unknown` is TRUE. Never raises: a value of a wrong type or an
        expression that runs over CEL's iteration budget is UNKNOWN, too.
        """
        try:
            answer = self.program.eval(data={name: values[name] for name in self.names if name in values})
        except RuntimeError:
            return Truth.UNKNOWN
        return Truth.of(answer.value()) if answer.type() == cel.Type.BOOL else Truth.UNKNOWN


def compile_expression(text: str, names: Mapping[str, ValueType]) -> Expression:
    """Compile `text` over typed `names`; BadExpression with line, column and cure."""
    if len(text) > MAX_CHARACTERS:
        raise BadExpression("the condition is too long", line=1, column=1, cure="Split the rule into two.")
    environment = cel.NewEnv(variables={name: _CEL_TYPE[kind] for name, kind in names.items()})
    try:
        program = environment.compile(text)
    except RuntimeError as error:
        raise _explained(str(error), names) from error
    said = program.return_type().name().lower()
    if said not in {"bool", "dyn"}:
        message = f"a condition must be true or false, and this is {said}"
        raise BadExpression(message, line=1, column=1, cure="Compare it with something, such as co > 30.0.")
    used = tuple(name for name in names if re.search(rf"\b{re.escape(name)}\b", text))
    return Expression(text, used, program)


def _explained(said: str, names: Mapping[str, ValueType]) -> BadExpression:
    found = _WHERE.search(said)
    line, column, message = (int(found[1]), int(found[2]), found[3]) if found else (1, 1, said)
    message = message.split(" expecting ")[0].replace(" (in container '')", "")
    return BadExpression(message, line=line, column=column, cure=_cure(message, names))


def _cure(message: str, names: Mapping[str, ValueType]) -> str:
    if "(double, int)" in message or "(int, double)" in message:
        return "Write the number with a decimal point: 35.0 instead of 35."
    if "undeclared reference" in message:
        return f"Names that this rule knows: {', '.join(sorted(names))}."
    if "no matching overload" in message:
        return "Compare numbers with numbers, text with 'text', and flags with true or false."
    return "CEL writes && for and, || for or, ! for not, == for equal; text stands in quotation marks."
