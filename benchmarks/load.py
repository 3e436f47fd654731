"""The harness under load: what it holds after many sessions, and how a large plan starts.

    python -m benchmarks.load growth --rounds 20     suites run over and over in one process
    python -m benchmarks.load start --cases 10000    a plan of so many cases, begun

`growth` runs the scenarios of the default suite at their smallest sizes, one launch each that
measures time and one that measures memory, in one controller process; its own bytes in use, file
descriptors, threads and children are read after each round, and `results.drift` says whether the
bytes grow. Caches that are bounded and fill over scores of rounds (glibc's, numpy's, rich's,
CPython's) are filled, emptied or switched off before, so that only what goes on can grow.

`start` starts `graphgauge run` as a user does and follows it from outside until the table holds its
first reading, and for some seconds more.

Exit code 1 if there is growth, or a start is slower than 2 s or larger than 300 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import rich.cells

from harness.cli import main as graphgauge
from harness.suites import suite_named
from harness.worker.memory import LinuxProbe
from results.drift import LEAK_FLOOR_BYTES_PER_REBUILD, memory_drift
from results.tables import read
from scenarios import scenario

MOST_START_S = 2.0
MOST_START_BYTES = 300 * 1_000_000
_POLL_S = 0.002
_TUNABLES = "GLIBC_TUNABLES"
_NO_THREAD_CACHE = "glibc.malloc.tcache_count=0"


class Held(NamedTuple):
    """What the controller holds between two rounds."""

    in_use_bytes: int
    resident_bytes: int
    descriptors: int
    threads: int
    children: int


def main() -> int:
    """Do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("growth", "start"))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--scenarios", type=int, default=1_000, help="so many of the suite's")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0, help="to follow a start for")
    arguments = parser.parse_args()
    if arguments.what == "growth":
        _without_thread_cache()
        return growth(arguments.rounds, arguments.scenarios)
    return start(arguments.cases, arguments.seconds)


