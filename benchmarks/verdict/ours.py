"""graphgauge, asked as a user asks it: `graphgauge versus …`, in a process of its own.

    python -m benchmarks.verdict.ours chain straightline straightline-plus-2

What it prints is read for the verdict, and the table that it leaves for the pairs.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.verdict.findings import VERDICTS, Finding
from benchmarks.verdict.places import PLUGIN, ROOT, RUNS
from benchmarks.verdict.processes import run_command
from benchmarks.verdict.workloads import Workload, workload_named
from results.notes import parse_notes
from results.pairs import PairRatio, noted_ratio
from results.tables import read

RULE = "graphgauge versus"
STARTING_S = 1.5
"""What it takes until it measures: imports, the environments' facts."""
_EXIT_CODES = (0, 1, 3)
"""Nothing worse; a regression; no test was made, which is a row too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What graphgauge said, and the evidence."""

    finding: Finding
    pairs: tuple[PairRatio, ...]
    """Candidate to baseline, in the order of their measurement."""
    wall_s: float


def ask(
    workload: Workload,
    sides: Sequence[str],
    *,
    budget_s: float,
    threshold: float,
    seed: int,
    table: Path,
) -> Answer:
    """Compare the two sides on that workload.

    Raises
    ------
    CommandFailed: where graphgauge refuses, crashes or does not end.
    ValueError: where its answer has no row for the evaluation's time.
    """
    table.parent.mkdir(parents=True, exist_ok=True)
    table.unlink(missing_ok=True)
    evaluator = ["--evaluator", workload.evaluator] if _are_versions(sides) else []
    done = run_command(
        [
            sys.executable, "-m", "harness.cli", "versus", *sides, *evaluator,
            "--plugin", PLUGIN, "--scenario", workload.spec, "--mode", workload.mode,
            "--metric", "time", "--phase", "evaluate", "--no-memory", "--budget", f"{budget_s:g}",
            "--threshold", f"{threshold:g}", "--seed", str(seed),
            "--out", table, "--format", "json",
        ],
        cwd=ROOT,
        exit_codes=_EXIT_CODES,
    )  # fmt: skip
    answer = json.loads(done.stdout)
    return Answer(
        finding=finding_of(answer),
        pairs=pairs_of(table, answer["candidate_labels"][0], answer["baseline_label"]),
        wall_s=done.wall_s,
    )


def finding_of(answer: Mapping[str, object]) -> Finding:
    """The row of the evaluation's time."""
    rows = answer["rows"]
    assert isinstance(rows, list)
    for row in rows:
        is_time = row["phase"] == "evaluate" and row["metric"] == "time"
        if is_time and row["evaluator"] != "yardstick" and row["ratio"] is not None:
            assert row["verdict"] in VERDICTS
            return Finding(
                rule=RULE,
                verdict=row["verdict"],
                ratio=row["ratio"],
                low=row["ratio_low"],
                high=row["ratio_high"],
            )
    said = "; ".join(str(row["reason"]) for row in rows)
    raise ValueError(f"no row tells the time of evaluate; the rows say: {said}")


def pairs_of(table: Path, candidate: str, baseline: str) -> tuple[PairRatio, ...]:
    """Log candidate / baseline of each pair, in the order of measurement.

    Interleaved blocks give a pair's ratio better than its two times do; where the candidate's row
    tells it, that is what counts.
    """
    frame = read(table)
    rows = frame[
        (frame["status"] == "ok")
        & (frame["phase"] == "evaluate")
        & (frame["metric"] == "time")
        & (frame["evaluator"] != "yardstick")
    ]
    baseline_s = dict(
        zip(*(rows.loc[rows["label"] == baseline, name] for name in ("pair", "value")), strict=True)
    )
    of_candidate = rows[rows["label"] == candidate]
    found = []
    for pair, value_s, detail in zip(
        of_candidate["pair"], of_candidate["value"], of_candidate["detail"], strict=True
    ):
        told = noted_ratio(parse_notes(str(detail)))
        if told is not None:
            found.append(told)
        elif pair in baseline_s:
            found.append(PairRatio(log_ratio=math.log(value_s / baseline_s[pair])))
    return tuple(found)


def _are_versions(sides: Sequence[str]) -> bool:
    return any(":" in side or "==" in side for side in sides)


def main() -> None:
    """Ask once."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workload", type=workload_named)
    parser.add_argument("sides", nargs=2, metavar="SIDE")
    parser.add_argument("--budget", type=float, default=7.0)
    parser.add_argument("--threshold", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    answer = ask(
        arguments.workload,
        arguments.sides,
        budget_s=arguments.budget,
        threshold=arguments.threshold,
        seed=arguments.seed,
        table=RUNS / "tables" / "asked.csv",
    )
    found = answer.finding
    print(
        f"{found.verdict}: {found.ratio:.4f} [{found.low or math.nan:.4f}, "
        f"{found.high or math.nan:.4f}], {len(answer.pairs)} pairs, {answer.wall_s:.1f} s"
    )


if __name__ == "__main__":
    main()
