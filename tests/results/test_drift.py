"""Slopes of series."""

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from scipy import stats

from results import drift
from results.drift import class_of, drift_notes, interval_of, memory_drift, slope, time_drift
from results.notes import format_notes


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


def _memory(rate: float, size: int = 60, seed: int = 1) -> tuple[list[float], list[float]]:
    calls = [20.0 * at for at in range(size)]
    noise = np.random.default_rng(seed).integers(0, 3, size) * 16.0
    return calls, [1e6 + rate * at + each for at, each in zip(calls, noise, strict=True)]


@given(st.floats(8, 1e6), st.integers(0, 100))
def test_steady_growth_is_a_leak_of_its_size(rate: float, seed: int) -> None:
    """Allocators' jitter of some bytes does not hide it."""
    found = memory_drift(*_memory(rate, seed=seed))

    assert found.kind == "leak"
    assert found.low <= found.value <= found.high
    assert found.value == pytest.approx(rate, rel=0.05)


@given(st.integers(0, 300))
def test_jitter_is_flat(seed: int) -> None:
    """What goes up and down by some bytes is no growth."""
    assert memory_drift(*_memory(0, seed=seed)).kind == "flat"


@given(st.integers(1, 25), st.floats(1e5, 1e8))
def test_growth_that_stops_is_a_plateau(stop: int, height: float) -> None:
    """Bytes and call are told; the stop lies in the first half."""
    calls = [20.0 * at for at in range(60)]
    levels = [height * min(1.0, at / stop) for at in range(60)]

    found = memory_drift(calls, levels)

    assert found.kind == "plateau"
    assert found.grown == pytest.approx(height)
    assert found.settled_at == pytest.approx(20 * stop, abs=20)


@pytest.mark.parametrize(
    "levels",
    [
        [0.0] * 50 + [1e6] * 10,
        [1e6 * (1 - 0.5 ** (at / 12)) for at in range(60)],
        [1e5 * (at // 20) for at in range(60)],
    ],
    ids=["a late step", "growth that falls", "steps"],
)
def test_what_may_yet_stop_is_inconclusive(levels: list[float]) -> None:
    """Neither a leak nor settled: more calls are needed, and the reason is told."""
    found = memory_drift([20.0 * at for at in range(60)], levels)

    assert found.kind == "inconclusive"
    assert found.why


def test_dependence_between_neighbours_widens_the_interval() -> None:
    """A random walk has no slope; the interval that takes its points as independent misses that."""
    missed = 0
    for seed in range(100):
        walk = np.random.default_rng(seed).normal(0, 1, 60).cumsum()
        found = slope(range(60), walk.tolist(), confidence=0.99)
        plain = stats.theilslopes(walk, np.arange(60), alpha=0.99)
        assert found.high - found.low >= plain.high_slope - plain.low_slope - 1e-9
        missed += not found.low <= 0 <= found.high

    assert missed < 50


def test_a_call_that_slows_is_told_with_its_rate() -> None:
    """1 % per 1,000 calls of the time at the start, through noise and a slow spell."""
    generator = np.random.default_rng(5)
    calls = [100.0 * at for at in range(300)]
    seconds = [1e-4 * (1 + 1e-5 * at) * generator.normal(1, 0.01) for at in calls]
    seconds[100:110] = [2e-4] * 10

    found = time_drift(calls, seconds)

    assert found.kind == "slowing"
    assert found.value == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(("late", "kind"), [(1.0, "flat"), (1.2, "plateau")])
def test_times_that_do_not_slow_are_flat_or_shifted(late: float, kind: str) -> None:
    """A shift at one moment is no slowing."""
    generator = np.random.default_rng(6)
    seconds = [(1.0 if at < 70 else late) * generator.normal(1, 0.005) for at in range(200)]

    assert time_drift([100.0 * at for at in range(200)], seconds).kind == kind


def test_what_a_table_carries_of_a_drift_is_read_back() -> None:
    """Class and interval come back from the notes."""
    notes = drift_notes(memory_drift(*_memory(80)))

    assert class_of(format_notes(notes)) == "leak"
    ends = interval_of(notes)
    assert ends is not None
    assert ends[0] <= 80 <= ends[1]
    assert interval_of({}) is None
    assert class_of("no notes") == ""
