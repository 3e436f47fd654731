"""Steps of a subject are timed as they are, whatever reading the clock costs."""

from __future__ import annotations

import pytest

from evaluators import catalog
from evaluators.instrumentation import Clock, Instrumented, Reads, Step, Ticking
from evaluators.protocol import Arrays, Data, Function, Weights, network_for
from harness.profiling.reading_cost import reading_cost_ns, slowness
from harness.worker.messages import Open
from harness.worker.steps import StepTimes
from harness.worker.subject import Subject
from networks import Network, Node, topological_order

READING_NS = 13
PREPARED = ("construct", "differentiate", "lower", "compile", "first_call")


class CostlyClock:
    """Advances by what a reading costs, and as it is told."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += READING_NS
        return self.now_ns


class Timed:
    """An evaluator each step of which takes 100 ns, and 7 more than the step before."""

    name = "timed"

    def __init__(self, clock: CostlyClock) -> None:
        self._clock = clock

    def version(self) -> str:
        return "1"

    def refuse(self, network: Network, mode: str) -> str | None:
        return None

    def lower(self, network: Network, mode: str) -> tuple[list[Node], Function]:
        usual = catalog.get("interpreter")
        function = usual.compile(usual.lower(network, mode))
        return topological_order(network_for(network, mode).outputs), function

    def compile(self, lowered: tuple[list[Node], Function]) -> Function:
        return self._walking(*lowered)

    def instrument(self, network: Network, mode: str, clock: Clock, reads: Reads) -> Instrumented:
        nodes, function = self.lower(network, mode)
        ticking = Ticking(nodes, clock, reads)
        walking = self._walking(ticking, function)  # type: ignore[arg-type]
        return ticking.instrumented(walking, [Step(node, True) for node in nodes])

    def _walking(self, nodes: list[Node], function: Function) -> Function:
        def call(weights: Weights, data: Data) -> Arrays:
            for step, _ in enumerate(nodes):
                self._clock.now_ns += 100 + 7 * step
            return function(weights, data)

        return call


def test_steps_and_stretches_are_told_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over blocks, turns both ways round and functions made anew; then the readings come out."""
    clock = CostlyClock()
    timed = Timed(clock)
    usual = catalog.get
    monkeypatch.setattr(catalog, "get", lambda name: timed if name == "timed" else usual(name))
    subject = Subject(
        Open("chain", {"depth": 40, "width": 2}, "timed", "gradient", None, 1, [], False)
    )
    for phase in PREPARED:
        if phase in subject.opened().phases:
            subject.run_phase(phase)
    times = StepTimes(subject, clock=clock)

    for _ in range(3):
        times.block(calls=3, untimed_calls=1)

    read = times.read()
    expected = [100 + 7 * step for step in range(len(read.step_ns))]
    assert len(expected) > 80
    assert read.calls == 9
    assert read.step_ns == pytest.approx([each + READING_NS for each in expected])
    assert len(read.stretch_ns) < len(expected) / 4
    assert sum(read.stretch_ns) == pytest.approx(sum(expected) + READING_NS * len(read.stretch_ns))
    assert (read.before_ns, read.after_ns) == (READING_NS, READING_NS)
    assert read.call_ns == sum(expected) + READING_NS
    assert read.stretched_ns == read.call_ns + READING_NS * (1 + len(read.stretch_ns))
    assert slowness([read]) == pytest.approx(0.0)
    assert reading_cost_ns(read, 0.0) == pytest.approx(READING_NS)
