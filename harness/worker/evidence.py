"""What else went on while a block ran: evidence that a time is not the subject's alone.

Counters are read before and after each block, outside of what is timed.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from time import process_time_ns, thread_time_ns
from typing import NamedTuple

_SUSPENDED_NS = 100_000_000
"""Two clocks are read one after the other, and a process may have to wait in between."""
_FREQUENCY_FILE = "/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq"


class Evidence(NamedTuple):
    """Of one block; None where the system does not tell."""

    waited_ns: int | None
    """Ready to run, but waiting for the CPU while another process had it."""
    involuntary_switches: int
    minor_faults: int
    major_faults: int
    steal_ticks: int | None
    """Hundredths of a second that the hypervisor gave to others (`/proc/stat`)."""
    cpu_hz: float | None
    """The CPU's frequency at the end."""
    continuations: int = 0
    """Times that the process was continued after it had been stopped (SIGCONT)."""
    suspended_ns: int | None = None
    """That the machine was suspended for: its clock went on, but not the one that is read."""


_continuations = 0


def notice_continuations() -> None:
    """Count from now on how often this process is continued after it was stopped."""

    def count(_signal: int, _frame: object) -> None:
        global _continuations  # noqa: PLW0603 - a signal handler has nowhere else to put it
        _continuations += 1

    signal.signal(signal.SIGCONT, count)


def was_halted(seen: Evidence) -> bool:
    """Whether the process was stopped meanwhile, or its machine suspended."""
    return seen.continuations > 0 or (seen.suspended_ns or 0) > _SUSPENDED_NS


class Witness:
    """Reads the counters of this process and of the CPU that it stays on."""

    def __init__(self) -> None:
        cpu = _only_cpu()
        self._cpu_name = None if cpu is None else f"cpu{cpu}".encode()
        self._system = _opened("/proc/stat") if cpu is not None else None
        self._scheduler = _opened("/proc/self/schedstat")
        self._frequency = None if cpu is None else _opened(_FREQUENCY_FILE.format(cpu=cpu))

    def read(self) -> Evidence:
        """The counters as they stand; to be told apart from later ones with `since`."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Evidence(
            waited_ns=self._waited_ns(),
            involuntary_switches=usage.ru_nivcsw,
            minor_faults=usage.ru_minflt,
            major_faults=usage.ru_majflt,
            steal_ticks=self._steal_ticks(),
            cpu_hz=self._cpu_hz(),
            continuations=_continuations,
            suspended_ns=_suspended_ns(),
        )

    def since(self, before: Evidence) -> Evidence:
        """What was added since `before` was read; the frequency is that of now."""
        now = self.read()
        waited_ns = _difference(now.waited_ns, before.waited_ns)
        return Evidence(
            waited_ns=None if waited_ns is None else max(0, waited_ns),
            involuntary_switches=now.involuntary_switches - before.involuntary_switches,
            minor_faults=now.minor_faults - before.minor_faults,
            major_faults=now.major_faults - before.major_faults,
            steal_ticks=_difference(now.steal_ticks, before.steal_ticks),
            cpu_hz=now.cpu_hz,
            continuations=now.continuations - before.continuations,
            suspended_ns=_difference(now.suspended_ns, before.suspended_ns),
        )

    def _waited_ns(self) -> int | None:
        """Of the main thread, less what other threads of this process ran meanwhile.

        Threads of a subject that push each other off the one CPU are its own doing.
        """
        words = _read(self._scheduler, 100).split()
        if len(words) < 2 or not words[1].isdigit():
            return None
        return int(words[1]) - (process_time_ns() - thread_time_ns())

    def _steal_ticks(self) -> int | None:
        for line in _read(self._system, 4096).splitlines():
            words = line.split()
            if words and words[0] == self._cpu_name and len(words) > 8 and words[8].isdigit():
                return int(words[8])
        return None

    def _cpu_hz(self) -> float | None:
        text = _read(self._frequency, 100).strip()
        return int(text) * 1_000.0 if text.isdigit() else None


def threads_here() -> int:
    """How many threads this process has; 0 where the system does not tell."""
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


def _only_cpu() -> int | None:
    """The CPU that this process is pinned to, if it is one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    granted = os.sched_getaffinity(0)
    return next(iter(granted)) if len(granted) == 1 else None


def _suspended_ns() -> int | None:
    """How long the machine was suspended since it started."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) - time.monotonic_ns()


def _opened(path: str) -> int | None:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None


def _read(fd: int | None, most: int) -> bytes:
    """The file's beginning; nothing where it cannot be read, or a subject has closed it."""
    if fd is not None:
        with contextlib.suppress(OSError):
            return os.pread(fd, most, 0)
    return b""


def _difference(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None else now - before
