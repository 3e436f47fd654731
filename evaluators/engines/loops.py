"""Which operations of a network share a loop, and where each value can be read.

Transposing, broadcasting and slicing move nothing: their users read with other strides. Elementwise
operations that are used once, by another of the same shape or by a reduction, share its loop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from networks import Node, operators as op, topological_order
from networks.inference import Shape
from networks.node import make
from networks.operators import ELEMENTWISE

LARGEST = 40
"""Operations in one loop: longer bodies take compilers more than linear time."""

VIEWED = frozenset({op.RESHAPE, op.PERMUTE_DIMS, op.BROADCAST_TO, op.SLICE})
REDUCED = frozenset({op.SUM, op.MAX})


class View(NamedTuple):
    """Where a value lies: in its owner's memory, from `start` on, an element every stride."""

    owner: Node
    start: int
    strides: tuple[int, ...]


class Step(NamedTuple):
    """A node that is computed into memory, by these operations in this order."""

    node: Node
    members: tuple[Node, ...]


def c_strides(shape: Shape) -> tuple[int, ...]:
    """Elements from one index to the next, along each axis of a contiguous array."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def is_contiguous(shape: Shape, strides: Sequence[int]) -> bool:
    """Whether elements lie one after the other, in the order of their indices."""
    return all(
        size == 1 or found == wanted
        for size, found, wanted in zip(shape, strides, c_strides(shape), strict=True)
    )


def spread(view: View, shape: Shape, wanted: Shape) -> tuple[int, ...]:
    """Strides that read a value as if it were broadcast."""
    lacking = len(wanted) - len(shape)
    return (
        *(0 for _ in range(lacking)),
        *(0 if size == 1 else stride for size, stride in zip(shape, view.strides, strict=True)),
    )


class Plan:
    """Which operations share a loop, and where each value can be read."""

    def __init__(self, outputs: Sequence[Node]) -> None:
        self.steps: list[Step] = []
        self.views: dict[Node, View] = {}
        order = topological_order(outputs)
        self._uses = Counter(operand for node in order for operand in node.operands)
        self._uses.update(outputs)
        self._only_user = {operand: node for node in order for operand in node.operands}
        self._pending: dict[Node, list[Node]] = {}
        for node in order:
            self._add(node)
        self.outputs = [self._contiguous(node) for node in outputs]

    def _add(self, node: Node) -> None:
        if not node.operands:
            self.views[node] = View(node, 0, c_strides(node.shape))
        elif node.operator.kind == ELEMENTWISE:
            self._elementwise(node)
        elif node.operator in VIEWED and (view := self._viewed(node)) is not None:
            self.views[node] = view
        elif node.operator is op.MATMUL:
            operands = tuple([self._matrix(each) for each in node.operands])
            self._step(node, make(op.MATMUL, operands, None, node.shape, node.dtype, None))
        else:
            self._step(node, node, self._taken_in(node))

    def _taken_in(self, node: Node) -> list[Node]:
        """The operations that share the node's loop."""
        return [each for x in node.operands for each in self._pending.pop(x, ())]

    def _step(self, node: Node, computed: Node, members: Sequence[Node] = ()) -> None:
        self.steps.append(Step(computed, (*members, computed)))
        self.views[computed] = self.views[node] = View(computed, 0, c_strides(node.shape))

    def _elementwise(self, node: Node) -> None:
        members = self._taken_in(node)
        user = self._only_user.get(node)
        if (
            self._uses[node] == 1
            and user is not None
            and len(members) < LARGEST
            and (
                user.operator in REDUCED
                or (user.operator.kind == ELEMENTWISE and user.shape == node.shape)
            )
        ):
            self._pending[node] = [*members, node]
        else:
            self._step(node, node, members)

    def _viewed(self, node: Node) -> View | None:
        (operand,) = node.operands
        view = self.views[operand]
        if node.operator is op.PERMUTE_DIMS:
            return view._replace(strides=tuple([view.strides[a] for a in node.attributes.axes]))
        if node.operator is op.BROADCAST_TO:
            return view._replace(strides=spread(view, operand.shape, node.shape))
        if node.operator is op.SLICE:
            ranges = list(zip(node.attributes.ranges, view.strides, strict=True))
            start = view.start + sum(first * stride for (first, _, _), stride in ranges)
            return View(view.owner, start, tuple([step * s for (_, _, step), s in ranges]))
        if is_contiguous(operand.shape, view.strides):
            return view._replace(strides=c_strides(node.shape))
        return None

    def _contiguous(self, node: Node) -> Node:
        view = self.views[node]
        is_whole = view.start == 0 and view.owner.size == node.size and view.owner.operands
        return node if is_whole and is_contiguous(node.shape, view.strides) else self._copy(node)

    def _matrix(self, node: Node) -> Node:
        """The node, or a copy of it where no product takes its strides."""
        strides = self.views[node].strides
        return node if matrix_order(node.shape, strides) else self._copy(node)

    def _copy(self, node: Node) -> Node:
        copy = make(op.ASTYPE, (node,), None, node.shape, node.dtype, None)
        self._step(copy, copy)
        return copy


def matrix_order(shape: Shape, strides: Sequence[int]) -> str:
    """In which order the last two axes are stored, "C" or "F"; "" where it is neither."""
    if len(shape) == 1:
        return "C" if is_contiguous(shape, strides) else ""
    if is_contiguous(shape[-2:], strides[-2:]):
        return "C"
    turned = is_contiguous((shape[-1], shape[-2]), (strides[-1], strides[-2]))
    return "F" if turned else ""
