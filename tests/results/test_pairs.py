"""The mean over pairs that are not equally sure of themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from scipy import stats

from results.pairs import LEAST_WEIGHED, PairRatio, Weighed, noted_ratio, weighed
from results.sequential import level_at, looks
from results.statistics import Floats, p_beyond

LEVEL = 0.01

SPELLS = np.array([1.0] * 9 + [6.0])
"""One pair in ten meets a spell in which blocks differ six times as much."""


def of_one(values: Floats, errors: Floats) -> Weighed:
    """Pairs of one group."""
    return weighed(values, errors, np.zeros(len(values), dtype=np.int64), 1)


def drawn(count: int) -> tuple[Floats, Floats]:
    """Pairs and their errors, the same whenever they are asked for."""
    rng = np.random.default_rng(3)
    return rng.standard_normal(count), rng.uniform(0.5, 3, count)


def called(share: float, shift: float, *, runs: int = 4_000, most: int = 14) -> list[float]:
    """How often runs call pairs changed over all looks, weighed and plain.

    `share` of a usual pair's variance is the launches' own, of which blocks do not tell; what they
    do tell is known to a quarter.
    """
    rng = np.random.default_rng(7)
    spells = rng.choice(SPELLS, (runs, most))
    noise = np.sqrt(share + (1 - share) * spells**2) * rng.standard_normal((runs, most))
    errors = math.sqrt(1 - share) * spells * np.exp(0.25 * rng.standard_normal((runs, most)))
    values, unknown = noise + shift, np.full(errors.shape, np.nan)
    return [float(_is_called(values, each).mean()) for each in (errors, unknown)]


def _is_called(values: Floats, errors: Floats) -> NDArray[np.bool_]:
    runs, most = values.shape
    found = np.zeros(runs, dtype=bool)
    for count in looks(most):
        runs_of = np.repeat(np.arange(runs), count)
        mean = weighed(values[:, :count].ravel(), errors[:, :count].ravel(), runs_of, runs).estimate
        found |= p_beyond(mean, 0.0) < level_at(count, LEVEL, is_last=count == most)
    return found


@given(st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=9), st.floats(1e-6, 1.0), st.booleans())
def test_equal_errors_are_students_t(values: list[float], error: float, is_known: bool) -> None:
    """The same mean, error and degrees of freedom, as where no error is known."""
    sample = np.array(values)

    found = of_one(sample, np.full(len(sample), error if is_known else math.nan))

    assert found.estimate.value == pytest.approx(sample.mean(), abs=1e-12)
    assert found.estimate.standard_error == pytest.approx(stats.sem(sample), abs=1e-12)
    assert found.estimate.degrees == pytest.approx(len(sample) - 1)


def test_a_pair_of_a_slow_spell_counts_for_little() -> None:
    """Ten pairs at 1 % and one ten times as noisy at 12 %: the mean stays near 1 %."""
    values = 0.01 + 0.001 * np.array([1, -1] * 5 + [110])
    errors = np.array([0.001] * 10 + [0.01])

    found = of_one(values, errors)

    assert found.estimate.value < 0.013
    assert found.weights[-1] < 0.05
    assert found.weights.sum() == pytest.approx(1)
    assert found.estimate.degrees < 10


@pytest.mark.parametrize("far", [0.28, -0.28])
def test_a_pair_far_from_all_others_is_drawn_in_to_three_times_its_error(far: float) -> None:
    """Of ten, though its own blocks agree: the mean is moved a little, and its way."""
    values = 0.01 + 0.001 * np.array([1, -1, 2, -2, 1, -1, 2, -2, 0, 0])
    values[-1] += far
    errors = np.full(10, 0.002)

    found = of_one(values, errors)

    reach = 3 * math.sqrt(2) * 0.002  # its own error and the usual one
    middle = np.median(values)
    assert found.values[-1] == pytest.approx(middle + math.copysign(reach, far))
    assert found.values[:-1] == pytest.approx(values[:-1])
    assert found.estimate.value == pytest.approx(found.values.mean())


def test_far_pairs_that_come_again_count_in_full() -> None:
    """Two of ten are no accident: a candidate that is slow in every fifth launch is slower."""
    values = 0.001 * np.array([1, -1, 2, -2, 1, -1, 2, -2, 250, 250])
    found = of_one(values, np.full(10, 0.002))

    assert found.values == pytest.approx(values)
    assert found.estimate.value == pytest.approx(values.mean())


def test_few_pairs_do_not_tell_which_is_far() -> None:
    """Of nine, none is drawn in; of ten whose own errors say that they may lie so, neither."""
    values = np.array([0.0] * 8 + [0.3])
    far = np.array([0.0, 0.001] * 5 + [0.3])

    assert of_one(values, np.full(9, 0.002)).values == pytest.approx(values)
    assert of_one(far, np.full(11, 0.1)).values == pytest.approx(far)


def test_errors_that_explain_nothing_do_not_count() -> None:
    """Where pairs lie far apart whatever their blocks say, all count alike."""
    values = np.array([0.1, -0.1] * 10)
    errors = np.array([1e-4, 1e-4, 1e-4, 5e-4] * 5)

    assert of_one(values, errors).weights == pytest.approx(np.full(20, 1 / 20), rel=1e-3)


@pytest.mark.parametrize("missing", [math.nan, 0.0])
def test_pairs_are_alike_where_their_errors_are_not_known(missing: float) -> None:
    """One unknown error is enough, and so is a clock too coarse to tell any."""
    errors = np.full(10, missing)
    if math.isnan(missing):
        errors[:-1] = np.arange(1, 10)

    assert of_one(np.arange(10.0), errors).weights == pytest.approx(np.full(10, 0.1))


def test_few_pairs_are_not_weighed() -> None:
    """Degrees of freedom are worth more."""
    values, errors = np.arange(LEAST_WEIGHED - 1.0), np.arange(1.0, LEAST_WEIGHED)

    assert of_one(values, errors).estimate.value == pytest.approx(values.mean())


def test_the_unit_does_not_matter() -> None:
    """Values and errors ten times as large have a mean and an error ten times as large."""
    values, errors = drawn(12)
    one, ten = of_one(values, errors), of_one(10 * values, 10 * errors)

    assert ten.estimate.value == pytest.approx(10 * one.estimate.value)
    assert ten.estimate.standard_error == pytest.approx(10 * one.estimate.standard_error)
    assert ten.weights == pytest.approx(one.weights)


def test_groups_do_not_see_each_other() -> None:
    """Each is what it would be alone; an empty one has no mean."""
    values, errors = drawn(20)
    groups = np.array([0, 2] * 10)

    found = weighed(values, errors, groups, 3).estimate

    alone = [of_one(values[groups == one], errors[groups == one]).estimate for one in (0, 2)]
    assert found.value[[0, 2]] == pytest.approx([each.value[0] for each in alone])
    assert found.degrees[[0, 2]] == pytest.approx([each.degrees[0] for each in alone])
    assert np.isnan([found.value[1], found.standard_error[1], found.degrees[1]]).all()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_identical_pairs_are_called_no_oftener_than_promised(share: float) -> None:
    """Whatever part of the noise is the launches' own."""
    assert called(share, 0.0)[0] <= LEVEL


