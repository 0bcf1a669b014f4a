"""One JSON file into one pydantic model, with every complaint translated and placed on its line."""

from collections.abc import Iterator
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tv_apps.miniapps.findings import Finding
from tv_apps.miniapps.positions import Document, Path

Model = TypeVar("Model", bound=BaseModel)

#: pydantic's error type -> what is wrong (zh, en) and the cure (zh, en); gaps are pydantic's own context.
_WORDS = {
    "missing": ("没写", "is missing", "加上这一项", "add it"),
    "extra_forbidden": ("没有这一项", "is not a known field", "检查拼写，或者删掉", "check the spelling or remove it"),
    "string_type": ("要写成文字", "must be text", "加双引号", "put it in double quotes"),
    "int_type": ("要写成整数", "must be an integer", "去掉引号和小数", "drop quotes and decimals"),
    "list_type": ("要写成列表", "must be a list", "用方括号括起来", "put it in square brackets"),
    "dict_type": ("要写成一组名字和值", "must be an object", "用花括号括起来", "put it in braces"),
    "model_type": ("要写成一组名字和值", "must be an object", "用花括号括起来", "put it in braces"),
    "string_too_short": ("不能是空的", "must not be empty", "写上内容", "write something"),
    "string_too_long": ("超过 {max_length} 个字", "is over {max_length} characters", "写短一点", "make it shorter"),
    "string_pattern_mismatch": ("写法不对", "has the wrong form", "要符合 {pattern}", "it must match {pattern}"),
    "literal_error": ("写法不对", "is not one of the allowed words", "只能写 {expected}", "write {expected}"),
    "too_short": ("至少要 {min_length} 个", "needs at least {min_length}", "再加一些", "add some"),
    "too_long": ("最多 {max_length} 个", "allows {max_length} at most", "删掉一些", "remove some"),
    "greater_than_equal": ("不能小于 {ge}", "must be {ge} or more", "改大", "raise it"),
    "one_body": (
        "list、text、table 要写一个，只写一个",
        "needs exactly one of list, text, table",
        "留下一个",
        "keep one of them",
    ),
    "one_source": ("paragraphs 和 of 要写一个", "needs paragraphs or of", "留下一个", "keep one of them"),
    "less_than_equal": ("不能大于 {le}", "must be {le} or less", "改小", "lower it"),
}
_OTHER = ("写法不对", "is not right", "对照说明改", "compare it with the documentation")


def read_model(document: Document, model: type[Model], key: str) -> tuple[Model | None, tuple[Finding, ...]]:
    """Return the model, or None with one finding of rule `key` for every field that is wrong."""
    try:
        return model.model_validate(document.value), ()
    except ValidationError as error:
        return None, tuple(_findings(document, error, key))


def _findings(document: Document, error: ValidationError, key: str) -> Iterator[Finding]:
    for detail in error.errors(include_url=False):
        path = _path(detail)
        place = document.place(path)
        yield Finding(key, document.file, place.line, place.column, _facts(path, detail))


def _path(detail: ErrorDetails) -> Path:
    return tuple(detail["loc"])


def _facts(path: Path, detail: ErrorDetails) -> dict[str, str]:
    context = {name: str(value) for name, value in detail.get("ctx", {}).items()}
    words = [text.format_map(_Gaps(context)) for text in _WORDS.get(detail["type"], _OTHER)]
    field = ".".join(str(step) for step in path) or "文件"
    return {"field": field, "what": words[0], "what_en": words[1], "cure": words[2], "cure_en": words[3]}


class _Gaps(dict[str, str]):
    """A fact that pydantic does not give stays a visible dash instead of an error inside an error."""

    def __missing__(self, key: str) -> str:
        return "-"
