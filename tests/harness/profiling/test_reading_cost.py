"""What reading the clock costs: by the reading, and by slowness between readings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from harness.cases import make_cases, parse_spec
from harness.plan import Contender, Version
from harness.profiling.launches import SteppedLaunch
from harness.profiling.reading_cost import (
    ReadingCost,
    reading_cost_ns,
    reading_costs,
    slowness,
)
from harness.worker import messages as m

_CASE = make_cases([parse_spec("rnn:steps=4")], ["straightline"], ["gradient"])[0]
_LENGTH = 20


def _steps(
    true_ns: list[float],
    *,
    reading_ns: float,
    slower: float = 0.0,
    length: int = _LENGTH,
    alone_ns: float = 60.0,
    operators: list[str] | None = None,
) -> m.StepsRead:
    """What a launch tells of such steps where reading the clock has such a cost."""
    size = len(true_ns)
    starts = range(0, size, length)
    return m.StepsRead(
        operators=operators or ["add"] * size,
        names=[""] * size,
        files=[""] * size,
        lines=[None] * size,
        texts=[""] * size,
        step_ns=[each * (1 + slower) + reading_ns for each in true_ns],
        flops=[0] * size,
        moved_bytes=[0] * size,
        allocated_bytes=[0] * size,
        before_ns=0.0,
        after_ns=0.0,
        stretch_ns=[sum(true_ns[at : at + length]) + reading_ns for at in starts],
        steps_per_stretch=length,
        call_ns=sum(true_ns),
        stretched_ns=sum(true_ns),
        reading_ns=alone_ns,
        calls=1,
    )


def _launch(steps: m.StepsRead, number: int) -> SteppedLaunch:
    contender = Contender(version=Version(label="a", interpreter="python"), case=_CASE)
    return SteppedLaunch(contender=contender, launch=number, pair=None, steps=steps)


def _uneven(size: int) -> list[float]:
    """Steps of stretches that are far from alike."""
    return np.random.default_rng(1).uniform(200, 4_000, size).tolist()


@settings(max_examples=25)
@given(reading_ns=st.floats(20, 190), slower=st.just(0.0) | st.floats(0.01, 0.2))
def test_both_costs_are_found_and_taken_out(reading_ns: float, slower: float) -> None:
    """Steps that are long against a reading come out as they are without one."""
    true_ns = _uneven(317)
    steps = _steps(true_ns, reading_ns=reading_ns, slower=slower)

    found = slowness([steps])
    assert found == pytest.approx(slower, abs=0.002)
    cost = ReadingCost(reading_ns=reading_cost_ns(steps, slower), slower=slower)
    assert cost.reading_ns == pytest.approx(reading_ns, rel=1e-6)
    assert cost.without(steps.step_ns) == pytest.approx(true_ns)


def test_a_step_gives_no_more_than_it_has() -> None:
    """What short ones cannot give is taken from the others."""
    steps = _steps([1_000.0, 500.0, 0.0], reading_ns=100.0, length=3)._replace(
        step_ns=[1_100.0, 600.0, 50.0], stretch_ns=[1_560.0]
    )

    # The stretch is 190 less, and one reading ends it: 140 and 140 and 50, less 140.
    assert reading_cost_ns(steps, 0.0) == pytest.approx(140.0)
    left = ReadingCost(reading_ns=140.0, slower=0.0).without(steps.step_ns)
    assert left.tolist() == [960.0, 460.0, 0.0]


def test_noise_of_long_steps_is_no_cost_of_reading() -> None:
    """A few steps that are nearly all of the call may say less than nothing, or too much."""
    true_ns = [*([500.0] * 37), 300_000.0, 400_000.0, 300_000.0]
    exact = _steps(true_ns, reading_ns=100.0, length=2)
    less = exact._replace(stretch_ns=[each * 1.01 for each in exact.stretch_ns])
    more = exact._replace(stretch_ns=[each * 0.95 for each in exact.stretch_ns])

    assert reading_cost_ns(exact, 0.0) == pytest.approx(100.0)
    assert reading_cost_ns(less, 0.0) == 0.0
    assert reading_cost_ns(more, 0.0) <= 600.0  # what a short step has with its reading


def test_what_all_stretches_are_slower_by_is_taken_out_of_all() -> None:
    """By what other launches tell: steps and stretches become parts of the call never read."""
    true_ns = _uneven(60)
    steps = _steps(true_ns, reading_ns=100.0)
    # Three stretches and entering have a reading each.
    slowed = steps._replace(call_ns=sum(true_ns) / 1.04, stretched_ns=sum(true_ns) + 400.0)

    cost = reading_costs([_launch(slowed, 1), _launch(slowed, 2)])[0]

    assert cost.stretched == pytest.approx(1.04)
    assert sum(cost.without(slowed.step_ns)) == pytest.approx(slowed.call_ns)
    assert cost.without_ends_ns(slowed.stretched_ns, 4) == pytest.approx(slowed.call_ns)


@pytest.mark.parametrize(("size", "length"), [(1, 1), (17, 1), (20, 20), (40, 20)])
def test_slowness_needs_stretches_that_tell_it(size: int, length: int) -> None:
    """Stretches of one step, or too few of them, tell none; nor do stretches that are alike."""
    assert slowness([_steps([500.0] * size, reading_ns=100.0, slower=0.1, length=length)]) == 0.0


def test_a_cost_that_nothing_tells_is_that_of_a_reading_by_itself() -> None:
    """Stretches of one step are read as often as the step is; a launch alone has no others."""
    single = _steps([1_000.0], reading_ns=100.0, length=1)

    assert reading_cost_ns(single, 0.0) == 60.0
    alone = reading_costs([_launch(_steps(_uneven(60), reading_ns=100.0), 1)])
    assert alone == [ReadingCost(reading_ns=60.0)]


def test_the_cost_comes_from_other_launches_that_take_the_same_steps() -> None:
    """A launch's own steps have no part in it, nor has one of other steps."""
    true_ns = _uneven(60)
    launches = [
        _launch(_steps(true_ns, reading_ns=100.0), 1),
        _launch(_steps(true_ns, reading_ns=50.0), 2),
        _launch(_steps(true_ns, reading_ns=10.0, operators=["tanh"] * 60), 3),
    ]

    costs = [each.reading_ns for each in reading_costs(launches)]

    assert costs == pytest.approx([50.0, 100.0, 60.0])
