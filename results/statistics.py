"""The statistics that verdicts stand on, for many rows at once.

What is estimated is always a difference between two versions, candidate less baseline: of logs for
times, whose exponential is the ratio; of the values themselves for metrics that may be 0 or
negative. The unit of evidence is the launch, or the pair of launches; whoever calls sees to that.

Every function takes and gives arrays of one shape, a row of a comparison being an element; NaN
stands for what cannot be told, such as the variance of one launch.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POWER: Final = 0.95
"""Chance of finding a change as large as the smallest detectable one."""

_QUADRATURE_POINTS: Final = 1_000
_ROUNDING: Final = 1e-12
"""Differences of logs below this are rounding of the arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Count, mean and variance of each group of values.

    Attributes:
        count: values in the group.
        mean: their mean; NaN for none.
        variance: their sample variance (divisor count - 1); NaN for fewer than two.
    """

    count: NDArray[np.int64]
    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A difference, candidate less baseline, with what its uncertainty is made of.

    Attributes:
        value: the difference.
        standard_error: its standard deviation; NaN where it cannot be told.
        degrees: of freedom of the standard error; NaN where it cannot be told.
    """

    value: Floats
    standard_error: Floats
    degrees: Floats


def moments(values: Floats, groups: NDArray[np.int64], size: int) -> Moments:
    """The moments of `values` in each of `size` groups.

    Args:
        values: any number of values.
        groups: the group of each value, from 0 to size - 1.
        size: how many groups there are; a group may be empty.
    """
    count = np.bincount(groups, minlength=size)
    with np.errstate(all="ignore"):
        mean = np.bincount(groups, weights=values, minlength=size) / np.where(count, count, np.nan)
        squares = np.bincount(groups, weights=(values - mean[groups]) ** 2, minlength=size)
        variance = squares / np.where(count > 1, count - 1, np.nan)
    return Moments(count=count, mean=mean, variance=variance)


def paired(differences: Moments) -> Estimate:
    """The mean of differences within pairs, n - 1 degrees of freedom (Student 1908)."""
    with np.errstate(all="ignore"):
        error = np.sqrt(differences.variance / differences.count)
    degrees = np.where(differences.count > 1, differences.count - 1.0, np.nan)
    return Estimate(value=differences.mean, standard_error=error, degrees=degrees)


def welch(baseline: Moments, candidate: Moments) -> Estimate:
    """The difference of two means whose variances may differ.

    Degrees of freedom after Welch ("The generalization of 'Student's' problem when several
    different population variances are involved", Biometrika 34, 1947) and Satterthwaite (1946).
    """
    with np.errstate(all="ignore"):
        shares = np.array(
            [baseline.variance / baseline.count, candidate.variance / candidate.count]
        )
        total = shares.sum(axis=0)
        degrees = total**2 / (
            shares[0] ** 2 / (baseline.count - 1) + shares[1] ** 2 / (candidate.count - 1)
        )
    without_variance = total == 0
    degrees = np.where(
        without_variance, baseline.count + candidate.count - 2.0, np.maximum(degrees, 1.0)
    )
    return Estimate(
        value=candidate.mean - baseline.mean,
        standard_error=np.sqrt(total),
        degrees=np.where(np.isnan(total), np.nan, degrees),
    )


def interval(estimate: Estimate, level: float | Floats) -> tuple[Floats, Floats]:
    """The two-sided t-interval that misses the truth with probability `level`."""
    with np.errstate(all="ignore"):
        half = quantile(estimate.degrees, level) * estimate.standard_error
    return estimate.value - half, estimate.value + half


def quantile(degrees: Floats, level: float | Floats) -> Floats:
    """What |t| exceeds with probability `level`."""
    found: Floats = -scipy.special.stdtrit(degrees, np.asarray(level) / 2)
    return found


def p_beyond(estimate: Estimate, band: float | Floats) -> Floats:
    """Two-sided p-value of the hypothesis that the truth lies within ± band.

    Below `level` exactly where the interval at `level` lies wholly beyond the band, on one side.
    """
    return _two_sided(np.abs(estimate.value) - band, estimate)


def p_within(estimate: Estimate, band: float | Floats) -> Floats:
    """p-value of the hypothesis that the truth lies at or beyond ± band: an equivalence test.

    Two one-sided tests (Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987), doubled: it is below
    `level` exactly where the interval at `level` lies wholly within the band, which is stricter
    than the usual interval at twice the level, and agrees with the interval that is shown.
    """
    return _two_sided(band - np.abs(estimate.value), estimate)


def _two_sided(distance: Floats, estimate: Estimate) -> Floats:
    """2 P(T > distance / standard error), at most 1; NaN without a standard error."""
    with np.errstate(all="ignore"):
        statistic = distance / estimate.standard_error
    statistic = np.where((estimate.standard_error == 0) & (distance <= _ROUNDING), 0.0, statistic)
    p: Floats = np.minimum(2 * scipy.special.stdtr(estimate.degrees, -statistic), 1.0)
    return p


