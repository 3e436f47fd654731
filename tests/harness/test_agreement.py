"""When a result counts as right."""

from __future__ import annotations

import numpy as np
import pytest

from harness.worker.agreement import disagreement

_GOLDEN = [np.array([1.0, -4.0]), np.array(0.0)]


def test_equal_results_have_no_error() -> None:
    """The golden values themselves agree, with error 0."""
    assert disagreement(_GOLDEN, _GOLDEN, 1e-6) == (0.0, "")


def test_the_error_is_relative_to_the_largest_golden_value() -> None:
    """An error of 0.02 beside a largest value of 4 is 0.005."""
    error, problem = disagreement([np.array([1.02, -4.0]), np.array(0.0)], _GOLDEN, 0.01)

    assert error == pytest.approx(0.005)
    assert problem == ""


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "NoneType"),
        ([np.array([1.0, -4.0])], "1 arrays"),
        ([np.array([1.0, -4.0, 0.0]), np.array(0.0)], "shape (3,)"),
        ([[1.0, -4.0], np.array(0.0)], "result 0 is list"),
        ([np.array([1, -4]), np.array(0.0)], "int64"),
        ([np.array([1.0, -4.1]), np.array(0.0)], "off by 0.025"),
        ([np.array([1.0, np.nan]), np.array(0.0)], "off by inf"),
        ([np.array([1.0, -4.0]), np.array(1e-9)], "result 1"),
    ],
)
def test_whatever_is_wrong_is_named(found: object, words: str) -> None:
    """Type, count, shape, dtype, value and NaN: each is told in words."""
    _, problem = disagreement(found, _GOLDEN, 1e-3)

    assert words in problem


def test_a_wider_dtype_is_wrong_where_dtypes_are_given() -> None:
    """float64 in the place of float32 has the right values, and is other work."""
    golden = [np.array([1.0, -4.0])]

    assert disagreement(golden, golden, 1e-3, [np.dtype(np.float64)]) == (0.0, "")
    assert "expected float32" in disagreement(golden, golden, 1e-3, [np.dtype(np.float32)])[1]


def test_what_overflows_in_float32_must_overflow() -> None:
    """2**200 as golden value is infinity in float32, and only that agrees."""
    golden = [np.array(2.0**200)]

    assert disagreement([np.array(np.inf, np.float32)], golden, 1e-3) == (0.0, "")
    assert disagreement([np.array(1.0, np.float32)], golden, 1e-3)[1]


def test_nan_agrees_with_nan_alone() -> None:
    """Where the golden value is NaN, NaN is right and a number is not."""
    golden = [np.array([np.nan, 1.0])]

    assert disagreement([np.array([np.nan, 1.0])], golden, 1e-3) == (0.0, "")
    assert disagreement([np.array([0.0, 1.0])], golden, 1e-3)[1]


def test_numpy_scalars_count_as_arrays_without_axes() -> None:
    """What np.sum returns is a result of shape ()."""
    assert disagreement([np.float64(3.0)], [np.array(3.0)], 1e-9) == (0.0, "")
