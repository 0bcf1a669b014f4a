"""CEL conditions: typed when the file is read, three-valued when they are asked."""

import pytest

from iot_rules.conditions.expression import BadExpression, ValueType, compile_expression
from iot_rules.conditions.truth import Truth, Value

NAMES = {"co": ValueType.NUMBER, "open": ValueType.FLAG, "mode": ValueType.TEXT}


@pytest.mark.parametrize(
    ("text", "values", "truth"),
    [
        ("co > 30.0 && open", {"co": 31.0, "open": True}, Truth.TRUE),
        ("co > 30.0 && open", {"co": 30.0, "open": True}, Truth.FALSE),
        ("co > 30.0 && open", {"open": False}, Truth.FALSE),
        ("co > 30.0 && open", {"open": True}, Truth.UNKNOWN),
        ("co > 30.0 || open", {"open": True}, Truth.TRUE),
        ("!open", {}, Truth.UNKNOWN),
        ("mode == 'away'", {"mode": "away"}, Truth.TRUE),
        ("co > 30.0", {"co": "many"}, Truth.UNKNOWN),
    ],
)
def test_what_is_not_there_is_unknown(text: str, values: dict[str, Value], truth: Truth) -> None:
    """A missing value makes an answer unknown only where the answer depends on it."""
    assert compile_expression(text, NAMES).judge(values) is truth


@pytest.mark.parametrize(
    ("text", "column", "cure"),
    [
        ("co > 35", 4, "35.0"),
        ("co >", 5, "&&"),
        ("co0 > 3.0", 1, "co, mode, open"),
        ("co == 'a'", 4, "numbers with numbers"),
        ("co", 1, "Compare it"),
        ("x" * 3000, 1, "Split"),
    ],
)
def test_a_mistake_is_found_when_the_file_is_read(text: str, column: int, cure: str) -> None:
    """Names, types and grammar are checked at load, with the column and a cure."""
    with pytest.raises(BadExpression) as refused:
        compile_expression(text, NAMES)
    assert refused.value.column == column and cure in refused.value.cure


def test_an_expression_cannot_run_for_ever() -> None:
    """Nested loops over lists run over CEL's budget and are unknown, not a stuck program."""
    text = "co > 1.0"
    for name in "abcdef":
        text = f"[0,1,2,3,4,5,6,7,8,9].all({name}, {text})"
    assert compile_expression(text, NAMES).judge({"co": 2.0}) is Truth.UNKNOWN
