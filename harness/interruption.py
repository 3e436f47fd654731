"""Ctrl-C while measuring: once to finish the reading under way, twice to stop now."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, Self

_AT_ONCE = ("SIGTERM", "SIGHUP")
"""Whoever sends these will not wait long."""
_SAID = b"\nfinishing the reading under way; Ctrl-C once more to stop now\n"


class Interrupted(KeyboardInterrupt):
    """It was asked to stop, and did so between two readings."""


class Interruption:
    """A context in which Ctrl-C is a wish at first, and everything else that ends a run ends it.

    A signal that is ignored stays so, as under nohup.
    """

    def __init__(self) -> None:
        self.is_wished = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over, where that is possible: only the main thread may."""
        if threading.current_thread() is threading.main_thread():
            self._take(signal.SIGINT, self._wish)
            for name in _AT_ONCE:
                if hasattr(signal, name):
                    self._take(getattr(signal, name), _stop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """To be asked between two readings.

        Raises:
            Interrupted: if it was asked to stop.
        """
        if self.is_wished:
            raise Interrupted

    def _take(self, number: int, handler: Any) -> None:
        before = signal.getsignal(number)
        if before not in (signal.SIG_IGN, None):
            self._before[number] = before
            signal.signal(number, handler)

    def _wish(self, number: int, frame: FrameType | None) -> None:
        if self.is_wished:
            _stop(number, frame)
        self.is_wished = True
        # Not print: it may have been interrupted itself.
        os.write(2, _SAID)


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """A short piece of work that is done whole: what would end it at once does so afterwards.

    A process that is started must be known before anything else happens, or nobody ends it. Other
    threads than the main one do their work whole anyway: no signal reaches them.

    Raises:
        KeyboardInterrupt: on leaving, if a signal that ends a run at once came meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Delay.depth += 1
    try:
        yield
    finally:
        _Delay.depth -= 1
    if not _Delay.depth and _Delay.has_come:
        _Delay.has_come = False
        raise KeyboardInterrupt


class _Delay:
    """Of the main thread's work."""

    depth = 0
    has_come = False


def _stop(_number: int, _frame: FrameType | None) -> None:
    if _Delay.depth:
        _Delay.has_come = True
    else:
        raise KeyboardInterrupt
