"""Memory probes: what the kernel and the allocator say, without sampling.

On Linux the peak is the kernel's own high-water mark of resident memory (`VmHWM`), which is reset
by writing 5 to `/proc/self/clear_refs` (proc_pid_clear_refs(5)). It misses nothing, however short.
The kernel batches its counters, so a mark can lag by up to about 0.5 MB: claim no finer.
Resident bytes are summed over the page tables (`smaps_rollup`), which is exact.

Bytes that are allocated are counted exactly, from three counters. The C library tells its own heap
(`mallinfo2`, to the byte). Python's small objects live in arenas of its own, whose allocated blocks
CPython tells (`sys._debugmallocstats`, to the block; it writes text to stderr, which is caught).
What engines map beside both (code that they generate, arenas of their own, stacks of threads) is in
the kernel's count of private writable memory (`VmData`, to the page).
"""

from __future__ import annotations

import ctypes
import gc
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

_ARENAS = re.compile(rb"arenas \* \d+ bytes/arena\s*=\s*([\d,]+)")
SAMPLING_INTERVAL_S = 0.02
"""Of the controller, which looks at a memory launch from outside."""

_ALLOCATED = re.compile(rb"# bytes in allocated blocks\s*=\s*([\d,]+)")


class _Mallinfo2(ctypes.Structure):
    """`struct mallinfo2` of glibc 2.33 and later (mallinfo(3))."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


class _SmallObjects(NamedTuple):
    """Python's own arenas for small objects."""

    arena_bytes: int
    allocated_bytes: int


class LinuxProbe:
    """The kernel's high-water mark and page tables, glibc's allocator and Python's."""

    peak_source = "VmHWM"
    resident_source = "smaps_rollup"

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._trim = getattr(libc, "malloc_trim", None)
        self._mallinfo2 = getattr(libc, "mallinfo2", None)
        self.heap_source = self.in_use_source = self.resident_source
        self.settled_by = "gc.collect+malloc_trim" if self._trim else "gc.collect"
        if self._mallinfo2:
            self._mallinfo2.restype = _Mallinfo2
            self.heap_source = "mallinfo2+pymalloc"
            self.in_use_source = "mallinfo2+pymalloc+VmData"
            self._caught = os.memfd_create("graphgauge")

    def be_seen(self) -> None:
        """Do nothing: nobody outside needs to look."""

    def reset_peak(self) -> None:
        """Start a new high-water mark at what is resident now."""
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def peak(self) -> int:
        """The high-water mark since the last reset."""
        return _kilobytes("/proc/self/status", b"VmHWM:")

    def resident(self) -> int:
        """Pages of this process that are in memory, shared ones too."""
        return _kilobytes("/proc/self/smaps_rollup", b"Rss:")

    def heap(self) -> int:
        """Bytes allocated in the C heap, large blocks with their own mapping too, and in arenas."""
        if self._mallinfo2 is None:
            return self.resident()
        small = self._small_objects()
        info = self._mallinfo2()
        return int(info.uordblks + info.hblkhd) + small.allocated_bytes

    def in_use(self) -> int:
        """Bytes that are allocated, in heap and arenas or mapped beside them.

        That is all private writable memory, less what is free in the heap and in arenas.
        """
        if self._mallinfo2 is None:
            return self.resident()
        small = self._small_objects()
        mapped_bytes = _kilobytes("/proc/self/status", b"VmData:")
        free_bytes = small.arena_bytes - small.allocated_bytes
        return mapped_bytes - free_bytes - int(self._mallinfo2().fordblks)

    def release(self) -> None:
        """Give free pages of the C heap back to the system."""
        if self._trim is not None:
            self._trim(0)

    def _small_objects(self) -> _SmallObjects:
        """What CPython says of its arenas; zeros where it has none, or says it otherwise."""
        report = getattr(sys, "_debugmallocstats", None)
        if report is None:
            return _SmallObjects(0, 0)
        with self._catching_stderr():
            report()
        text = os.pread(self._caught, os.lseek(self._caught, 0, os.SEEK_CUR), 0)
        os.lseek(self._caught, 0, os.SEEK_SET)
        arenas, allocated = _ARENAS.search(text), _ALLOCATED.search(text)
        if arenas is None or allocated is None:
            return _SmallObjects(0, 0)
        return _SmallObjects(_digits(arenas[1]), _digits(allocated[1]))

    @contextmanager
    def _catching_stderr(self) -> Iterator[None]:
        """Have what is written to it meanwhile; a subject may have closed it."""
        try:
            stderr = os.dup(2)
        except OSError:
            stderr = None
        os.dup2(self._caught, 2)
        try:
            yield
        finally:
            if stderr is None:
                os.close(2)
            else:
                os.dup2(stderr, 2)
                os.close(stderr)


class PortableProbe:
    """Where there is no /proc: the process's own maximum, which cannot be reset.

    So the controller, which samples the process from outside all the time, tells peak, held and
    retained instead (`harness.sampled_memory`), and this probe waits for it to see each of them.
    """

    peak_source = "ru_maxrss"
    resident_source = "ru_maxrss"
    heap_source = "ru_maxrss"
    in_use_source = "ru_maxrss"
    settled_by = "gc.collect"

    def be_seen(self) -> None:
        """Stand still for as long as two samples take, so that one of them falls in between."""
        time.sleep(2 * SAMPLING_INTERVAL_S)

    def reset_peak(self) -> None:
        """Do nothing: this mark only rises."""

    def peak(self) -> int:
        """The process's maximum so far."""
        import resource  # noqa: PLC0415 - absent on some systems, needed on few

        maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return maximum if sys.platform == "darwin" else maximum * 1024

    resident = heap = in_use = peak

    def release(self) -> None:
        """Do nothing: there is no portable way."""


Probe = LinuxProbe | PortableProbe


def probe_here() -> Probe:
    """The best probe for this system."""
    return LinuxProbe() if os.access("/proc/self/clear_refs", os.W_OK) else PortableProbe()


def settle(probe: Probe) -> None:
    """Collect garbage and give free memory back, so that what is left is really held."""
    gc.collect()
    probe.release()


@contextmanager
def collecting_new_garbage_only() -> Iterator[None]:
    """Keep the collector from looking at what is there already, so that collecting is cheap.

    A full collection looks at every object of every imported module, which takes up to 100 ms;
    garbage that calls make is made of new objects. Where somebody else keeps objects from the
    collector, theirs stay kept, and nothing else is.
    """
    gc.collect()
    is_ours = gc.get_freeze_count() == 0
    if is_ours:
        gc.freeze()
    try:
        yield
    finally:
        if is_ours:
            gc.unfreeze()


def _digits(text: bytes) -> int:
    return int(text.replace(b",", b""))


def _kilobytes(path: str, field: bytes) -> int:
    with open(path, "rb", buffering=0) as file:
        for line in file.read().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    raise OSError(f"{path} has no field {field.decode()}")
