"""A limit of memory that is kept from outside: over all processes of a launch together.

Inside a launch the kernel's data limit stops an allocation at once (`RLIMIT_DATA`), but it does not
count memory that is shared, holds for each process by itself, and is not enforced everywhere. So
where a limit is wished for, the controller also looks.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import psutil

_LOOK_S = 0.05

Counters = tuple[str, tuple[str, ...]]
"""A file of /proc/PID, and its fields that are added up."""
_RESIDENT: Counters = ("status", ("RssAnon:", "RssShmem:", "VmSwap:"))
"""Quick, but what forked processes share counts in each of them: at least as much as they hold."""
_PROPORTIONAL: Counters = ("smaps_rollup", ("Pss_Anon:", "Pss_Shmem:", "SwapPss:"))
"""Exact, but the kernel walks all page tables for it."""


class MemoryWatch:
    """Looks at a process and all that it has started, and acts once they hold too much."""

    def __init__(self, pid: int, limit_bytes: int, act: Callable[[], None]) -> None:
        self._process = psutil.Process(pid)
        self._limit_bytes = limit_bytes
        self._act = act
        self._ended = threading.Event()
        self.held_bytes = 0
        """When it was too much; 0 as long as it was not."""
        self._thread = threading.Thread(target=self._keep_looking, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _keep_looking(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while not self._ended.wait(_LOOK_S):
                if held(self._process, _RESIDENT) <= self._limit_bytes:
                    continue
                held_bytes = held(self._process, _PROPORTIONAL)
                if held_bytes > self._limit_bytes:
                    self.held_bytes = held_bytes
                    self._act()
                    return


def held(process: psutil.Process, counters: Counters) -> int:
    """Bytes that the process and its descendants hold in memory, without pages of files."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += _held(each, counters)
    return total


def _held(process: psutil.Process, counters: Counters) -> int:
    file, fields = counters
    place = f"/proc/{process.pid}/{file}"
    # Among the lines is the process's name, which may be any bytes.
    with contextlib.suppress(OSError), open(place, encoding="utf-8", errors="replace") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(fields)) * 1024
    return int(process.memory_info().rss)
