"""Series put to the test: estimates, bands, adjusted p-values, and the rows they make."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.contrasts import Contrast, Measured, Series, chosen, contrast
from results.family import is_primary, weights
from results.geometric import mean_over_cases
from results.judgement import GeometricMean, Row
from results.probe_noise import with_probe_noise
from results.reasons import Evidence, Scale, reason, verdict
from results.schema import is_exact_source
from results.sequential import LEAST_LOG_BAND, launches_to_halve, shares
from results.sessions import BetweenSessions, with_sessions
from results.statistics import (
    Estimate,
    Floats,
    Moments,
    holm,
    interval,
    p_beyond,
    p_within,
    ratio_interval,
    smallest_detectable,
)

MEMORY_FLOOR_BYTES: Final = 512 * 1024
"""Changes of memory read from the kernel below this are not seen: VmHWM lags by up to 0.5 MB,
because the kernel batches its counters."""

MEMORY_DRIFT_FLOOR_BYTES_PER_CALL: Final = 1.0
"""Changes of memory drift up to this do not matter; the kernel's lag over the calls is added."""

TIME_DRIFT_FLOOR_PER_KCALL: Final = 1e-3
"""Changes of time drift up to this, 0.1 % per 1,000 calls, do not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A candidate against the baseline; every array has an element for each series.

    Attributes:
        candidate: the candidate's label.
        contrast: its values against the baseline's.
        shared: True where both versions have values.
        by_logs: True where logs are compared.
        exactly: True where deterministic counts are compared without a test.
        has_ratio: True where a ratio means something: not of drifts, nor of what is not positive.
        estimate: the difference that is judged; without standard error where no test is made.
        band: differences up to this do not matter.
        in_looks: True where pairs may have ended at any look; elsewhere launches come in a number
            fixed beforehand.
        look_share: the share of a row's level that is spent at its number of pairs; 1 where no
            looks are made.
    """

    candidate: str
    contrast: Contrast
    shared: NDArray[np.bool_]
    by_logs: NDArray[np.bool_]
    exactly: NDArray[np.bool_]
    has_ratio: NDArray[np.bool_]
    estimate: Estimate
    band: Floats
    in_looks: NDArray[np.bool_]
    look_share: Floats

    @property
    def is_tested(self) -> NDArray[np.bool_]:
        """True for the rows of the family: values that never vary are taken at their word."""
        tested: NDArray[np.bool_] = self.estimate.standard_error > 0
        return tested


@dataclass(frozen=True, slots=True, kw_only=True)
class _PValues:
    """Of a trial's series; NaN where no test was made.

    Attributes:
        beyond_alone: of the change being within the band, of the series by itself at all its looks.
        within_alone: of the change being beyond it.
        beyond: the first, adjusted for all series of all candidates.
        within: the second, likewise.
        weight: the share of the level that the series starts with; 1 for one outside the family.
    """

    beyond_alone: Floats
    within_alone: Floats
    beyond: Floats
    within: Floats
    weight: Floats


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


def trial(
    values: Measured,
    baseline: str,
    candidate: str,
    threshold: float,
    between_sessions: BetweenSessions,
) -> Trial:
    """Bring two versions face to face, and say for each series how it is judged.

    Args:
        values: the values of all versions.
        baseline: the baseline's label.
        candidate: the candidate's label.
        threshold: relative changes up to this do not matter.
        between_sessions: how far times lie apart from session to session.
    """
    found = contrast(values.side(baseline), values.side(candidate), len(values.series))
    kinds = _kinds(values.series)
    shared = (found.baseline.count > 0) & (found.candidate.count > 0)
    by_logs = shared & (kinds == "time") & np.isfinite(found.log_ratio.value)
    is_constant = ~((found.baseline.variance > 0) | (found.candidate.variance > 0))
    exactly = shared & (kinds == "count") & is_constant
    across = with_sessions(
        found.log_ratio, found.session_imbalance, found.by_speed, between_sessions
    )
    difference = with_probe_noise(found.difference, found, _is_lagging(values.series))
    estimate = chosen(by_logs, across, difference)
    is_testable = shared & ~exactly & np.isfinite(estimate.value + estimate.standard_error)
    sizes = (np.abs(found.baseline.mean) + np.abs(found.candidate.mean)) / 2
    band = np.maximum(np.where(kinds == "drift", 0.0, threshold * sizes), _floors(values.series))
    in_looks = _is_in_looks(values.series, found)
    return Trial(
        candidate=candidate,
        contrast=found,
        shared=shared,
        by_logs=by_logs,
        exactly=exactly,
        has_ratio=shared
        & (kinds != "drift")
        & (found.baseline.mean > 0)
        & (found.candidate.mean > 0),
        estimate=Estimate(
            value=estimate.value,
            standard_error=np.where(is_testable, estimate.standard_error, np.nan),
            degrees=np.where(is_testable, estimate.degrees, np.nan),
        ),
        band=np.where(by_logs, np.log1p(threshold) + LEAST_LOG_BAND, band),
        in_looks=in_looks,
        look_share=np.where(in_looks, shares(found.baseline.count, found.has_ended), 1.0),
    )


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
    for one, p_values in zip(trials, _p_values(trials, primary), strict=True):
        figures = _figures(one, level, p_values.weight)
        yield _rows(values.series, baseline, one, figures, p_values, scale)


