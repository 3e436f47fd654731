"""The rows of a comparison: the numbers of each trial, and the verdict on them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.adjustment import PValues, adjusted_p_values
from results.contrasts import Measured, Series
from results.family import is_primary
from results.judgement import Row
from results.reasons import Evidence, Scale, reason, verdict
from results.sequential import launches_to_halve
from results.statistics import Floats, Moments, interval, ratio_interval, smallest_detectable
from results.trials import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    """The numbers of rows, named as in Row; an element for each series, None for unknown."""

    baseline: list[float | None]
    candidate: list[float | None]
    ratio: list[float | None]
    ratio_low: list[float | None]
    ratio_high: list[float | None]
    smallest_detectable: list[float | None]
    baseline_spread: list[float | None]
    candidate_spread: list[float | None]
    launches_to_halve: list[float | None]


def rows(
    values: Measured, baseline: str, trials: Sequence[Trial], threshold: float, level: float
) -> Iterator[list[Row]]:
    """The rows of each trial, in the order of series.

    Args:
        values: the values that the trials are of.
        baseline: the baseline's label.
        trials: all of a comparison; the family that errors are counted over.
        threshold: relative changes up to this do not matter.
        level: chance of error of the whole family.
    """
    tests = sum(int(one.is_tested.sum()) for one in trials)
    scale = Scale(threshold=threshold, level=level, family=tests)
    primary = np.array([is_primary(one.phase, one.metric) for one in values.series], dtype=bool)
    for one, p_values in zip(trials, adjusted_p_values(trials, primary), strict=True):
        figures = _figures(one, level, p_values.weight)
        yield _rows(values.series, baseline, one, figures, p_values, scale)


def _figures(one: Trial, level: float, weight: Floats) -> _Figures:
    found, by_logs = one.contrast, one.by_logs
    baseline = np.where(by_logs, np.exp(found.log_baseline.mean), found.baseline.mean)
    candidate = np.where(by_logs, np.exp(found.log_candidate.mean), found.candidate.mean)
    at_look = level * one.look_share
    low, high = interval(one.estimate, at_look)
    mean_low, mean_high = ratio_interval(found.baseline, found.candidate, one.estimate, at_look)
    detectable = smallest_detectable(one.estimate, one.band, at_look * weight)
    more = launches_to_halve(
        np.where(one.is_tested, one.estimate.degrees, np.nan),
        np.minimum(found.baseline.count, found.candidate.count),
        one.in_looks,
        level * weight,
        at_look * weight,
    )
    ratio = np.where(by_logs, np.exp(one.estimate.value), candidate / baseline)
    ratio_low = np.where(by_logs, np.exp(low), mean_low)
    ratio_high = np.where(by_logs, np.exp(high), mean_high)
    is_bounded = one.has_ratio & (ratio_low > 0) & np.isfinite(ratio_high)
    return _Figures(
        baseline=_known(baseline),
        candidate=_known(candidate),
        ratio=_known(np.where(one.has_ratio, ratio, np.nan)),
        ratio_low=_known(np.where(is_bounded, ratio_low, np.nan)),
        ratio_high=_known(np.where(is_bounded, ratio_high, np.nan)),
        smallest_detectable=_known(
            np.where(
                by_logs, np.expm1(detectable), detectable / np.where(one.has_ratio, baseline, 1.0)
            )
        ),
        baseline_spread=_known(_spread(found.baseline, found.log_baseline, by_logs)),
        candidate_spread=_known(_spread(found.candidate, found.log_candidate, by_logs)),
        launches_to_halve=_known(more),
    )


def _spread(values: Moments, logs: Moments, by_logs: NDArray[np.bool_]) -> Floats:
    """The standard deviation over launches, in the series' unit."""
    by_log = np.exp(logs.mean) * np.sqrt(logs.variance)
    spread: Floats = np.where(by_logs, by_log, np.sqrt(values.variance))
    return spread


def _rows(
    series: Sequence[Series],
    baseline: str,
    one: Trial,
    figures: _Figures,
    p_values: PValues,
    scale: Scale,
) -> list[Row]:
    places = np.flatnonzero(one.shared).tolist()
    shared = [series[i] for i in places]
    halving = [figures.launches_to_halve[i] for i in places]
    made = []
    for i, name, evidence in zip(
        places, shared, _evidence(shared, one, p_values, halving), strict=True
    ):
        judged = verdict(evidence, scale.level)
        made.append(
            Row(
                evaluator=name.evaluator,
                scenario=name.scenario,
                params=name.params,
                mode=name.mode,
                phase=name.phase,
                metric=name.metric,
                unit=name.unit,
                baseline_label=baseline,
                candidate_label=one.candidate,
                baseline=figures.baseline[i],
                candidate=figures.candidate[i],
                ratio=figures.ratio[i],
                ratio_low=figures.ratio_low[i],
                ratio_high=figures.ratio_high[i],
                baseline_launches=evidence.baseline_launches,
                candidate_launches=evidence.candidate_launches,
                smallest_detectable=figures.smallest_detectable[i],
                verdict=judged,
                reason=reason(evidence, judged, scale),
                baseline_spread=figures.baseline_spread[i],
                candidate_spread=figures.candidate_spread[i],
                launches_to_halve=evidence.launches_to_halve,
            )
        )
    return made


def _evidence(
    shared: Sequence[Series], one: Trial, p_values: PValues, halving: Sequence[float | None]
) -> Iterator[Evidence]:
    """What the rows of the shared series stand on, in their order."""
    sources = Counter((name.case, name.phase, name.metric) for name in shared)
    found = one.contrast
    columns = (
        one.estimate.value,
        one.band,
        one.by_logs,
        one.exactly,
        found.is_paired,
        found.baseline.count,
        found.candidate.count,
        found.set_aside,
        p_values.beyond,
        p_values.within,
        p_values.beyond_alone,
        p_values.within_alone,
        one.by_logs & found.by_speed,
    )
    # NumPy's own numbers are slow to take one by one.
    cells = zip(*(column[one.shared].tolist() for column in columns), strict=True)
    for name, more, of_row in zip(shared, halving, cells, strict=True):
        (
            difference,
            band,
            by_logs,
            exactly,
            is_paired,
            baseline_launches,
            candidate_launches,
            set_aside,
            beyond,
            within,
            beyond_alone,
            within_alone,
            by_speed,
        ) = of_row
        has_siblings = sources[name.case, name.phase, name.metric] > 1
        yield Evidence(
            kind=name.kind,
            unit=name.unit,
            difference=difference,
            band=band,
            by_logs=by_logs,
            exactly=exactly,
            is_paired=is_paired,
            baseline_launches=baseline_launches,
            candidate_launches=candidate_launches,
            set_aside=set_aside,
            p_beyond=beyond,
            p_within=within,
            p_beyond_alone=beyond_alone,
            p_within_alone=within_alone,
            source=name.source if has_siblings else "",
            by_speed=by_speed,
            launches_to_halve=None if more is None else int(more),
        )


def _known(values: Floats) -> list[float | None]:
    """The values as Python's own numbers, None for what is not finite."""
    finite = np.isfinite(values).tolist()
    return [value if known else None for value, known in zip(values.tolist(), finite, strict=True)]
