"""`linli demo`: a whole community on this machine, with simulated homes and cameras, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import importlib.util
import json
import shutil
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from gateway.launch import node, programs, seeding
from gateway.launch.progress import Progress
from gateway.model.errors import ConfigurationError
from gateway.runtime import logs

PORT_BASE: Final = 18800
#: Counted from the port base; what each is for.
PORTS: Final = {"tv": 0, "desk": 1, "developer": 2, "api": 3, "mqtt": 4, "cameras": 10}
#: Roles whose accounts the demo tells.
ROLES: Final = ("operator", "supervisor", "official")
VILLAGE: Final = "liuwan.toml"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON line when everything is ready")
    parser.add_argument("--data-dir", type=Path, help="keep data here (default: a folder that is removed at the end)")
    parser.add_argument("--port-base", type=int, default=PORT_BASE, help=f"first port (default {PORT_BASE})")
    parser.add_argument("--open", action="store_true", help="open the three pages in the browser")
    parser.add_argument("--community", type=Path, help="community file (default: Liuwan, the one of the demo)")


def run(options: argparse.Namespace) -> int:
    """Run the demo until it is told to stop; returns 0."""
    _check_base(options.port_base)
    with _data_dir(options.data_dir) as data_dir, node.locked(data_dir):
        ports = {name: options.port_base + offset for name, offset in PORTS.items()}
        cure = "End the program that uses it, or choose other ports with --port-base N."
        node.check_ports({f"{name} of the demo": port for name, port in ports.items()}, cure)
        (data_dir / "log").mkdir(exist_ok=True)
        with (data_dir / "log" / "linli.log").open("a", encoding="utf-8") as stream:
            logs.configure("linli", stream=stream)
            return asyncio.run(node.until_told(lambda: _run(options, data_dir, ports)))


def _check_base(port_base: int) -> None:
    if not 1024 <= port_base <= 65_000:
        raise ConfigurationError(f"{port_base} is no first port", place="--port-base", cure="Choose 1024 to 65000.")


@contextlib.contextmanager
def _data_dir(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen.expanduser().resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="linli-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _run(options: argparse.Namespace, data_dir: Path, ports: dict[str, int]) -> None:
    progress, file = Progress(), options.community or community_file()
    seeded: list[seeding.Seeded] = []

    async def prepare(dsn: str) -> None:
        seeded.append(await seeding.seed(dsn, data_dir, file, camera_port=ports["cameras"]))

    kinds = (*programs.STAR, programs.NOTICES, programs.BUNDLED, programs.VILLAGE)
    plan = node.Plan(data_dir, _document(ports, seeding.area_of(file)), kinds, file)
    async with node.running(plan, prepare, progress) as running:
        facts = _facts(running, seeded[0], ports)
        _tell(options, progress, facts, seeded[0])
        await asyncio.Event().wait()


def community_file() -> Path:
    """Return the community file of the demo, which belongs to the simulated village."""
    found = importlib.util.find_spec("firmware_stubs")
    if found is None or found.origin is None:
        raise ConfigurationError("the simulated village is not installed", cure="Install the whole of linli.")
    return Path(found.origin).parent / "villages" / VILLAGE


def _document(ports: dict[str, int], area_id: str) -> dict[str, dict[str, Any]]:
    servers = {name: {"host": "127.0.0.1", "port": ports[name]} for name in ("tv", "desk", "developer", "api")}
    return {
        "node": {"area_id": area_id},
        "mqtt": {"port": ports["mqtt"]},
        "village": {"camera_port": ports["cameras"]},
        **servers,
    }


def _facts(running: node.Node, seeded: seeding.Seeded, ports: dict[str, int]) -> dict[str, Any]:
    """Return what `--json` prints: exactly these keys."""
    urls = {name: f"http://127.0.0.1:{ports[name]}/" for name in ("tv", "desk", "developer", "api")}
    users = {role: login for role in ROLES if (login := seeded.login_of(role))}
    return {
        **urls,
        "mqtt": f"mqtt://127.0.0.1:{ports['mqtt']}",
        "database": running.dsn,
        "users": {role: {"name": login.name, "password": login.password} for role, login in users.items()},
        "households": [
            {"id": home.id, "name": home.address, "tv_url": tv_url(urls["tv"], seeded.box_tokens[home.id])}
            for home in seeded.community.household
        ],
        "cameras": [{"id": camera.id, "name": camera.name} for camera in seeded.community.camera],
    }


def tv_url(tv: str, token: str) -> str:
    """Return the address by which a household's box comes to its own TV pages."""
    return f"{tv}tv?box={token}"


def _tell(options: argparse.Namespace, progress: Progress, facts: dict[str, Any], seeded: seeding.Seeded) -> None:
    if options.json:
        sys.stdout.write(json.dumps(facts, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        first = facts["households"][0]
        rows = [(f"TV · {first['name']}", first["tv_url"]), ("Desk · 值班台", facts["desk"])]
        rows += [("Developers · 开发者", facts["developer"])]
        rows += [(f"  {', '.join(sorted(login.roles))}", f"{login.name}  {login.password}") for login in seeded.logins]
        progress.summary("邻里 Linli", rows, "Ctrl-C stops everything.")
    if options.open:
        for address in (facts["households"][0]["tv_url"], facts["desk"], facts["developer"]):
            webbrowser.open(address)
