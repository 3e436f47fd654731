"""Where the launches of each size lie, and how far to trust that, in the noise of machines.

    located([logs of a size's launches, …]) -> Located(logs=…, variances=…, degrees=…)

A machine slows launches down; it seldom speeds one up. So the mean of the middle, of the lower part
or of all launches may be what scatters least, and which it is depends on the machine and the hour.
It is chosen by drawing launches again from all sizes' deviations, as L. A. Jaeckel ("Some flexible
estimates of location", Annals of Mathematical Statistics 42, 1971) chooses how much to trim, with
the bootstrap of C. Léger and J. P. Romano ("Bootstrap adaptive estimation: the trimmed-mean
example", Canadian Journal of Statistics 18, 1990).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from results.curves import Floats

_PARTS: Final = ((0.5 - 1e-6, 0.5 + 1e-6), (0.25, 0.75), (0.0, 0.5), (0.0, 1.0))
"""Parts of the launches in ascending order whose mean may be taken; the first is the median."""
_DRAWN: Final = 300
"""Sets of launches that are drawn to choose among them."""
_MOST_LAUNCHES: Final = 15
"""Of a set that is drawn."""
_OWN: Final = 0.25
"""What a size's own scatter weighs, beside that of all sizes."""
_TO_DEVIATION: Final = 1.4826
"""From a median of absolute deviations to a standard deviation of normal noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The launches of each size, summed up.

    Attributes:
        logs: of each size, where its launches lie.
        variances: of each of those; 0 where no size has two launches.
        degrees: of freedom that launches give to the noise; 0 for single launches.
    """

    logs: Floats
    variances: Floats
    degrees: int


def located(by_size: Sequence[Floats]) -> Located:
    """Sum up the logs of each size's launches, of which each size has at least one."""
    ascending = [np.sort(each) for each in by_size]
    medians = np.array([_middle(each) for each in ascending])
    counts = np.array([len(each) for each in ascending])
    degrees = int(np.sum(counts - 1))
    if not degrees:
        return Located(logs=medians, variances=np.zeros(len(medians)), degrees=0)
    deviations = np.sort(
        np.concatenate(
            [
                # Those within n values are smaller than from the truth, by sqrt((n - 1) / n).
                (each - median) * math.sqrt(len(each) / (len(each) - 1))
                for each, median in zip(ascending, medians.tolist(), strict=True)
                if len(each) > 1
            ]
        )
    )
    part = _steadiest_part(deviations, int(np.median(counts[counts > 1])))
    noise = _TO_DEVIATION * _middle(np.sort(np.abs(deviations)))
    variances = (1 - _OWN) * noise**2 + _OWN * _own_variances(ascending, medians, noise)
    return Located(
        logs=np.array([float(each @ _means(len(each))[:, part]) for each in ascending]),
        variances=variances * np.where(counts > 2, math.pi / 2, 1.0) / counts,
        degrees=degrees,
    )


def _steadiest_part(deviations: Floats, launches: int) -> int:
    """The place in `_PARTS` of the mean that scatters least over drawn sets of launches."""
    launches = min(launches, _MOST_LAUNCHES)
    drawn = deviations[_draws(len(deviations), launches)]
    drawn.sort(axis=1)
    return int(np.argmin((drawn @ _means(launches)).var(axis=0)))


def _own_variances(ascending: Sequence[Floats], medians: Floats, noise: float) -> Floats:
    """By how far the lowest launch of each size lies below the middle one.

    Where that is far, a slow spell has had most launches of the size, and the middle one with them.
    With normal noise it is as far as G. Blom says ("Statistical Estimates and Transformed
    Beta-Variables", 1958). A single launch has no scatter of its own.
    """
    found = []
    for each, median in zip(ascending, medians.tolist(), strict=True):
        expected = -float(special.ndtri((1 - 0.375) / (len(each) + 0.25)))
        below = (median - float(each[0])) / expected if len(each) > 1 else noise
        found.append(below**2)
    return np.array(found)


@lru_cache(maxsize=32)
def _draws(values: int, launches: int) -> NDArray[np.int64]:
    """Which of the values each set of launches is made of; always the same ones."""
    return np.random.default_rng(0).integers(0, values, (_DRAWN, launches))


@lru_cache(maxsize=256)
def _means(launches: int) -> Floats:
    """Weights of launches in ascending order, a column for each of `_PARTS`."""
    edges = np.arange(launches + 1) / launches
    columns = []
    for low, high in _PARTS:
        overlaps = np.maximum(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0)
        columns.append(overlaps / overlaps.sum())
    return np.array(columns).T


def _middle(ascending: Floats) -> float:
    """The median, for which numpy's own function takes ten times as long."""
    middle = len(ascending) // 2
    if len(ascending) % 2:
        return float(ascending[middle])
    return float((ascending[middle - 1] + ascending[middle]) / 2)
