"""Simplification: the same values from fewer nodes.

Three things, in one walk from operands to users: constants are folded, common subexpressions become
one node, and what no output needs is not there afterwards. Operations that cannot change a bit are
taken out (x·1, x/1, x-0, a double negation, a permutation and its inverse); x+0 is kept, since it
turns -0 into 0, and x·0 is kept, since it turns infinity into NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from networks import functions as f, operators as op
from networks.collector import collector_paused
from networks.network import Network
from networks.node import Node, constant, make
from networks.operators import Operator

FOLDED_ELEMENTS = 1024
"""Constants larger than this are not made by folding: memory would be held to save one call."""

_FOLDS: dict[Operator, Callable[..., Any]] = {
    op.ADD: np.add,
    op.SUBTRACT: np.subtract,
    op.MULTIPLY: np.multiply,
    op.DIVIDE: np.divide,
    op.NEGATIVE: np.negative,
    op.SQRT: np.sqrt,
    op.EXP: np.exp,
    op.LOG: np.log,
}


def simplify(network: Network) -> Network:
    """An equal network, with the same inputs, outputs and loss in the same order."""
    with collector_paused():
        replaced = _Rewrite().run(network)
    return Network(
        weights=network.weights,
        data=network.data,
        outputs=[replaced[node] for node in network.outputs],
        loss=None if network.loss is None else replaced[network.loss],
        is_gradient=network.is_gradient,
    )


class _Rewrite:
    """One walk over a network, from operands to users."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Node] = {}

    def run(self, network: Network) -> dict[Node, Node]:
        """What each node is replaced by."""
        replaced: dict[Node, Node] = {}
        for node in network.nodes:
            operands = tuple([replaced[operand] for operand in node.operands])
            if node.operator is op.CONSTANT:
                replaced[node] = self._shared_constant(node)
            elif not operands:
                replaced[node] = node
            else:
                replaced[node] = self._rewritten(node, operands)
        return replaced

    def _shared_constant(self, node: Node) -> Node:
        key = (op.CONSTANT, node.attributes.tobytes(), node.shape, node.dtype)
        return self._known.setdefault(key, node)

    def _rewritten(self, node: Node, operands: tuple[Node, ...]) -> Node:
        shorter = _without_effect(node, operands)
        if shorter is not None:
            return shorter
        folded = _folded(node, operands)
        if folded is not None:
            return self._shared_constant(folded)
        key = (node.operator, node.attributes, node.shape, node.dtype, *map(id, operands))
        known = self._known.get(key)
        if known is None:
            known = node
            if any(new is not old for new, old in zip(operands, node.operands, strict=True)):
                known = make(
                    node.operator, operands, node.attributes, node.shape, node.dtype, node.cache
                )
            self._known[key] = known
        return known


def _folded(node: Node, operands: tuple[Node, ...]) -> Node | None:
    """The constant that an operation on small constants gives."""
    fold = _FOLDS.get(node.operator)
    if fold is None or node.size > FOLDED_ELEMENTS:
        return None
    if any(operand.operator is not op.CONSTANT for operand in operands):
        return None
    with np.errstate(all="ignore"):
        value = fold(*(operand.attributes for operand in operands))
    return constant(value, node.dtype, node.cache)


def _without_effect(node: Node, operands: tuple[Node, ...]) -> Node | None:
    """The operand that the operation would only copy, if it does nothing else."""
    first = operands[0]
    operator = node.operator
    if operator is op.NEGATIVE and first.operator is op.NEGATIVE:
        return first.operands[0]
    if operator is op.PERMUTE_DIMS and first.operator is op.PERMUTE_DIMS:
        order = tuple(first.attributes.axes[axis] for axis in node.attributes.axes)
        if order == tuple(range(len(order))):
            return first.operands[0]
        return f.permute_dims(first.operands[0], order)
    if operator is op.RESHAPE and first.operator is op.RESHAPE:
        return f.reshape(first.operands[0], node.shape)
    if len(operands) == 2 and first.shape == node.shape and first.dtype is node.dtype:
        second = operands[1]
        if operator in (op.MULTIPLY, op.DIVIDE) and _is_constant(second, 1.0):
            return first
        if operator is op.SUBTRACT and _is_constant(second, 0.0):
            return first
    if operator is op.MULTIPLY and _is_constant(first, 1.0):
        second = operands[1]
        if second.shape == node.shape and second.dtype is node.dtype:
            return second
    return None


def _is_constant(node: Node, value: float) -> bool:
    """Whether every element is that value; zeros must have its sign, since -0 is another."""
    return node.operator is op.CONSTANT and bool(
        np.all(node.attributes == value) and not np.any(np.signbit(node.attributes))
    )
