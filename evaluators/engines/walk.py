"""Walking a network with an engine's own functions, for engines that trace Python code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from evaluators.protocol import Array
from networks import Node, operators as op, topological_order

Function: TypeAlias = Callable[..., Any]
Walk: TypeAlias = Callable[[Callable[[str], Any], Callable[[str], Any]], list[Any]]
"""(weight by name, data input by name) -> the values of the outputs."""


def walk(
    outputs: Sequence[Node],
    bind: Callable[[Node], Function],
    constant: Callable[[Array], Any] = lambda array: array,
    nodes: Sequence[Node] | None = None,
) -> Walk:
    """A function that applies the engine's functions node by node.

    `bind` gives the engine's function of a node's operands, `constant` what the engine has for a
    constant's array. A value that nobody needs any longer is let go: its place is taken by a later
    one. `nodes` are those that the outputs need, operands first, where the caller has them.
    """
    if nodes is None:
        nodes = topological_order(outputs)
    places, count = _places(nodes, outputs)
    weights = [(node.attributes, places[node]) for node in nodes if node.operator is op.WEIGHT]
    data = [(node.attributes, places[node]) for node in nodes if node.operator is op.DATA]
    constants = [
        (constant(node.attributes), places[node]) for node in nodes if node.operator is op.CONSTANT
    ]
    steps = [
        (bind(node), [places[each] for each in node.operands], places[node])
        for node in nodes
        if node.operands
    ]
    results = [places[node] for node in outputs]

    def walked(weight: Callable[[str], Any], datum: Callable[[str], Any]) -> list[Any]:
        values: list[Any] = [None] * count
        for name, place in weights:
            values[place] = weight(name)
        for name, place in data:
            values[place] = datum(name)
        for array, place in constants:
            values[place] = array
        for function, operands, place in steps:
            values[place] = function(*[values[each] for each in operands])
        return [values[place] for place in results]

    return walked


def _places(nodes: Sequence[Node], outputs: Sequence[Node]) -> tuple[dict[Node, int], int]:
    """Where in a list each node's value goes, and the length of the list."""
    last_use = {operand: node for node in nodes for operand in node.operands}
    for node in outputs:
        last_use.pop(node, None)
    inputs = [node for node in nodes if not node.operands]
    places = {node: place for place, node in enumerate(inputs)}
    count = len(places)
    free: list[int] = []
    for node in nodes:
        if node.operands:
            for operand in node.operands:
                if last_use.get(operand) is node:
                    del last_use[operand]  # once, even where it is both operands
                    free.append(places[operand])
            if not free:
                free.append(count)
                count += 1
            places[node] = free.pop()
    return places, count
