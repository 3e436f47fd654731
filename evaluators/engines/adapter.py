"""What all adapters share: release, refusals, and what an engine is asked to compute."""

from __future__ import annotations

from importlib.metadata import version
from typing import NamedTuple

from evaluators.engines.table import Engine, engine_named
from evaluators.protocol import EvaluatorError, network_for, refusal
from networks import Network, Node


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
        return version(self.distribution)

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
