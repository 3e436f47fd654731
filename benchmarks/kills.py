"""Runs killed at random points: what their tables hold, and whether `--resume` completes them.

    python -m benchmarks.kills --kills 200

A small plan is run for real and its controller killed (SIGKILL) after a random time, again and
again with `--resume` until the plan is complete; then from the start. After every kill the table
must be readable, hold every reading that it held before, and lack readings of no more than the one
launch that was under way; the launches' processes must be gone. A completed table must have the
readings of an uninterrupted run, each of them once.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from harness.cli import main as main_of_command_line
from results.errors import TableError
from results.schema import YARDSTICK, Reading
from results.tables import read, readings

PLUGIN = Path(__file__).with_name("faulty_subjects.py")
_PLAN = (
    *("--plugin", str(PLUGIN), "--scenario", "tiny_faulty"),
    *("--evaluator", "honest", "planned", "--mode", "output"),
    *("--quick", "--launches", "2", "--seed", "1"),
)
_GONE_S = 10.0

Key = tuple[object, ...]


@dataclass(slots=True, kw_only=True)
class Counts:
    """What came of all kills."""

    kills: int = 0
    plans: int = 0
    unreadable: int = 0
    cut_lines: int = 0
    readings_lost: int = 0
    """That were in the table before, and are not after."""
    most_incomplete: int = 0
    """Launches that a table lacked readings of, at most."""
    processes_left: int = 0
    wrong_plans: int = 0
    """Completed by `--resume`, but other than an uninterrupted run."""
    files_left: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost."""
        bad = self.unreadable + self.readings_lost + self.processes_left + self.wrong_plans
        return not bad and self.most_incomplete <= 1 and not self.files_left


def start(out: Path, *extra: str) -> BaseProcess:
    """A run of the plan, in a process that has the modules loaded."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["harness.cli"])
    process = context.Process(target=_run, args=(out, extra))
    process.start()
    return process


def _run(out: Path, extra: Sequence[str]) -> None:
    os.environ["TMPDIR"] = tempfile.tempdir = str(out.parent / "temporary")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nowhere, fd)
    sys.exit(main_of_command_line(["run", *_PLAN, "--out", str(out), *extra]))


def uninterrupted(folder: Path, *extra: str) -> tuple[set[Key], float]:
    """The readings of the plan, which are the same every time, and the seconds it takes."""
    (folder / "temporary").mkdir()
    found = []
    for name in ("first.csv", "second.csv"):
        started = time.monotonic()
        start(folder / name, *extra).join()
        found.append({_key(row) for row in _rows(folder / name)})
    if found[0] != found[1]:
        raise RuntimeError(f"two whole runs differ in {sorted(map(str, found[0] ^ found[1]))}")
    return found[1], time.monotonic() - started


def kill_until_complete(
    folder: Path,
    expected: set[Key],
    longest_s: float,
    rng: random.Random,
    most: int,
    counts: Counts,
    *extra: str,
) -> None:
    """Run the plan, killing it and going on, until it is complete or was killed `most` times."""
    (folder / "temporary").mkdir(parents=True)
    out = folder / "a.csv"
    before: list[Reading] = []
    for _ in range(most):
        process = start(out, "--resume", *extra)
        process.join(timeout=rng.uniform(0.0, longest_s))
        if process.exitcode is not None:
            break
        process.kill()
        process.join()
        counts.kills += 1
        counts.processes_left += _processes_left(folder)
        before = _judge(out, before, expected, counts)
    start(out, "--resume", *extra).join()
    counts.plans += 1
    after = [_key(row) for row in _rows(out)]
    counts.wrong_plans += Counter(after) != Counter(expected)
    counts.files_left += os.listdir(folder / "temporary")
    names = {"a.csv", "a.environment.json", "a.blocks.jsonl", "a.timelines.jsonl", "temporary"}
    counts.files_left += sorted({each.name for each in folder.iterdir()} - names)


def _judge(
    out: Path, before: Sequence[Reading], expected: set[Key], counts: Counts
) -> list[Reading]:
    """Count what a kill has done to the table; its readings are returned."""
    if not out.exists() or not out.stat().st_size:
        counts.readings_lost += len(before)
        return []
    content = out.read_bytes()
    if not content.endswith(b"\n"):
        counts.cut_lines += 1
        out.with_suffix(".whole").write_bytes(content[: content.rfind(b"\n") + 1])
        out.with_suffix(".whole").replace(out)
    try:
        rows = _rows(out)
    except TableError as error:
        print(error)
        counts.unreadable += 1
        return []
    found = {_key(row) for row in rows}
    counts.readings_lost += len({_key(row) for row in before} - found)
    begun = {key[:-2] for key in found}
    incomplete = {key[:-2] for key in expected - found} & begun
    counts.most_incomplete = max(counts.most_incomplete, len(incomplete))
    return rows


def _rows(out: Path) -> list[Reading]:
    """But for the time's drift: where noise leaves fewer than three blocks, there is none."""
    return [row for row in readings(read(out)) if row.metric != "time_drift"]


def _key(row: Reading) -> Key:
    """What names a reading in the plan: its launch first, then its phase and metric."""
    own = (row.evaluator, row.scenario, row.params, row.mode)
    case = _beside(row) if row.evaluator == YARDSTICK else own
    return row.launch, *case, (row.evaluator, row.scenario), (row.phase, row.metric)


def _beside(row: Reading) -> Key:
    """The case that a yardstick was read beside."""
    named = dict(each.split("=", 1) for each in row.params.split(";") if each)
    params = named.get("params", "").replace(":", "=").replace(",", ";")
    return named["evaluator"], named["scenario"], params, row.mode


def _processes_left(folder: Path) -> int:
    """Processes of the run that still live a while after its controller was killed."""
    deadline = time.monotonic() + _GONE_S
    while left := len(list(_carriers(folder))):
        if time.monotonic() > deadline:
            return left
        time.sleep(0.01)
    return 0


def _carriers(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TMPDIR", "").startswith(str(folder)):
                yield process


def main() -> None:
    """Kill runs, and print the counts."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    counts = Counts()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected, whole_s = uninterrupted(folder)
        while counts.kills < arguments.kills:
            most = arguments.kills - counts.kills
            plan = folder / str(counts.plans)
            kill_until_complete(plan, expected, whole_s, rng, most, counts)
    print(f"{counts.kills} kills over {whole_s:.1f} s of a plan of {len(expected)} readings")
    print(f"{counts.unreadable} tables unreadable, {counts.cut_lines} last lines cut short")
    print(f"{counts.readings_lost} readings lost that had been written")
    print(f"{counts.most_incomplete} launches without all of their readings, at most")
    print(f"{counts.plans} plans completed by --resume, {counts.wrong_plans} other than whole ones")
    print(f"{counts.processes_left} processes, {len(counts.files_left)} temporary files left")
    print(f"{time.monotonic() - started:.0f} s")
    if not counts.is_good:
        sys.exit(1)


if __name__ == "__main__":
    main()
