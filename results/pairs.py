"""The mean over pairs, each weighed by how sure its own blocks are of it.

On a machine that others share, one pair in ten meets a slow spell, and lies several times as far
from the truth as the others do. Its blocks tell: they differ among themselves. So a pair comes with
the standard error e of its own log ratio, and counts for 1 / (s² + τ²), where s² = e² + the median
of all e, squared, and τ² is the variance between pairs that their blocks do not explain (the
moment estimator of R. DerSimonian and N. Laird, "Meta-analysis in clinical trials", Controlled
Clinical Trials 7, 1986). An error that some fifty blocks tell is itself uncertain, hence the
median: no pair counts for more than twice what a usual one does.

The mean's variance is that of the pairs as they lie, Σ w (x - mean)² / ((n - 1) Σ w), so that it
does not rest on the errors being right (J. Hartung and G. Knapp, "On tests of the overall
treatment effect in meta-analysis with normally distributed responses", Statistics in Medicine 20,
2001). Degrees of freedom are Kish's effective number of pairs, (Σ w)² / Σ w², less one. With equal
errors, or where a pair has none, all of it is Student's t (1908).

In one pair of a few hundred a launch is slow by a fifth from its first block to its last, so that
the pair's blocks agree on what is not so. A pair that lies farther from the middle than three times
its own error, and than three times how far pairs usually lie, is drawn in to there (metrically
Winsorised: P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical
Statistics 35, 1964), as long as no more than one pair in ten is: what comes oftener is no accident.

What that does to false alarms and to power stands in docs/decisions/0052-weighed-pairs.md and
0054-far-pairs.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from results.notes import as_number
from results.statistics import Estimate, Floats

LOG_RATIO_NOTE: Final = "log_ratio"
"""In the detail of a candidate's reading: its log ratio to the first side of its pair."""

LOG_RATIO_ERROR_NOTE: Final = "log_ratio_error"
"""Beside it: the standard error of that log ratio, as the pair's own blocks tell it."""

LAST_PAIR_NOTE: Final = "last_pair"
"""In the detail of a pair's readings: that no more would be measured, and for which reason, as was
settled before their values were known."""

LEAST_WEIGHED: Final = 8
"""Pairs; of fewer, degrees of freedom are dearer than noise."""

_LEAST_DRAWN_IN: Final = 10
"""Pairs; fewer do not tell how far pairs usually lie."""

_REACH: Final = 3.0
_MOST_DRAWN_IN: Final = 0.1
_OF_NORMAL: Final = 1.4826
"""Standard deviation of normal noise by its median absolute deviation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRatio:
    """What one pair says of two sides.

    Attributes:
        log_ratio: log candidate less log baseline.
        error: its standard error, as the pair's own blocks tell it; None where they do not.
    """

    log_ratio: float
    error: float | None = None

    def notes(self) -> dict[str, str]:
        """What a candidate's reading notes of it."""
        error = {} if self.error is None else {LOG_RATIO_ERROR_NOTE: f"{self.error:.3g}"}
        return {LOG_RATIO_NOTE: f"{self.log_ratio:.6g}"} | error


def noted_ratio(notes: Mapping[str, str]) -> PairRatio | None:
    """What a candidate's reading notes of its pair; None where that is no number."""
    log_ratio = as_number(notes.get(LOG_RATIO_NOTE))
    if log_ratio is None:
        return None
    return PairRatio(log_ratio=log_ratio, error=as_number(notes.get(LOG_RATIO_ERROR_NOTE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """The mean of each group of pairs.

    Attributes:
        estimate: of each group; NaN where it is empty, and its error where there is one pair.
        values: log ratio of each pair, as far as it counts.
        weights: of each pair; those of a group add up to 1.
    """

    estimate: Estimate
    values: Floats
    weights: Floats


def mean_over(pairs: Sequence[PairRatio]) -> Estimate:
    """The mean log ratio of one series of pairs, as one element."""
    return weighed(
        np.array([each.log_ratio for each in pairs], dtype=np.float64),
        np.array([each.error for each in pairs], dtype=np.float64),  # None becomes NaN
        np.zeros(len(pairs), dtype=np.int64),
        1,
    ).estimate


def weighed(values: Floats, errors: Floats, groups: NDArray[np.int64], size: int) -> Weighed:
    """The mean over the pairs of each group.

    Args:
        values: log ratio of each pair.
        errors: its standard error; NaN where it is not known.
        groups: the group of each pair, from 0 to size - 1.
        size: how many groups there are; a group may be empty.
    """

    def total(each: NDArray[Any]) -> Floats:
        found: Floats = np.bincount(groups, weights=each, minlength=size).astype(np.float64)
        return found

    count = np.bincount(groups, minlength=size)
    usual = _medians(errors, groups, size)
    is_known = total(np.isfinite(errors)) == count
    is_weighed = (count >= LEAST_WEIGHED) & is_known & (usual > 0)
    with np.errstate(all="ignore"):
        variances = np.where(is_weighed, usual**2, 1.0)[groups] + np.where(
            is_weighed[groups], errors**2, 0.0
        )
        may_be_drawn_in = (is_weighed & (count >= _LEAST_DRAWN_IN))[groups]
        values = np.where(
            may_be_drawn_in, _drawn_in(values, np.sqrt(variances), groups, size), values
        )
        inverse = 1 / variances
        first = total(inverse * values) / total(inverse)
        misfit = total(inverse * (values - first[groups]) ** 2)
        unexplained = (misfit - (count - 1)) / (total(inverse) - total(inverse**2) / total(inverse))
        between = np.where(is_weighed, np.maximum(unexplained, 0.0), 0.0)
        raw = 1 / (variances + between[groups])
        weights = raw / total(raw)[groups]
        mean = np.where(count, total(weights * values), np.nan)
        spread = total(weights * (values - mean[groups]) ** 2)
        error = np.sqrt(spread / np.where(count > 1, count - 1, np.nan))
        effective = np.where(is_weighed, 1 / total(weights**2), count)
    return Weighed(
        estimate=Estimate(
            value=mean,
            standard_error=error,
            degrees=np.where(count > 1, effective - 1.0, np.nan),
        ),
        values=values,
        weights=weights,
    )


def _drawn_in(values: Floats, own: Floats, groups: NDArray[np.int64], size: int) -> Floats:
    """The values, those that lie too far from their group's median drawn in, if they are few.

    Args:
        values: log ratio of each pair.
        own: how far a pair may be off, as its blocks tell it: a standard deviation.
        groups: the group of each pair.
        size: how many groups there are.
    """
    middle = _medians(values, groups, size)[groups]
    usual = _OF_NORMAL * _medians(np.abs(values - middle), groups, size)[groups]
    reach = _REACH * np.maximum(own, usual)
    is_far = np.abs(values - middle) > reach
    share = np.bincount(groups, weights=is_far, minlength=size) / np.bincount(
        groups, minlength=size
    )
    are_few = (share <= _MOST_DRAWN_IN)[groups]
    drawn_in = np.where(is_far & are_few, np.clip(values, middle - reach, middle + reach), values)
    return drawn_in.astype(np.float64)


def _medians(values: Floats, groups: NDArray[np.int64], size: int) -> Floats:
    """Of each group; NaN for an empty one."""
    counts = np.bincount(groups, minlength=size)
    starts = counts.cumsum() - counts
    rising = np.append(values[np.lexsort((values, groups))], np.nan)
    lower, upper = starts + (counts - 1) // 2, starts + counts // 2
    middles = (rising[lower] + rising[upper]) / 2
    return np.where(counts > 0, middles, np.nan)
