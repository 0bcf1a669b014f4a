"""The pages of docs/ that are written from the code: settings, metrics, errors, addresses, contract."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.house_rules.tree import REPOSITORY, Module, modules

VILLAGE_KEY = re.compile(r"((?:^    #: .*\n)*)^    (\w+): [\w |]+ = (.+)$", re.MULTILINE)
NOTICE = "Written by `make map` from the code; a test fails when it is stale.\n"


def pages(root: Path) -> dict[str, str]:
    """Return path below docs/ → text of every generated page."""
    from gateway.contract.__main__ import files as contract_pages

    found = list(modules(root))
    return {
        "settings.md": settings_page(found),
        "metrics.md": metrics_page(found),
        "errors.md": errors_page(),
        "addresses.md": addresses_page(found),
        **contract_pages(),
    }


def row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


# --- settings -------------------------------------------------------------------------------------------------------


def section_names(module: Module) -> list[str]:
    """Return the class names of settings sections that a module defines."""
    return [
        node.name
        for node in module.syntax.body
        if isinstance(node, ast.ClassDef) and any(keyword.arg == "section" for keyword in node.keywords)
    ]


def settings_page(found: list[Module]) -> str:
    """Return every section and key with its default and what it means."""
    lines = [
        "# Settings", "", NOTICE,
        "One TOML file serves all programs (`--config FILE`); each program reads its own sections and the common ones.",
        "An environment variable `LINLI_<SECTION>_<KEY>` overrides a key. `linli check` reads the file and names what",
        "is wrong, with line and cure.", "",
    ]  # fmt: skip
    sections: dict[str, Any] = {}
    for module in found:
        if names := section_names(module):
            imported = importlib.import_module(str(module.path.with_suffix("")).replace("/", "."))
            sections |= {getattr(imported, name).section: getattr(imported, name) for name in names}
    for name in sorted(set(sections) - {"village"}):
        lines += _section(name, sections[name])
    lines += _village(found)
    return "\n".join(lines).rstrip() + "\n"


def _section(name: str, section: Any) -> Iterator[str]:
    yield f"## [{name}]"
    yield ""
    if section.__doc__:
        yield " ".join(section.__doc__.split())
        yield ""
    yield row("key", "default", "meaning")
    yield row("---", "---", "---")
    for key, field in section.model_fields.items():
        default = (
            "(none: must be given)" if field.is_required() else _shown(field.get_default(call_default_factory=True))
        )
        yield row(f"`{key}`", default, field.description or "")
    yield ""


def _village(found: list[Module]) -> Iterator[str]:
    """Yield the section of the simulated village, which reads it with its own eyes: a dataclass with `#:` comments."""
    texts = [module.text for module in found if module.path.as_posix() == "firmware_stubs/settings.py"]
    keys = [
        match
        for text in texts
        for match in re.findall(VILLAGE_KEY, text.partition("class VillageSettings")[2].partition("\n@")[0])
    ]
    if not keys:
        return
    yield from ("## [village]", "", "The simulated village (`firmware_stubs`).", "")
    yield from (row("key", "default", "meaning"), row("---", "---", "---"))
    meaning = ""
    for comment, key, default in keys:  # a key without a comment of its own belongs to the one before
        said = " ".join(line.strip().removeprefix("#:").strip() for line in comment.strip().splitlines())
        meaning = said or meaning
        yield row(f"`{key}`", _shown(ast.literal_eval(default)), meaning)


def _shown(value: object) -> str:
    if isinstance(value, Path) and value.is_relative_to(REPOSITORY):
        value = value.relative_to(REPOSITORY)
    return "(empty)" if value in ("", (), None, [], {}) else f"`{value}`"


# --- metrics --------------------------------------------------------------------------------------------------------


def metrics_page(found: list[Module]) -> str:
    """Return every metric with its labels, and every reason under which something is dropped."""
    lines = [
        "# Metrics", "", NOTICE,
        "Every HTTP server answers `GET /metrics` in the Prometheus text format; counters gain `_total`.", "",
        row("metric", "kind", "labels", "meaning", "where"), row(*["---"] * 5),
    ]  # fmt: skip
    lines += sorted(line for module in found for line in _metrics_of(module))
    lines += ["", "## What may be dropped", ""]
    lines += [
        "Nothing is dropped without adding to `linli_dropped_total{program,reason}`. The fixed reasons are these;"
    ]
    lines += ["the contract's own reasons stand in [contract.md](contract.md).", ""]
    lines += [row("reason", "where"), row("---", "---")]
    lines += sorted({line for module in found for line in _drops_of(module)})
    return "\n".join(lines) + "\n"


def calls(module: Module, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of functions, methods or classes with one of `names`."""
    for node in ast.walk(module.syntax):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in names:
                yield node


