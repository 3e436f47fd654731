"""Slopes of series."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy import stats

from results import drift
from results.drift import slope


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.integers(3, 50))
def test_a_line_has_its_slope(rise: float, start: float, size: int) -> None:
    """Without noise the slope and both ends of its interval are the line's."""
    x = np.arange(size)

    found = slope(x.tolist(), (start + rise * x).tolist())

    assert found.value == pytest.approx(rise, abs=1e-9)
    assert found.low == pytest.approx(rise, abs=1e-9)
    assert found.high == pytest.approx(rise, abs=1e-9)


def test_wild_points_are_borne() -> None:
    """A tenth of the points far away, all late, do not make a flat series rise."""
    x = np.arange(200.0)
    y = np.random.default_rng(1).normal(0, 1, 200)
    y[160::2] += 1_000

    found = slope(x.tolist(), y.tolist())

    assert abs(found.value) < 0.02 < np.polyfit(x, y, 1)[0]


def test_the_interval_keeps_its_promise() -> None:
    """Over 400 series of independent noise the 90 % interval holds the slope in 86 to 94 %."""
    generator = np.random.default_rng(2)
    x = np.arange(40.0)
    held = 0
    for _ in range(400):
        found = slope(x.tolist(), (3 * x + generator.standard_t(3, 40)).tolist(), confidence=0.9)
        held += found.low <= 3 <= found.high

    assert 0.86 < held / 400 < 0.94


def test_long_series_are_thinned() -> None:
    """A million points take their slope from a thousand medians."""
    x = np.arange(1_000_000.0)

    found = slope(x.tolist(), (16 * x + np.random.default_rng(3).normal(0, 100, len(x))).tolist())

    assert found.low <= 16 <= found.high
    assert found.value == pytest.approx(16, rel=1e-4)


def test_order_does_not_matter() -> None:
    """Points may come in any order."""
    x, y = [3.0, 1.0, 2.0, 5.0], [9.0, 1.0, 4.0, 25.0]
    pairs = sorted(zip(x, y, strict=True))

    assert slope(x, y) == slope([a for a, _ in pairs], [b for _, b in pairs])


@pytest.mark.parametrize(
    ("x", "y", "confidence", "words"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.99, "at least 3"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], 0.99, "one length"),
        ([1.0, 2.0, float("nan")], [1.0, 2.0, 3.0], 0.99, "not finite"),
        ([4.0, 4.0, 4.0], [1.0, 2.0, 3.0], 0.99, "two different positions"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 99, "share between 0 and 1"),
    ],
)
def test_what_has_no_slope_is_refused(
    x: list[float], y: list[float], confidence: float, words: str
) -> None:
    """The error says what was given and what is needed."""
    with pytest.raises(ValueError, match=words):
        slope(x, y, confidence)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=40, unique=True),
    st.lists(st.floats(-1e3, 1e3), min_size=5, max_size=40, unique=True),
)
def test_the_rank_test_is_scipy_s(some: list[float], others: list[float]) -> None:
    """It gives the p-value of the asymptotic Mann–Whitney test, where nothing is equal."""
    assume(not set(some) & set(others))
    expected = stats.mannwhitneyu(
        some, others, alternative="greater", method="asymptotic", use_continuity=False
    )

    found = drift._p_greater(np.array(some), np.array(others))

    assert found == pytest.approx(float(expected.pvalue))
