"""A long table appended to: what opening it and each write cost, beside a short one.

    python -m benchmarks.appending

A write must cost the same whatever stands in the table already: it is never read again. Opening it
goes through it once, to cut off a line that a kill has left. What the disk takes to have a write
for good (fsync) is told apart, since it hangs on the disk and on what else is written to it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from results.schema import Reading
from results.writing import TableWriter, encoded

_CHUNK = 10_000
_WRITES = 200
_ROWS_PER_WRITE = 20


def _reading(launch: int) -> Reading:
    return Reading(
        session="20260131T120000Z-a1b2c3",
        recorded_at="2026-01-31T12:00:00Z",
        label="current",
        evaluator="planned",
        evaluator_version="0.1",
        scenario="chain",
        params="depth=1000;width=64",
        mode="gradient",
        phase="evaluate",
        metric="time",
        unit="s",
        source="perf_counter_ns",
        launch=launch,
        value=1.234e-3,
        spread=5.6e-6,
        blocks=40,
        calls=160,
        detail="steady=flat;set_aside=0;waited=0.01",
        machine="f238d56cf609",
        environment="131e6a55d2e5",
    )


def made(path: Path, rows: int) -> Path:
    """A table of so many rows, all of them on the disk."""
    with TableWriter(path):
        pass
    with path.open("ab") as stream:
        for start in range(0, rows, _CHUNK):
            some = range(start, min(start + _CHUNK, rows))
            stream.write(encoded(_reading(launch) for launch in some))
        stream.flush()
        os.fsync(stream.fileno())
    return path


@contextlib.contextmanager
def _timed_fsync() -> Iterator[list[float]]:
    """What each call of `os.fsync` takes, in seconds."""
    taken_s: list[float] = []
    fsync = os.fsync

    def timed(descriptor: int) -> None:
        started = time.perf_counter()
        fsync(descriptor)
        taken_s.append(time.perf_counter() - started)

    os.fsync = timed  # type: ignore[assignment]
    try:
        yield taken_s
    finally:
        os.fsync = fsync


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[0, 1_000, 1_000_000])
    with tempfile.TemporaryDirectory() as folder:
        for rows in parser.parse_args().rows:
            path = made(Path(folder) / f"{rows}.csv", rows)
            size_mb = path.stat().st_size / 1e6
            started = time.perf_counter()
            with TableWriter(path) as table, _timed_fsync() as on_disk_s:
                opened_s = time.perf_counter() - started
                writes_s = []
                for number in range(_WRITES):
                    some = [
                        _reading(rows + number * _ROWS_PER_WRITE + each)
                        for each in range(_ROWS_PER_WRITE)
                    ]
                    started = time.perf_counter()
                    table.write(some)
                    writes_s.append(time.perf_counter() - started)
            ours_s = [whole - disk for whole, disk in zip(writes_s, on_disk_s, strict=True)]
            print(
                f"{rows:>9,} rows, {size_mb:6.1f} MB: opened in {opened_s * 1e3:7.1f} ms, "
                f"{_ROWS_PER_WRITE} rows written in {statistics.median(ours_s) * 1e3:.2f} ms "
                f"and {statistics.median(on_disk_s) * 1e3:.2f} ms of the disk's "
                f"(medians of {_WRITES})",
                flush=True,
            )


if __name__ == "__main__":
    main()
