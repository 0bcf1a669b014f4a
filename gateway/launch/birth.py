"""What a child process does between fork and exec: dies with its parent, and PostgreSQL stops being root."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.model.errors import ConfigurationError

_PR_SET_PDEATHSIG: Final = 1
_CLONE_NEWUSER: Final = 0x1000_0000
_LIBC: Final = ctypes.CDLL(None, use_errno=True)

Birth = Callable[[], None]


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user that PostgreSQL may be."""

    name: str
    uid: int
    gid: int


def die_with_parent(how: int = signal.SIGKILL) -> Birth:
    """Return a birth after which the kernel sends `how` when the launcher ends, however it ends."""
    parent = os.getpid()

    def birth() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, how, 0, 0, 0)
        if os.getppid() != parent:  # the launcher ended between fork and prctl
            os._exit(1)

    return birth


def as_nobody_in_a_namespace(user: SystemUser, then: Birth) -> Birth:
    """Return a birth into a user namespace where our own identity is called `user`.

    Inside, the process is no root and has no right over anything but what we own; outside, every file that it makes
    is ours and no folder needs to be opened to others.
    """

    def birth() -> None:
        outside_uid, outside_gid = os.geteuid(), os.getegid()
        if _LIBC.unshare(_CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{user.uid} {outside_uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{user.gid} {outside_gid} 1", encoding="ascii")
        then()

    return birth


def as_user(user: SystemUser, then: Birth) -> Birth:
    """Return a birth that becomes `user` for good."""

    def birth() -> None:
        os.setgroups([])
        os.setgid(user.gid)
        os.setuid(user.uid)
        then()

    return birth


def unprivileged_user() -> SystemUser:
    """Return the system's user for PostgreSQL, else nobody."""
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(name, found.pw_uid, found.pw_gid)
    raise ConfigurationError(
        "the database may not run as root and this system has no user for it",
        cure="Run linli as an ordinary user.",
    )


def has_user_namespaces(user: SystemUser) -> bool:
    """Tell whether this kernel and container let us make a user namespace; tries it once."""
    birth = as_nobody_in_a_namespace(user, lambda: None)
    try:
        subprocess.run([sys.executable, "-S", "-c", ""], preexec_fn=birth, check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
