"""One of our programs as a process: started on a settings file, heard until its ready line, ended or killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.kit import servers

PATIENCE_S = 20.0


@dataclass(slots=True)
class ProgramProcess:
    """A program that can be ended and started again; `facts` is its ready line, empty where it was killed before."""

    package: str
    verb: str
    settings: Path
    log_file: Path
    facts: Mapping[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes]" = field(init=False)

    def launch(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it and wait for its ready line; RuntimeError with its log where it ends otherwise than by SIGKILL."""
        with self.log_file.open("ab") as log:
            self.process = servers.adopt(
                subprocess.Popen(
                    [sys.executable, "-m", self.package, self.verb, "--config", str(self.settings)],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**os.environ, **(environment or {})},
                )
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.facts = json.loads(line) if line else {}
        if not line and self.process.wait(PATIENCE_S) != -signal.SIGKILL:
            raise RuntimeError(f"{self.package} did not start:\n{self.log()}")

    def launch_again(self, environment: Mapping[str, str] | None = None) -> None:
        """Start it once more, now without a failpoint unless `environment` names one."""
        self._close_output()
        self.launch(environment)

    def wait_until_killed(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until the process has ended by SIGKILL, as a failpoint does it."""
        assert self.process.wait(patience_s) == -signal.SIGKILL

    def kill(self) -> None:
        """End it without warning."""
        servers.stop(self.process, signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end and return its exit code."""
        code = servers.stop(self.process)
        self._close_output()
        return code

    def log(self) -> str:
        """Return what it has logged."""
        return self.log_file.read_text(errors="replace")

    def _close_output(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()
