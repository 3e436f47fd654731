"""What all adapters share: release, refusals, and what an engine is asked to compute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple, TypeAlias

from evaluators.engines.decomposition import decomposed_steps
from evaluators.engines.table import Engine, engine_named
from evaluators.engines.walk import walk
from evaluators.protocol import Array, EvaluatorError, network_for, refusal
from networks import Network, Node
from networks.operators import Operator

Of: TypeAlias = Callable[..., Any]
"""An engine's function of its values."""
OfInputs: TypeAlias = Callable[[Sequence[Any], Sequence[Any]], list[Any]]
"""Outputs of the engine's values of weights and of data, both in the network's order."""


class Asked(NamedTuple):
    """What an engine computes."""

    outputs: tuple[Node, ...]
    weights: tuple[Node, ...]
    data: tuple[Node, ...]
    is_differentiated: bool
    """Whether the engine is to differentiate the one output by the weights."""

    @property
    def inputs(self) -> tuple[Node, ...]:
        """Weights, then data."""
        return (*self.weights, *self.data)

    @property
    def weight_names(self) -> list[str]:
        """What a caller calls them, in the network's order."""
        return [node.attributes for node in self.weights]

    @property
    def data_names(self) -> list[str]:
        """What a caller calls them, in the network's order."""
        return [node.attributes for node in self.data]


class Operators:
    """What an engine has for our operators.

    `plain` holds functions of the operands; `made` makes such a function for a node, from what the
    operator's attributes say.
    """

    def __init__(self, plain: Mapping[Operator, Of], made: Mapping[Operator, Callable[[Node], Of]]):
        self._plain = plain
        self._made = made
        self.known = frozenset({*plain, *made})

    def bind(self, node: Node) -> Of:
        """The engine's function of the node's operands."""
        plain = self._plain.get(node.operator)
        return plain if plain is not None else self._made[node.operator](node)

    def of_inputs(self, asked: Asked, constant: Callable[[Array], Any]) -> OfInputs:
        """The outputs, by the engine's functions node by node; what it lacks is decomposed.

        `constant` gives what the engine has for a constant's array.
        """
        outputs, steps = decomposed_steps(asked.outputs, self.known)
        walked = walk(outputs, self.bind, constant, steps)
        weight_names, data_names = asked.weight_names, asked.data_names

        def of_inputs(weights: Sequence[Any], data: Sequence[Any]) -> list[Any]:
            return walked(
                dict(zip(weight_names, weights, strict=True)).__getitem__,
                dict(zip(data_names, data, strict=True)).__getitem__,
            )

        return of_inputs


class Traced(NamedTuple):
    """What an engine is to trace or to run, and what it was made from."""

    function: Any
    asked: Asked


@cache
def _installed(distribution: str) -> str:
    """Its release; read once, since the files that say so would be read in every `lower`."""
    return version(distribution)


class Adapter:
    """An evaluator that stands for an engine; `lower` and `compile` are the adapter's own."""

    name: str
    distribution: str
    """The engine's, as in the table."""
    gradient_by = "network"

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}

    @property
    def engine(self) -> Engine:
        """What the table knows of the engine."""
        return engine_named(self.distribution)

    def version(self) -> str:
        """The installed release of the engine."""
        return _installed(self.distribution)

    def refuse(self, network: Network, mode: str) -> str | None:
        """Releases that the adapter does not know, and what cannot be asked of a network.

        An engine that differentiates by itself refuses gradient networks as well: there would be
        nothing left for it to differentiate.
        """
        reason = self.engine.unsupported(self.version()) or refusal(network, mode)
        if reason is None and self.gradient_by == "native" and network.is_gradient:
            return (
                f"{self.name} differentiates by itself; give it the network as built, or evaluate "
                f"this one with '{self.name}-network'"
            )
        return reason

    def counters(self) -> dict[str, int]:
        """Deterministic counts of what was lowered and compiled last."""
        return self._counters

    def asked(self, network: Network, mode: str) -> Asked:
        """What to lower; `EvaluatorError` where the network is refused."""
        reason = self.refuse(network, mode)
        if reason is not None:
            raise EvaluatorError(reason)
        if self.gradient_by == "native" and mode == "gradient" and network.loss is not None:
            return Asked((network.loss,), network.weights, network.data, True)
        outputs = network_for(network, mode).outputs
        return Asked(outputs, network.weights, network.data, False)
