"""`linli app …`: new, check, pack, keys, sign, publish, status. Exit code 0 good, 1 problems found, 2 refused."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gateway.model.errors import BadInput, ConfigurationError, LinliError
from tv_apps.miniapps import publishing, scaffold, sign
from tv_apps.miniapps.check import Report, check_path
from tv_apps.miniapps.findings import Finding, Language, Level, from_json
from tv_apps.miniapps.manifest import CATEGORIES
from tv_apps.miniapps.package import SUFFIX

PROBLEMS_FOUND = 1
REFUSED = 2
_LEVEL_WORDS = {Level.PROBLEM: "必须改", Level.WARNING: "建议改", Level.INFORMATION: "知道就好"}
_TOKEN_VARIABLE = "LINLI_DEVELOPER_TOKEN"  # noqa: S105 - the name of a variable, not a token

Act = Callable[[argparse.Namespace], int]


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb `app` with its own verbs to a program's command line."""
    fill(subparsers.add_parser("app", help="make, check, sign and publish mini-apps (小应用)"))


def act(options: argparse.Namespace) -> int:
    """Do what the verb after `app` says."""
    code: int = options.app_act(options)
    return code


def fill(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the verbs of `linli app`."""
    parser.add_argument("--lang", choices=("zh", "en"), default="zh", help="language of the messages")
    verbs = parser.add_subparsers(dest="app_verb", required=True, metavar="VERB")
    for name, about, arguments, act_ in _VERBS:
        verb = verbs.add_parser(name, help=about, description=about)
        arguments(verb)
        verb.set_defaults(app_act=_guarded(act_))


def main(arguments: list[str] | None = None) -> int:
    """Run `linli app …` as a program of its own."""
    parser = argparse.ArgumentParser(prog="linli app", description="Mini-apps for the television (小应用).")
    fill(parser)
    return act(parser.parse_args(arguments))


def _guarded(verb: Act) -> Act:
    def run(options: argparse.Namespace) -> int:
        try:
            return verb(options)
        except LinliError as error:
            sys.stderr.write(f"linli app: {error}\n")
            return REFUSED

    return run


# -- verbs ---------------------------------------------------------------------------------------------------


def _new(options: argparse.Namespace) -> int:
    folder = Path(options.name)
    made = scaffold.make_app(
        folder,
        name=options.title,
        app_id=options.id,
        category=options.category,
        publisher=options.publisher,
    )
    _say(f"{folder}: {len(made)} 个文件。下一步：")
    _say(f"  linli app check {folder}\n  linli app pack {folder}")
    _say(f"  linli app sign {folder.name}-1.0.0{SUFFIX}")
    return 0


def _check(options: argparse.Namespace) -> int:
    report = _report(options.path)
    if options.json:
        _say(json.dumps(_as_json(report, options.lang), ensure_ascii=False, indent=1))
    else:
        _say(_as_text(report.findings, options.lang, prefix=_prefix(options.path)))
    return 0 if report.is_clean else PROBLEMS_FOUND


def _pack(options: argparse.Namespace) -> int:
    report = _report(options.folder)
    if not report.is_clean or report.package is None or report.manifest is None:
        _say(_as_text(report.findings, options.lang, prefix=_prefix(options.folder)))
        return PROBLEMS_FOUND
    name = f"{options.folder.resolve().name}-{report.manifest.version.name}{SUFFIX}"
    path = options.output or Path(name)
    path.write_bytes(report.package.packed)
    _say(f"{path}  {len(report.package.packed)} 字节  SHA-256 {report.package.digest}")
    return 0


def _keys_new(options: argparse.Namespace) -> int:
    path = options.key or default_key()
    signer = sign.make_key(path)
    _say(f"私钥 {path}（只有您能读，请备份）\n公钥，粘贴到开发者页面“密钥”：")
    _say(sign.encode_public_key(signer.public_key))
    return 0


def _keys_show(options: argparse.Namespace) -> int:
    _say(sign.encode_public_key(sign.read_key(options.key or default_key()).public_key))
    return 0


def _sign(options: argparse.Namespace) -> int:
    report = _report(options.package)
    if not report.is_clean or report.package is None or report.manifest is None:
        _say(_as_text(report.findings, options.lang, prefix=_prefix(options.package)))
        return PROBLEMS_FOUND
    signer = sign.read_key(options.key or default_key())
    digests = sign.digests_of(report.package, report.manifest.app_id, report.manifest.version.code)
    path = signature_path(options.package)
    path.write_bytes(sign.write_envelope(signer.sign(sign.DIGESTS_TYPE, digests)))
    _say(f"{path}  密钥 {signer.key_id[:12]}…")
    return 0


def _publish(options: argparse.Namespace) -> int:
    packed, signature = _read(options.package), _read(signature_path(options.package), "先运行 linli app sign")
    server = publishing.Server(options.server, _token(options))
    answer = asyncio.run(publishing.publish(server, packed, signature, options.package.name, hold=options.hold))
    return _tell(answer, options)


def _status(options: argparse.Namespace) -> int:
    server = publishing.Server(options.server, _token(options))
    answer = asyncio.run(publishing.status(server, options.app_id))
    return _tell(answer, options)


# -- telling -------------------------------------------------------------------------------------------------


def _tell(answer: Mapping[str, Any], options: argparse.Namespace) -> int:
    is_good = bool(answer.get("ok"))
    if options.json:
        _say(json.dumps(answer, ensure_ascii=False, indent=1))
        return 0 if is_good else PROBLEMS_FOUND
    for submission in answer.get("submissions", ()):
        reason = f"  {submission['reason']}" if submission["reason"] else ""
        _say(f"{submission['app_id']} {submission['version']}  {submission['state_name']}{reason}  {submission['url']}")
    known = [found for row in answer.get("findings", ()) if (found := from_json(row))]
    if known:
        _say(_as_text(known, options.lang))
    error = answer.get("error")
    if error and not known:
        _say(f"{error.get('place', '')}: {error.get('message', '')} {error.get('cure', '')}".strip(": "))
    return 0 if is_good else PROBLEMS_FOUND


def _as_json(report: Report, language: Language) -> dict[str, object]:
    counts = {level.value: sum(found.level is level for found in report.findings) for level in Level}
    digest = report.package.digest if report.package else ""
    findings = [found.to_json(language) for found in report.findings]
    return {"ok": report.is_clean, "path": report.label, "sha256": digest, "counts": counts, "findings": findings}


def _as_text(findings: Iterable[Finding], language: Language, prefix: str = "") -> str:
    lines, counts = [], dict.fromkeys(Level, 0)
    for found in findings:
        counts[found.level] += 1
        level = f"{found.level} {_LEVEL_WORDS[found.level]}" if language == "zh" else str(found.level)
        lines.append(f"{prefix}{found.place}: {level} {found.rule_id} {found.message(language)}")
        lines += [f"    → {found.cure(language)}"] if found.cure(language) else []
    words = (f"{count} {_LEVEL_WORDS[level] if language == 'zh' else level}" for level, count in counts.items())
    return "\n".join([*lines, " · ".join(words)])


def _prefix(path: Path) -> str:
    return f"{path}/" if path.is_dir() else ""


def _report(path: Path) -> Report:
    try:
        return check_path(path)
    except OSError as error:
        raise ConfigurationError(f"读不了：{error.strerror}", place=str(path), cure="检查路径") from error


def _read(path: Path, cure: str = "检查路径") -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"读不了：{error.strerror}", place=str(path), cure=cure) from error


def _token(options: argparse.Namespace) -> str:
    token = options.token or os.environ.get(_TOKEN_VARIABLE, "")
    if options.token_file:
        token = _read(options.token_file).decode("utf-8", "replace").strip()
    if not token:
        raise BadInput("没有令牌", reason="no_token", cure="在开发者页面“密钥”里新建一个，用 --token-file 给出")
    return token


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def default_key() -> Path:
    """Return where a developer's key is kept unless told otherwise."""
    return Path.home() / ".config" / "linli" / "developer.pem"


def signature_path(package: Path) -> Path:
    """Return where the signature of a package stands: beside it."""
    return package.with_name(package.name + sign.SIGNATURE_SUFFIX)


# -- arguments -----------------------------------------------------------------------------------------------


def _new_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="folder to make, e.g. village-library")
    parser.add_argument("--title", default="新应用", help="name on the television, at most 6 characters")
    parser.add_argument("--id", default="", help="app_id, a reversed domain (default cn.example.NAME)")
    parser.add_argument("--category", choices=tuple(CATEGORIES), default="service")
    parser.add_argument("--publisher", default="村委会", help="who makes it, as residents know it")


