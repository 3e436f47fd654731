"""Where launches lie: steadier than the median, in noise of any shape, and weighed by size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st

from results.curves import Floats
from results.locations import located

_SIZES = 6


def _normal(rng: np.random.Generator) -> Floats:
    return 0.05 * rng.standard_normal((_SIZES, 5))


def _one_sided(rng: np.random.Generator) -> Floats:
    return 0.2 * rng.exponential(size=(_SIZES, 5))


def _in_spells(rng: np.random.Generator) -> Floats:
    """One launch in ten takes up to three times as long."""
    return _normal(rng) + np.where(rng.random((_SIZES, 5)) < 0.1, rng.random((_SIZES, 5)), 0.0)


def _scatter(
    draw: Callable[[np.random.Generator], Floats], sums_up: Callable[[Floats], Floats]
) -> float:
    """Of what launches are summed up to, about what all sizes have in common."""
    rng = np.random.default_rng(7)
    found = [sums_up(draw(rng)) for _ in range(300)]
    return float(np.mean([np.var(each) for each in found]))


def _located(launches: Floats) -> Floats:
    return located(list(launches)).logs


def _medians(launches: Floats) -> Floats:
    return np.asarray(np.median(launches, axis=1))


def _averages(launches: Floats) -> Floats:
    return np.asarray(launches.mean(axis=1))


@pytest.mark.parametrize(("draw", "share"), [(_normal, 0.9), (_one_sided, 0.75)])
def test_locations_scatter_less_than_medians(
    draw: Callable[[np.random.Generator], Floats], share: float
) -> None:
    """Variances are at most that share of the medians'."""
    assert _scatter(draw, _located) < share * _scatter(draw, _medians)


def test_slow_spells_do_not_move_locations_as_they_move_averages() -> None:
    """Nor more than they move medians, by a tenth."""
    of_locations = _scatter(_in_spells, _located)

    assert of_locations < 0.3 * _scatter(_in_spells, _averages)
    assert of_locations < 1.1 * _scatter(_in_spells, _medians)


def test_a_size_whose_launches_were_mostly_slowed_is_trusted_less() -> None:
    """Its lowest launch lies far below its middle one."""
    quiet = [np.array([0.0, 0.01, 0.02, 0.03, 0.04]) + size for size in range(_SIZES - 1)]

    found = located([*quiet, np.array([5.0, 5.7, 5.72, 5.73, 5.74])])

    assert found.variances[-1] > 10 * found.variances[0]
    assert found.variances[:-1] == pytest.approx(found.variances[0])


def test_single_launches_say_nothing_of_noise() -> None:
    """They are where they are, without degrees of freedom."""
    found = located([np.array([1.0]), np.array([2.0])])

    assert (found.logs.tolist(), found.variances.tolist(), found.degrees) == ([1, 2], [0, 0], 0)


def test_a_size_of_one_launch_has_the_noise_of_the_others() -> None:
    """Five times that of the mean of five, and what medians lose beside."""
    launches = np.array([-0.2, -0.1, 0.0, 0.1, 0.2])

    found = located([launches, launches + 1, np.array([2.0])])

    assert found.logs[-1] == 2
    assert found.degrees == 8
    assert found.variances[-1] > 2 * found.variances[0]


@given(st.integers(0, 1_000), st.floats(-20, 20))
def test_units_and_the_order_of_launches_do_not_matter(seed: int, shift: float) -> None:
    """Locations shift with the logs; variances stay."""
    rng = np.random.default_rng(seed)
    launches = _one_sided(rng)
    expected = located(list(launches))

    found = located([rng.permutation(each) + shift for each in launches])

    assert found.logs == pytest.approx(expected.logs + shift, abs=1e-9)
    assert found.variances == pytest.approx(expected.variances, rel=1e-6)