def growth(rounds: int, scenarios: int) -> int:
    """Run the suite over and over; print what is held, and its class."""
    texts = _smallest(scenarios)
    probe = LinuxProbe()
    _fill_bounded_caches()
    held = np.zeros((rounds + 1, len(Held._fields)), dtype=np.int64)  # so that notes take none
    readings = 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):
            table = Path(folder) / f"{number}.csv"
            _run(texts, table)
            readings = len(read(table))
            held[number] = now = _held(probe)
            print(f"round {number}: {now}", file=sys.stderr, flush=True)
    # The first round imports what it needs, and is where counting starts.
    drift = memory_drift(
        list(range(rounds + 1)),
        held[:, Held._fields.index("in_use_bytes")].tolist(),
        floor=LEAK_FLOOR_BYTES_PER_REBUILD,
    )
    print(f"{rounds} rounds after the first, {len(texts)} cases and {readings} readings each")
    print("| | after the first | in the middle | after the last |\n|---|---|---|---|")
    for column, name in enumerate(Held._fields):
        values = held[[0, rounds // 2, rounds], column]
        print(f"| {name} | {' | '.join(f'{value:,}' for value in values)} |")
    per_round = f"{drift.value:,.0f} B a round [{drift.low:,.0f}, {drift.high:,.0f}]"
    print(f"bytes in use: {drift.kind}, {per_round} {drift.why}")
    counted = [Held._fields.index(name) for name in ("descriptors", "threads", "children")]
    is_same = bool((held[1:, counted] <= held[0, counted]).all())
    print(f"descriptors, threads, children: {'no growth' if is_same else 'GROWTH'}")
    return 0 if is_same and drift.kind in {"flat", "plateau"} else 1


def _smallest(most: int) -> list[str]:
    """The default suite's scenarios, each once, at its smallest size."""
    names = dict.fromkeys(text.partition(":")[0] for text in suite_named("default").scenarios)
    texts = []
    for name in list(names)[:most]:
        small = ",".join(f"{key}={value}" for key, value in scenario.get(name).small.items())
        texts.append(f"{name}:{small}" if small else name)
    return texts


def _run(texts: Sequence[str], table: Path) -> None:
    """One round, as the command line runs it."""
    asked = ["run", "--quick", "--launches", "1", "--mode", "output", "--evaluator", "planned"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        code = graphgauge([*asked, "--out", str(table), "--scenario", *texts])
    if code != 0:
        raise RuntimeError(f"graphgauge run ended with {code}: {out.getvalue()[-500:]}")


def _without_thread_cache() -> None:
    """Start again without glibc's cache of freed blocks, which it counts as allocated.

    Up to seven blocks of each of 64 sizes, it fills over scores of rounds. The launches' processes
    have it as ever.
    """
    own = [each for each in os.environ.get(_TUNABLES, "").split(":") if each]
    if _NO_THREAD_CACHE not in own:
        os.environ[_TUNABLES] = ":".join([*own, _NO_THREAD_CACHE])
        os.execv(sys.executable, sys.orig_argv)
    own.remove(_NO_THREAD_CACHE)
    os.environ[_TUNABLES] = ":".join(own)


def _fill_bounded_caches() -> None:
    """Fill what numpy keeps of freed arrays, and make CPython's table of interned strings grow.

    The one is up to seven blocks of each size below 1,024 B. The other keeps the places of strings
    that are gone, such as parts of paths, until it is full, and then takes thrice the places that
    are in use: once more as many as at the start, and never more.
    """
    for size in range(1, 1_025):
        [np.empty(size, dtype=np.uint8) for _ in range(8)]
    for number in range(100_000):
        sys.intern(f"not interned by anybody else: {number}")


def _held(probe: LinuxProbe) -> Held:
    # Two more caches have bounds that scores of rounds fill, and can be emptied: rich remembers
    # the widths of the last 4,096 texts that it printed, and CPython keeps the name of an attribute
    # alive for each of the 4,096 places where a type's attributes are looked up.
    rich.cells.cached_cell_len.cache_clear()
    _clear_attribute_names()
    gc.collect()
    process = psutil.Process()
    return Held(
        in_use_bytes=probe.in_use(),
        resident_bytes=process.memory_info().rss,
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        children=len(process.children(recursive=True)),
    )


def _clear_attribute_names() -> None:
    newer = "_clear_internal_caches"  # since Python 3.13, where the older one is deprecated
    getattr(sys, newer if hasattr(sys, newer) else "_clear_type_cache")()


def start(cases: int, seconds: float) -> int:
    """Start a plan as a user does; print when its first launch ran, and what it took."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "a.csv"
        depths = "/".join(str(depth) for depth in range(1, cases // 2 + 1))
        asked = ["run", "--quick", "--launches", "1", "--evaluator", "planned"]
        asked += ["--scenario", f"chain:depth={depths}", "--out", str(table)]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "harness.cli", *asked],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        try:
            launched_s, read_s = _until_first(psutil.Process(process.pid), table, began)
            time.sleep(seconds)
            peak_bytes = _peak_bytes(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()
        rows = len(read(table))
    print(
        f"{cases} cases: first launch under way after {launched_s:.2f} s, its first reading on "
        f"disk after {read_s:.2f} s;\nhighest resident memory {peak_bytes / 1e6:.0f} MB over "
        f"{read_s + seconds:.0f} s, {rows} readings; ended by SIGINT, exit code "
        f"{process.returncode}"
    )
    return 0 if launched_s <= MOST_START_S and peak_bytes <= MOST_START_BYTES else 1


def _until_first(process: psutil.Process, table: Path, began: float) -> tuple[float, float]:
    """When the first launch was there, and when it had given a reading, in seconds.

    A process that tells of its interpreter comes before it; the first one that measures is there
    when the facts stand beside the table already.
    """
    facts = table.with_name("a.environment.json")
    launched_s = None
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        now_s = time.monotonic() - began
        if launched_s is None and facts.exists() and process.children():
            launched_s = now_s
        if table.exists() and table.read_bytes().count(b"\n") > 1:
            return launched_s or now_s, now_s
        time.sleep(_POLL_S)
    raise RuntimeError("graphgauge ended before it had a reading")


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell a process's highest memory")


if __name__ == "__main__":
    sys.exit(main())
