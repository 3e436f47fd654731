"""Tables too large to be taken lightly, for real: 2 GB, read in a process of its own.

    python -m benchmarks.large_tables --gigabytes 2

Each line is a table that was made, `graphgauge compare` on it, the memory that took at its highest,
and how it ended. `usual` is made like runs write tables; in `distinct` no two cells of a column are
alike, which is the worst for memory. `limited` is `usual` under a limit of address space of 3 GB,
and so is `bomb`, a gzip file of some megabytes that unpacks to as much.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from results.schema import COLUMNS

_LIMIT_BYTES = 3_000_000_000
_LINES_AT_ONCE = 10_000
_FILES = {"usual": "a.csv", "limited": "a.csv", "bomb": "a.csv.gz", "distinct": "distinct.csv"}


def main() -> None:
    """Make each table, compare it, print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--only", nargs="+", default=["usual", "limited", "bomb", "distinct"])
    parser.add_argument("--folder", type=Path, help="with room for the tables")
    arguments = parser.parse_args()
    size = int(arguments.gigabytes * 1e9)
    print("| table | on disk | rows | compare | highest memory | per byte | ended |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        made: dict[Path, int] = {}
        for kind in arguments.only:
            path = Path(folder) / _FILES[kind]
            if path not in made:
                made[path] = _made(path, kind, size)
            _compared(kind, path, made[path], size)


def _made(path: Path, kind: str, size: int) -> int:
    rows = written = 0
    with gzip.open(path, "wb", 1) if kind == "bomb" else path.open("wb") as file:
        file.write((",".join(COLUMNS) + "\r\n").encode())
        for lines in _lines(kind):
            file.write(lines)
            written += len(lines)
            rows += _LINES_AT_ONCE
            if written >= size:
                return rows
    raise AssertionError("lines have no end")


def _lines(kind: str) -> Iterator[bytes]:
    number = 0
    while True:
        lines = []
        for i in range(number, number + _LINES_AT_ONCE):
            u = f"{i:09d}" if kind == "distinct" else ""
            session = u or f"s{i // 20_000}"
            lines.append(
                f"1,{session},2026-01-31T12:{i // 60 % 60:02d}:{i % 60:02d}.{u or 0}Z,"
                f"{'old' if i % 2 else 'new'},planned{u},0.1.0{u},chain{u},"
                f"depth={u or i // 2 % 300};width=64,output,"
                f"evaluate,time,s,perf_counter_ns{u},{i},,"
                f"{0.001 + i * 1e-9!r},{1e-6 + i * 1e-13!r},20,2000,ok,"
                f"steady=flat; set_aside={u or i % 7},m1,e{u}\r\n"
            )
        number += _LINES_AT_ONCE
        yield "".join(lines).encode()


def _compared(kind: str, path: Path, rows: int, size: int) -> None:
    limit = ["prlimit", f"--as={_LIMIT_BYTES}"] if kind in {"limited", "bomb"} else []
    began = time.monotonic()
    process = subprocess.Popen(
        [*limit, sys.executable, "-m", "harness.cli", "compare", str(path), "--format", "csv"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert process.stderr is not None
    said = process.stderr.read().decode().strip()
    _, status, usage = os.wait4(process.pid, 0)
    took_s = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    peak_bytes = usage.ru_maxrss * 1024
    told = said.splitlines()[0].replace(str(path), path.name) if said else ""
    print(
        f"| {kind} | {path.stat().st_size / 1e9:.3f} GB | {rows:,} | {took_s:.0f} s | "
        f"{peak_bytes / 1e9:.1f} GB | {peak_bytes / size:.1f} | exit {code} {told} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
