"""What a person sees on standard error while programs start: one line a step, live on a terminal."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from gateway.runtime.clock import SystemClock

_CLOCK: Final = SystemClock()


class Progress:
    """Steps and sentences on standard error; plain lines where that is no terminal."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False)
        self._status = self._console.status("")
        self._waiting: list[str] = []
        self._began_s = _CLOCK.monotonic_s()

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show `what` while it lasts, and how long it took when it is done."""
        began_s = _CLOCK.monotonic_s()
        self._begin(what)
        try:
            yield
        finally:
            self._end(what)
        self._console.print(f"[green]✓[/green] {what} [dim]{_CLOCK.monotonic_s() - began_s:.1f} s[/dim]")

    def _begin(self, what: str) -> None:
        self._waiting.append(what)
        if self._console.is_terminal:
            self._status.update(f"{', '.join(self._waiting)} …")
            self._status.start()

    def _end(self, what: str) -> None:
        self._waiting.remove(what)
        self._status.update(f"{', '.join(self._waiting)} …")
        if not self._waiting:
            self._status.stop()

    def tell(self, sentence: str) -> None:
        """Say one sentence."""
        self._console.print(f"[yellow]·[/yellow] {sentence}", markup=True)

    def summary(self, title: str, rows: list[tuple[str, str]], foot: str) -> None:
        """Show the addresses and passwords in a frame, on standard output."""
        table = Table.grid(padding=(0, 2))
        for name, value in rows:
            table.add_row(f"[bold]{name}[/bold]", value)
        console = Console(highlight=False)
        console.print(Panel(table, title=f"{title} · {self.elapsed_s:.1f} s", expand=False))
        console.print(foot)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the launcher began."""
        return _CLOCK.monotonic_s() - self._began_s
