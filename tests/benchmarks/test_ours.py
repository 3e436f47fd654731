"""graphgauge's own answer, from real runs of its command line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.verdict.findings import VERDICTS
from benchmarks.verdict.ours import ask, finding_of
from benchmarks.verdict.processes import CommandFailed
from benchmarks.verdict.workloads import Workload
from results.sequential import FIRST_LOOK

SMALL = Workload(
    name="small", spec="chain:depth=5,width=3", evaluator="straightline", mode="output"
)


def test_an_answer_has_a_verdict_an_interval_and_pairs(tmp_path: Path) -> None:
    """The mean of the pairs' log ratios is the ratio that was printed; a plugin's side works."""
    sides = ("straightline", "straightline-retold")
    table = tmp_path / "table.csv"

    answer = ask(SMALL, sides, budget_s=1, threshold=0.0, seed=1, table=table)

    finding = answer.finding
    assert finding.verdict in VERDICTS
    assert finding.low is not None
    assert finding.high is not None
    assert finding.low < finding.ratio < finding.high
    assert len(answer.pairs) >= FIRST_LOOK
    mean = math.fsum(each.log_ratio for each in answer.pairs) / len(answer.pairs)
    assert math.log(finding.ratio) == pytest.approx(mean, rel=1e-3, abs=1e-6)
    assert table.exists()


def test_a_side_that_is_not_there_fails_with_what_was_said(tmp_path: Path) -> None:
    """graphgauge's own message is repeated."""
    with pytest.raises(CommandFailed, match=r"exit code 2; .*nobody"):
        ask(
            SMALL,
            ("straightline", "nobody"),
            budget_s=1,
            threshold=0.0,
            seed=1,
            table=tmp_path / "table.csv",
        )


def test_an_answer_without_the_time_of_evaluate_is_an_error() -> None:
    """With the reasons that the rows give."""
    row = {
        "phase": "evaluate",
        "metric": "time",
        "evaluator": "straightline",
        "ratio": None,
        "reason": "it crashed",
    }
    with pytest.raises(ValueError, match="it crashed"):
        finding_of({"rows": [row]})
