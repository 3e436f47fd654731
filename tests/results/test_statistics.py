"""The statistics, against brute force, against scipy, and in simulations.

The simulations draw thousands of comparisons at once, so that what they assert is many standard
errors away from where it would fail; seeds are fixed.
"""

import itertools
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray
from scipy import stats

from results.statistics import (
    Estimate,
    Moments,
    holm,
    interval,
    moments,
    p_beyond,
    p_within,
    paired,
    ratio_interval,
    smallest_detectable,
    welch,
)

Floats = NDArray[np.float64]
Design = Literal["paired", "unpaired"]

LEVEL = 0.01
TRIALS = 20_000


def of_rows(values: Floats) -> Moments:
    """The moments of each row of a matrix."""
    rows, columns = values.shape
    return moments(values.ravel(), np.repeat(np.arange(rows), columns), rows)


def logs(
    seed: int, launches: int, effect: float, launch_share: float, design: Design
) -> tuple[Floats, Floats]:
    """Logs of launches' values of both versions, TRIALS times.

    Each value is the median of 9 blocks. Variance is split into what the machine does to both
    launches of a pair, what each launch does to itself (its layout), and what each block adds.

    Args:
        seed: of the random numbers.
        launches: per version.
        effect: true log ratio.
        launch_share: of the variance that is between launches, 0 to 1.
        design: whether pairs share the machine's state.
    """
    generator = np.random.default_rng(seed)
    shape = (TRIALS, launches)
    own_sd = 0.02 * np.sqrt(launch_share)
    block_sd = 0.02 * np.sqrt(1 - launch_share)
    machine = generator.normal(0, 0.03, shape)
    sides = []
    for shift in (0.0, effect):
        if design == "unpaired":
            machine = generator.normal(0, 0.03, shape)
        launch = machine + generator.normal(0, own_sd, shape)
        blocks = generator.normal(0, block_sd, (*shape, 9))
        sides.append(shift + launch + np.median(blocks, axis=2))
    return sides[0], sides[1]


def estimated(old: Floats, new: Floats, design: Design) -> Estimate:
    """The estimate of each row."""
    return paired(of_rows(new - old)) if design == "paired" else welch(of_rows(old), of_rows(new))


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12))
def test_moments_are_those_of_numpy(values: list[float]) -> None:
    """Mean and variance of interleaved groups, empty and single ones included."""
    groups = np.array([i % 2 for i in range(len(values))], dtype=np.int64)

    found = moments(np.array(values), groups, 3)

    assert found.count.tolist() == [len(values[0::2]), len(values[1::2]), 0]
    assert found.mean[:2] == pytest.approx([np.mean(values[i::2]) for i in (0, 1)], abs=1e-6)
    expected = [np.var(values[i::2], ddof=1) if len(values[i::2]) > 1 else np.nan for i in (0, 1)]
    assert found.variance[:2] == pytest.approx(expected, rel=1e-6, abs=1e-6, nan_ok=True)
    assert np.isnan(found.mean[2])


@pytest.mark.parametrize("size", [2, 3, 7, 40])
def test_intervals_and_p_values_are_those_of_scipy(size: int) -> None:
    """Against zero, without a band, both tests are the textbook's."""
    generator = np.random.default_rng(size)
    old, new = generator.normal(0, 1, (1, size)), generator.normal(0.5, 3, (1, size + 2))
    textbook = stats.ttest_ind(new[0], old[0], equal_var=False)
    pairs = stats.ttest_rel(new[0, :size], old[0])

    unpaired_estimate = welch(of_rows(old), of_rows(new))
    paired_estimate = paired(of_rows(new[:, :size] - old))

    for estimate, expected in ((unpaired_estimate, textbook), (paired_estimate, pairs)):
        assert p_beyond(estimate, 0.0)[0] == pytest.approx(expected.pvalue)
        ends = expected.confidence_interval(1 - LEVEL)
        assert np.array(interval(estimate, LEVEL))[:, 0] == pytest.approx([ends.low, ends.high])


