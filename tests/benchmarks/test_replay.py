"""Replays decide as a live run would have, and tables count what was found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.verdict.findings import Finding
from benchmarks.verdict.ours import STARTING_S
from benchmarks.verdict.records import OURS, PLANTED, Record, Trial
from benchmarks.verdict.replay import (
    covered,
    replayed,
    share_saved,
    suites_called,
    true_ratio,
    within,
)
from benchmarks.verdict.table import (
    counted,
    is_backwards,
    is_found,
    markdown,
    peer_lines,
    target_lines,
)
from benchmarks.verdict.truth import Truth, combined, interleaved, median_ratio
from tests.results.samples import pair_ratios

RNG = np.random.default_rng(1)
TRUTH = Truth(
    workload="chain", percent=2, twice=25, of=1501, ratio=1.02, standard_error=1e-3, processes=8
)


def record(
    *,
    verdict: str = "inconclusive",
    kind: str = "same",
    percent: float = 0,
    swapped: bool = False,
    log_ratios: tuple[float, ...] = (0.0,),
    wall_s: float = 7.0,
    number: int = 0,
    tool: str = OURS,
    ratio: float = 1.0,
) -> Record:
    """A trial on `chain` and its one finding, with an interval of ±0.01."""
    return Record(
        trial=Trial(
            tool=tool, kind=kind, workload="chain", percent=percent, swapped=swapped,
            budget_s=7.0, number=number,
        ),
        findings=(
            Finding(rule="a rule", verdict=verdict, ratio=ratio, low=ratio - 0.01,
                    high=ratio + 0.01),
        ),
        pairs=pair_ratios(log_ratios),
        wall_s=wall_s,
        recorded_at="2026-01-31T12:00:00Z",
    )  # fmt: skip


def noisy(mean: float, pairs: int = 28) -> tuple[float, ...]:
    """Log ratios with a standard deviation of 1 %."""
    return tuple((mean + 0.01 * RNG.standard_normal(pairs)).tolist())


def test_a_plain_change_is_decided_at_the_first_look() -> None:
    """30 % with 1 % of noise takes six pairs."""
    outcome = replayed(pair_ratios(noisy(0.3)), threshold=0.0)

    assert (outcome.decision.verdict, outcome.pairs) == ("regressed", 6)


def test_without_a_change_every_pair_is_looked_at() -> None:
    """At threshold 0 nothing can be shown to be unchanged."""
    balanced = tuple(0.01 * (-1) ** i for i in range(28))
    outcome = replayed(pair_ratios(balanced), threshold=0.0)

    assert (outcome.decision.verdict, outcome.pairs) == ("inconclusive", 28)


def test_a_smaller_budget_has_its_share_of_the_pairs() -> None:
    """The start takes the same whatever the budget is."""
    recorded = record(log_ratios=tuple(map(float, range(20))), wall_s=STARTING_S + 20.0)

    assert within(recorded, STARTING_S + 10.0) == recorded.pairs[:10]
    assert within(recorded, 1000.0) == recorded.pairs
    lengths = [len(within(recorded, budget_s)) for budget_s in range(2, 25)]
    assert all(shorter <= longer for shorter, longer in pairwise(lengths))


def test_a_suite_is_called_when_one_of_its_rows_is() -> None:
    """One bad row of 20 is in every suite of 20; none calls none."""
    quiet = [record(log_ratios=tuple(0.01 * (-1) ** i for i in range(20)))] * 19
    loud = record(log_ratios=noisy(0.5))

    assert suites_called([*quiet, loud], threshold=0.0, suites=30) == 30
    assert suites_called([*quiet, quiet[0]], threshold=0.0, suites=30) == 0


def test_the_truth_is_turned_round_with_the_sides() -> None:
    """Identical work has ratio 1; what was not measured is not known."""
    known = {(TRUTH.workload, TRUTH.percent): TRUTH}
    planted = [record(kind=PLANTED, percent=2, swapped=swapped) for swapped in (False, True)]

    assert [true_ratio(each, known) for each in planted] == [1.02, 1 / 1.02]
    assert true_ratio(record(), known) == 1.0
    assert true_ratio(record(kind=PLANTED, percent=3), known) is None


def test_an_interval_covers_what_lies_in_it() -> None:
    """Its ends included."""
    recorded = record(ratio=1.0)

    assert covered(recorded, 1.01)
    assert not covered(recorded, 1.011)


def test_stopping_early_saves_the_pairs_that_were_not_needed() -> None:
    """Six pairs of 20 leave three tenths of the time, beside the start."""
    calm = tuple(1e-4 * (-1) ** i for i in range(20))
    recorded = record(log_ratios=calm, wall_s=STARTING_S + 20.0)

    saved = share_saved([recorded], threshold=0.02)

    assert saved == pytest.approx(14.0 / (STARTING_S + 20.0))


@pytest.mark.parametrize(
    ("swapped", "verdict", "found", "backwards"),
    [
        (False, "regressed", True, False),
        (True, "improved", True, False),
        (False, "improved", False, True),
        (True, "regressed", False, True),
        (False, "inconclusive", False, False),
    ],
)
def test_planted_work_is_found_in_its_own_direction(
    swapped: bool, verdict: str, found: bool, backwards: bool
) -> None:
    """Where the baseline has it, the candidate is improved."""
    recorded = record(kind=PLANTED, percent=2, swapped=swapped, verdict=verdict)

    assert is_found(recorded, recorded.findings[0]) is found
    assert is_backwards(recorded, recorded.findings[0]) is backwards


def test_counts_have_exact_intervals() -> None:
    """None of 400: 0 to 1 - 0.025 ** (1 / 400), which is 0.918 %."""
    assert counted(0, 400) == "0 of 400 (0–0.918 %)"
    assert counted(0, 0) == "not measured"


def test_the_table_counts_what_was_recorded() -> None:
    """40 identical pairs, one of them called; planted 2 %, half of them found."""
    identical = [
        record(
            number=number,
            verdict="regressed" if number == 0 else "inconclusive",
            log_ratios=tuple(0.01 * (-1) ** i for i in range(20)),
        )
        for number in range(40)
    ]
    planted = [
        record(
            kind=PLANTED, percent=2, number=number, log_ratios=noisy(0.02),
            verdict="regressed" if number % 2 else "inconclusive",
        )
        for number in range(10)
    ]  # fmt: skip
    known = {(TRUTH.workload, TRUTH.percent): TRUTH}
    found = {what: told for what, _, told in target_lines([*identical, *planted], known)}

    assert found["identical work, 7 s, called changed at the 1 % level"].startswith("1 of 40 (")
    assert found["… retold"] == "not measured"
    assert found["planted 2 %, found in 7 s"].startswith("5 of 10 (")
    assert found["planted, called in the wrong direction"].startswith("0 of 10 (")
    assert found["99 % interval holds the truth: identical"].startswith("40 of 40 (")
    assert found["… planted (the truth is measured too)"].startswith("0 of 10 (")


def test_a_tool_has_a_line_for_each_of_its_rules() -> None:
    """False alarms, then each level, what was called backwards named."""
    records = [
        record(tool="a tool", verdict="regressed"),
        record(tool="a tool", kind=PLANTED, percent=2, verdict="improved", ratio=0.97),
    ]
    (line,) = peer_lines(records, {})

    assert line == ("a rule, 7 s", "1 of 1", "–", "0 of 1, 1 backwards", "–", "–", "–",
                    "0.00 / 0.0", "7.0")  # fmt: skip


def test_markdown_has_a_rule_below_its_header() -> None:
    """So that it is a table."""
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


# The independent measurement


def test_rounds_are_mirrored() -> None:
    """Every round is followed by itself backwards, and all blocks have as many."""
    import random  # noqa: PLC0415

    order: list[int] = []
    left = iter([False, False, False, True])

    def block(which: int) -> int:
        order.append(which)
        return which

    found = interleaved(
        [lambda which=which: block(which) for which in range(4)],
        is_over=lambda: next(left),
        rng=random.Random(1),
    )

    rounds = [order[i : i + 8] for i in range(0, 24, 8)]
    assert all(each == each[::-1] and set(each) == {0, 1, 2, 3} for each in rounds)
    assert found == [[which] * 6 for which in range(4)]


def test_drift_within_a_round_cancels() -> None:
    """Blocks that get slower evenly have the ratio of their mirrored sums."""
    assert median_ratio([10, 13], [11, 12]) == 1.0
    assert median_ratio([10, 10, 10, 10, 10, 10], [11, 11, 11, 11, 90, 90]) == 1.1


def test_processes_are_combined_by_their_logs() -> None:
    """2 and ½ make 1."""
    ratio, error = combined([2.0, 0.5])

    assert ratio == pytest.approx(1.0)
    assert error == pytest.approx(np.log(2.0))
