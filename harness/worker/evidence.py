"""What else went on while a block ran: evidence that a time is not the subject's alone.

Counters are read before and after each block, outside of what is timed.
"""

from __future__ import annotations

import contextlib
import os
import resource
from time import process_time_ns, thread_time_ns
from typing import NamedTuple

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
        )

    def _waited_ns(self) -> int | None:
        """Of the main thread, less what other threads of this process ran meanwhile.

        Threads of a subject that push each other off the one CPU are its own doing.
        """
        words = _read(self._scheduler, 100).split()
        if len(words) < 2:
            return None
        return int(words[1]) - (process_time_ns() - thread_time_ns())

    def _steal_ticks(self) -> int | None:
        for line in _read(self._system, 4096).splitlines():
            words = line.split()
            if words and words[0] == self._cpu_name and len(words) > 8:
                return int(words[8])
        return None

    def _cpu_hz(self) -> float | None:
        text = _read(self._frequency, 100).strip()
        return int(text) * 1_000.0 if text.isdigit() else None


def _only_cpu() -> int | None:
    """The CPU that this process is pinned to, if it is one."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    granted = os.sched_getaffinity(0)
    return next(iter(granted)) if len(granted) == 1 else None


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
