"""A clock that stands still while the process waits for a CPU that another process has."""

from __future__ import annotations

import contextlib
import os
from time import perf_counter_ns, process_time_ns, thread_time_ns


class RunningClock:
    """Nanoseconds that pass for the main thread; all of them where the system does not tell.

    Waiting for other threads of its own process counts, whatever they do.
    """

    def __init__(self) -> None:
        self._scheduler: int | None = None
        with contextlib.suppress(OSError):
            self._scheduler = os.open("/proc/self/schedstat", os.O_RDONLY | os.O_CLOEXEC)

    def __call__(self) -> int:
        """Now, since some fixed moment."""
        if self._scheduler is None:
            return perf_counter_ns()
        words = os.pread(self._scheduler, 100, 0).split()
        waited_ns = int(words[1]) if len(words) > 1 else 0
        return perf_counter_ns() - max(0, waited_ns - (process_time_ns() - thread_time_ns()))

    def close(self) -> None:
        """Give back the file that it reads."""
        if self._scheduler is not None:
            os.close(self._scheduler)
            self._scheduler = None
