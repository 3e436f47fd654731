"""Further instances of a function: how many are made, that blocks go round them, when they go."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from evaluators import catalog
from evaluators.protocol import Function
from harness.worker.messages import Open, RunBlocks
from harness.worker.subject import Subject
from networks import Network

PREPARED = ("construct", "lower", "compile", "first_call")
STEP_NS = 1_000


class _Counting:
    """Says which of its functions was called; an evaluator as plain as can be."""

    name = "counting"

    def __init__(self) -> None:
        self.called: list[int] = []
        self.functions: list[weakref.ref[Any]] = []

    def version(self) -> str:
        return "1"

    def refuse(self, network: Network, mode: str) -> str | None:
        return None

    def lower(self, network: Network, mode: str) -> Network:
        return network

    def compile(self, lowered: Network) -> Function:
        number = len(self.functions)

        def function(weights: object, data: object) -> Any:
            self.called.append(number)
            return []

        self.functions.append(weakref.ref(function))
        return function


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> _Counting:
    """The only evaluator that there is."""
    evaluator = _Counting()
    monkeypatch.setattr(catalog, "get", lambda name: evaluator)
    return evaluator


def _clock() -> Any:
    """Every reading is a step after the one before."""
    now = iter(range(0, 10**12, STEP_NS))
    return lambda: next(now)


def _prepared(*, fixed_layout: bool = False, scenario: str = "double") -> Subject:
    params = {"depth": 3} if scenario == "double" else {}
    request = Open(scenario, params, "counting", "output", None, 1, [], fixed_layout)
    subject = Subject(request, clock=_clock())
    for phase in PREPARED:
        subject.run_phase(phase)
    return subject


def test_blocks_go_round_all_instances(counting: _Counting) -> None:
    """With three instances, each has every third block."""
    subject = _prepared()
    assert subject.multiply(3, 100 * STEP_NS).instances == 3
    counting.called.clear()

    subject.run_blocks(RunBlocks(blocks=6, calls=2, untimed_calls=0, budget_ns=10**9))

    assert counting.called == [1, 1, 2, 2, 0, 0, 1, 1, 2, 2, 0, 0]


def test_no_more_are_made_than_the_budget_has_room_for(counting: _Counting) -> None:
    """Each costs about as much as the one before; one that would not fit is not begun."""
    assert _prepared().multiply(100, 20 * STEP_NS).instances in range(2, 20)
    assert _prepared().multiply(100, STEP_NS).instances == 1


def test_a_fixed_layout_has_one_instance(counting: _Counting) -> None:
    """Where the layout is left alone, so is the number of functions."""
    assert _prepared(fixed_layout=True).multiply(4, 10**9).instances == 1


def test_a_life_cycle_has_one_instance(counting: _Counting) -> None:
    """What `evaluate` rebuilds anyway is not prepared beforehand."""
    assert _prepared(scenario="rebuild_drop").multiply(4, 10**9).instances == 1


@pytest.mark.parametrize("end", ["repeat", "teardown"])
def test_further_instances_are_gone_when_preparing_is_timed(counting: _Counting, end: str) -> None:
    """Neither repeats nor teardown are timed beside functions that only blocks needed."""
    subject = _prepared()
    subject.multiply(4, 10**9)

    if end == "repeat":
        subject.repeat(0, 0)
    else:
        subject.run_phase("teardown")
    gc.collect()

    alive = [function() is not None for function in counting.functions]
    assert alive == [end == "repeat", False, False, False]
