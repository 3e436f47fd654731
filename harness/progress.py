"""How far a session is, on stderr; nothing when that is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress as RichProgress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from results.formats.wording import without_controls


class Progress(Protocol):
    """Is told what is being measured, and when it is done."""

    def begin(self, what: str) -> None:
        """Something is being measured now."""
        ...

    def done(self, amount: float = 1.0) -> None:
        """So much of the plan is finished."""
        ...


class _Shown:
    def __init__(self, bar: RichProgress, total: float) -> None:
        self._bar = bar
        self._task = bar.add_task("", total=total)

    def begin(self, what: str) -> None:
        self._bar.update(self._task, description=without_controls(what))

    def done(self, amount: float = 1.0) -> None:
        self._bar.advance(self._task, amount)


class Silent:
    """Says nothing."""

    def begin(self, what: str) -> None:
        """Say nothing."""

    def done(self, amount: float = 1.0) -> None:
        """Say nothing."""


@contextmanager
def progress_on_stderr(total: float) -> Iterator[Progress]:
    """A bar with an estimate of the time left, redrawn twice a second at most."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield Silent()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=console, refresh_per_second=2, transient=True) as bar:
        yield _Shown(bar, total)


def say(text: str) -> None:
    """A message to the user, beside whatever goes to stdout; control characters are shown."""
    print(without_controls(text), file=sys.stderr, flush=True)
