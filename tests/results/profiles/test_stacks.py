"""Stacks of a sampler, as rows and as shares."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from results.profiles.functions import compared, rows_by_function
from results.profiles.stacks import (
    ENOUGH_SAMPLES,
    PHASE_ITSELF,
    RESOLVED_ERROR,
    RESOLVED_SHARE,
    Frame,
    PhaseProfile,
    SampledStack,
    mean_of,
    share_error,
)

A, B, C = (Frame(name=name, file="m.py", line=1) for name in "abc")


def profile(
    *stacks: tuple[tuple[Frame, ...], float],
    label: str = "base",
    launch: int = 1,
    seconds: float = 2.0,
) -> PhaseProfile:
    """What was seen of a phase: stacks with their weights, each once."""
    return PhaseProfile(
        label=label,
        launch=launch,
        pair=launch,
        phase="compile",
        stacks=tuple(SampledStack(frames=f, weight=w, samples=1) for f, w in stacks),
        seconds=seconds,
        sampled_seconds=seconds,
        repeats=1,
        source="a test",
    )


STACKS = st.lists(
    st.tuples(st.lists(st.sampled_from([A, B, C]), max_size=4).map(tuple), st.floats(0.001, 1_000)),
    min_size=1,
    max_size=20,
)


@given(STACKS, st.floats(1e-6, 100))
def test_rows_add_up_to_the_phase(
    stacks: list[tuple[tuple[Frame, ...], float]], seconds: float
) -> None:
    """Whatever was seen, own times of all functions are one repeat; so are the drawn stacks."""
    one = profile(*stacks, seconds=seconds)

    assert sum(row.seconds for row in one.readings()) == pytest.approx(seconds)
    assert sum(each.weight for each in one.weighed()) == pytest.approx(seconds)


def test_a_function_has_its_own_time_alone() -> None:
    """What it calls is not in it; a stack that ends in the phase is the phase's own."""
    one = profile(((A,), 1), ((A, B), 2), ((C, B), 3), ((), 4), seconds=10)

    rows = {row.name: row.seconds for row in one.readings()}

    assert rows == pytest.approx({"b": 5, "a": 1, PHASE_ITSELF.name: 4})


def test_enough_samples_resolve_one_per_cent() -> None:
    """At that many, the standard error of such a share is what resolves it; at fewer, more."""
    at = share_error(RESOLVED_SHARE, ENOUGH_SAMPLES)
    below = share_error(RESOLVED_SHARE, ENOUGH_SAMPLES - 1)

    assert at is not None
    assert below is not None
    assert at <= RESOLVED_ERROR * (1 + 1e-9)
    assert below > RESOLVED_ERROR * (1 + 1e-9)
    assert share_error(0.5, 0) is None


def test_of_several_launches_a_stack_has_the_mean() -> None:
    """One that a launch has not seen is nothing there."""
    one, two = profile(((A,), 1), seconds=4), profile(((B,), 1), launch=2, seconds=8)

    drawn = {each.stack[-1]: each.weight for each in mean_of([one.weighed(), two.weighed()])}

    assert drawn == pytest.approx({"a (m.py)": 2, "b (m.py)": 4})


def test_a_function_that_grew_stands_first() -> None:
    """A change that every pair shows comes before a larger one that they do not agree on."""
    profiles = []
    for label, more in (("base", 0.0), ("candidate", 1.0)):
        for launch, noise in enumerate((-9.0, 9.0, -9.0, 9.0, -9.0, 9.0), 1):
            stacks = ((A,), 1 + more), ((B,), 20 + more * noise), ((C,), 5.0)
            seconds = sum(weight for _, weight in stacks)
            profiles.append(profile(*stacks, label=label, launch=launch, seconds=seconds))

    rows = rows_by_function(profiles)

    assert rows[0].name == "a"
    assert rows[0].change is not None
    assert rows[0].change.change_s == pytest.approx(1)
    found = compared(profiles)
    assert found is not None
    assert sum(row.change_s for row in found.rows) == pytest.approx(found.whole.change_s)


def test_one_version_has_no_change() -> None:
    """Its rows go by size, each share with the error that its samples give it."""
    first, second = rows_by_function([profile(((A,), 3), ((B,), 1), seconds=4)])

    assert (first.name, first.change, second.name) == ("a", None, "b")
    assert first.shares["base"] == pytest.approx(0.75)
    assert first.share_errors["base"] == pytest.approx(math.sqrt(0.75 * 0.25 / 2))
