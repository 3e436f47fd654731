"""Stretches: every step is timed by itself and within its stretch, and slow turns are set aside."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.worker.stretches import Stretches

_RNG = np.random.default_rng(1)


def _doubles(
    stretches: Stretches, step_ns: np.ndarray, reading_ns: float
) -> tuple[np.ndarray, np.ndarray]:
    """What the doubles take, call by call; entering takes 7 ns, leaving 5."""
    found = []
    for double in (0, 1):
        reads = stretches.reads(double)
        ends = [at for at in range(stretches.steps - 1) if reads(at)] + [stretches.steps - 1]
        starts = [0, *(end + 1 for end in ends[:-1])]
        columns = [np.full(len(step_ns), 7.0 + reading_ns)]
        for start, end in zip(starts, ends, strict=True):
            columns.append(step_ns[:, start : end + 1].sum(axis=1) + reading_ns)
        columns.append(np.full(len(step_ns), 5.0))
        found.append(np.column_stack(columns))
    first, second = found
    return first, second


@given(steps=st.integers(1, 400))
def test_every_step_is_read_by_one_double_and_every_stretch_by_both(steps: int) -> None:
    """Between them the doubles read after each step once, and after a stretch's last twice."""
    stretches = Stretches.of(steps)
    both = [[stretches.reads(double)(step) for step in range(steps)] for double in (0, 1)]

    assert sum(stretches.sizes) == steps
    ends = set(np.cumsum(stretches.sizes) - 1)
    for step in range(steps - 1):
        assert both[0][step] + both[1][step] == (2 if step in ends else 1)


@given(steps=st.integers(1, 100), length=st.integers(1, 30), reading_ns=st.integers(0, 90))
def test_a_steady_machine_is_told_exactly(steps: int, length: int, reading_ns: int) -> None:
    """A step has its reading, a stretch has one, and a call in stretches has one for each."""
    stretches = Stretches(steps=steps, length=length)
    step_ns = np.tile(_RNG.integers(100, 900, size=steps).astype(float), (4, 1))

    found = stretches.times(_doubles(stretches, step_ns, reading_ns))

    assert found.step_ns == pytest.approx((step_ns[0] + reading_ns).tolist())
    starts = np.cumsum([0, *stretches.sizes[:-1]])
    whole = np.add.reduceat(step_ns[0], starts) + reading_ns
    assert found.stretch_ns == pytest.approx(whole.tolist())
    assert (found.before_ns, found.after_ns) == (7.0 + reading_ns, 5.0)
    expected = step_ns[0].sum() + 12 + reading_ns * (1 + len(stretches.sizes))
    assert found.stretched_ns == pytest.approx([expected] * 4)


def test_an_interruption_is_set_aside_where_it_was() -> None:
    """It costs its stretch that turn, and no other stretch any."""
    stretches = Stretches(steps=40, length=10)
    step_ns = np.full((8, 40), 100.0)
    first, second = _doubles(stretches, step_ns, 0.0)
    first[2, 4] += 10_000.0  # a step of the first stretch
    second[5, 3] += 10_000.0  # within the second

    found = stretches.times((first, second))

    assert found.step_ns == [100.0] * 40
    assert found.stretch_ns == [1_000.0] * 4


@given(slower=st.floats(1.0, 3.0))
def test_a_slow_call_is_slow_for_steps_and_for_stretches(slower: float) -> None:
    """Half of its stretches are timed the one way and half the other: the difference stays away."""
    stretches = Stretches(steps=200, length=10)
    first, second = _doubles(stretches, np.full((8, 200), 100.0), 0.0)

    found = stretches.times((first * slower, second))

    assert sum(found.step_ns) == pytest.approx(sum(found.stretch_ns))
    assert sum(found.step_ns) == pytest.approx(20_000 * (1 + slower) / 2)
