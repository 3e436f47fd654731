"""Whether a file can be read before memory is gone; asked before a byte of it is kept."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from results.errors import TableError

MEMORY_PER_BYTE: Final = 8
"""Bytes of memory that reading may take for each byte of a file's text: 2 for tables as runs write
them (`python -m benchmarks.large_tables`), 5 where no two cells are alike, and some to spare."""

MEMORY_PER_SERIES: Final = 5_000
"""Bytes that comparing takes for each metric of each phase of each case."""

MAX_COLUMNS: Final = 1_000
"""Columns that a table may have: each costs memory of its own, however little it holds."""

_UNLIMITED: Final = 1 << 60
_CGROUP: Final = Path("/sys/fs/cgroup")


def check_room(path: Path, text_bytes: int) -> None:
    """Refuse a file whose text (decompressed) is larger than the memory that is left can take.

    Raises:
        TableError: which says how much there is and how much would be needed.
    """
    _check(
        path,
        f"{_size(text_bytes)} of text or more, which",
        text_bytes * MEMORY_PER_BYTE,
        lambda free: _size(free // MEMORY_PER_BYTE),
        "Split it by session or label, or read it where there is more memory.",
    )


def check_room_for_series(path: Path, series: int) -> None:
    """Refuse a table of so many cases and metrics that comparing them would take too much.

    Raises:
        TableError: which says how much there is and how much would be needed.
    """
    _check(
        path,
        f"{series:,} metrics of cases, to compare which",
        series * MEMORY_PER_SERIES,
        lambda free: f"{free // MEMORY_PER_SERIES:,}",
        "Split it by case, or read it where there is more memory.",
    )


def _check(
    path: Path, found: str, needed_bytes: int, fitting: Callable[[int], str], advice: str
) -> None:
    """Refuse what needs more than is free; `fitting` tells how much of it the free bytes take."""
    free = free_bytes()
    if free is not None and needed_bytes > free:
        raise TableError(
            path,
            found=f"{found} may take {_size(needed_bytes)} of memory where {_size(free)} are free",
            expected=f"at most {fitting(free)} now",
            advice=advice,
        )


def free_bytes() -> int | None:
    """What this process may take of the machine, its cgroup and its limits; None if unknown."""
    found = list(_all_bounds())
    return max(0, min(found)) if found else None


def _all_bounds() -> Iterator[int]:
    machine = _fields(Path("/proc/meminfo"))
    if "MemAvailable" in machine:
        yield machine["MemAvailable"]
    yield from _cgroup_bounds()
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return
    own = _fields(Path("/proc/self/status"))
    for limit, used in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most = resource.getrlimit(limit)[0]
        if 0 <= most < _UNLIMITED and used in own:
            yield most - own[used]


def _cgroup_bounds() -> Iterator[int]:
    """Of the cgroup we see as our own (version 2); there is none outside containers, mostly."""
    with contextlib.suppress(OSError, ValueError):
        most = int((_CGROUP / "memory.max").read_text(encoding="ascii"))
        held = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        cached = dict(
            line.split()
            for line in (_CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        )
        yield most - held + int(cached.get("inactive_file", 0))


def _fields(path: Path) -> dict[str, int]:
    """The sizes in a file of /proc, in bytes; nothing where there is no such file."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    parts = [line.split() for line in lines]
    return {
        part[0].rstrip(":"): int(part[1]) * 1024
        for part in parts
        if len(part) == 3 and part[2] == "kB" and part[1].isdigit()
    }


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"
