"""Which version is worse, by how much, and how sure that is.

    compare(frame) -> Comparison

Launches (or pairs of interleaved launches) are the unit of evidence. Times are compared by their
logs, memory and drift by their values, deterministic counts exactly. A row is called regressed or
improved when the interval of its change lies beyond the band of changes that do not matter, and
unchanged when it lies within. Two promises hold for all rows of a comparison together, by Holm's
procedure with weights (results/family.py), and over all looks at pairs that were measured until
they decided (results/sequential.py): with probability 1 - level no row is wrongly called regressed
or improved, and with the same probability none is wrongly called unchanged.
"""

from collections.abc import Collection, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from results.circumstances import Environments, circumstances
from results.contrasts import measured
from results.errors import ComparisonError
from results.failures import compare_failures, launches_by_case
from results.gaps import gaps
from results.geometric import geometric_means
from results.growth import compare_growths
from results.judgement import Comparison, exit_code
from results.labels import chosen_labels, label_by_file
from results.leaks import with_leaks
from results.rows import rows
from results.schema import METRICS, YARDSTICK
from results.sequential import check_settings
from results.sessions import BetweenSessions
from results.steadiness import steadiness_notes
from results.trials import trial
from results.yardsticks import are_the_same_work

__all__ = ["Comparison", "compare", "exit_code", "label_by_file"]

_BETWEEN = BetweenSessions()


def compare(
    frame: pd.DataFrame,
    *,
    baseline_label: str | None = None,
    candidate_labels: Sequence[str] | None = None,
    threshold: float = 0.01,
    level: float = 0.01,
    metrics: Collection[str] | None = None,
    allow_other_machine: bool = False,
    between: BetweenSessions = _BETWEEN,
    environments: Environments = MappingProxyType({}),
) -> Comparison:
    """Compare candidates with a baseline, in every case, phase and metric that both have.

    Args:
        frame: readings as `tables.read` gives them.
        baseline_label: the version compared against; the first label to appear if None.
        candidate_labels: the versions compared; all other labels if None.
        threshold: relative changes up to this do not matter; 0.01 is 1 %.
        level: chance of calling any row regressed or improved wrongly (family-wise).
        metrics: names of the metrics to compare; all if None. Failures count in any case.
        allow_other_machine: compare versions measured on different machines, with a note.
        between: how far a session's times of identical code lie from another's; it counts where
            versions were measured in different sessions. As measured by calibration.
        environments: facts by environment id, for the notes.

    Returns:
        The comparison. Comparing the other way round gives inverse ratios and mirrored verdicts.

    Raises:
        ComparisonError: for unknown labels or metrics, a setting out of range, or versions
            measured on different machines unless that is allowed.
        NothingToCompareError: if there is no second version.
    """
    _check_settings(threshold, level, metrics)
    baseline, candidates = chosen_labels(frame, baseline_label, candidate_labels)
    frame = frame[frame["label"].isin([baseline, *candidates])]
    notes = circumstances(
        frame,
        baseline,
        candidates,
        allow_other_machine=allow_other_machine,
        between=between,
        environments=environments,
    )
    notes = (*notes, *steadiness_notes(frame, baseline, candidates))
    values = measured(
        frame if metrics is None else frame[frame["metric"].isin(metrics)],
        same_yardstick=are_the_same_work(frame["environment"].unique(), environments),
    )
    of_cases = frame[frame["evaluator"] != YARDSTICK]
    launches = {
        label: launches_by_case(of_cases[of_cases["label"] == label])
        for label in (baseline, *candidates)
    }
    failures = [compare_failures(of_cases, baseline, label, launches) for label in candidates]
    with np.errstate(all="ignore"):
        trials = [trial(values, baseline, label, threshold, between) for label in candidates]
        compared = rows(values, baseline, trials, threshold, level)
        judged = [
            row
            for of_trial, failed in zip(compared, failures, strict=True)
            for row in (*of_trial, *failed.rows)
        ]
        means = [
            mean for one in trials for mean in geometric_means(values.series, one, level, between)
        ]
    absent = [
        gaps(values.series, one, failed, launches[baseline], launches[one.candidate])
        for one, failed in zip(trials, failures, strict=True)
    ]
    return Comparison(
        baseline_label=baseline,
        candidate_labels=candidates,
        threshold=threshold,
        level=level,
        rows=tuple(with_leaks(judged, frame)),
        geometric_means=tuple(means),
        missing=tuple(gap for one in absent for gap in one.missing),
        candidate_only=tuple(gap for one in absent for gap in one.candidate_only),
        failing=tuple(case for failed in failures for case in failed.failing),
        notes=notes,
        growth=compare_growths(of_cases, baseline, candidates, level=level, metrics=metrics),
    )


def _check_settings(threshold: float, level: float, metrics: Collection[str] | None) -> None:
    check_settings(threshold, level)
    unknown = sorted(set(metrics or ()) - METRICS.keys())
    if unknown:
        message = f"no metric {', '.join(unknown)}; expected some of {', '.join(METRICS)}"
        raise ComparisonError(message)
