"""What the prepared strategies walk: a network with its NumPy idioms made explicit.

- Broadcasts, and reshapes that only add leading ones, are left to NumPy's implicit broadcasting
  wherever the users are elementwise. A value is then computed at its smallest shape, and spread
  out only for who needs it whole.
- Operands of different floating-point dtypes are cast, so that every operation has one dtype.
- `mean` and `sum_to` become sums; a slice, and a reshape that drops its axes of size 1, become one
  subscript.
- What constants alone decide is computed here, and a product with 1 is its other factor.

Values stay the same up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from evaluators.strategies.kernels import (
    SUBSCRIPT,
    has_mixed_operands,
    kernel,
    mean_count,
    summed_axes,
)
from networks import Network, Node, operators as op, topological_order
from networks.collector import collector_paused
from networks.inference import BOOL, FLOAT64, Shape, broadcast
from networks.node import constant, make
from networks.operators import ELEMENTWISE, Operator
from networks.origins import inheriting

FOLDED_ELEMENTS = 1024
"""Larger constants are not made by folding: memory would be held to save one call."""


class Program(NamedTuple):
    """Nodes in the order in which they are evaluated, and those that are the results."""

    nodes: list[Node]
    outputs: list[Node]


def program(network: Network) -> Program:
    """The network as a program."""
    with collector_paused():
        rewrite = _Rewrite()
        for node in inheriting(_scheduled(network.outputs), rewrite.nodes, network.origins):
            rewrite.add(node)
        outputs = [rewrite.whole(node) for node in network.outputs]
        return Program(_needed(rewrite.nodes, outputs), outputs)


def _scheduled(outputs: Sequence[Node]) -> list[Node]:
    """The nodes in an order that keeps few values alive.

    Depth-first, and the operand that is far higher above the inputs first, so that what hangs on a
    long chain is computed where the chain needs it, and not before the chain begins (after Sethi
    & Ullman, The generation of optimal code for arithmetic expressions, J. ACM 17, 1970). Heights
    are compared by their power of two: operands of about the same height keep their order, since
    an accumulation should take its terms one after the other.

    Derivatives come from the last to the first: weights are mostly declared in the order of their
    use, and differentiation goes the other way.
    """
    first, *rest = outputs
    roots = (first, *reversed(rest))
    heights: dict[Node, int] = {}
    for each in topological_order(roots):
        heights[each] = 1 + max([heights[operand] for operand in each.operands], default=0)

    def scale(node: Node) -> int:
        return heights[node].bit_length()

    order: list[Node] = []
    seen: set[Node] = set()
    entered: list[Node] = []
    stack: list[Node | None] = list(reversed(roots))  # None: list the node entered last
    while stack:
        node = stack.pop()
        if node is None:
            order.append(entered.pop())
        elif node not in seen:
            seen.add(node)
            entered.append(node)
            stack.append(None)
            by_height = sorted(node.operands, key=scale, reverse=True)
            stack += by_height[::-1]
    return order


def _needed(nodes: list[Node], outputs: Iterable[Node]) -> list[Node]:
    """Those of the nodes that an output depends on, in their order."""
    needed = set(outputs)
    kept = []
    for node in reversed(nodes):
        if node in needed:
            kept.append(node)
            needed.update(node.operands)
    kept.reverse()
    return kept


class _Rewrite:
    """One walk from operands to users."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._values: dict[Node, Node] = {}
        self._known: dict[tuple[Node, Any], Node] = {}

    def add(self, node: Node) -> None:
        """Say what stands for the node from now on."""
        self._values[node] = self._value(node)

    def whole(self, node: Node) -> Node:
        """What stands for the node, in the node's own shape."""
        value = self._values[node]
        if value.shape == node.shape:
            return value
        return self._spread(value, node.shape)

    def _value(self, node: Node) -> Node:
        operator = node.operator
        if not node.operands:
            self.nodes.append(node)
            return node
        if operator.kind == ELEMENTWISE:
            return self._elementwise(node)
        if operator is op.BROADCAST_TO:
            return self._values[node.operands[0]]
        if operator is op.RESHAPE:
            return self._reshaped(node)
        operands = tuple([self.whole(operand) for operand in node.operands])
        if operator is op.SLICE:
            return self._made(SUBSCRIPT, operands, node.attributes.slices(), node.shape, node.dtype)
        if operator is op.SUM_TO:
            return self._summed_to(node, operands)
        if operator is op.MEAN:
            total = self._made(op.SUM, operands, node.attributes, node.shape, node.dtype)
            count = self._constant(mean_count(node), node.dtype)
            return self._made(op.DIVIDE, (total, count), None, node.shape, node.dtype)
        if has_mixed_operands(node):
            operands = self._promoted(operands)
        return self._kept_or_made(node, operands, node.shape)

    def _elementwise(self, node: Node) -> Node:
        operands = tuple([self._values[operand] for operand in node.operands])
        if has_mixed_operands(node):
            operands = self._promoted(operands)
        if node.operator is op.MULTIPLY:
            left, right = operands
            if _is_one(left) and len(left.shape) <= len(right.shape):
                return right
            if _is_one(right) and len(right.shape) <= len(left.shape):
                return left
        shape: Shape = ()
        for operand in operands:
            shape = broadcast(shape, operand.shape)
        return self._kept_or_made(node, operands, shape)

    def _reshaped(self, node: Node) -> Node:
        operand = node.operands[0]
        value = self._values[operand]
        if len(value.shape) <= len(node.shape) and (
            value.shape == () or _without_leading_ones(operand) == _without_leading_ones(node)
        ):
            return value
        value = self.whole(operand)
        if value.operator is SUBSCRIPT:
            entries = _dropping_axes(value, node.shape)
            if entries is not None:
                return self._made(SUBSCRIPT, value.operands, entries, node.shape, node.dtype)
        return self._kept_or_made(node, (value,), node.shape)

    def _summed_to(self, node: Node, operands: tuple[Node, ...]) -> Node:
        axes = summed_axes(node)
        sizes = list(operands[0].shape)
        for axis in axes.axes:
            sizes[axis] = 1
        kept = tuple([each for at, each in enumerate(sizes) if at not in axes.axes])
        total = self._made(
            op.SUM, operands, axes, tuple(sizes) if axes.keepdims else kept, node.dtype
        )
        if total.shape == node.shape:
            return total
        return self._made(op.RESHAPE, (total,), None, node.shape, node.dtype)

    def _spread(self, value: Node, shape: Shape) -> Node:
        """The value broadcast to a larger shape, made once for all who need it."""
        key = (value, shape)
        known = self._known.get(key)
        if known is None:
            same_size = value.size == np.prod(shape, dtype=np.int64)
            operator = op.RESHAPE if same_size else op.BROADCAST_TO
            known = self._known[key] = self._made(operator, (value,), None, shape, value.dtype)
        return known

    def _promoted(self, operands: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple([self._as_float64(operand) for operand in operands])

    def _as_float64(self, value: Node) -> Node:
        if value.dtype is BOOL or value.dtype is FLOAT64:
            return value
        key = (value, FLOAT64)
        known = self._known.get(key)
        if known is None:
            known = self._made(op.ASTYPE, (value,), None, value.shape, FLOAT64)
            self._known[key] = known
        return known

    def _kept_or_made(self, node: Node, operands: tuple[Node, ...], shape: Shape) -> Node:
        """The node itself if it is applied to what it was applied to before."""
        if shape == node.shape and all(
            new is old for new, old in zip(operands, node.operands, strict=True)
        ):
            self.nodes.append(node)
            return node
        return self._made(node.operator, operands, node.attributes, shape, node.dtype)

    def _made(
        self,
        operator: Operator,
        operands: tuple[Node, ...],
        attributes: Any,
        shape: Shape,
        dtype: np.dtype,
    ) -> Node:
        node = make(operator, operands, attributes, shape, dtype, None)
        if _is_foldable(node):
            with np.errstate(all="ignore"):
                value = kernel(node)(*[operand.attributes for operand in operands])
            node = constant(value, dtype, None)
        self.nodes.append(node)
        return node

    def _constant(self, value: float, dtype: np.dtype) -> Node:
        node = constant(value, dtype, None)
        self.nodes.append(node)
        return node


def _is_foldable(node: Node) -> bool:
    return (
        all(operand.operator is op.CONSTANT for operand in node.operands)
        and node.size <= FOLDED_ELEMENTS
    )


def _is_one(node: Node) -> bool:
    return node.operator is op.CONSTANT and node.attributes.size == 1 and node.attributes == 1


def _without_leading_ones(node: Node) -> Shape:
    shape = node.shape
    start = 0
    while start < len(shape) and shape[start] == 1:
        start += 1
    return shape[start:]


def _dropping_axes(subscript: Node, wanted: Shape) -> tuple[int | slice, ...] | None:
    """The subscript with integers where the wanted shape lacks an axis of size 1; else None."""
    entries = list(subscript.attributes)
    sizes = iter(subscript.shape)
    place = 0
    for axis, entry in enumerate(entries):
        if isinstance(entry, int):
            continue
        size = next(sizes)
        if place < len(wanted) and wanted[place] == size:
            place += 1
        elif size == 1:
            entries[axis] = entry.start
        else:
            return None
    return tuple(entries) if place == len(wanted) else None
