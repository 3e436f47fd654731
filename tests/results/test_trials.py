"""Bands and families of tests."""

import numpy as np
import pytest

from results.comparison import compare
from results.contrasts import measured
from results.sessions import BetweenSessions
from results.trials import MEMORY_FLOOR_BYTES, trial
from tests.results.samples import lognormal, two_versions


@pytest.mark.parametrize(
    ("metric", "source", "value", "expected"),
    [
        ("time", "perf_counter_ns", 5.0, np.log1p(0.01)),
        ("peak_memory", "VmHWM", 1e6, MEMORY_FLOOR_BYTES),
        ("peak_memory", "VmHWM", 1e9, 1e7),
        ("peak_memory", "mallinfo2", 1e6, 1e4),
        ("memory_drift", "mallinfo2", 80.0, 1.0),
        ("memory_drift", "VmRSS", 80.0, 1 + MEMORY_FLOOR_BYTES / 2_000),
        ("time_drift", "perf_counter_ns", 0.5, 1e-3),
        ("live_objects", "gc", 1_000.0, 10.0),
    ],
)
def test_bands_follow_the_metric(metric: str, source: str, value: float, expected: float) -> None:
    """Logs for times; for memory the threshold or the kernel's lag; for drifts what matters."""
    values = measured(two_versions([value], [value], metric=metric, source=source))

    assert trial(values, "old", "new", 0.01, BetweenSessions()).band == pytest.approx([expected])


def test_the_smallest_detectable_change_is_of_the_baseline() -> None:
    """A share for what has a ratio, the row's unit for what has none."""
    times = compare(two_versions(lognormal(1, 20), lognormal(2, 20))).rows[0]
    drifts = compare(two_versions([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], metric="memory_drift")).rows[0]

    assert times.smallest_detectable is not None
    assert 0.01 < times.smallest_detectable < 0.05
    assert drifts.smallest_detectable is not None
    assert drifts.smallest_detectable > 1.0
