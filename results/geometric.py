"""The mean of log ratios over the cases of a suite, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.contrasts import Contrast, Series
from results.judgement import GeometricMean
from results.sessions import BetweenSessions
from results.statistics import Estimate, Floats, interval
from results.trials import Trial, by_time


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
        np.isin([one.kind for one in series], ["time", "memory"])
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


def mean_over_cases(
    found: Contrast,
    groups: NDArray[np.int64],
    size: int,
    is_time: NDArray[np.bool_],
    between: BetweenSessions,
) -> Estimate:
    """The mean log ratio of the series in each of `size` groups, each series counting alike.

    It speaks of these very cases measured again, not of other cases. Pairs of the same number are
    launches of one round; their deviations are added up before they are squared, so that what a
    round does to all cases is not taken for as many independent chances (a cluster-robust variance,
    K.-Y. Liang and S. L. Zeger, Biometrika 73, 1986, with the small-sample factor n / (n - 1) for
    each series, n being its effective number of pairs). Series without pairs are independent but
    for the sessions, which move all of their times together. Degrees of freedom after
    Satterthwaite, by how much each round weighs.

    Args:
        found: the log ratios of all series.
        groups: the group of each series; -1 for none.
        size: how many groups there are.
        is_time: True for series that differ from session to session.
        between: by how much.
    """
    chosen = np.flatnonzero(groups >= 0)
    group = groups[chosen]
    cases = np.bincount(group, minlength=size).astype(np.float64)
    alone = chosen[~found.is_paired[chosen]]
    rounds = _of_rounds(found, groups, size)
    launches = _of_launches(found, alone, groups[alone], size)
    sessions = _of_sessions(found, alone, groups[alone], size, is_time, between)
    with np.errstate(all="ignore"):
        mean = np.bincount(group, weights=found.log_ratio.value[chosen], minlength=size) / cases
        total = rounds.variance + launches.variance + sessions.variance
        parts = sum(
            (
                np.where(part.variance > 0, part.variance**2 / part.degrees, 0.0)
                for part in (rounds, launches, sessions)
            ),
            start=np.zeros(size),
        )
        lowest = np.full(size, np.inf)
        np.minimum.at(lowest, group, found.log_ratio.degrees[chosen])
        return Estimate(
            value=mean,
            standard_error=np.sqrt(total) / cases,
            degrees=np.where(parts > 0, np.maximum(total**2 / parts, 1.0), lowest),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the variance of each group's sum of estimates, and its degrees of freedom."""

    variance: Floats
    degrees: Floats


def _of_rounds(found: Contrast, groups: NDArray[np.int64], size: int) -> _Part:
    logs = found.pair_logs
    used = groups[logs.series] >= 0
    series, pairs = logs.series[used], logs.pairs[used]
    shares = logs.weights[used]
    counts = found.log_ratio.degrees[series] + 1
    deviations = (logs.values[used] - found.log_ratio.value[series]) * shares
    width = int(pairs.max(initial=-1)) + 1
    rounds, of_round = np.unique(groups[series] * width + pairs, return_inverse=True)
    group = rounds // max(width, 1)
    sums = _sums(of_round, deviations * np.sqrt(counts / (counts - 1)), len(rounds))
    weight = np.bincount(of_round, weights=shares**2)
    total = np.bincount(group, weights=weight, minlength=size)
    squares = np.bincount(group, weights=weight**2, minlength=size)
    with np.errstate(all="ignore"):
        degrees = np.maximum(total**2 / squares - 1, 1.0)
    return _Part(variance=_sums(group, sums**2, size), degrees=degrees)


def _of_launches(
    found: Contrast, series: NDArray[np.int64], group: NDArray[np.int64], size: int
) -> _Part:
    squares = found.log_ratio.standard_error[series] ** 2
    variance = _sums(group, squares, size)
    with np.errstate(all="ignore"):
        shares = squares**2 / found.log_ratio.degrees[series]
        degrees = variance**2 / np.bincount(group, weights=shares, minlength=size)
    return _Part(variance=variance, degrees=degrees)


def _of_sessions(
    found: Contrast,
    series: NDArray[np.int64],
    group: NDArray[np.int64],
    size: int,
    is_time: NDArray[np.bool_],
    between: BetweenSessions,
) -> _Part:
    """All series of a group move together, so standard deviations add up."""
    sds = between.sds(found.by_speed)[series] * np.sqrt(
        found.session_imbalance[series] * is_time[series]
    )
    variance = _sums(group, sds, size) ** 2
    return _Part(variance=variance, degrees=np.full(size, between.degrees))


def _sums(group: NDArray[np.int64], values: Floats, size: int) -> Floats:
    """The sum of `values` in each group; 0 for an empty one."""
    found: Floats = np.bincount(group, weights=values, minlength=size).astype(np.float64)
    return found
