"""Builds the container image from nothing and runs the demo inside: `make image-test`.

No image is pulled: the base is made by debootstrap from the machine's own Debian mirror. Everything, the container
storage too, lives in one temporary folder that goes when the test ends.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.kit.stack import free_port_base

REPOSITORY = Path(__file__).resolve().parents[1]
PROGRAMS = {"podman": "podman", "buildah": "buildah", "runc": "runc", "debootstrap": "debootstrap"}
#: What an unqualified `FROM debian:bookworm-slim` is called in full.
BASE = "docker" + ".io/library/debian:bookworm-slim"
IMAGE = "localhost/linli:image-test"
CONTAINER = "linli-image-test"
#: Building takes both hands; whoever works on the same machine goes first. The demo itself runs as it would.
POLITE = ["nice", "-n", "10"]
#: Below the hard limits of machines without CAP_SYS_RESOURCE; the defaults make every container die at setrlimit.
LIMITS = '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]\n'


class Podman:
    """podman and buildah with storage, limits and runtime of their own."""

    def __init__(self, folder: Path) -> None:
        (folder / "containers.conf").write_text(LIMITS)
        self.environment = os.environ | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
        }
        self.storage = ["--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def podman(self, *words: str) -> list[str]:
        # crun refuses hybrid cgroups; runc takes every kind.
        return ["podman", *self.storage, "--runtime", "runc", "--cgroup-manager", "cgroupfs", *words]

    def buildah(self, *words: str) -> list[str]:
        return ["buildah", *self.storage, *words]

    def run(self, command: Sequence[str], *, quiet: bool = False) -> str:
        """Run to the end and return what it said; its errors go to standard error."""
        done = subprocess.run(
            command, env=self.environment, check=True, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
        )  # fmt: skip
        return done.stdout


def say(text: str) -> None:
    print(f"image-test: {text}", file=sys.stderr, flush=True)


def mirror() -> list[str]:
    """Return the Debian mirror that this machine's own apt uses, as a word for debootstrap; none: its own default."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text() for path in sources if path.is_file())
    found = re.search(r"(?m)^(?:URIs:|deb(?: \[[^]]*\])?)\s*(https?://\S*debian/?)\s*(?:$|bookworm)", text)
    return [found[1]] if found else []


def make_base(podman: Podman, folder: Path, made: Path | None) -> None:
    """Put debian:bookworm-slim into the storage: the root file system `made`, or a new one by debootstrap."""
    rootfs = made or folder / "base"
    if not made:
        debootstrap(rootfs, folder / "debootstrap.log")
    tar = subprocess.Popen(["tar", "-C", rootfs, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run(podman.podman("import", "-q", "-", BASE), env=podman.environment, check=True, stdin=tar.stdout)
    if tar.wait():
        raise RuntimeError("tar could not pack the base")


def debootstrap(rootfs: Path, log_file: Path) -> None:
    with log_file.open("wb") as log:
        command = [*POLITE, "debootstrap", "--variant=minbase", "bookworm", str(rootfs), *mirror()]
        subprocess.run(command, check=True, stdout=log, stderr=log)


def pip_settings(folder: Path) -> list[str]:
    """Return mounts that tell the build what this machine's pip knows: index, certificates, local packages.

    They hold for the build alone; nothing of them is in the image.
    """
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    known = dict(re.findall(r"(?m)^(?:global|:env:)\.([\w-]+)='(.*)'$", told.stdout))
    local = {
        Path(path) for path in re.findall(r"(?:file://)?(/[\w./-]+?)(?:/simple)?(?=\s|$)", known.get("find-links", ""))
    }
    local |= {Path(path) for path in re.findall(r"file://(/[\w./-]+?)/simple", known.get("extra-index-url", ""))}
    mounts = [f"--volume={path}:{path}:ro" for path in sorted(local)]
    if (certificates := Path("/etc/ssl/certs/ca-certificates.crt")).exists():
        # Not at its own place: the package ca-certificates writes there while the image is built.
        mounts.append(f"--volume={certificates}:/opt/certificates.crt:ro")
        known["cert"] = "/opt/certificates.crt"
    (folder / "pip.conf").write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in known.items()))
    return [*mounts, f"--volume={folder / 'pip.conf'}:/etc/pip.conf:ro"]


def build(podman: Podman, folder: Path) -> None:
    command = POLITE + podman.buildah(
        "bud", "--isolation=chroot", "--network=host", "--pull-never", *pip_settings(folder),
        "--tag", IMAGE, "--file", "docker/Dockerfile", ".",
    )  # fmt: skip
    subprocess.run(command, env=podman.environment, check=True, cwd=REPOSITORY, stdout=sys.stderr)


@contextlib.contextmanager
def running_demo(podman: Podman) -> Iterator[dict[str, object]]:
    """The demo inside the image; gives the JSON line that it printed when everything was ready."""
    base = free_port_base()
    words = ("linli", "demo", "--json", "--data-dir", "/var/lib/linli/demo", "--port-base", str(base))
    command = podman.podman("run", "--rm", "--init=false", "--network=host", "--name", CONTAINER, IMAGE, *words)
    process = subprocess.Popen(command, env=podman.environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the demo said nothing; exit code {process.wait()}")
        yield json.loads(line)
    finally:
        begun = time.monotonic()
        subprocess.run(
            podman.podman("stop", "--time", "15", CONTAINER), env=podman.environment, check=False, capture_output=True
        )
        code = process.wait(30)
        say(f"stopped in {time.monotonic() - begun:.1f} s, exit code {code}")
    if code:
        raise RuntimeError(f"the demo ended with {code} after SIGTERM")


def look(facts: dict[str, object]) -> None:
    """Ask every program that has an address whether it is well."""
    for name in ("tv", "desk", "developer", "api"):
        address = str(facts[name]).rstrip("/") + "/healthz"
        with urllib.request.urlopen(address, timeout=10) as answer:
            say(f"{name}: {answer.status} {answer.read(200).decode(errors='replace')}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.image_test", description=__doc__)
    parser.add_argument("--base", type=Path, help="a root file system that debootstrap has made already")
    made = parser.parse_args().base
    missing = [package for package, program in PROGRAMS.items() if not shutil.which(program)]
    if missing or os.geteuid() != 0:
        say(f"skipped: {'needs root' if not missing else 'not installed: ' + ', '.join(missing)}")
        return int(os.environ.get("CI", "").lower() in {"1", "true"})
    with tempfile.TemporaryDirectory(prefix="linli-image-", ignore_cleanup_errors=True) as name:
        podman = Podman(Path(name))
        try:
            exercise(podman, Path(name), made)
        finally:
            podman.run(podman.podman("rm", "--all", "--force"), quiet=True)
            podman.run(podman.podman("rmi", "--all", "--force"), quiet=True)
    say("passed")
    return 0


def exercise(podman: Podman, folder: Path, made: Path | None) -> None:
    begun = time.monotonic()
    say(f"the base comes from {made or 'debootstrap'}")
    make_base(podman, folder, made)
    say(f"base after {time.monotonic() - begun:.0f} s; building")
    build(podman, folder)
    size = podman.run(podman.podman("image", "inspect", "--format", "{{.Size}}", IMAGE)).strip()
    say(f"image of {int(size) / 1e6:.0f} MB after {time.monotonic() - begun:.0f} s")
    with running_demo(podman) as facts:
        say(f"ready after {time.monotonic() - begun:.0f} s")
        look(facts)
        print(json.dumps({"image_test": "ok", "size_bytes": int(size), "tv": facts["tv"], "desk": facts["desk"]}))


if __name__ == "__main__":
    sys.exit(main())
