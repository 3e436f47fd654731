"""What an evaluator is: the one interface between networks and whatever evaluates them.

`lower` and `compile` are apart because they are measured apart. A function returns only when its
result is ready on the host; an asynchronous engine is waited for.

Five attributes are optional:

dtype: "float32" or "float64", where an evaluator computes in that one only.
gradient_by: "network" (the default): in gradient mode `lower` is handed our differentiated and
    simplified network. "native": it is handed the network as built, and differentiates itself.
instrument(network, mode, clock, reads): as `lower` and `compile`, but what comes of it reads the
    clock after nodes (see `evaluators.instrumentation`). Without it: no profile by operator.
counters(): deterministic counts by name, such as statements, buffers or cache entries, of
    what this evaluator lowered and compiled last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np

from networks import Network, differentiate, simplify

MODES = ("output", "gradient")

Array: TypeAlias = "np.ndarray[Any, Any]"
Weights: TypeAlias = dict[str, Array]
"""From the name of each weight to its array, of the weight's shape and dtype."""
Data: TypeAlias = dict[str, Array]
"""From the name of each data input to its array, of its shape and dtype."""
Arrays: TypeAlias = list[Array]
Function: TypeAlias = Callable[[Weights, Data], Arrays]
"""In output mode one array for each output; in gradient mode the loss, then its derivative by
each weight, in the network's order."""


class EvaluatorError(Exception):
    """An evaluator cannot be had, or cannot do what it was asked for."""


class Evaluator(Protocol):
    """A strategy, or an adapter to an engine."""

    name: str

    def version(self) -> str:
        """The release of what evaluates: the engine's own, or ours."""
        ...

    def refuse(self, network: Network, mode: str) -> str | None:
        """Why this network cannot be evaluated in this mode, or None."""
        ...

    def lower(self, network: Network, mode: str) -> object:
        """The engine's own graph: traced, not compiled."""
        ...

    def compile(self, lowered: Any) -> Function:
        """A function that is ready to be called many times."""
        ...


def gradient_by(evaluator: Evaluator) -> str:
    """Who differentiates for this evaluator: "network" or "native"."""
    return str(getattr(evaluator, "gradient_by", "network"))


def refusal(network: Network, mode: str) -> str | None:
    """Why no evaluator can evaluate this network in this mode, or None."""
    if mode not in MODES:
        return f"found mode {mode!r}; expected one of {', '.join(MODES)}"
    if mode == "output" and network.is_gradient:
        return "a gradient network has no output mode; evaluate the network it was made from"
    if mode == "gradient" and network.loss is None:
        return "the network has no loss to differentiate; call net.loss(y) where it is built"
    return None


def network_for(network: Network, mode: str) -> Network:
    """The network whose outputs are what a function of that mode returns.

    A gradient network stands for itself; any other is differentiated and simplified.
    """
    reason = refusal(network, mode)
    if reason is not None:
        raise EvaluatorError(reason)
    if mode == "output" or network.is_gradient:
        return network
    return simplify(differentiate(network))
