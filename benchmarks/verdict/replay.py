"""What recorded pairs would have said otherwise: `python -m benchmarks.verdict.replay`.

Pairs come one after the other, and what graphgauge decides at a look depends on the pairs before
it alone (`results.sequential`). So a recording of 20 s tells what 7 s would have said, one at
threshold 0 tells what another threshold would have said as long as it was not stopped, and
identical pairs can be put together to suites.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from benchmarks.verdict.findings import IMPROVED, REGRESSED
from benchmarks.verdict.ours import STARTING_S
from benchmarks.verdict.places import TRIALS
from benchmarks.verdict.records import IDENTICAL, OURS, PLANTED, Record, of_tool, read_records
from benchmarks.verdict.truth import Truth, truths
from results.pairs import PairRatio
from results.sequential import Decision, decide, looks

LEVEL = 0.01
SUITES, SUITE_ROWS = 100, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a sequence of pairs came to."""

    decision: Decision
    pairs: int
    """At the look that decided, or the last one."""

    @property
    def is_call(self) -> bool:
        """Whether the pair was called changed."""
        return self.decision.verdict in {REGRESSED, IMPROVED}


@cache
def replayed(measured: tuple[PairRatio, ...], *, threshold: float, level: float = LEVEL) -> Outcome:
    """Look at the pairs as they come in, until they decide or end. There must be one at least.

    The last of them is taken to have been declared so.
    """
    for pairs in looks(len(measured)):
        is_last = pairs == len(measured)
        decision = decide(measured[:pairs], threshold=threshold, level=level, is_last=is_last)
        if decision.is_final:
            break
    return Outcome(decision=decision, pairs=pairs)


def within(record: Record, budget_s: float) -> tuple[PairRatio, ...]:
    """The pairs that a smaller budget would have paid for."""
    share = min(1.0, (budget_s - STARTING_S) / (record.wall_s - STARTING_S))
    return record.pairs[: max(1, int(share * len(record.pairs)))]


def _alike(pairs: Sequence[PairRatio]) -> tuple[PairRatio, ...]:
    """The same pairs, without a word of how sure they are."""
    return tuple(replace(each, error=None) for each in pairs)


def suites_called(
    records: Sequence[Record], *, threshold: float, suites: int = SUITES, seed: int = 1
) -> int:
    """How many suites of identical rows have a row that is called changed.

    Each suite is drawn anew from all records, without repetition within. A row is judged at its
    part of the level; that any is called is the same by Holm's procedure as by Bonferroni's.
    """
    rng = random.Random(seed)
    row_level = LEVEL / SUITE_ROWS
    is_called = [
        replayed(each.pairs, threshold=threshold, level=row_level).is_call for each in records
    ]
    return sum(any(rng.sample(is_called, SUITE_ROWS)) for _ in range(suites))


def true_ratio(record: Record, known: Mapping[tuple[str, float], Truth]) -> float | None:
    """Candidate / baseline as it really is; None where that was not measured."""
    trial = record.trial
    if trial.kind in IDENTICAL:
        return 1.0
    truth = known.get((trial.workload, trial.percent))
    if truth is None:
        return None
    return 1 / truth.ratio if trial.swapped else truth.ratio


def covered(record: Record, truth: float) -> bool:
    """Whether the interval that was printed holds the truth."""
    (finding,) = record.findings
    return finding.low is None or finding.high is None or finding.low <= truth <= finding.high


def share_saved(records: Sequence[Record], *, threshold: float) -> float:
    """What stopping at a decision saves of the time of recordings that were not stopped."""
    spent_s = sum(
        STARTING_S
        + (each.wall_s - STARTING_S)
        * replayed(each.pairs, threshold=threshold).pairs
        / len(each.pairs)
        for each in records
    )
    return 1 - spent_s / sum(each.wall_s for each in records)


def with_pairs(records: Sequence[Record], *kinds: str) -> list[Record]:
    """graphgauge's records of those kinds that have a pair at least."""
    return [each for each in of_tool(records, OURS, *kinds) if each.pairs]


def main() -> None:
    """Print how each threshold and budget would have done."""
    records = read_records(TRIALS)
    identical = with_pairs(records, *IDENTICAL)
    for threshold in (0.0, 0.005, 0.01, 0.02):
        outcomes = [replayed(each.pairs, threshold=threshold) for each in identical]
        verdicts = [each.decision.verdict for each in outcomes]
        shown = ", ".join(f"{verdicts.count(each)} {each}" for each in sorted(set(verdicts)))
        print(f"identical, threshold {threshold:.1%}: {shown}")
    known = truths()
    for percent in sorted({each.trial.percent for each in with_pairs(records, PLANTED)}):
        at_level = [each for each in with_pairs(records, PLANTED) if each.trial.percent == percent]
        for budget_s in (3.0, 5.0, 7.0, 10.0, 20.0):
            long_enough = [each for each in at_level if each.trial.budget_s >= budget_s]
            measured = [within(each, budget_s) for each in long_enough]
            called, plainly = (
                sum(replayed(each, threshold=0.0).is_call for each in sequences)
                for sequences in (measured, map(_alike, measured))
            )
            if long_enough:
                print(
                    f"planted {percent:g} %, {budget_s:g} s: {called} of {len(long_enough)}, "
                    f"{plainly} if all pairs counted alike"
                )
    with_truths = [(each, true_ratio(each, known)) for each in with_pairs(records, PLANTED)]
    judged = [covered(each, truth) for each, truth in with_truths if truth is not None]
    if judged:
        print(f"planted: the interval holds the measured truth in {sum(judged)} of {len(judged)}")


if __name__ == "__main__":
    main()
