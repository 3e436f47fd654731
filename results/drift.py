"""Drift: whether memory or time grows as calls go on, by how much, and how sure that is.

The slope is told robustly, with an interval that bears points which depend on each other
(`slope`); the class says what the growth is (`memory_drift`, `time_drift`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import scipy
from numpy.typing import NDArray

from results.notes import parse_notes

Floats = NDArray[np.float64]
DriftClass = Literal["flat", "plateau", "leak", "slowing", "inconclusive"]

LEAK_FLOOR_BYTES_PER_CALL: Final = 1.0
"""Slower growth than this is not called a leak."""
LEAK_FLOOR_BYTES_PER_REBUILD: Final = 1_024.0
"""The same where each "call" constructs and compiles: the interpreter's own caches of names and
types go on filling over hundreds of them, by some hundred bytes each and ever less."""
SLOWING_FLOOR_PER_KCALL: Final = 1e-3
"""A slower slowing than this, 0.1 % per 1,000 calls, is not told."""
FLAT_PER_KCALL: Final = 1e-2
"""Times are flat when a slowing of this, 1 % per 1,000 calls, is excluded."""

_MAX_POINTS: Final = 1_000
"""Points that all pairs are made of; longer series are thinned, as pairs grow with the square."""
_LEAST_TAIL: Final = 6
"""Points of the second half; fewer tell no class."""
_STEP_BYTES: Final = 4_096
"""A page. Growth up to it in all is flat; a leak gained at least as much in the second half."""
_STEP_SHARE: Final = 0.02
"""The same for times: a shift of less is not told as a plateau."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a series goes on, in its own unit per call (memory) or per 1,000 calls (time).

    Attributes:
        value: the slope over the part that is estimated from.
        low: lower end of its interval.
        high: upper end.
        kind: flat (does not grow), plateau (grew, then stopped), leak or slowing (grows on), or
            inconclusive.
        grown: of a plateau, by how much: bytes, or a share of the time at the start; else None.
        settled_at: of a plateau, the call by which it had stopped; else None.
        why: of an inconclusive series, what stands in the way of a class; else "".
    """

    value: float
    low: float
    high: float
    kind: DriftClass
    grown: float | None = None
    settled_at: float | None = None
    why: str = ""

    @property
    def grows(self) -> bool:
        """Whether it is a leak or a slowing."""
        return self.kind in {"leak", "slowing"}


def drift_notes(drift: Drift) -> dict[str, str]:
    """What a table carries of a drift besides its value; `class_of` reads the class back."""
    notes = {"class": drift.kind, "low": f"{drift.low:.6g}", "high": f"{drift.high:.6g}"}
    if drift.grown is not None:
        notes["grown"] = f"{drift.grown:.6g}" if abs(drift.grown) < 1 else f"{drift.grown:.0f}"
    if drift.settled_at is not None:
        notes["settled_at"] = f"{drift.settled_at:.0f}"
    return notes | ({"why": drift.why} if drift.why else {})


def class_of(detail: str) -> str:
    """The class that a reading's `detail` carries, or "" where it carries none."""
    return parse_notes(detail).get("class", "")


def interval_of(notes: Mapping[str, str]) -> tuple[float, float] | None:
    """The ends of the interval that notes carry; None where they carry none."""
    try:
        return float(notes["low"]), float(notes["high"])
    except (KeyError, ValueError):
        return None


