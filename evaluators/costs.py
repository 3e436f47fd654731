"""What an operator has to do, from shapes: floating-point operations and bytes to move.

An operation is one addition, multiplication, division, comparison or conversion of one element; a
transcendental function counts as one too, as XLA's cost analysis has it, so that its share of a
machine's peak is low by nature. Bytes are those of the operands, each read once, and of the value,
written once; a view moves nothing. What an implementation does beyond that is its own doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from evaluators.strategies.kernels import VIEWS
from networks import Node, operators as op
from networks.operators import ELEMENTWISE, INPUT, Operator


class Cost(NamedTuple):
    """Of one evaluation of one node."""

    flops: int
    moved_bytes: int


def cost(node: Node) -> Cost:
    """What the node's operator has to do, whoever evaluates it."""
    if node.operator.kind == INPUT or node.operator in VIEWS:
        return Cost(0, 0)
    return Cost(_flops(node), sum(map(size_bytes, node.operands)) + size_bytes(node))


def size_bytes(node: Node) -> int:
    """Of the node's value."""
    return math.prod(node.shape) * node.dtype.itemsize


def _flops(node: Node) -> int:
    rule = _RULES.get(node.operator)
    if rule is not None:
        return rule(node)
    return math.prod(node.shape) if node.operator.kind == ELEMENTWISE else 0


def _elements(node: Node) -> int:
    """Of the operand: what a reduction goes over."""
    return math.prod(node.operands[0].shape)


def _matmul(node: Node) -> int:
    """A multiplication and an addition for each element of the result and of the inner axis."""
    return 2 * math.prod(node.shape) * node.operands[0].shape[-1]


def _pow_partial(node: Node) -> int:
    """Its terms, each with a power, a polynomial, a selection and a product."""
    terms = node.attributes.exponent + 1
    return int(math.prod(node.shape) * terms * (4 + 2 * node.attributes.base))


_RULES: dict[Operator, Callable[[Node], int]] = {
    op.LOGISTIC: lambda node: 4 * math.prod(node.shape),
    op.MATMUL: _matmul,
    op.SUM: _elements,
    op.SUM_TO: _elements,
    op.MEAN: lambda node: _elements(node) + math.prod(node.shape),
    op.MAX: _elements,
    op.MAX_SHARE: lambda node: 4 * _elements(node),
    op.MAXIMUM_SHARE: lambda node: 4 * math.prod(node.shape),
    op.POW_PARTIAL: _pow_partial,
    op.SCATTER_ADD: _elements,
}
