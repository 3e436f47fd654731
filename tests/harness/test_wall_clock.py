"""A wall clock that is set back while a run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    if (clock == CLOCK_REALTIME) now->tv_sec -= 3600 * __atomic_add_fetch(&calls, 1, 0);
    return code;
}
"""
"""Every look at the wall clock finds it an hour earlier than the look before."""


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler to fake the clock")
def test_a_clock_that_is_set_back_breaks_nothing(tmp_path: Path) -> None:
    """Rows are written and resumed, times stay positive, and only `recorded_at` runs backwards."""
    source, library, out = tmp_path / "shim.c", tmp_path / "shim.so", tmp_path / "a.csv"
    source.write_text(_SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    command = [
        *(sys.executable, "-m", "harness.cli", "run", "--scenario", "tiny", "--plugin", _PLUGIN),
        *("--evaluator", "honest", "--mode", "output", "--quick", "--no-memory", "--out", str(out)),
    ]

    for more in (["--launches", "2"], ["--launches", "3", "--resume"]):
        done = subprocess.run(
            [*command, *more],
            env=os.environ | {"LD_PRELOAD": str(library)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    rows = read(out)
    times = list(rows["recorded_at"])
    assert times != sorted(times)
    assert len(set(rows["session"])) == 1
    assert set(rows["status"]) == {"ok"}
    assert (rows.loc[rows["metric"].isin(["time", "first_time"]), "value"] > 0).all()
