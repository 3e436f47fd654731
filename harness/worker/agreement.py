"""Whether a function's results agree with the golden evaluator's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def disagreement(
    found: object,
    golden: Sequence[np.ndarray],
    tolerance: float,
    dtypes: Sequence[np.dtype[Any]] | None = None,
) -> tuple[float | None, str]:
    """The largest relative error, and what is wrong in words; empty within the tolerance.

    The error of an array is its largest absolute error over the largest absolute golden value
    (norm-wise, Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, section 3.1):
    element by element, cancellation would make any error look large. Golden values are rounded to
    the result's own dtype first, so that what overflows there must overflow here. Where `dtypes`
    are given, the results must have them: a wider one is other work, and other memory.
    """
    if not isinstance(found, (list, tuple)):
        return None, f"returned {type(found).__name__}; expected a list of numpy arrays"
    if len(found) != len(golden):
        return None, f"returned {len(found)} arrays; expected {len(golden)}"
    largest = 0.0
    for position, (array, expected) in enumerate(zip(found, golden, strict=True)):
        # A NumPy scalar is what NumPy's own reductions return in the place of a 0-d array.
        if not isinstance(array, (np.ndarray, np.generic)) or array.dtype.kind not in "fb":
            kind = getattr(array, "dtype", type(array).__name__)
            return None, f"result {position} is {kind}; expected a numpy array of floats"
        if dtypes is not None and array.dtype != dtypes[position]:
            return None, f"result {position} is {array.dtype}; expected {dtypes[position]}"
        if array.shape != expected.shape:
            return None, f"result {position} has shape {array.shape}; expected {expected.shape}"
        error = _relative_error(np.asarray(array), expected)
        if not error <= tolerance:
            return error if np.isfinite(error) else None, (
                f"result {position} is off by {error:.3g} relative to the golden evaluator; "
                f"the scenario's tolerance is {tolerance:.3g}"
            )
        largest = max(largest, error)
    return largest, ""


def _relative_error(array: np.ndarray, golden: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        expected = golden.astype(array.dtype, copy=False).astype(np.float64)
        found = array.astype(np.float64)
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        error = np.where(same, 0.0, np.abs(found - expected))
        finite = expected[np.isfinite(expected)]
    if not error.any():  # NaN is true here
        return 0.0
    if np.isnan(error).any():
        return float("inf")
    scale = float(np.abs(finite).max()) if finite.size else 0.0
    return float(error.max()) / scale if scale else float("inf")
