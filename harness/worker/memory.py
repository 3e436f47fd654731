"""Memory probes: what the kernel and the allocator say, without sampling.

On Linux the peak is the kernel's own high-water mark of resident memory (`VmHWM`), which is reset
by writing 5 to `/proc/self/clear_refs` (proc_pid_clear_refs(5)). It misses nothing, however short.
The kernel batches its counters, so a mark can lag by up to about 0.5 MB: claim no finer.
Resident bytes are summed over the page tables (`smaps_rollup`), which is exact. Bytes in use are
the C library's own count (`mallinfo2`), exact to the byte; launches that measure memory make
Python use that allocator too (`PYTHONMALLOC=malloc`), so that one counter sees everything.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys


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


class LinuxProbe:
    """The kernel's high-water mark and page tables, and glibc's allocator."""

    peak_source = "VmHWM"
    resident_source = "smaps_rollup"

    def __init__(self) -> None:
        libc = ctypes.CDLL(None)
        self._trim = getattr(libc, "malloc_trim", None)
        self._mallinfo2 = getattr(libc, "mallinfo2", None)
        self.in_use_source = "mallinfo2" if self._mallinfo2 else self.resident_source
        if self._mallinfo2:
            self._mallinfo2.restype = _Mallinfo2

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

    def in_use(self) -> int:
        """Bytes of the C heap that are allocated, large blocks with their own mapping too."""
        if self._mallinfo2 is None:
            return self.resident()
        info = self._mallinfo2()
        return int(info.uordblks + info.hblkhd)

    def release(self) -> None:
        """Give free pages of the C heap back to the system."""
        if self._trim is not None:
            self._trim(0)


class PortableProbe:
    """Where there is no /proc: the process's own maximum, which cannot be reset.

    A phase's peak is then known only where it exceeds all before it; `source` tells.
    """

    peak_source = "ru_maxrss"
    resident_source = "ru_maxrss"
    in_use_source = "ru_maxrss"

    def reset_peak(self) -> None:
        """Do nothing: this mark only rises."""

    def peak(self) -> int:
        """The process's maximum so far."""
        import resource  # noqa: PLC0415 - absent on some systems, needed on few

        maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return maximum if sys.platform == "darwin" else maximum * 1024

    resident = in_use = peak

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


def _kilobytes(path: str, field: bytes) -> int:
    with open(path, "rb", buffering=0) as file:
        for line in file.read().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    raise OSError(f"{path} has no field {field.decode()}")
