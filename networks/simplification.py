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

from networks import operators as op
from networks.collector import collector_paused
from networks.network import Network
from networks.node import Node, constant, make
from networks.operators import Operator, Permutation
from networks.origins import followed

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
        origins=network.origins,
    )


class _Rewrite:
    """One walk over a network, from operands to users."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Node] = {}

    def run(self, network: Network) -> dict[Node, Node]:
        """What each node is replaced by."""
        replaced: dict[Node, Node] = {}
        for node in followed(network.nodes, network.origins):
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
        operands, attributes = _merged(node, operands)
        copied = _copied(node, operands, attributes)
        if copied is not None:
            return copied
        folded = _folded(node, operands)
        if folded is not None:
            return self._shared_constant(folded)
        key = (node.operator, attributes, node.shape, node.dtype, operands)
        known = self._known.get(key)
        if known is None:
            known = node
            if any(new is not old for new, old in zip(operands, node.operands, strict=True)):
                known = make(
                    node.operator, operands, attributes, node.shape, node.dtype, node.cache
                )
            self._known[key] = known
        return known


def _merged(node: Node, operands: tuple[Node, ...]) -> tuple[tuple[Node, ...], Any]:
    """Operands and attributes, where a movement of the same kind is skipped."""
    operator, first = node.operator, operands[0]
    if operator is first.operator:
        if operator in (op.RESHAPE, op.BROADCAST_TO):
            return first.operands, None
        if operator is op.PERMUTE_DIMS:
            axes = first.attributes.axes
            return first.operands, Permutation(tuple([axes[i] for i in node.attributes.axes]))
    return operands, node.attributes


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


def _copied(node: Node, operands: tuple[Node, ...], attributes: Any) -> Node | None:
    """The node that the operation would only copy, if it does nothing else."""
    operator, first = node.operator, operands[0]
    if operator is op.NEGATIVE and first.operator is op.NEGATIVE:
        return first.operands[0]
    if operator is op.PERMUTE_DIMS and attributes.axes == tuple(range(first.ndim)):
        return first
    if operator is op.RESHAPE and first.shape == node.shape:
        return first
    if operator in (op.MULTIPLY, op.DIVIDE) and _is_constant(operands[1], 1.0):
        return _if_alike(first, node)
    if operator is op.SUBTRACT and _is_constant(operands[1], 0.0):
        return _if_alike(first, node)
    if operator is op.MULTIPLY and _is_constant(first, 1.0):
        return _if_alike(operands[1], node)
    return None


def _if_alike(operand: Node, node: Node) -> Node | None:
    """The operand, unless the operation broadcasts or converts it."""
    return operand if operand.shape == node.shape and operand.dtype is node.dtype else None


def _is_constant(node: Node, value: float) -> bool:
    """Whether every element is that value; zeros must have its sign, since -0 is another."""
    return node.operator is op.CONSTANT and bool(
        np.all(node.attributes == value) and not np.any(np.signbit(node.attributes))
    )
