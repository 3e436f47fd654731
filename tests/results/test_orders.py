"""Orders of growth: planted ones are found, with intervals that hold them, in noise of machines."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, strategies as st

from results.orders import Fit, profile

_POWERS = (10, 30, 100, 300, 1_000, 3_000)
_PLANTED: dict[str, tuple[Callable[[float], float], Sequence[int]]] = {
    "constant": (lambda _n: 2e-3, _POWERS),
    "logarithmic": (lambda n: 2e-4 + 3e-4 * math.log(n), _POWERS),
    "linear": (lambda n: 2e-4 + 1e-5 * n, _POWERS),
    "n log n": (lambda n: 2e-4 + 1e-5 * n * math.log(n), _POWERS),
    "quadratic": (lambda n: 2e-4 + 1e-6 * n**2, _POWERS),
    "cubic": (lambda n: 2e-4 + 1e-8 * n**3, _POWERS),
    "exponential": (lambda n: 2e-4 + 1e-6 * 1.9**n, (5, 10, 15, 20, 25, 30)),
}
_RUNS = 100


def _noisy(cost: float, rng: np.random.Generator, noise: float) -> list[float]:
    """Five launches: a spread of logs, and one in ten in a slow spell of up to twice the time."""
    spells = np.where(rng.random(5) < 0.1, 1 + rng.random(5), 1.0)
    return [float(each) for each in cost * np.exp(noise * rng.standard_normal(5)) * spells]


def _planted(order: str, seed: int, noise: float) -> Fit:
    cost, sizes = _PLANTED[order]
    rng = np.random.default_rng(seed)
    return profile(sizes, [_noisy(cost(n), rng, noise) for n in sizes]).fit()


@pytest.mark.parametrize("noise", [0.03, 0.1])
@pytest.mark.parametrize("order", list(_PLANTED))
def test_planted_orders_are_found_in_95_of_100_noisy_runs(order: str, noise: float) -> None:
    """With launches that differ by 3 or 10 %, and slow spells."""
    found = Counter(_planted(order, seed, noise).order for seed in range(_RUNS))

    assert found[order] >= 95, found


@pytest.mark.parametrize(("order", "exponent"), [("linear", 1.0), ("quadratic", 2.0)])
def test_intervals_hold_the_planted_exponent(order: str, exponent: float) -> None:
    """An interval at 99 % misses it in at most 5 of 100 runs, slow spells and all."""
    fits = [_planted(order, seed, 0.05) for seed in range(_RUNS)]

    assert sum(fit.low <= exponent <= fit.high for fit in fits) >= 95
    assert np.median([fit.high - fit.low for fit in fits]) < 0.15


def test_intervals_hold_the_planted_base() -> None:
    """Of exponential growth."""
    fits = [fit for seed in range(_RUNS) if (fit := _planted("exponential", seed, 0.05)).base]

    assert sum(fit.low <= 1.9 <= fit.high for fit in fits) >= 95
    assert all(fit.exponent is None for fit in fits)


def test_few_fits_of_planted_orders_are_called_poor() -> None:
    """Noise is no lack of fit, but for a run in which most launches met a slow spell."""
    poor = sum(_planted(order, seed, 0.05).is_poor for order in _PLANTED for seed in range(_RUNS))

    assert poor <= 0.05 * _RUNS * len(_PLANTED)


def test_a_fixed_cost_takes_nothing_from_the_exponent() -> None:
    """1 s + 1 ms · n is linear from 10 to 10,000, though the first sizes are nearly equal."""
    sizes = (10, 100, 1_000, 3_000, 10_000)

    fit = profile(sizes, [[1 + 1e-3 * n] * 3 for n in sizes]).fit()

    assert (fit.order, fit.is_poor) == ("linear", False)
    assert fit.exponent == pytest.approx(1.0, abs=0.02)
    assert fit.factor == pytest.approx(11 / 1.01, rel=0.01)


def test_growth_by_less_than_a_quarter_is_constant() -> None:
    """However exactly it is seen."""
    sizes = (10, 20, 30, 40)

    fit = profile(sizes, [[1 + 0.005 * n] * 3 for n in sizes]).fit()

    assert (fit.order, fit.exponent, fit.factor) == ("constant", 0.0, 1.0)


def test_an_exponent_between_the_orders_is_a_power() -> None:
    """n to the 1.5 is neither n log n nor quadratic where noise is small."""
    sizes = (10, 30, 100, 300, 1_000, 3_000)

    fit = profile(sizes, [[1e-6 * n**1.5] * 3 for n in sizes]).fit()

    assert fit.order == "power"
    assert fit.exponent == pytest.approx(1.5, abs=0.01)


def test_what_follows_no_curve_is_a_poor_fit() -> None:
    """A step in the middle of the sizes, seen in every launch."""
    sizes = (10, 20, 40, 80, 160, 320)
    costs = (1.0, 1.0, 1.0, 30.0, 31.0, 30.0)

    fit = profile(sizes, [[cost, cost * 1.01, cost * 0.99] for cost in costs]).fit()

    assert fit.is_poor
    assert fit.residual > 0.3


def test_a_cost_that_falls_is_constant_and_poor() -> None:
    """No curve here falls."""
    sizes = (10, 20, 40, 80)

    fit = profile(sizes, [[1 / n, 1.01 / n] for n in sizes]).fit()

    assert fit.order == "constant"
    assert fit.is_poor


def test_a_stricter_level_gives_a_wider_interval() -> None:
    """And one launch a size gives a wider one than three."""
    cost, sizes = _PLANTED["quadratic"]
    rng = np.random.default_rng(3)
    values = [_noisy(cost(n), rng, 0.05) for n in sizes]
    many, single = profile(sizes, values), profile(sizes, [each[:1] for each in values])

    widths = [fit.high - fit.low for fit in (many.fit(0.05), many.fit(1e-4), single.fit(0.05))]

    assert widths[0] < widths[1]
    assert widths[0] < widths[2]


@given(
    st.floats(1e-9, 1e9),
    st.permutations(list(range(6))),
    st.sampled_from(["linear", "quadratic", "exponential"]),
)
def test_units_and_order_of_sizes_do_not_matter(
    unit: float, shuffled: list[int], order: str
) -> None:
    """Seconds or nanoseconds, ascending or not: the same fit."""
    cost, sizes = _PLANTED[order]
    rng = np.random.default_rng(1)
    values = [_noisy(cost(n), rng, 0.03) for n in sizes]
    expected = profile(sizes, values).fit()

    fit = profile(
        [sizes[i] for i in shuffled], [[unit * each for each in values[i]] for i in shuffled]
    ).fit()

    assert fit.order == expected.order
    assert fit.low == pytest.approx(expected.low, rel=1e-6)
    assert fit.high == pytest.approx(expected.high, rel=1e-6)


@pytest.mark.parametrize(
    ("sizes", "values"),
    [
        ((1, 2, 3), [[1.0]] * 3),
        ((1, 2, 3, 3), [[1.0]] * 4),
        ((0, 1, 2, 3), [[1.0]] * 4),
        ((1, 2, 3, 4), [[1.0], [0.0], [1.0], [1.0]]),
        ((1, 2, 3, 4), [[1.0], [], [1.0], [1.0]]),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_has_no_order_is_refused(sizes: Sequence[int], values: list[list[float]]) -> None:
    """Too few sizes, and numbers that have no log."""
    with pytest.raises(ValueError, match="order"):
        profile(sizes, values)