def _check_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, metavar="DIR|FILE")
    parser.add_argument("--json", action="store_true", help="machine-readable findings")


def _pack_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FILE")


def _key_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key (default: ~/.config/linli/developer.pem)")


def _keys_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="key_verb", required=True, metavar="VERB")
    for name, about, act in (("new", "make a key", _keys_new), ("show", "print the public key", _keys_show)):
        verb = verbs.add_parser(name, help=about)
        _key_argument(verb)
        verb.set_defaults(key_act=act)


def _sign_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", type=Path, metavar="FILE")
    _key_argument(parser)


def _server_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", required=True, metavar="URL", help="developer server, e.g. http://127.0.0.1:18802")
    parser.add_argument("--token", default="", help=f"developer token (or {_TOKEN_VARIABLE})")
    parser.add_argument("--token-file", type=Path, default=None, metavar="FILE", help="file that holds the token")
    parser.add_argument("--json", action="store_true", help="machine-readable answer")


def _publish_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("package", type=Path, metavar="FILE")
    parser.add_argument("--hold", action="store_true", help="upload and check, but do not ask for review yet")
    _server_arguments(parser)


def _status_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("app_id", metavar="APP_ID")
    _server_arguments(parser)


def _keys(options: argparse.Namespace) -> int:
    code: int = options.key_act(options)
    return code


_VERBS: tuple[tuple[str, str, Callable[[argparse.ArgumentParser], None], Act], ...] = (
    ("new", "make a new mini-app that passes the check", _new_arguments, _new),
    ("check", "list every problem with file, line, rule and cure", _check_arguments, _check),
    ("pack", "pack a folder into one file; the same files give the same bytes", _pack_arguments, _pack),
    ("keys", "make or show the developer's key", _keys_arguments, _keys),
    ("sign", "sign a package with the developer's key", _sign_arguments, _sign),
    ("publish", "send a signed package to the developer server", _publish_arguments, _publish),
    ("status", "ask how the versions of an app are doing", _status_arguments, _status),
)
