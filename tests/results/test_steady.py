"""Launches classed by how their blocks run."""

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from results.steady import LEAST_BLOCKS, classify, segmented

Floats = NDArray[np.float64]
BLOCKS = 100


def wandering(
    rng: np.random.Generator, correlation: float, sd: float, blocks: int = BLOCKS
) -> Floats:
    """Logs of blocks that remember their predecessor, 5 % of them struck by pauses."""
    found = np.empty(blocks)
    found[0] = rng.normal(0, sd)
    innovations = rng.normal(0, sd * math.sqrt(1 - correlation**2), blocks)
    for i in range(1, blocks):
        found[i] = correlation * found[i - 1] + innovations[i]
    return found + (rng.random(blocks) < 0.05) * rng.exponential(0.3, blocks)


def kinds(
    shape: Floats, *, correlation: float = 0.3, sd: float = 0.005, launches: int = 60
) -> "Counter[str]":
    """How launches of this shape are classed."""
    rng = np.random.default_rng(1)
    series = (shape + wandering(rng, correlation, sd, len(shape)) for _ in range(launches))
    return Counter(classify(np.exp(logs).tolist()).kind for logs in series)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("sd", [0.005, 0.03])
@pytest.mark.parametrize("blocks", [24, 100])
def test_launches_without_a_change_are_flat(correlation: float, sd: float, blocks: int) -> None:
    """At least 98 % of them, with pauses and with noise that wanders."""
    found = kinds(np.zeros(blocks), correlation=correlation, sd=sd, launches=200)

    assert found["flat"] >= 0.98 * 200


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (np.where(np.arange(BLOCKS) < 20, 0.05, 0.0), "warm-up"),
        (np.where(np.arange(BLOCKS) < 50, 0.0, 0.05), "slowdown"),
        (np.where(np.arange(BLOCKS) < 85, 0.0, 0.05), "no steady state"),
        (np.where((np.arange(BLOCKS) >= 40) & (np.arange(BLOCKS) < 55), 0.1, 0.0), "flat"),
    ],
)
def test_changes_of_level_are_classed(shape: Floats, expected: str) -> None:
    """Slower first, faster first, changed at the end, and a mere interruption."""
    assert kinds(shape)[expected] >= 0.85 * 60


def test_the_steady_part_starts_where_the_level_does() -> None:
    """And reaches to the end."""
    rng = np.random.default_rng(2)
    logs = np.where(np.arange(BLOCKS) < 30, 0.1, 0.0) + rng.normal(0, 0.002, BLOCKS)

    found = classify(np.exp(logs).tolist())

    assert (found.kind, found.start, found.stop) == ("warm-up", 30, BLOCKS)


@pytest.mark.parametrize("blocks", [450, 1_000])
def test_long_series_are_classed_too(blocks: int) -> None:
    """Medians of consecutive blocks stand for them; the start is a block's number."""
    rng = np.random.default_rng(3)
    logs = np.where(np.arange(blocks) < blocks // 3, 0.1, 0.0) + rng.normal(0, 0.005, blocks)

    found = classify(np.exp(logs).tolist())

    assert (found.kind, found.stop) == ("warm-up", blocks)
    assert abs(found.start - blocks // 3) <= 3


@pytest.mark.parametrize("blocks", [0, 1, LEAST_BLOCKS - 1])
def test_short_series_are_taken_as_flat(blocks: int) -> None:
    """There is nothing to tell a level from."""
    found = classify([1.0 + i for i in range(blocks)])

    assert (found.kind, found.start, found.stop) == ("flat", 0, blocks)


def test_a_series_that_never_varies_is_flat() -> None:
    """Without noise there is no scale, and no change."""
    assert classify([1e-3] * 50).kind == "flat"


def test_a_step_without_noise_is_found() -> None:
    """A perfectly quiet clock does no harm."""
    found = classify([1.1e-3] * 30 + [1e-3] * 70)

    assert (found.kind, found.start) == ("warm-up", 30)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_times_that_are_none_are_refused(value: float) -> None:
    """They have no logs."""
    with pytest.raises(ValueError, match="positive number of seconds"):
        classify([1.0, value])


@settings(max_examples=40)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=9), st.integers(1, 3), st.floats(0.1, 20))
def test_no_other_cut_costs_less(numbers: list[int], least: int, penalty: float) -> None:
    """Against every way to cut the series."""
    values = np.array(numbers, dtype=np.float64)

    def cost(ends: tuple[int, ...]) -> float:
        starts = (0, *ends[:-1])
        squares = sum(
            float(((values[a:b] - values[a:b].mean()) ** 2).sum())
            for a, b in zip(starts, ends, strict=True)
        )
        return squares + penalty * (len(ends) - 1)

    size = len(values)
    cuts = [
        (*inner, size)
        for count in range(size)
        for inner in itertools.combinations(range(1, size), count)
        if min(np.diff((0, *inner, size))) >= least or not inner
    ]

    assert cost(tuple(segmented(values, penalty, least))) == pytest.approx(min(map(cost, cuts)))


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_the_unit_does_not_matter(seed: int) -> None:
    """The same launch in milliseconds is classed alike."""
    rng = np.random.default_rng(seed)
    seconds = np.exp(np.where(np.arange(60) < 20, 0.05, 0.0) + rng.normal(0, 0.01, 60))

    assert classify(seconds.tolist()) == classify((1e3 * seconds).tolist())