def memory_drift(
    calls: Sequence[float],
    in_use_bytes: Sequence[float],
    floor: float = LEAK_FLOOR_BYTES_PER_CALL,
) -> Drift:
    """How bytes in use go on as calls do: per call, and of which class.

    The first half of the calls is warm-up: free lists of the interpreter, allocator arenas and
    small caches fill, and then stand still. The slope is that of the second half. It is a leak
    when the interval lies above `floor`, the second half gained at least a page, and the growth is
    both sustained (no quarter of the second half below a fourth of the slope: a step is no leak)
    and not falling (the last quarter of all calls gained at least half of what the second quarter
    did: what fills up is no leak). It is flat or a plateau when the second half gained less than a
    page, and the interval excludes more; a plateau, when all calls together gained more.

    Args:
        calls: how many calls had been made at each reading, rising, from 0 where there is a
            reading before the first.
        in_use_bytes: bytes in use then, garbage collected.
        floor: bytes per call; slower growth is not called a leak.

    Raises:
        ValueError: as for `slope`.
    """
    x, y = _series(calls, in_use_bytes)
    tail = x > x[-1] / 2
    if tail.sum() < _LEAST_TAIL:
        found = slope(x.tolist(), y.tolist())
        return _drift(found, "inconclusive", why=f"{len(x)} readings are too few")
    found = slope(x[tail].tolist(), y[tail].tolist())
    gained = found.value * (x[-1] - x[tail][0])
    if found.low > floor:
        why = _doubt(x, y, found.value) if gained >= _STEP_BYTES else "too little growth to tell"
        return _drift(found, "inconclusive" if why else "leak", why=why)
    start, end = y[0], float(np.median(y[x > 0.75 * x[-1]]))
    late = end - float(np.median(y[tail][: max(1, int(tail.sum()) // 4)]))
    if late > _STEP_BYTES and found.high > floor:
        return _drift(found, "inconclusive", why=f"the second half gained {late:.0f} B in steps")
    unsure = found.high * (x[-1] - x[tail][0])
    if found.high > floor and unsure > max(_STEP_BYTES, 0.1 * (end - start)):
        why = f"the second half may have gained {unsure:.0f} B"
        return _drift(found, "inconclusive", why=why)
    if end - start <= _STEP_BYTES:
        return _drift(found, "flat")
    return _plateau(found, x, y, start, end)


def time_drift(calls: Sequence[float], seconds_per_call: Sequence[float]) -> Drift:
    """How the time of a call goes on, relative to what it was at the start, per 1,000 calls.

    The time at the start is that of the fitted line at the first block.

    Slowing when the interval lies above 0.1 % per 1,000 calls and both halves of the series slow;
    flat when a slowing of 1 % per 1,000 calls is excluded; a plateau when the second half is flat
    and takes at least 2 % more than the first quarter does (Mann and Whitney's test, 0.1 %).

    Args:
        calls: how many calls had been made before each block, rising.
        seconds_per_call: of each block, positive.

    Raises:
        ValueError: as for `slope`.
    """
    x, y = _series(calls, seconds_per_call)
    thousands = (x - x[0]) / 1_000
    steepness = slope(thousands.tolist(), y.tolist()).value
    start = float(np.median(y - steepness * thousands))
    relative = y / (start if start > 0 else float(np.median(y)))
    found = slope(thousands.tolist(), relative.tolist())
    half = len(x) // 2
    shift = _shift(relative)
    late = slope(thousands[half:].tolist(), relative[half:].tolist()) if half >= 3 else found
    if shift > _STEP_SHARE and late.low <= 0 and late.high <= FLAT_PER_KCALL:
        return _plateau(late, x, relative, 1.0, 1.0 + shift)
    if found.low > SLOWING_FLOOR_PER_KCALL:
        if half >= 3 and late.high <= 0:
            return _drift(found, "inconclusive", why="the second half does not slow")
        return _drift(found, "slowing")
    if found.high <= FLAT_PER_KCALL:
        return _drift(found, "flat")
    return _drift(found, "inconclusive", why="more calls would narrow the interval")


def slope(x: Sequence[float], y: Sequence[float], confidence: float = 0.99) -> Slope:
    """The slope of y against x: the median of the slopes between all pairs of points.

    The Theil–Sen estimator stands up to 29 % of wild points (collector cycles, a scheduler's
    pauses), where least squares gives way to one. Its interval is Sen's: the pairwise slopes at
    the ranks that Kendall's statistic allows. The variance of that statistic is corrected for
    points that depend on their neighbours, as readings of a wandering heap or of a machine with
    slow spells do, after Hamed and Rao: autocorrelations of the ranks of the detrended points
    count up to the first that is not significant; they only ever widen the interval.
    Series longer than 1,000 points are first replaced by medians of consecutive points.

    H. Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950;
    P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968;
    K. H. Hamed and A. R. Rao, "A modified Mann-Kendall trend test for autocorrelated data",
    Journal of Hydrology 204, 1998.

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
    slopes = _pairwise_slopes(positions, values)
    median = float(np.median(slopes))
    variance = _kendall_variance(positions, values) * _inflation(values - median * positions)
    half_width = float(-scipy.special.ndtri((1 - confidence) / 2)) * np.sqrt(variance)
    lower = max(0, round((len(slopes) - half_width) / 2) - 1)
    upper = min(len(slopes) - 1, round((len(slopes) + half_width) / 2))
    return Slope(value=median, low=float(slopes[lower]), high=float(slopes[upper]))


def _drift(found: Slope, kind: DriftClass, why: str = "") -> Drift:
    return Drift(value=found.value, low=found.low, high=found.high, kind=kind, why=why)


def _plateau(found: Slope, x: Floats, y: Floats, start: float, end: float) -> Drift:
    """What stopped growing: reached at the first point from which 99 % of the growth is there."""
    there = y >= end - 0.01 * (end - start)
    return Drift(
        value=found.value,
        low=found.low,
        high=found.high,
        kind="plateau",
        grown=end - start,
        settled_at=float(x[int(np.argmax(there))]),
    )


def _doubt(x: Floats, y: Floats, value: float) -> str:
    """Why growth of that slope in the second half may still be none that goes on; "" if it does."""
    tail = x > x[-1] / 2
    quarters = np.array_split(np.flatnonzero(tail), 4)
    middles = np.array([x[part].mean() for part in quarters])
    levels = np.array([np.median(y[part]) for part in quarters])
    if (np.diff(levels) < 0.25 * value * np.diff(middles)).any():
        return "it grows in steps"
    quarter, half, three, whole = (_level(x, y, share) for share in (0.25, 0.5, 0.75, 1.0))
    if whole - three < (half - quarter) / 2:
        return "its growth is falling"
    return ""


def _level(x: Floats, y: Floats, share: float) -> float:
    """The level at that share of all calls."""
    return float(np.interp(share * x[-1], x, y))


def _shift(relative: Floats) -> float:
    """By how much the second half lies above the first quarter; 0 unless that is significant."""
    early, late = relative[: len(relative) // 4], relative[len(relative) // 2 :]
    if len(early) < 5:
        return 0.0
    shift = float(np.median(late) / np.median(early)) - 1
    return shift if _p_greater(late, early) < 1e-3 else 0.0


def _p_greater(some: Floats, others: Floats) -> float:
    """Of Mann and Whitney's test, by its normal approximation, that `some` are not greater.

    scipy.stats has it too, and takes half a second to import, at every start of graphgauge.
    """
    size, rest = len(some), len(others)
    ranks = _ranks(np.concatenate([some, others]))
    above = float(ranks[:size].sum()) - size * (size + 1) / 2
    deviation = math.sqrt(size * rest * (size + rest + 1) / 12)
    return float(scipy.special.ndtr((size * rest / 2 - above) / deviation))


def _ranks(values: Floats) -> Floats:
    """From 1 on; what is equal shares the mean of its ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[places]


def _series(x: Sequence[float], y: Sequence[float]) -> tuple[Floats, Floats]:
    positions = np.asarray(x, dtype=np.float64)
    values = np.asarray(y, dtype=np.float64)
    _check(positions, values, 0.5)
    if (np.diff(positions) < 0).any():
        message = "calls fall from one point to the next; give them in order"
        raise ValueError(message)
    return positions, values


def _check(x: Floats, y: Floats, confidence: float) -> None:
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


def _pairwise_slopes(x: Floats, y: Floats) -> Floats:
    """The slopes of all pairs of points with different positions, rising; x is sorted."""
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    apart = run > 0
    return np.sort((y[second] - y[first])[apart] / run[apart])


def _kendall_variance(x: Floats, y: Floats) -> float:
    """The variance of Kendall's S without a trend, ties within x and within y taken off."""

    def term(counts: NDArray[np.int64]) -> float:
        return float((counts * (counts - 1) * (2 * counts + 5)).sum())

    ties = sum(term(np.unique(each, return_counts=True)[1]) for each in (x, y))
    return max(0.0, term(np.array([len(x)])) - ties) / 18


def _inflation(residuals: Floats) -> float:
    """How much the dependence between neighbours raises the variance of Kendall's S; at least 1."""
    size = len(residuals)
    ranks = _ranks(residuals)
    ranks -= ranks.mean()
    total = float(ranks @ ranks)
    if total == 0.0:
        return 1.0
    bound = float(-scipy.special.ndtri(0.025)) / np.sqrt(size)
    added = 0.0
    for lag in range(1, size - 2):
        correlation = float(ranks[:-lag] @ ranks[lag:]) / total
        if correlation <= bound:
            break
        added += (size - lag) * (size - lag - 1) * (size - lag - 2) * correlation
    return 1 + 2 * added / (size * (size - 1) * (size - 2))


def _thinned(series: Floats) -> Floats:
    """At most _MAX_POINTS medians of consecutive points, as evenly many in each as can be."""
    if len(series) <= _MAX_POINTS:
        return series
    return np.array([np.median(part) for part in np.array_split(series, _MAX_POINTS)])
