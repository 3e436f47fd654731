"""Drift: the slope of a series, told robustly and with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

_MAX_POINTS: Final = 1_000
"""Points that all pairs are made of; longer series are thinned, as pairs grow with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """A slope, in units of y per unit of x.

    Attributes:
        value: the estimate.
        low: lower end of its confidence interval.
        high: upper end.
    """

    value: float
    low: float
    high: float


def slope(x: Sequence[float], y: Sequence[float], confidence: float = 0.99) -> Slope:
    """The slope of y against x: the median of the slopes between all pairs of points.

    The Theil–Sen estimator stands up to 29 % of wild points (collector cycles, a scheduler's
    pauses), where least squares gives way to one. Its interval is Sen's: the pairwise slopes at
    the ranks that Kendall's statistic allows. The interval takes points as independent of each
    other, so it is too narrow for series that wander; compare drifts over launches, not by it.
    Series longer than 1,000 points are first replaced by medians of consecutive points.

    H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950;
    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968.

    Args:
        x: positions, such as call numbers; any order, at least two of them different.
        y: as many values, such as seconds per call or bytes.
        confidence: of the interval, between 0 and 1.

    Raises:
        ValueError: for fewer than 3 points, lengths that differ, values that are not finite, equal
            positions throughout, or a confidence outside (0, 1).
    """
    positions = np.asarray(x, dtype=np.float64)
    values = np.asarray(y, dtype=np.float64)
    _check(positions, values, confidence)
    order = np.argsort(positions, kind="stable")
    positions, values = _thinned(positions[order]), _thinned(values[order])
    if positions[0] == positions[-1]:
        message = f"every x is {positions[0]:g}; a slope needs two different positions"
        raise ValueError(message)
    found = stats.theilslopes(values, positions, alpha=confidence)
    return Slope(value=float(found.slope), low=float(found.low_slope), high=float(found.high_slope))


def _check(x: NDArray[np.float64], y: NDArray[np.float64], confidence: float) -> None:
    if x.ndim != 1 or x.shape != y.shape:
        message = f"x has shape {x.shape}, y {y.shape}; expected two series of one length"
    elif len(x) < 3:
        message = f"{len(x)} points; a slope with an interval needs at least 3"
    elif not (np.isfinite(x).all() and np.isfinite(y).all()):
        message = "a point is not finite; leave such points out"
    elif not 0 < confidence < 1:
        message = f"confidence is {confidence}; expected a share between 0 and 1, such as 0.99"
    else:
        return
    raise ValueError(message)


def _thinned(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """At most _MAX_POINTS medians of consecutive points, as evenly many in each as can be."""
    if len(series) <= _MAX_POINTS:
        return series
    return np.array([np.median(part) for part in np.array_split(series, _MAX_POINTS)])
