"""Real servers for tests: Debian's PostgreSQL, the wheel's PostgreSQL, Debian's Mosquitto, the embedded broker.

They die with the run, also when it is killed, and so do their folders: see reaper.py.
"""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.kit.reaper import REAPER

REPOSITORY = Path(__file__).resolve().parents[2]
DEBIAN_POSTGRESQL = Path("/usr/lib/postgresql/15/bin")
PATIENCE_S = 30.0
DATABASE_ROOM_BYTES = 2_000_000_000

#: Processes that outlive a test on purpose (servers of the whole session); the left-over check does not count them.
KEPT_PIDS: set[int] = set()


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", *, log: Path | None = None) -> None:
    """Return when 127.0.0.1:`port` accepts; RuntimeError with the end of `log` when the process has gone."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    said = log.read_text(errors="replace")[-2000:] if log and log.exists() else ""
    raise RuntimeError(f"port {port} does not answer; exit code {process.poll()}\n{said}")


def adopt(process: "subprocess.Popen[bytes]", how: int = signal.SIGKILL) -> "subprocess.Popen[bytes]":
    """Let the process end by `how` when this run ends, however that happens; returns it."""
    REAPER.adopt(process.pid, how)
    KEPT_PIDS.add(REAPER.pid)
    return process


def stop(process: "subprocess.Popen[bytes]", how: int = signal.SIGTERM, patience_s: float = 10.0) -> int:
    """Send `how` to the process, by its own pid, and wait; kill it when it does not go. Returns the exit code."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(patience_s)
    REAPER.release(process.pid)
    return process.returncode


def system_user(*names: str) -> str | None:
    """Return the first of `names` that exists, or None when we are not root and nothing can be dropped."""
    if os.geteuid() != 0:
        return None
    for name in (*names, "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    return None


def roomy_memory() -> Path | None:
    """Return a folder in memory with room for a database; a test's database is made and dropped a hundred times."""
    memory = Path("/dev/shm")
    is_roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > DATABASE_ROOM_BYTES
    return memory if is_roomy else None


@contextlib.contextmanager
def owned_folder(prefix: str, user: str | None, *, where: Path | None = None) -> Iterator[Path]:
    """A temporary folder that `user` can work in; pytest's own are for root only. Removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"linli-{prefix}-", dir=where))
    REAPER.keep_clean(folder)
    KEPT_PIDS.add(REAPER.pid)
    if user is not None:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        REAPER.release(folder)


@dataclass(slots=True)
class Postgres:
    """A cluster of its own on a free port, fsync on; `template` is cloned for each test."""

    binaries: Path
    folder: Path
    user: str | None
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(self.password)
        if self.user is not None:
            shutil.chown(secret, self.user)
        self._run(
            "initdb", "--auth=scram-sha-256", f"--pwfile={secret}", "--username=linli", "--encoding=UTF8",
            "--locale=C.UTF-8", f"--pgdata={self.folder / 'data'}",
        )  # fmt: skip
        self.launch()

    def launch(self) -> None:
        """Start the postmaster on the cluster that `start` made; also after a kill."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    self.binaries / "postgres", "-D", self.folder / "data", "-p", str(self.port),
                    "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
                    "-c", "max_connections=60", "-c", "shared_buffers=64MB",
                ],
                stdout=output, stderr=output, cwd=self.folder, user=self.user, start_new_session=True,
            )  # fmt: skip
        adopt(self.process, signal.SIGQUIT)  # at once, and it takes its shared memory with it
        KEPT_PIDS.add(self.process.pid)
        wait_for_port(self.port, self.process, log=log)
        self._wait_until_it_answers()

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, signal.SIGINT)  # PostgreSQL's "fast": clients are let go, the cluster is whole
            KEPT_PIDS.discard(self.process.pid)

    def dsn(self, database: str) -> str:
        return f"postgresql://linli:{self.password}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database as a copy of `template`; returns its DSN."""
        self._run("psql", "-qX", "-c", f'CREATE DATABASE "{database}" TEMPLATE "{template}"', self.dsn("postgres"))
        return self.dsn(database)

    def drop(self, database: str) -> None:
        """Remove a database together with the connections that a test forgot."""
        self._run("psql", "-qX", "-c", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)', self.dsn("postgres"))

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries / program, *arguments], capture_output=True, cwd=self.folder, user=self.user, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._run("psql", "-qX", "-c", "SELECT 1", self.dsn("postgres"))
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


@contextlib.contextmanager
def running_postgres(binaries: Path) -> Iterator[Postgres]:
    """A PostgreSQL from `binaries` for as long as the context lasts; never as root.

    fsync is on; where its folder is memory, what it survives is the death of processes, not of the machine.
    """
    user = system_user("postgres")
    with owned_folder("postgresql", user, where=roomy_memory()) as folder:
        server = Postgres(binaries, folder, user)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@dataclass(slots=True)
