"""The roofline's roofs: what this machine can do at most, with one thread.

(Williams, Waterman & Patterson, Roofline: an insightful visual performance model, CACM 52, 2009.)
Compute is a matrix product's operations per second; bandwidth is that of an addition of two arrays
into a third, at sizes that fit each cache and at one that fits none.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from harness.worker.messages import PeaksMeasured
from harness.worker.timing import Clock

_MATRIX = 768
_WORKING_SETS = (24 * 2**10, 384 * 2**10, 3 * 2**20, 24 * 2**20, 192 * 2**20)
"""Bytes of all three arrays: within the caches that are usual, and beyond."""
_TURN_NS = 20_000_000
_TURNS = 12


def measured_peaks(*, clock: Clock = perf_counter_ns) -> PeaksMeasured:
    """The best of several turns each."""
    return PeaksMeasured(
        flops_per_s={name: _product_flops_per_s(name, clock) for name in ("float32", "float64")},
        bytes_per_s=[(size, _added_bytes_per_s(size, clock)) for size in _WORKING_SETS],
    )


def _product_flops_per_s(dtype: str, clock: Clock) -> float:
    left, right = np.ones((2, _MATRIX, _MATRIX), dtype)
    product = np.empty_like(left)
    seconds = _least_s(lambda: np.matmul(left, right, out=product), clock)
    return 2 * _MATRIX**3 / seconds


def _added_bytes_per_s(size: int, clock: Clock) -> float:
    left, right, total = np.ones((3, size // 12), np.float32)
    return size / _least_s(lambda: np.add(left, right, out=total), clock)


def _least_s(work: Callable[[], object], clock: Clock) -> float:
    """Seconds that the work takes at best, mean over a turn: a single run may be too short."""
    work()
    start = clock()
    work()
    repeats = max(1, round(_TURN_NS / max(1, clock() - start)))
    best = float("inf")
    for _ in range(_TURNS):
        start = clock()
        for _ in range(repeats):
            work()
        best = min(best, (clock() - start) / repeats)
    return best * 1e-9