def holm(p_values: Floats, weights: Floats | None = None) -> Floats:
    """p-values adjusted so that acting on all below a level errs once or more at that rate.

    The step-down procedure of S. Holm, "A simple sequentially rejective multiple test procedure",
    Scandinavian Journal of Statistics 6, 1979, with the weights of its section 4: at each step a
    test gets its weight's share, among the tests left, of the level. Holds for dependent p-values
    too. NaN, which is no test, stays NaN and does not count.

    Args:
        p_values: of each test.
        weights: of each test, above 0, chosen without regard to the p-values; equal if None.
    """
    shares = np.ones(p_values.shape) if weights is None else weights
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested] / shares[tested], kind="stable")]
    left = np.cumsum(shares[order][::-1])[::-1]
    steps = left / shares[order] * p_values[order]
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def smallest_detectable(
    estimate: Estimate, band: float | Floats, level: float | Floats, power: float = POWER
) -> Floats:
    """The smallest true difference that would be found beyond ± band with probability `power`.

    band + λ · standard error, where λ is the noncentrality at which Student's noncentral t with
    the estimate's degrees of freedom exceeds the two-sided critical value at `level` with
    probability `power`:  P(T'(degrees, λ) > t(1 - level / 2, degrees)) = power.

    Args:
        estimate: whose standard error and degrees of freedom tell how fine the evidence is.
        band: as the test had it.
        level: two-sided, as the test had it, after any correction for many rows.
        power: the chance of finding it.
    """
    return band + _noncentrality(estimate.degrees, level, power) * estimate.standard_error


def _noncentrality(degrees: Floats, level: float | Floats, power: float) -> Floats:
    """λ of `smallest_detectable`, to four digits, degrees of freedom being rounded to two.

    scipy's own inverse takes half a millisecond an element and does not return for some extreme
    ones; so this integrates P(Z + λ > t S) over the quantiles of S = chi / sqrt(degrees), and
    halves the interval that λ lies in.
    """
    levels = np.broadcast_to(np.asarray(level, dtype=np.float64), degrees.shape)
    known = np.isfinite(degrees) & np.isfinite(levels)
    scale = 10.0 ** (np.floor(np.log10(np.where(known, degrees, 1.0))) - 1)
    rounded = np.where(known, np.floor(degrees / scale) * scale, 1.0)
    kinds = np.stack([rounded.ravel(), np.where(known, levels, 0.5).ravel()])
    distinct, places = np.unique(kinds, axis=1, return_inverse=True)
    columns, risks = distinct[0, :, np.newaxis], distinct[1, :, np.newaxis]
    shares = (np.arange(_QUADRATURE_POINTS) + 0.5) / _QUADRATURE_POINTS
    critical = quantile(columns, risks) * np.sqrt(
        2 * scipy.special.gammaincinv(columns / 2, shares) / columns
    )
    low, high = np.zeros_like(columns), critical[:, -1:] + 10
    for _ in range(40):
        middle = (low + high) / 2
        enough = scipy.special.ndtr(middle - critical).mean(axis=1, keepdims=True) >= power
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    found: Floats = np.where(known, high[:, 0][places.reshape(degrees.shape)], np.nan)
    return found


def ratio_interval(
    baseline: Moments, candidate: Moments, difference: Estimate, level: float | Floats
) -> tuple[Floats, Floats]:
    """The interval of candidate mean / baseline mean, by Fieller's theorem.

    It excludes 1 exactly where the interval of the difference excludes 0, and is the inverse when
    the sides are exchanged. (E. C. Fieller, "Some problems in interval estimation", JRSS B 16,
    1954.) The means' covariance is what the difference's variance leaves to explain, so that pairs
    are taken as pairs; degrees of freedom are the difference's.

    Returns:
        The ends; NaN where a mean is not positive or so uncertain that the interval is unbounded.
    """
    with np.errstate(all="ignore"):
        t_squared = quantile(difference.degrees, level) ** 2
        base_square = baseline.variance / baseline.count
        other_square = candidate.variance / candidate.count
        covariance = (base_square + other_square - difference.standard_error**2) / 2
        # The interval holds the ratios r with (c - r b)² ≤ t² var(c - r b), a quadratic in r.
        a = baseline.mean**2 - t_squared * base_square
        b = baseline.mean * candidate.mean - t_squared * covariance
        c = candidate.mean**2 - t_squared * other_square
        root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
        low, high = (b - root) / a, (b + root) / a
    bounded = (a > 0) & (c > 0) & (baseline.mean > 0) & (candidate.mean > 0)
    return np.where(bounded, low, np.nan), np.where(bounded, high, np.nan)