def test_weighing_finds_more_on_a_machine_with_spells() -> None:
    """Ten points more, of changes 1.6 times as large as a usual pair's noise."""
    by_weight, plain = called(0.1, 1.6, runs=1_000)
    assert by_weight > plain + 0.1


def test_one_far_pair_in_a_hundred_hides_little() -> None:
    """Fourteen pairs of a change of three standard deviations: found nearly as often with them."""
    rng = np.random.default_rng(3)
    values = 1.5 + rng.standard_normal((2_000, 14))
    errors = np.exp(0.25 * rng.standard_normal(values.shape))
    with_far = values + 25 * (rng.random(values.shape) < 0.01)

    unknown = np.full(errors.shape, np.nan)
    without, drawn_in, plain = (
        _is_called(*each).mean()
        for each in ((values, errors), (with_far, errors), (with_far, unknown))
    )

    assert without - drawn_in < 0.03
    assert without - plain > 0.08


def test_what_a_pair_says_is_noted_and_read() -> None:
    """To six digits, and its error to three; what is no number is not known."""
    ratio = PairRatio(log_ratio=0.0123456789, error=0.000123456)

    assert noted_ratio(ratio.notes()) == PairRatio(log_ratio=0.0123457, error=0.000123)
    assert noted_ratio({"log_ratio": "much"}) is None
    assert noted_ratio({}) is None
    unsure = PairRatio(log_ratio=0.5)
    assert noted_ratio({"log_ratio": "0.5", "log_ratio_error": "inf"}) == unsure
    assert noted_ratio(unsure.notes()) == unsure
