"""A finished network: what evaluators are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from networks.node import Node
from networks.origins import Origins


class Network:
    """Named inputs, outputs and perhaps a loss, with every node between them.

    Attributes
    ----------
    weights, data: input nodes in the order of their declaration, used or not.
    outputs: what an output function returns, in order. Of a gradient network: the loss, then its
        derivative by each weight.
    loss: the scalar that training minimises, or None.
    is_gradient: whether `differentiate` made this network.
    origins: which line made each node, where that was recorded; else None.
    """

    def __init__(
        self,
        *,
        weights: Iterable[Node],
        data: Iterable[Node],
        outputs: Iterable[Node],
        loss: Node | None = None,
        is_gradient: bool = False,
        origins: Origins | None = None,
    ) -> None:
        self.weights = tuple(weights)
        self.data = tuple(data)
        self.outputs = tuple(outputs)
        self.loss = loss
        self.is_gradient = is_gradient
        self.origins = origins

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that the outputs or the loss need, and every input; operands come first."""
        roots = (*self.weights, *self.data, *self.outputs)
        return topological_order(roots if self.loss is None else (*roots, self.loss))

    @cached_property
    def positions(self) -> Mapping[Node, int]:
        """The place of each node in `nodes`."""
        return {node: position for position, node in enumerate(self.nodes)}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all inputs, weights first."""
        return tuple(node.attributes for node in (*self.weights, *self.data))

    def __repr__(self) -> str:
        kind = "gradient network" if self.is_gradient else "network"
        return (
            f"<{kind}: {len(self.nodes)} nodes, {len(self.weights)} weights, "
            f"{len(self.data)} data, {len(self.outputs)} outputs>"
        )


def topological_order(roots: Iterable[Node], listed: set[Node] | None = None) -> tuple[Node, ...]:
    """Every node that the roots need, operands before their users.

    Nodes that are `listed` already are left out, and what only they need; the others get into it.

    Depth-first, first operand first, so that a left fold is listed term by term rather than all
    terms before all sums. Iterative: what is left of the operands of each entered node waits in
    `pending`.
    """
    order: list[Node] = []
    seen: set[Node] = set() if listed is None else listed
    entered: list[Node] = []
    pending: list[Iterator[Node]] = []
    operands = iter(roots)
    while True:
        for node in operands:
            if node not in seen:
                seen.add(node)
                if node.operands:
                    entered.append(node)
                    pending.append(operands)
                    operands = iter(node.operands)
                    break
                order.append(node)
        else:
            if not entered:
                return tuple(order)
            order.append(entered.pop())
            operands = pending.pop()
