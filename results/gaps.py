"""What one version has and the other lacks: a gate must not be green about it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from results.contrasts import Series
from results.errors import shown
from results.failures import Failures
from results.judgement import Uncompared
from results.schema import Case
from results.trials import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What could not be compared for lack of a partner.

    Attributes:
        missing: in the baseline alone.
        candidate_only: in the candidate alone.
    """

    missing: tuple[Uncompared, ...]
    candidate_only: tuple[Uncompared, ...]


def gaps(
    series: Sequence[Series],
    one: Trial,
    failures: Failures,
    baseline_cases: Collection[Case],
    candidate_cases: Collection[Case],
) -> Gaps:
    """Find the cases, and within cases that did not fail the series, that one side lacks.

    Args:
        series: what the trial is of.
        one: the trial.
        failures: of the two versions; they explain what else is missing in their cases.
        baseline_cases: all cases of the baseline.
        candidate_cases: all cases of the candidate.
    """
    in_baseline = one.contrast.baseline.count > 0
    in_candidate = one.contrast.candidate.count > 0
    ours = [series[i] for i in np.flatnonzero(in_baseline & ~in_candidate).tolist()]
    theirs = [series[i] for i in np.flatnonzero(in_candidate & ~in_baseline).tolist()]
    explained = failures.cases | (set(baseline_cases) ^ set(candidate_cases))
    return Gaps(
        missing=(
            *_cases(baseline_cases, candidate_cases, one.candidate, "not in the candidate"),
            *_series(ours, theirs, explained, one.candidate),
        ),
        candidate_only=(
            *_cases(candidate_cases, baseline_cases, one.candidate, "not in the baseline"),
            *_series(theirs, ours, explained, one.candidate),
        ),
    )


def _cases(
    ours: Collection[Case], theirs: Collection[Case], candidate: str, reason: str
) -> Iterator[Uncompared]:
    """The cases that only we have."""
    for case in ours:
        if case not in theirs:
            yield _uncompared(case, "", "", candidate, reason)


def _series(
    ours: Sequence[Series], theirs: Sequence[Series], explained: Collection[Case], candidate: str
) -> Iterator[Uncompared]:
    """The series that only we have, in cases whose gaps are not explained otherwise."""
    sources = {(one.case, one.phase, one.metric): one.source for one in theirs}
    for one in ours:
        if one.case in explained:
            continue
        other = sources.get((one.case, one.phase, one.metric))
        reason = "on one side only"
        if other is not None:
            reason = f"one side by {shown(one.source)}, the other by {shown(other)}"
        yield _uncompared(one.case, one.phase, one.metric, candidate, reason)


def _uncompared(case: Case, phase: str, metric: str, candidate: str, reason: str) -> Uncompared:
    evaluator, scenario, params, mode = case
    return Uncompared(
        evaluator=evaluator,
        scenario=scenario,
        params=params,
        mode=mode,
        phase=phase,
        metric=metric,
        candidate_label=candidate,
        reason=reason,
    )
