"""Where a series changes: contrasts of what is before a place with what is after it.

The largest of many contrasts is large by chance too, so it is held against what the largest of the
very same contrasts reaches where nothing changes, which is simulated.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.scatter import NORMAL_MEDIAN, Noise
from results.statistics import Floats

_SIMULATED_NUMBERS: Final = 100_000_000
_MOST_SIMULATIONS: Final = 100_000
_LEAST_BEYOND: Final = 10
"""Simulations that a bound must leave beyond it to be worth its name."""

_ROUNDING: Final = 1e-12


def _windows(count: int) -> list[tuple[int, int, int]]:
    """(start, place, end) of every contrast: lengths that about double, and what reaches the ends.

    A change is between place - 1 and place.
    """
    found = []
    for place in range(1, count):
        for left in _lengths(place):
            for right in _lengths(count - place):
                found.append((place - left, place, place + right))  # noqa: PERF401
    return found


def _lengths(most: int) -> list[int]:
    steps = [1, 2, 3, 4]
    while steps[-1] < most:
        steps += [steps[-1] * 3 // 2, steps[-1] * 2]
    return sorted({each for each in steps if each <= most} | {most})


def _contrasts(
    windows: Sequence[tuple[int, int, int]], weights: Sequence[float]
) -> NDArray[np.float64]:
    """A column for each window: the mean after less the mean before, over its own deviation."""
    matrix = np.zeros((len(weights), len(windows)))
    for column, (start, place, end) in enumerate(windows):
        matrix[start:place, column] = -1 / (place - start)
        matrix[place:end, column] = 1 / (end - place)
    scaled: Floats = matrix / np.sqrt(np.asarray(weights) @ matrix**2)
    return scaled


@cache
def _scan(
    weights: tuple[float, ...],
) -> tuple[list[tuple[int, int, int]], NDArray[np.float64]]:
    """All windows and their contrasts; most series of a table share them."""
    windows = _windows(len(weights))
    return windows, _contrasts(windows, weights)


@cache
def bound_of(weights: tuple[float, ...], degrees: int | None, level: float) -> float:
    """What the largest contrast exceeds with probability `level` where nothing changes.

    Simulated with a fixed seed; at least as strict as ten simulations beyond it can tell.
    """
    count = len(weights)
    _, matrix = _scan(weights)
    runs = int(np.clip(_SIMULATED_NUMBERS / matrix.size, 2_000, _MOST_SIMULATIONS))
    rng = np.random.default_rng(20_261_122)
    largest = np.empty(runs)
    chunk = max(1, 4_000_000 // matrix.shape[1])
    for start in range(0, runs, chunk):
        size = min(chunk, runs - start)
        means = rng.standard_normal((size, count)) * np.sqrt(weights)
        if degrees is None:
            scale = np.median(np.abs(np.diff(means, axis=1)), axis=1) / NORMAL_MEDIAN
        else:
            scale = np.sqrt(rng.chisquare(degrees, size) / degrees)
        largest[start : start + size] = np.abs(means @ matrix).max(axis=1) / scale
    return float(np.quantile(largest, 1 - max(level, _LEAST_BEYOND / runs)))


def places_of(means: Floats, noise: Noise, bound: float) -> list[int]:
    """Where the means change: the largest contrast beyond the bound, then within both sides of it.

    A window that reaches over a change found before tells nothing new. At the end each change is
    moved to where it parts its neighbours best, and dropped if they no longer differ.
    """
    windows, matrix = _scan(noise.weights)
    sizes = np.abs(means @ matrix)
    beyond = sizes > bound * noise.scale + _ROUNDING * float(np.abs(means).max())
    candidates = sorted(np.flatnonzero(beyond).tolist(), key=lambda at: -sizes[at])
    found: list[int] = []
    for at in candidates:
        start, place, end = windows[at]
        if not any(start < other < end for other in found):
            found.append(place)
    return _settled(sorted(found), means, noise, bound)


def _settled(places: list[int], means: Floats, noise: Noise, bound: float) -> list[int]:
    while places:
        for number in range(len(places)):
            edges = [0, *places, len(means)]
            start, end = edges[number], edges[number + 2]
            places[number] = max(
                range(start + 1, end), key=lambda at: _size(means, noise, (start, at, end))
            )
        edges = [0, *places, len(means)]
        sizes = [
            _size(means, noise, (edges[number], place, edges[number + 2]))
            for number, place in enumerate(places)
        ]
        weakest = int(np.argmin(sizes))
        if sizes[weakest] > bound * noise.scale + _ROUNDING * float(np.abs(means).max()):
            return places
        del places[weakest]
    return places


def _size(means: Floats, noise: Noise, window: tuple[int, int, int]) -> float:
    return abs(float((means @ _contrasts([window], noise.weights))[0]))


def deviation(weights: Sequence[float], window: tuple[int, int, int]) -> float:
    """The standard deviation of a window's difference, in units of the noise's scale."""
    start, place, end = window
    before, after = np.asarray(weights[start:place]), np.asarray(weights[place:end])
    return float(np.sqrt(before.sum() / len(before) ** 2 + after.sum() / len(after) ** 2))