@settings(max_examples=50)
@given(
    st.floats(-1, 1), st.floats(1e-6, 1), st.floats(1, 50), st.floats(0, 0.5), st.floats(0.001, 0.2)
)
def test_p_values_agree_with_the_interval(
    value: float, error: float, degrees: float, band: float, level: float
) -> None:
    """Beyond the band exactly where the interval lies beyond it, within where it lies within."""
    estimate = Estimate(
        value=np.array([value]), standard_error=np.array([error]), degrees=np.array([degrees])
    )
    low, high = (float(end[0]) for end in interval(estimate, level))
    nearest = min(abs(abs(low) - band), abs(abs(high) - band))
    if nearest < 1e-9:
        return

    assert (p_beyond(estimate, band)[0] < level) == (low > band or high < -band)
    assert (p_within(estimate, band)[0] < level) == (-band < low and high < band)


@pytest.mark.parametrize("design", ["paired", "unpaired"])
@pytest.mark.parametrize("launch_share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("launches", [5, 12])
def test_intervals_hold_the_truth(design: Design, launch_share: float, launches: int) -> None:
    """99 % intervals miss a true +2 % in 1 % of comparisons, within 0.35 points."""
    old, new = logs(1, launches, 0.02, launch_share, design)

    low, high = interval(estimated(old, new, design), LEVEL)

    assert np.mean((low > 0.02) | (high < 0.02)) == pytest.approx(LEVEL, abs=0.0035)


@pytest.mark.parametrize("design", ["paired", "unpaired"])
@pytest.mark.parametrize("launch_share", [0.0, 0.9])
def test_identical_versions_are_rarely_called_changed(design: Design, launch_share: float) -> None:
    """With a band of 1 % false alarms stay well below the level; at its edge they reach half."""
    for effect, expected in ((0.0, 0.002), (0.01, LEVEL / 2)):
        old, new = logs(2, 12, effect, launch_share, design)
        alarms = np.mean(p_beyond(estimated(old, new, design), 0.01) < LEVEL)
        assert alarms <= expected + 0.002


def test_changes_at_the_edge_are_rarely_called_unchanged() -> None:
    """A true change of the band's own size passes for unchanged at half the level."""
    old, new = logs(3, 40, 0.05, 0.5, "paired")

    assert np.mean(p_within(estimated(old, new, "paired"), 0.05) < LEVEL) <= LEVEL / 2 + 0.002


def test_the_suite_keeps_its_level() -> None:
    """In suites of 20 rows at the band's edge, 5 % asked for, any false alarm comes in 5 %."""
    old, new = logs(4, 6, 0.01, 0.5, "paired")
    suites = p_beyond(estimated(old, new, "paired"), 0.01).reshape(-1, 20)

    alarmed = np.mean([(holm(suite) < 0.05).any() for suite in suites])

    assert alarmed <= 0.05 + 0.015


def test_the_smallest_detectable_change_is_detected() -> None:
    """A true change of that size is found in 95 % of comparisons, within a point."""
    error = 0.01 / np.sqrt(8)
    known = Estimate(value=np.zeros(1), standard_error=np.array([error]), degrees=np.array([7.0]))
    truth = float(smallest_detectable(known, 0.01, LEVEL)[0])
    differences = np.random.default_rng(5).normal(truth, 0.01, (TRIALS, 8))

    found = p_beyond(paired(of_rows(differences)), 0.01) < LEVEL

    assert np.mean(found) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("degrees", [1, 2, 4, 7, 11, 30, 99])
@pytest.mark.parametrize("level", [0.05, 0.01, 0.0001])
def test_the_smallest_detectable_change_follows_the_noncentral_t(
    degrees: int, level: float
) -> None:
    """At that change Student's noncentral t exceeds the critical value with 95 %."""
    estimate = Estimate(
        value=np.zeros(1), standard_error=np.ones(1), degrees=np.array([float(degrees)])
    )

    found = float(smallest_detectable(estimate, 0.0, level)[0])

    critical = stats.t.isf(level / 2, degrees)
    assert stats.nct.sf(critical, degrees, found) == pytest.approx(0.95, abs=0.0005)


def brute_force_holm(p_values: list[float], level: float) -> set[int]:
    """Holm by its definition: step down while the smallest p is at most level / rows left."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    rejected: set[int] = set()
    for step, index in enumerate(order):
        if p_values[index] > level / (len(order) - step):
            break
        rejected.add(index)
    return rejected


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.3))
def test_holm_steps_down(p_values: list[float], level: float) -> None:
    """Adjusted p-values reject what the procedure's own steps reject."""
    adjusted = holm(np.array(p_values, dtype=np.float64))
    if any(abs(p - level) < 1e-12 for p in adjusted):
        return

    assert {i for i, p in enumerate(adjusted) if p <= level} == brute_force_holm(p_values, level)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """The adjusted p of a row is the largest Bonferroni p of any set of rows that holds it."""
    rows = range(len(p_values))
    subsets = [chosen for size in rows for chosen in itertools.combinations(rows, size + 1)]

    for row, adjusted in enumerate(holm(np.array(p_values))):
        worst = max(
            min(1.0, len(chosen) * min(p_values[i] for i in chosen))
            for chosen in subsets
            if row in chosen
        )
        assert adjusted == pytest.approx(worst)


def test_rows_without_a_test_do_not_count() -> None:
    """NaN stays NaN and makes no other row harder."""
    adjusted = holm(np.array([0.004, np.nan, 0.5]))

    assert adjusted == pytest.approx([0.008, np.nan, 0.5], nan_ok=True)


def test_one_launch_gives_no_interval() -> None:
    """Without a variance there is an estimate, and no interval or p-value."""
    one, two = of_rows(np.array([[1.0]])), of_rows(np.array([[1.0, 2.0]]))

    for estimate in (welch(one, two), welch(two, one), paired(one)):
        assert np.isfinite(estimate.value[0])
        assert np.isnan(interval(estimate, LEVEL)).all()
        assert np.isnan(p_beyond(estimate, 0.0)[0])
        assert np.isnan(smallest_detectable(estimate, 0.0, LEVEL)[0])


def test_values_that_never_vary_are_taken_at_their_word() -> None:
    """Without variance a difference beyond the band is certain, and so is one within."""
    old, new = of_rows(np.full((1, 5), 10.0)), of_rows(np.full((1, 5), 12.0))
    estimate = welch(old, new)

    assert p_beyond(estimate, 1.0)[0] == 0
    assert p_within(estimate, 3.0)[0] == 0
    assert p_beyond(estimate, 3.0)[0] == p_within(estimate, 1.0)[0] == 1
    assert p_beyond(welch(old, old), 0.0)[0] == 1


@settings(max_examples=50)
@given(st.integers(0, 10**6), st.booleans())
def test_fieller_agrees_with_the_difference_and_inverts(seed: int, in_pairs: bool) -> None:
    """The ratio's interval excludes 1 where the difference's excludes 0; exchanged, it inverts."""
    generator = np.random.default_rng(seed)
    old, new = generator.normal(10, 1, (1, 4)), generator.normal(11, 1, (1, 4))
    forward = paired(of_rows(new - old)) if in_pairs else welch(of_rows(old), of_rows(new))
    backward = paired(of_rows(old - new)) if in_pairs else welch(of_rows(new), of_rows(old))

    low, high = ratio_interval(of_rows(old), of_rows(new), forward, 0.05)
    inverse_low, inverse_high = ratio_interval(of_rows(new), of_rows(old), backward, 0.05)

    below, above = interval(forward, 0.05)
    if np.isfinite(low[0]):
        assert bool(low[0] > 1 or high[0] < 1) == bool(below[0] > 0 or above[0] < 0)
        assert inverse_low[0] == pytest.approx(1 / high[0])
        assert inverse_high[0] == pytest.approx(1 / low[0])


def test_fieller_holds_the_true_ratio() -> None:
    """95 % intervals of a ratio of two normal means miss it in 5 %, within 0.8 points."""
    generator = np.random.default_rng(8)
    old = of_rows(generator.normal(100, 5, (TRIALS, 8)))
    new = of_rows(generator.normal(120, 5, (TRIALS, 8)))

    low, high = ratio_interval(old, new, welch(old, new), 0.05)

    assert np.mean((low > 1.2) | (high < 1.2)) == pytest.approx(0.05, abs=0.008)


def test_an_uncertain_denominator_gives_no_ratio() -> None:
    """Where the baseline could as well be 0 the ratio's interval is unbounded, and left out."""
    old, new = of_rows(np.array([[0.1, 3.0, 1.0]])), of_rows(np.array([[5.0, 5.1, 5.2]]))

    assert np.isnan(ratio_interval(old, new, welch(old, new), LEVEL)).all()