def geometric_means(
    series: Sequence[Series], one: Trial, level: float, between_sessions: BetweenSessions
) -> list[GeometricMean]:
    """The geometric means of ratios of time and of memory, by phase and metric, over cases.

    A mean of one case is left out, and so are cases with a value that is not positive. Pairs of
    the same number ran in the same round, so what the machine did then is in all cases alike, and
    so is the difference between two sessions: the interval takes neither for chance of each case.

    Args:
        series: what the trial is of.
        one: the trial.
        level: what the intervals miss the truth with.
        between_sessions: how far times lie apart from session to session.
    """
    found = one.contrast
    usable = (
        np.isin(_kinds(series), ["time", "memory"])
        & one.shared
        & np.isfinite(found.log_ratio.value + found.log_ratio.standard_error)
    )
    keys = [(series[i].phase, series[i].metric) for i in np.flatnonzero(usable).tolist()]
    names = list(dict.fromkeys(keys))
    groups = np.full(len(series), -1, dtype=np.int64)
    groups[usable] = [names.index(key) for key in keys]
    mean = mean_over_cases(found, groups, len(names), by_time(series), between_sessions)
    low, high = interval(mean, level)
    counts = np.bincount(groups[usable], minlength=len(names))
    return [
        GeometricMean(
            candidate_label=one.candidate,
            phase=phase,
            metric=metric,
            cases=int(count),
            ratio=float(ratio),
            ratio_low=float(ratio_low),
            ratio_high=float(ratio_high),
        )
        for (phase, metric), count, ratio, ratio_low, ratio_high in zip(
            names, counts, np.exp(mean.value), np.exp(low), np.exp(high), strict=True
        )
        if count > 1 and np.isfinite(ratio_high)
    ]


def by_time(series: Sequence[Series]) -> NDArray[np.bool_]:
    """True for the series whose values are times."""
    found: NDArray[np.bool_] = _kinds(series) == "time"
    return found


def _kinds(series: Sequence[Series]) -> NDArray[np.object_]:
    return np.array([one.kind for one in series], dtype=object)


def _is_lagging(series: Sequence[Series]) -> NDArray[np.bool_]:
    """True for memory that the kernel's counters tell, which lag."""
    lagging = [one.kind == "memory" and not is_exact_source(one.source) for one in series]
    return np.array(lagging, dtype=bool)


def _floors(series: Sequence[Series]) -> Floats:
    """The difference, in each series' unit, below which nothing can be told or nothing matters."""
    floors: Floats = np.array([_floor(one) for one in series], dtype=np.float64)
    return floors


def _floor(one: Series) -> float:
    lag_bytes = 0 if is_exact_source(one.source) else MEMORY_FLOOR_BYTES
    if one.kind == "memory":
        return lag_bytes
    if one.metric == "memory_drift":
        lag_per_call = 0.0 if math.isnan(one.fewest_calls) else lag_bytes / max(one.fewest_calls, 1)
        return MEMORY_DRIFT_FLOOR_BYTES_PER_CALL + lag_per_call
    return TIME_DRIFT_FLOOR_PER_KCALL if one.metric == "time_drift" else 0.0


def _is_in_looks(series: Sequence[Series], found: Contrast) -> NDArray[np.bool_]:
    """Pairs against the clock may end at any look, all else is planned."""
    by_clock = [one.kind == "time" or one.metric == "time_drift" for one in series]
    in_looks: NDArray[np.bool_] = found.is_paired & np.array(by_clock, dtype=bool)
    return in_looks


def _p_values(trials: Sequence[Trial], primary: NDArray[np.bool_]) -> list[_PValues]:
    """Two families of tests over all trials, each adjusted by itself: beyond, and within."""
    beyond = [_over_looks(p_beyond(one.estimate, one.band), one) for one in trials]
    within = [_over_looks(p_within(one.estimate, one.band), one) for one in trials]
    ends = np.cumsum([len(one.band) for one in trials])[:-1]
    weight = weights(
        np.concatenate([primary] * len(trials)),
        np.concatenate([one.is_tested for one in trials]),
    )
    return [
        _PValues(
            beyond_alone=beyond[i],
            within_alone=within[i],
            beyond=adjusted,
            within=equivalent,
            weight=np.where(np.isnan(part), 1.0, part),
        )
        for i, (adjusted, equivalent, part) in enumerate(
            zip(
                np.split(_adjusted(np.concatenate(beyond), weight), ends),
                np.split(_adjusted(np.concatenate(within), weight), ends),
                np.split(weight, ends),
                strict=True,
            )
        )
    ]


def _over_looks(p_values: Floats, one: Trial) -> Floats:
    """p-values that are as good at every look: p over the share of the level spent there."""
    found: Floats = np.minimum(p_values / one.look_share, 1.0)
    return found


def _adjusted(p_values: Floats, weight: Floats) -> Floats:
    """By Holm within the family; what is not in it stays as it is."""
    in_family = ~np.isnan(weight)
    adjusted = holm(np.where(in_family, p_values, np.nan), np.where(in_family, weight, 1.0))
    found: Floats = np.where(in_family, adjusted, p_values)
    return found


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
    p_values: _PValues,
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
    shared: Sequence[Series], one: Trial, p_values: _PValues, halving: Sequence[float | None]
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
