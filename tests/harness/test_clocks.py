"""Clocks that leap while a run goes on: set back, or gone on while the machine was suspended."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from harness.awake import AwakeClock
from harness.launch import LocalLauncher, Surroundings
from harness.worker import messages as m
from results.notes import parse_notes
from results.tables import read

_PLUGIN = str(Path(__file__).parent / "subjects" / "misbehaving.py")
_SHIM = r"""
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static long calls;
int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK) now->tv_sec += 3600 * (LEAPS);
    return code;
}
"""
_LOOK = "__atomic_add_fetch(&calls, 1, 0)"

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None, reason="needs a C compiler to fake the clock"
)


def _leaping(folder: Path, clock: str, leaps: str) -> dict[str, str]:
    """An environment in which that clock is so many hours ahead, at each look anew."""
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(_SHIM)
    told = (f"-DCLOCK={clock}", f"-DLEAPS={leaps}")
    subprocess.run(["cc", "-shared", "-fPIC", *told, "-o", library, source], check=True)
    return os.environ | {"LD_PRELOAD": str(library)}


def _run(out: Path, environment: dict[str, str], *more: str) -> pd.DataFrame:
    command = [
        *(sys.executable, "-m", "harness.cli", "run", "--scenario", "tiny", "--plugin", _PLUGIN),
        *("--evaluator", "honest", "--mode", "output", "--quick", "--no-memory", "--out", str(out)),
    ]
    done = subprocess.run(
        [*command, *more], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return read(out)


@needs_compiler
def test_a_clock_that_is_set_back_breaks_nothing(tmp_path: Path) -> None:
    """Rows are written and resumed, times stay positive, and only `recorded_at` runs backwards."""
    environment = _leaping(tmp_path, "CLOCK_REALTIME", f"-{_LOOK}")
    out = tmp_path / "a.csv"

    _run(out, environment, "--launches", "1")
    rows = _run(out, environment, "--launches", "2", "--resume")

    times = list(rows["recorded_at"])
    assert times != sorted(times)
    assert len(set(rows["session"])) == 1
    assert set(rows["status"]) == {"ok"}
    assert (rows.loc[rows["metric"].isin(["time", "first_time"]), "value"] > 0).all()


@needs_compiler
def test_blocks_in_which_the_machine_was_suspended_are_set_aside(tmp_path: Path) -> None:
    """An hour that only the clock which suspends do not stop has seen: within every eighth block.

    The clock is read before and after each block, so every sixteenth look ends one.
    """
    environment = _leaping(tmp_path, "CLOCK_BOOTTIME", f"{_LOOK} / 16")

    rows = _run(tmp_path / "a.csv", environment, "--launches", "1")

    ours = rows[(rows["phase"] == "evaluate") & (rows["evaluator"] == "honest")]
    (detail,) = ours.loc[ours["metric"] == "time", "detail"]
    notes = parse_notes(detail)
    assert set(rows["status"]) == {"ok"}
    assert int(notes["halted"]) >= 1
    assert int(notes["set_aside"]) >= int(notes["halted"])


def test_a_suspend_times_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that answers is heard, though at every look at the clock an hour has gone by."""
    hours = itertools.count()
    asleep = AwakeClock(lambda: time.monotonic() + 3600 * next(hours))
    monkeypatch.setattr("harness.awake._clock", asleep)
    surroundings = Surroundings(interpreter=sys.executable, hash_seed=0, cpu=None)

    launch = LocalLauncher().start(surroundings)
    try:
        opening = m.Open("tiny", {}, "honest", "output", None, 1, [_PLUGIN], False)
        answer = launch.ask(opening, timeout_s=60)
    finally:
        launch.close()

    assert isinstance(answer, m.Opened)
    assert asleep.halted_s >= 3600
