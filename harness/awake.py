"""A clock that stands still while this process is halted: suspended with its machine, or stopped.

Whoever waits for a worker waits in this clock's seconds, so that closing a laptop's lid, or a
SIGSTOP, times nothing out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_BEAT_S = 0.25
_HALT_S = 2.0
"""Nobody looking at the clock for so long means that nobody could: a thread looks every beat."""


class AwakeClock:
    """Seconds since some moment, less those in which nobody could look at the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        self.halted_s = 0.0

    def __call__(self) -> float:
        """Look at the clock."""
        with self._lock:
            now = self._clock()
            if now - self._looked > _HALT_S:
                self.halted_s += now - self._looked
            self._looked = now
            return now - self.halted_s

    def keep_looking(self) -> None:
        """Look at every beat, for ever."""
        while True:
            self()
            time.sleep(_BEAT_S)


_clock: AwakeClock | None = None


def awake_now() -> float:
    """Seconds since some moment in which this process could run."""
    global _clock  # noqa: PLW0603 - its thread is started by whoever looks first
    if _clock is None:
        _clock = AwakeClock()
        threading.Thread(target=_clock.keep_looking, daemon=True).start()
    return _clock()
