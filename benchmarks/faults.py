"""Subjects that misbehave, each in every phase: what becomes of them, and of everybody else.

    python -m benchmarks.faults                    all of them (about four minutes)
    python -m benchmarks.faults --only segfault    some, by words in their names

Every fault of `benchmarks/faulty_subjects.py` is measured in real processes by `graphgauge run`,
with an honest case among them. Printed are those that did not become what they must become, and
the counts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.faulty_subjects import FAULTS, HONEST, MARK, SCENARIO, Fault
from results.schema import YARDSTICK, Reading
from results.tables import read, readings

PLUGIN = Path(__file__).with_name("faulty_subjects.py")
_LIMIT_BYTES = 2**30
_TIMEOUT_S = 60.0
_SHORT_TIMEOUT_S = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A fault in a phase."""

    name: str
    phase: str
    fault: Fault

    @property
    def evaluator(self) -> str:
        """The name that the plugin gives it."""
        return f"{self.name}-in-{self.phase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run of trials left.

    Attributes:
        problems: what did not become what it must become, by trial.
        rows_lost: readings of honest cases that a run without faults has and this one has not.
        processes_left: that were started by subjects and still live.
        files_left: in the folder for temporary files.
    """

    problems: Mapping[str, str]
    rows_lost: int
    processes_left: int
    files_left: Sequence[str]


def trials(only: Sequence[str] = ()) -> list[Trial]:
    """Every fault in every phase that it is possible in."""
    found = [
        Trial(name=name, phase=phase, fault=fault)
        for name, fault in FAULTS.items()
        for phase in fault.phases
    ]
    return [each for each in found if not only or any(word in each.evaluator for word in only)]


def run(chosen: Sequence[Trial], folder: Path, *extra: str) -> Outcome:
    """Measure the trials with an honest case among them, and look at what is left."""
    alone = _measured(folder / "alone.csv", [HONEST], extra)
    temporary = folder / "temporary"
    temporary.mkdir()
    mixed = _measured(
        folder / "mixed.csv", [each.evaluator for each in chosen] + [HONEST], extra, temporary
    )
    honest = {_key(row) for row in mixed if row.evaluator == HONEST and row.status == "ok"}
    expected = {_key(row) for row in alone if row.evaluator == HONEST}
    problems = {}
    for each in chosen:
        problem = _problem(
            each, [row for row in mixed if row.evaluator == each.evaluator], expected
        )
        if problem:
            problems[each.evaluator] = problem
    return Outcome(
        problems=problems,
        rows_lost=len(expected - honest),
        processes_left=len(list(_left_processes(temporary))),
        files_left=sorted(os.listdir(temporary)),
    )


def _measured(
    out: Path, evaluators: Sequence[str], extra: Sequence[str], temporary: Path | None = None
) -> list[Reading]:
    command = [
        *(sys.executable, "-m", "harness.cli", "run", "--plugin", str(PLUGIN), "--quick"),
        *("--scenario", SCENARIO, "--mode", "gradient", "--out", str(out)),
        *("--evaluator", *evaluators, *extra),
    ]
    environment = dict(os.environ)
    if temporary is not None:
        environment["TMPDIR"] = str(temporary)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"exit code {done.returncode}\n{done.stderr[-3000:]}")
    # But for the time's drift: where noise leaves fewer than three blocks, there is none.
    unsure = ("time_drift",)
    rows = readings(read(out))
    return [row for row in rows if row.evaluator != YARDSTICK and row.metric not in unsure]


def _key(row: Reading) -> tuple[object, ...]:
    return row.phase, row.metric, row.launch


def _problem(trial: Trial, rows: Sequence[Reading], expected: set[tuple[object, ...]]) -> str:
    """What is not as it must be; empty where all is."""
    failed = [row for row in rows if row.status != "ok"]
    if trial.fault.status == "ok":
        if failed:
            return f"{failed[0].phase}: {failed[0].status} ({failed[0].detail}), expected ok"
        missing = sorted(map(str, expected - {_key(row) for row in rows}))
        return f"missing are the rows {', '.join(missing)}" if missing else ""
    if len(failed) != 1:
        return f"{len(failed)} rows of failure, expected one"
    row = failed[0]
    told = f"{row.phase}: {row.status} ({row.detail})"
    if (row.phase, row.status) != (trial.phase, trial.fault.status):
        return f"{told}, expected {trial.phase}: {trial.fault.status}"
    return "" if trial.fault.words in row.detail else f"{told}, expected {trial.fault.words!r}"


def _left_processes(temporary: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            is_named = str(temporary) in process.environ().get("TMPDIR", "")
            if is_named or MARK in process.cmdline():
                yield process


def main() -> None:
    """Try them, and print the counts."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD")
    chosen = trials(parser.parse_args().only)
    groups = {
        "": ("--timeout", str(_TIMEOUT_S)),
        "limit": ("--timeout", str(_TIMEOUT_S), "--memory-limit", str(_LIMIT_BYTES)),
        "timeout": ("--timeout", str(_SHORT_TIMEOUT_S), "--no-memory", "--launches", "1"),
    }
    problems: dict[str, str] = {}
    rows_lost = files_left = processes_left = 0
    started = time.monotonic()
    for needs, extra in groups.items():
        group = [each for each in chosen if each.fault.needs == needs]
        if not group:
            continue
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            outcome = run(group, Path(folder), *extra)
        problems |= outcome.problems
        rows_lost += outcome.rows_lost
        processes_left += outcome.processes_left
        files_left += len(outcome.files_left)
    for name, problem in problems.items():
        print(f"{name}: {problem}")
    by_status = Counter(each.fault.status for each in chosen)
    print(f"{len(chosen)} tried, {len(chosen) - len(problems)} as they must be", end="; ")
    print(", ".join(f"{count} {status}" for status, count in sorted(by_status.items())))
    print(f"{rows_lost} rows of honest cases lost")
    print(f"{processes_left} processes and {files_left} temporary files left")
    print(f"{time.monotonic() - started:.0f} s")
    if problems or rows_lost or processes_left or files_left:
        sys.exit(1)


if __name__ == "__main__":
    main()
