"""`interpreter`: walks the nodes at every call, the strategy that anyone would write first.

Nothing is prepared: `lower` orders the nodes, `compile` does nothing, every call looks each
node's kernel up again, and all values live until the call ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from evaluators import VERSION
from evaluators.instrumentation import (
    Clock,
    Instrumented,
    Reads,
    Step,
    Ticking,
    after_every_step,
)
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights, network_for, refusal
from evaluators.results import fresh
from evaluators.strategies.kernels import VIEWS, kernel
from networks import Network, Node, operators as op, topological_order


class _Ordered(NamedTuple):
    nodes: Iterable[Node]
    outputs: tuple[Node, ...]


class Interpreter:
    """One kernel after another."""

    name = "interpreter"

    def version(self) -> str:
        """Our own release."""
        return VERSION

    def refuse(self, network: Network, mode: str) -> str | None:
        """Nothing but what cannot be asked of a network."""
        return refusal(network, mode)

    def lower(self, network: Network, mode: str) -> _Ordered:
        """The nodes, operands first."""
        outputs = network_for(network, mode).outputs
        return _Ordered(topological_order(outputs), outputs)

    def compile(self, lowered: _Ordered) -> Function:
        """A function that walks the nodes."""

        def function(weights: Weights, data: Data) -> Arrays:
            values: dict[Node, Any] = {}
            for node in lowered.nodes:
                if node.operands:
                    values[node] = kernel(node)(*[values[each] for each in node.operands])
                elif node.operator is op.WEIGHT:
                    values[node] = weights[node.attributes]
                elif node.operator is op.DATA:
                    values[node] = data[node.attributes]
                else:
                    values[node] = node.attributes
            return fresh(lowered.outputs, [values[node] for node in lowered.outputs])

        return function

    def instrument(
        self, network: Network, mode: str, clock: Clock, reads: Reads = after_every_step
    ) -> Instrumented:
        """The same walk, with the clock read after nodes."""
        nodes, outputs = self.lower(network, mode)
        walked = tuple(nodes)
        ticking = Ticking(walked, clock, reads)
        steps = [Step(node, bool(node.operands) and node.operator not in VIEWS) for node in walked]
        return ticking.instrumented(self.compile(_Ordered(ticking, outputs)), steps)


EVALUATORS: tuple[Evaluator, ...] = (Interpreter(),)
