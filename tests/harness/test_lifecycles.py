"""What a subject does again and again in each life cycle, seen by an evaluator that keeps count."""

from __future__ import annotations

import gc
import weakref
from typing import Any, ClassVar

import numpy as np
import pytest

from evaluators import catalog
from harness.worker.memory import probe_here
from harness.worker.memory_subject import MemorySubject
from harness.worker.messages import FollowMemory, Open, RunBlocks
from networks import Network
from tests.harness.fakes import FakeClock


class _Function:
    """Returns zeros, and counts functions that are alive."""

    alive: ClassVar[weakref.WeakSet[_Function]] = weakref.WeakSet()

    def __init__(self, network: Network, clock: FakeClock) -> None:
        self._shapes = [output.shape for output in network.outputs]
        self._clock = clock
        self.alive.add(self)

    def __call__(self, weights: Any, data: Any) -> list[np.ndarray]:
        self._clock.advance(7)
        return [np.zeros(shape) for shape in self._shapes]


class _Counting:
    """An evaluator whose compilations take 100 ns, and whose functions may be in a cycle."""

    name = "counting"

    def __init__(self, clock: FakeClock, *, cyclic: bool = False) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.alive_at_compile: list[int] = []
        self._clock = clock
        self._cyclic = cyclic

    def version(self) -> str:
        return "1"

    def refuse(self, network: Network, mode: str) -> str | None:
        return None

    def lower(self, network: Network, mode: str) -> Network:
        return network

    def compile(self, lowered: Network) -> _Function:
        self._clock.advance(100)
        self.shapes += [node.shape for node in lowered.data if node.attributes == "x"]
        self.alive_at_compile.append(len(_Function.alive))
        function = _Function(lowered, self._clock)
        if self._cyclic:
            function.itself = function  # type: ignore[attr-defined]
        return function


def _subject(
    monkeypatch: pytest.MonkeyPatch, scenario: str, *, cyclic: bool = False, **params: Any
) -> tuple[MemorySubject, _Counting]:
    """A subject that has been through its phases, and what evaluated it."""
    clock = FakeClock()
    evaluator = _Counting(clock, cyclic=cyclic)
    monkeypatch.setitem(catalog._registered, "counting", evaluator)
    request = Open(
        scenario=scenario,
        params=params,
        evaluator="counting",
        mode="output",
        dtype=None,
        seed=1,
        plugins=[],
        fixed_layout=True,
    )
    subject = MemorySubject(request, probe=probe_here(), clock=clock)
    for phase in ("construct", "lower", "compile", "first_call"):
        subject.run_phase(phase)
    return subject, evaluator


def _follow(subject: MemorySubject, calls: int = 8) -> None:
    subject.follow_memory(FollowMemory(calls=calls, least_calls=1, samples=4, budget_ns=10**9))


def test_steady_compiles_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are all that happens in `evaluate`."""
    subject, evaluator = _subject(monkeypatch, "steady")

    _follow(subject)

    assert len(evaluator.shapes) == 1


def test_rebuild_drop_keeps_nothing_but_its_first_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight rebuilds, and at each compilation only the phases' own function is alive."""
    subject, evaluator = _subject(monkeypatch, "rebuild_drop")

    _follow(subject)

    assert evaluator.alive_at_compile[1:] == [1] * 8


def test_shape_churn_counts_the_batch_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The phases are at batch 1; then 1, 2, 3 … also where time is measured in between."""
    subject, evaluator = _subject(monkeypatch, "shape_churn", width=3)

    _follow(subject, calls=4)
    subject.run_blocks(RunBlocks(blocks=2, calls=1, untimed_calls=2, budget_ns=10**9))

    assert [rows for rows, _ in evaluator.shapes] == [1, 1, 2, 3, 4, 5, 6]


def test_keep_alive_compiles_while_all_before_are_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each compilation sees one function more, until teardown frees them all."""
    subject, evaluator = _subject(monkeypatch, "keep_alive")

    _follow(subject, calls=5)
    subject.run_phase("teardown")
    gc.collect()

    assert evaluator.alive_at_compile == [0, 1, 2, 3, 4, 5]
    assert not _Function.alive


def test_a_round_is_timed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three compilations of 100 ns and three calls of 7 ns make one block."""
    subject, _ = _subject(monkeypatch, "keep_alive")

    blocks = subject.run_blocks(RunBlocks(blocks=1, calls=3, untimed_calls=0, budget_ns=10**9))

    assert blocks.elapsed_ns == [321]


@pytest.mark.parametrize(("collector", "left"), [("off", 8), ("on", 1)])
def test_gradient_cycle_collects_only_where_it_is_told(
    monkeypatch: pytest.MonkeyPatch, collector: str, left: int
) -> None:
    """Functions that refer to themselves pile up without the collector, and go with it."""
    subject, evaluator = _subject(monkeypatch, "gradient_cycle", cyclic=True, collector=collector)
    gc.collect()

    _follow(subject)

    assert evaluator.alive_at_compile[-1] == left
    assert gc.isenabled()
