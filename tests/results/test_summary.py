"""What a run measured."""

import math
from dataclasses import replace

import pytest

from results.frames import frame_of
from results.schema import Reading
from results.summary import summarise
from tests.results.samples import reading, suite, version


def test_a_case_is_one_row() -> None:
    """For each version and case, in order of appearance."""
    found = summarise(frame_of(suite("old", 1) + suite("new", 2)))

    assert [(one.label, one.scenario, one.status) for one in found] == [
        (label, scenario, status)
        for label in ("old", "new")
        for scenario, status in (("chain", "ok"), ("mlp", "ok"), ("signed_products", "refused"))
    ]
    assert [one.launches for one in found[:3]] == [8, 8, 1]


def test_phases_are_summed_up() -> None:
    """Prepare is the sum of the phases' medians, peak the highest phase's."""
    rows = [
        *version("v", [1.0, 3.0, 2.0], metric="first_time", phase="construct"),
        *version("v", [4.0, 4.0, 5.0], metric="first_time", phase="compile"),
        *version("v", [7.0], metric="first_time", phase="first_call"),
        *version("v", [1e-3, 3e-3, 2e-3]),
        *version("v", [5e6], metric="peak_memory", phase="compile"),
        *version("v", [2e6], metric="peak_memory", phase="evaluate"),
        *version("v", [3e6], metric="held_memory", phase="evaluate"),
        *version("v", [0.02], metric="time_drift"),
    ]

    (found,) = summarise(frame_of(rows))

    assert (found.prepare_s, found.first_call_s) == (6.0, 7.0)
    assert (found.seconds_per_call, found.seconds_per_call_spread) == (2e-3, pytest.approx(1e-3))
    assert (found.peak_bytes, found.held_bytes) == (5e6, 3e6)
    assert found.time_drift_per_kcall == 0.02
    assert found.case == "planned chain depth=100;width=64 output"


def test_what_was_not_measured_is_none() -> None:
    """Not 0: a case that failed in compile has no prepare time and no time per call."""
    rows = [
        *version("v", [1.0], metric="first_time", phase="construct"),
        reading(label="v", phase="compile", status="error", value=None, detail="no compiler"),
    ]

    (found,) = summarise(frame_of(rows))

    assert (found.prepare_s, found.seconds_per_call, found.peak_bytes) == (None, None, None)
    assert (found.status, found.detail) == ("error", "no compiler")


def test_one_launch_has_no_spread() -> None:
    """A spread over launches needs two."""
    (found,) = summarise(frame_of(version("v", [1.0])))

    assert (found.seconds_per_call, found.seconds_per_call_spread) == (1.0, None)


def test_drift_is_told_by_an_exact_counter() -> None:
    """Where there is one; what is held, as the kernel sees it."""
    rows = [
        *version("v", [900.0], metric="memory_drift", phase="evaluate", source="VmRSS"),
        *version("v", [16.0], metric="memory_drift", phase="evaluate", source="mallinfo2"),
        *version("v", [1e5], metric="held_memory", phase="evaluate", source="mallinfo2"),
        *version("v", [1e6], metric="held_memory", phase="evaluate", source="VmRSS"),
    ]

    (found,) = summarise(frame_of(rows))

    assert (found.memory_drift_bytes_per_call, found.held_bytes) == (16.0, 1e6)


def test_no_readings_have_no_summary() -> None:
    """A run that measured nothing has an empty one."""
    assert summarise(frame_of([])) == ()


def timed(evaluator: str, prepare: float, first: float, per_call: float) -> list[Reading]:
    """A case of that evaluator, by its times in s."""
    rows = [
        *version("v", [prepare], metric="first_time", phase="compile"),
        *version("v", [first], metric="first_time", phase="first_call"),
        *version("v", [per_call]),
    ]
    return [replace(row, evaluator=evaluator) for row in rows]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((8.0, 1.0, 1.0), 5.0),  # 7 s behind before the second call, 2 s gained at each
        ((0.5, 1.0, 3.0), 0.0),
        ((8.0, 1.0, 3.0), math.inf),
        ((0.5, 0.5, 4.0), math.inf),
    ],
)
def test_when_a_preparation_has_paid_off(
    times: tuple[float, float, float], expected: float
) -> None:
    """By the number of calls from which on the whole has cost less."""
    rows = [*timed("interpreter", 1.0, 1.0, 3.0), *timed("engine", *times)]

    interpreter, engine = summarise(frame_of(rows))

    assert interpreter.break_even_calls == (None, None)
    assert engine.break_even_calls == (expected, None)