class Broker:
    """A broker in a process of its own, that can be ended and launched again; each kind knows its command."""

    folder: Path
    user: str | None = None
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    credentials: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def command(self) -> Sequence[str]:
        """Return what is run in `place`."""
        raise NotImplementedError

    @property
    def place(self) -> Path:
        """The working directory of the process."""
        return self.folder

    def launch(self) -> None:
        """Start the broker process; again after `kill` or `terminate`, with what its kind had stored."""
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(), stdout=output, stderr=output, cwd=self.place, user=self.user, start_new_session=True
            )
        wait_for_port(self.port, adopt(self.process), log=log)

    def kill(self) -> None:
        """End the broker without warning, as a power cut does."""
        if self.process is not None:
            stop(self.process, signal.SIGKILL)

    def terminate(self) -> None:
        """End the broker in good order; one with a store writes it."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM)

    def restart(self) -> None:
        self.kill()
        self.launch()

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@dataclass(slots=True)
class Mosquitto(Broker):
    """Debian's Mosquitto with docker/mosquitto.conf and docker/acl.conf, on a free port, as a user without rights."""

    def start(self) -> None:
        """Lay out the working directory as compose.yaml does, make the programs' passwords, and launch."""
        for name in ("mosquitto.conf", "acl.conf"):
            shutil.copy(REPOSITORY / "docker" / name, self.folder / name)
        for name in ("data", "listeners"):
            (self.folder / name).mkdir()
        (self.folder / "listeners" / "test.conf").write_text(f"listener {self.port} {self.host}\n")
        (self.folder / "passwords").touch(mode=0o600)
        for name in ("gateway", "rules"):
            self._write_password(name, secrets.token_hex(8))
        if self.user is not None:
            for path in self.folder.rglob("*"):
                shutil.chown(path, self.user)
        self.launch()

    def command(self) -> Sequence[str]:
        return ("/usr/sbin/mosquitto", "-c", "mosquitto.conf")

    def add_user(self, name: str, password: str | None = None) -> str:
        """Give a device or program a password, as the gateway's registration does; returns it when it is in force."""
        password = password or secrets.token_hex(8)
        self._write_password(name, password)
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)
            wait_until_accepted(self.host, self.port, name, password)
        return password

    def _write_password(self, name: str, password: str) -> None:
        self.credentials[name] = password
        command = ["mosquitto_passwd", "-b", str(self.folder / "passwords"), name, password]
        subprocess.run(command, check=True, capture_output=True)
        if self.user is not None:
            shutil.chown(self.folder / "passwords", self.user)


@contextlib.contextmanager
def running_mosquitto() -> Iterator[Mosquitto]:
    """A Mosquitto for as long as the context lasts."""
    user = system_user("mosquitto")
    with owned_folder("mosquitto", user) as folder:
        broker = Mosquitto(folder, user)
        try:
            broker.start()
            yield broker
        finally:
            broker.terminate()


@dataclass(slots=True)
class EmbeddedBroker(Broker):
    """The broker of `linli demo` (amqtt, MQTT 3.1.1), whose sessions live in memory; same handles as Mosquitto."""

    credentials: dict[str, str] = field(default_factory=lambda: {"gateway": secrets.token_hex(8)})

    def start(self) -> None:
        (self.folder / "secrets").mkdir()
        (self.folder / "linli.toml").write_text(
            f'[node]\ndata_dir = "{self.folder}"\n[mqtt]\nhost = "{self.host}"\nport = {self.port}\nprotocol = 4\n'
            f'password = "{self.credentials["gateway"]}"\n'
        )
        self.launch()

    def command(self) -> Sequence[str]:
        return (sys.executable, "-m", "gateway.launch.broker", "run", "--config", str(self.folder / "linli.toml"))

    @property
    def place(self) -> Path:
        return REPOSITORY

    def add_user(self, name: str, password: str | None = None) -> str:
        """Give a device a password, as the gateway's registration does; returns it when it is in force."""
        password = password or secrets.token_hex(8)
        self.credentials[name] = password
        devices = {user: word for user, word in self.credentials.items() if user != "gateway"}
        new = self.folder / "secrets" / "devices.new"
        new.write_text(json.dumps(devices))
        new.replace(self.folder / "secrets" / "devices.json")
        wait_until_accepted(self.host, self.port, name, password)
        return password


@contextlib.contextmanager
def running_embedded_broker() -> Iterator[EmbeddedBroker]:
    """The embedded broker for as long as the context lasts."""
    with owned_folder("broker", None) as folder:
        broker = EmbeddedBroker(folder)
        try:
            broker.start()
            yield broker
        finally:
            broker.terminate()


AnyBroker = Mosquitto | EmbeddedBroker


def wait_until_accepted(host: str, port: int, name: str, password: str) -> None:
    """Return when the broker accepts this name and password (MQTT 3.1.1); RuntimeError when it never does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if _connack_code(host, port, name, password) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{host}:{port} does not accept {name}")


def _connack_code(host: str, port: int, name: str, password: str) -> int:
    def text(value: str) -> bytes:
        raw = value.encode()
        return len(raw).to_bytes(2, "big") + raw

    body = (
        text("MQTT") + b"\x04\xc2\x00\x0a" + text(f"{name}-probe-{secrets.token_hex(4)}") + text(name) + text(password)
    )
    with socket.create_connection((host, port), timeout=2) as line:
        line.sendall(bytes([0x10, len(body)]) + body)
        answer = line.recv(4)
        line.sendall(b"\xe0\x00")
    return answer[3] if len(answer) == 4 else -1
