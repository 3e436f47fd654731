"""Whether a launch settles: its series of blocks cut where its level changes, and classed.

E. Barrett, C. F. Bolz-Tereick, R. Killick, S. Mount and L. Tratt, "Virtual machine warmup blows hot
and cold", OOPSLA 2017, class the executions of a process by the segments of its series; so does
this. Two things differ, because our blocks are milliseconds on a machine that others use too:

*   Noise here wanders. Change points are sought in the series less what each block foretells of
    the next, its correlation being told from the sizes of differences, which level changes hardly
    move (S. Chakar, E. Lebarbier, C. Lévy-Leduc and S. Robin, "A robust approach for
    estimating change-points in the mean of an AR(1) process", Bernoulli 23, 2017), and outliers are
    drawn in beforehand, so that a pause is no change of level.
*   A change of level counts if it is beyond chance and larger than RELEVANT.

The cut is the one with the least sum of squares plus a penalty for each segment, found exactly by
dynamic programming (B. Jackson et al., "An algorithm for optimal partitioning of data on an
interval", IEEE Signal Processing Letters 12, 2005).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from results.statistics import Floats

SteadyKind = Literal["flat", "warm-up", "slowdown", "no steady state"]

STEADY_KINDS: Final[tuple[SteadyKind, ...]] = ("flat", "warm-up", "slowdown", "no steady state")

RELEVANT: Final = 0.01
"""Levels nearer to each other than this are one level."""

LEAST_BLOCKS: Final = 20
"""Shorter series cannot be told from noise and are taken as flat."""

_LEAST_SEGMENT: Final = 5
_LEAST_STEADY_SHARE: Final = 0.25
"""Of the launch: one that settles later than this before its end has not settled."""

_INTERRUPTION_SHARE: Final = 0.25
"""Of what follows the first block at the final level: other levels may take up as much of it."""

_PENALTY: Final = 5.0
"""Variances of the noise, times the log of the number of blocks, that a segment must explain."""

_OUTLYING: Final = 3.0
"""Standard deviations of the noise, from the blocks around it, that a block is drawn in to."""

_NEIGHBOURHOOD: Final = 9
_MOST_CORRELATION: Final = 0.7
"""What is told from a hundred blocks errs by some 0.2; more would hide every change of level."""
_MOST_BLOCKS: Final = 400
_MAD_TO_SD: Final = 1.4826
"""Of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """How the series of a launch's blocks runs, and the part of it to estimate from.

    Attributes:
        kind: flat: one level throughout, but for interruptions; warm-up: slower levels first;
            slowdown: a faster level first; no steady state: the last level is not yet, or not for
            long enough, held.
        start: the first block of the steady part; 0 without one.
        stop: one past the last.
    """

    kind: SteadyKind
    start: int
    stop: int


def classify(seconds_per_call: Sequence[float]) -> Steady:
    """Class one launch by its blocks.

    Args:
        seconds_per_call: of each block, in the order they were run in, all positive. Series
            longer than 400 blocks are first replaced by medians of consecutive blocks.

    Raises:
        ValueError: for a value that is not positive and finite.
    """
    values = np.asarray(seconds_per_call, dtype=np.float64)
    if not (np.isfinite(values).all() and (values > 0).all()):
        message = "a block's time is not a positive number of seconds; leave such blocks out"
        raise ValueError(message)
    count = len(values)
    if count < LEAST_BLOCKS:
        return Steady(kind="flat", start=0, stop=count)
    blocks_of = _parts(count)
    logs = np.log(values)
    if len(blocks_of) < count:
        logs = np.array([np.median(logs[part]) for part in blocks_of])
    ends = change_points(logs)
    bounds = list(zip([0, *ends[:-1]], ends, strict=True))
    levels = np.array([np.median(logs[start:stop]) for start, stop in bounds])
    kind, first = _class(levels, [stop - start for start, stop in bounds])
    start = 0 if kind in {"flat", "no steady state"} else int(blocks_of[bounds[first][0]][0])
    return Steady(kind=kind, start=start, stop=count)