def _metrics_of(module: Module) -> Iterator[str]:
    for call in calls(module, "counter", "gauge", "histogram", "Counter", "Gauge", "Histogram"):
        texts = [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]
        if len(texts) < 2 or not texts[0].startswith("linli_"):
            continue
        labels = [ast.literal_eval(argument) for argument in call.args if isinstance(argument, ast.Tuple | ast.List)]
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        named = ", ".join(f"`{label}`" for label in (labels[0] if labels else ()))
        yield row(f"`{texts[0]}`", called.lower(), named, texts[1], f"`{module.path}`")


def _drops_of(module: Module) -> Iterator[str]:
    for call in calls(module, "dropped", "drop"):
        reasons = [str(argument.value) for argument in call.args[1:] if isinstance(argument, ast.Constant)]
        for reason in reasons:
            yield row(f"`{reason}`", f"`{module.path}`")


# --- errors ---------------------------------------------------------------------------------------------------------


def errors_page() -> str:
    """Return every error class with its code, HTTP status and meaning."""
    from gateway.model import errors
    from gateway.web.errors import STATUSES

    lines = [
        "# Errors", "", NOTICE,
        "An HTTP answer that is an error has the body",
        '`{"ok":false,"error":{"code","reason","message","place","cure"}}`. Programs end with the same sentence:',
        "`place: message. cure`.", "",
        row("code", "HTTP", "class", "meaning"), row(*["---"] * 4),
    ]  # fmt: skip
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.LinliError):
            meaning = (kind.__doc__ or "").split("\n", 1)[0]
            lines.append(row(f"`{kind.code}`", str(STATUSES.get(kind, 500)), f"`{name}`", meaning))
    return "\n".join(lines) + "\n"


# --- addresses ------------------------------------------------------------------------------------------------------


def addresses_page(found: list[Module]) -> str:
    """Return every HTTP address with its method, what answers, and where it stands."""
    lines = [
        "# Addresses", "", NOTICE,
        row("method", "path", "what answers", "where"), row(*["---"] * 4),
    ]  # fmt: skip
    return "\n".join([*lines, *sorted({line for module in found for line in _addresses_of(module)})]) + "\n"


def _addresses_of(module: Module) -> Iterator[str]:
    constants, summaries = _texts_of(module), _summaries_of(module)
    for call in calls(module, "Route"):
        if len(call.args) < 3 or not isinstance(call.args[0], ast.Constant) or call.args[0].value == "*":
            continue
        method, path, handler = call.args[:3]
        shown = _literal(path, constants)
        # `shown(self._home)`: the page is what the wrapper is given.
        handler = handler.args[0] if isinstance(handler, ast.Call) and handler.args else handler
        name = handler.attr if isinstance(handler, ast.Attribute) else getattr(handler, "id", "")
        yield row(ast.unparse(method).strip("'"), f"`{shown}`", summaries.get(name, ""), f"`{module.path}`")


def _texts_of(module: Module) -> dict[str, str]:
    """Return the module's constants that are texts, so that a path may be named."""
    found = {}
    for node in module.syntax.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Constant) and isinstance(value.value, str):
            found[target.id] = value.value
    return found


def _summaries_of(module: Module) -> dict[str, str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {
        node.name: (ast.get_docstring(node) or "").split("\n", 1)[0]
        for node in ast.walk(module.syntax)
        if isinstance(node, kinds)
    }


def _literal(node: ast.expr, constants: dict[str, str]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return constants.get(node.id, f"<{node.id}>")
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part, constants) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _literal(node.value, constants)
    return f"<{ast.unparse(node)}>"
