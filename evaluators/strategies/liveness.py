"""Liveness: until when each value, and the memory it lies in, is needed."""

from __future__ import annotations

import math
from typing import NamedTuple

from evaluators.strategies.kernels import SUBSCRIPT, UFUNCS, VIEWS
from evaluators.strategies.lowering import Program
from networks import Node
from networks.operators import ELEMENTWISE


class Liveness(NamedTuple):
    """Positions are places in the program's nodes; results are needed after the last of them.

    Attributes
    ----------
    owner: for each node the one whose memory it may lie in: its own unless it is a view.
    last_touch: for each owner the position of the last user of it or of a view of it.
    unused_after: for each position the nodes that it is the last to use.
    freed_after: for each position the owners that it is the last to touch.
    copied: for each output whether it would share memory with an input or another output.
    """

    owner: dict[Node, Node]
    last_touch: dict[Node, int]
    unused_after: dict[int, list[Node]]
    freed_after: dict[int, list[Node]]
    copied: tuple[bool, ...]


def liveness(program: Program) -> Liveness:
    """When each node of the program is needed."""
    last_use: dict[Node, int] = {}
    last_touch: dict[Node, int] = {}
    owner: dict[Node, Node] = {}
    for position, node in enumerate(program.nodes):
        owner[node] = owner[node.operands[0]] if node.operator in VIEWS else node
        for operand in node.operands:
            last_use[operand] = last_touch[owner[operand]] = position
    for node in program.outputs:
        last_use[node] = last_touch[owner[node]] = len(program.nodes)
    return Liveness(
        owner=owner,
        last_touch=last_touch,
        unused_after=_by_position(last_use),
        freed_after=_by_position(last_touch),
        copied=_copied(program, owner),
    )


def overwritten(node: Node, position: int, live: Liveness) -> Node | None:
    """The operand that dies at this position and whose array can take the result, or None."""
    if node.operator.kind != ELEMENTWISE or node.operator not in UFUNCS:
        return None
    for operand in node.operands:
        if (
            operand.shape == node.shape
            and operand.dtype is node.dtype
            and operand.operands
            and live.owner[operand] is operand
            and live.last_touch[operand] == position
            and all(other is operand or live.owner[other] is not operand for other in node.operands)
        ):
            return operand
    return None


def bytes_of(node: Node) -> int:
    """The size of the node's value in memory."""
    return math.prod(node.shape) * node.dtype.itemsize


def _by_position(last: dict[Node, int]) -> dict[int, list[Node]]:
    nodes: dict[int, list[Node]] = {}
    for node, position in last.items():
        nodes.setdefault(position, []).append(node)
    return nodes


def _copied(program: Program, owner: dict[Node, Node]) -> tuple[bool, ...]:
    """A whole array of this call's own, under another shape perhaps, can be handed out as it is."""
    uses: dict[Node, int] = {}
    for node in program.outputs:
        uses[owner[node]] = uses.get(owner[node], 0) + 1
    return tuple(
        not owner[node].operands or uses[owner[node]] > 1 or node.operator is SUBSCRIPT
        for node in program.outputs
    )
