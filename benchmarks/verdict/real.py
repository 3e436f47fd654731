"""Real releases against each other: `python -m benchmarks.verdict.real [numpy jax onnxruntime]`.

Each line tells the change that was seen before, old ÷ new, what is found now, and what the case
took. The first run of a pair of releases installs them. graphgauge is run as a user runs it; its
command is printed.
"""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from benchmarks.verdict.findings import IMPROVED, REGRESSED, UNCHANGED
from benchmarks.verdict.places import ROOT, RUNS
from benchmarks.verdict.processes import CommandFailed, run_command

BUDGET_S = 20.0
SAME_SIZE = 2.0
"""Changes whose logs differ by less than this factor are as large as each other."""
AS_BEFORE = "as seen before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A change that was measured before, on a machine of the same kind.

    Attributes
    ----------
    phase, metric: of the row that tells it.
    old_over_new: above 1 where the new release is faster.
    """

    scenario: str
    mode: str
    phase: str
    metric: str
    old_over_new: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Releases:
    """Two releases of an engine, the evaluator that they are compared with, and what is known."""

    old: str
    new: str
    evaluator: str
    seen: tuple[Seen, ...]


REAL = {
    "numpy": Releases(
        old="numpy==1.26.4",
        new="numpy==2.4.6",
        evaluator="straightline",
        seen=(
            Seen(
                scenario="double", mode="gradient", phase="evaluate", metric="time",
                old_over_new=1.31,
            ),
            Seen(
                scenario="chain", mode="gradient", phase="evaluate", metric="time",
                old_over_new=1.13,
            ),
            Seen(
                scenario="wide_sum", mode="gradient", phase="evaluate", metric="time",
                old_over_new=1.06,
            ),
        ),
    ),
    "jax": Releases(
        old="jax==0.4.30",
        new="jax==0.10.2",
        evaluator="jax",
        seen=(
            Seen(
                scenario="mlp", mode="gradient", phase="compile", metric="first_time",
                old_over_new=0.31,
            ),
            Seen(
                scenario="mlp", mode="gradient", phase="first_call", metric="first_time",
                old_over_new=0.085,
            ),
            Seen(
                scenario="mlp", mode="gradient", phase="evaluate", metric="time",
                old_over_new=1.36,
            ),
        ),
    ),
    "onnxruntime": Releases(
        old="onnxruntime==1.16.3",
        new="onnxruntime==1.31.1",
        evaluator="onnxruntime",
        seen=(
            Seen(
                scenario="chain", mode="output", phase="compile", metric="first_time",
                old_over_new=2.21,
            ),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A row of graphgauge's comparison."""

    verdict: str
    ratio: float
    low: float | None
    high: float | None


def command_of(releases: Releases, scenario: str, mode: str) -> list[str]:
    """What a user types."""
    wanted = [seen for seen in releases.seen if (seen.scenario, seen.mode) == (scenario, mode)]
    return [
        "versus", releases.old, releases.new, "--evaluator", releases.evaluator,
        "--scenario", scenario, "--mode", mode,
        "--metric", *dict.fromkeys(seen.metric for seen in wanted),
        "--phase", *dict.fromkeys(seen.phase for seen in wanted),
        "--no-memory", "--budget", f"{BUDGET_S:g}", "--format", "json",
        "--out", str(RUNS / "real" / f"{releases.evaluator}-{scenario}-{mode}.csv"),
    ]  # fmt: skip


def row_of(answer: Mapping[str, object], seen: Seen) -> Found:
    """The row that tells what was seen; `ValueError` where there is none."""
    rows = answer["rows"]
    assert isinstance(rows, list)
    wanted = (seen.scenario, seen.mode, seen.phase, seen.metric)
    for row in rows:
        is_wanted = tuple(row[name] for name in ("scenario", "mode", "phase", "metric")) == wanted
        if is_wanted and row["ratio"] is not None:
            return Found(
                verdict=row["verdict"],
                ratio=row["ratio"],
                low=row["ratio_low"],
                high=row["ratio_high"],
            )
    said = {f"{row['phase']} {row['metric']}: {row['reason']}" for row in rows}
    raise ValueError(f"no row tells {' '.join(wanted)}; there are: {'; '.join(sorted(said))}")


def agreement(seen: Seen, found: Found) -> str:
    """Whether sign and size are those that were seen before; sizes within a factor of two are."""
    expected = IMPROVED if seen.old_over_new > 1 else REGRESSED
    if found.verdict == UNCHANGED:
        return "called unchanged"
    if found.verdict not in {IMPROVED, REGRESSED}:
        return "not called"
    if found.verdict != expected:
        return "the other way"
    size = -math.log(found.ratio) / math.log(seen.old_over_new)
    if 1 / SAME_SIZE <= size <= SAME_SIZE:
        return AS_BEFORE
    return "smaller than before" if size < 1 else "larger than before"


def line(releases: Releases, seen: Seen, found: Found, wall_s: float) -> str:
    """A line of the markdown table; all ratios are old ÷ new."""
    interval = "–"
    if found.low is not None and found.high is not None:
        interval = f"{1 / found.high:.3g} to {1 / found.low:.3g}"
    cells = (
        f"{releases.old} → {releases.new}",
        f"{seen.scenario} {seen.mode}, {seen.phase}",
        f"{seen.old_over_new:g}",
        f"{1 / found.ratio:.3g} ({interval})",
        f"{found.verdict}, {agreement(seen, found)}",
        f"{wall_s:.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _compare(releases: Releases) -> bool:
    """Print a line for everything known of them; False where anything is not as seen before."""
    is_whole = True
    for scenario, mode in dict.fromkeys((seen.scenario, seen.mode) for seen in releases.seen):
        command = command_of(releases, scenario, mode)
        print(f"    graphgauge {shlex.join(command)}", file=sys.stderr, flush=True)
        started = monotonic()
        try:
            done = run_command(
                [sys.executable, "-m", "harness.cli", *command], cwd=ROOT, exit_codes=(0, 1, 3)
            )
        except CommandFailed as failed:
            print(f"{releases.old} → {releases.new} {scenario}: {failed}", file=sys.stderr)
            is_whole = False
            continue
        wall_s = monotonic() - started
        answer = json.loads(done.stdout)
        for seen in releases.seen:
            if (seen.scenario, seen.mode) != (scenario, mode):
                continue
            try:
                found = row_of(answer, seen)
            except ValueError as error:
                print(error, file=sys.stderr)
                is_whole = False
                continue
            print(line(releases, seen, found, wall_s), flush=True)
            is_whole &= agreement(seen, found) == AS_BEFORE
    return is_whole


def _main(names: Sequence[str]) -> int:
    print("| releases | case | seen before | found, 99 % interval | verdict | s |")
    print("| --- | --- | --- | --- | --- | --- |")
    outcomes = [_compare(REAL[name]) for name in names]  # all of them, whatever the first says
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("releases", nargs="*", metavar="NAME", help=f"of {', '.join(REAL)}")
    given = parser.parse_args().releases
    unknown = [name for name in given if name not in REAL]
    if unknown:
        parser.error(f"found {unknown[0]!r}; expected some of {', '.join(REAL)}")
    sys.exit(_main(given or list(REAL)))