def change_points(logs: Floats) -> list[int]:
    """Where the level of a series changes: the end of each segment, the last being its length.

    Args:
        logs: of the blocks' times; at least 3.
    """
    correlation = _correlation(logs)
    noise_sd = _robust_sd(np.diff(logs)) / math.sqrt(2 * (1 - correlation))
    if noise_sd == 0:
        noise_sd = max(float(np.std(logs)) * 1e-3, 1e-12)
    tamed = _drawn_in(logs, _OUTLYING * noise_sd)
    innovations = (tamed[1:] - correlation * tamed[:-1]) / (1 - correlation)
    innovation_sd = noise_sd * math.sqrt((1 + correlation) / (1 - correlation))
    penalty = _PENALTY * innovation_sd**2 * math.log(len(logs))
    return [end + 1 for end in segmented(innovations, penalty, _LEAST_SEGMENT)]


def segmented(values: Floats, penalty: float, least: int) -> list[int]:
    """The ends of the segments that minimise squares around their means, plus `penalty` for each.

    Args:
        values: the series.
        penalty: for each segment, in the square of the values' unit.
        least: values in a segment, at least 1; a series shorter than twice this is one segment.
    """
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values - values.mean())])
    squares = np.concatenate([[0.0], np.cumsum((values - values.mean()) ** 2)])
    best = np.full(count + 1, np.inf)
    best[0] = -penalty
    start_of = np.zeros(count + 1, dtype=np.int64)
    for end in range(least, count + 1):
        starts = np.arange(end - least + 1)
        within = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        costs = best[starts] + within + penalty
        start_of[end] = np.argmin(costs)
        best[end] = costs[start_of[end]]
    ends = [count]
    while start_of[ends[-1]] > 0:
        ends.append(int(start_of[ends[-1]]))
    return ends[::-1]


def _class(levels: Floats, lengths: Sequence[int]) -> tuple[SteadyKind, int]:
    """The kind, and the segment at which the steady part begins."""
    is_final = np.abs(levels - levels[-1]) <= math.log1p(RELEVANT)
    sizes = np.asarray(lengths, dtype=np.float64)
    settled = next(
        i
        for i in range(len(levels))
        if is_final[i]
        and sizes[i:][is_final[i:]].sum() >= (1 - _INTERRUPTION_SHARE) * sizes[i:].sum()
    )
    if sizes[settled:].sum() < _LEAST_STEADY_SHARE * sizes.sum():
        return "no steady state", settled
    if settled == 0:
        return "flat", settled
    was_faster = (levels[:settled] < levels[-1] - math.log1p(RELEVANT)).any()
    return ("slowdown" if was_faster else "warm-up"), settled


def _correlation(logs: Floats) -> float:
    """Of neighbouring blocks, from the sizes of differences at distance 1 and 2.

    One standard error is added, for correlation that is taken for less than it is makes wandering
    look like levels.
    """
    near, far = _robust_sd(np.diff(logs)), _robust_sd(logs[2:] - logs[:-2])
    if near == 0:
        return 0.0
    found = (far / near) ** 2 - 1 + 1 / math.sqrt(len(logs))
    return float(np.clip(found, 0.0, _MOST_CORRELATION))


def _robust_sd(differences: Floats) -> float:
    """The standard deviation of differences, which lie around 0.

    Their median size tells which are outliers; those count as three times as large. The median
    alone would err by twice as much.
    """
    reach = _OUTLYING * _MAD_TO_SD * float(np.median(np.abs(differences)))
    return float(np.sqrt(np.mean(np.clip(differences, -reach, reach) ** 2)))


def _drawn_in(logs: Floats, reach: float) -> Floats:
    """The series with every block drawn in to within `reach` of the median of those around it."""
    half = _NEIGHBOURHOOD // 2
    padded = np.pad(logs, half, mode="reflect")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURHOOD), axis=1)
    drawn: Floats = np.clip(logs, around - reach, around + reach)
    return drawn


def _parts(count: int) -> list[NDArray[np.int64]]:
    """The blocks that each point of the series to segment stands for."""
    return list(np.array_split(np.arange(count), min(count, _MOST_BLOCKS)))
