"""Walking a network with an engine's own functions, for engines that trace Python code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from evaluators.protocol import Array
from networks import Node, operators as op, topological_order

Function: TypeAlias = Callable[..., Any]
Walk: TypeAlias = Callable[[Callable[[str], Any], Callable[[str], Any]], list[Any]]
"""(weight by name, data input by name) -> the values of the outputs."""


Step: TypeAlias = tuple[Node, tuple[Node, ...]]
"""A node, and what its function is applied to: its operands, or what stands for them."""


def steps_of(nodes: Iterable[Node]) -> list[Step]:
    """Each with its own operands."""
    return [(node, node.operands) for node in nodes]


def walk(
    outputs: Sequence[Node],
    bind: Callable[[Node], Function],
    constant: Callable[[Array], Any] = lambda array: array,
    steps: Sequence[Step] | None = None,
) -> Walk:
    """A function that applies the engine's functions node by node.

    `bind` gives the engine's function of a node's operands, `constant` what the engine has for a
    constant's array. A value that nobody needs any longer is let go: its place is taken by a later
    one. `steps` are what the outputs need, operands first, where the caller has them.
    """
    if steps is None:
        steps = steps_of(topological_order(outputs))
    places, count = _places(steps, outputs)
    place_of = places.__getitem__
    inputs = [(node, place_of(node)) for node, operands in steps if not operands]
    weights = [(node.attributes, at) for node, at in inputs if node.operator is op.WEIGHT]
    data = [(node.attributes, at) for node, at in inputs if node.operator is op.DATA]
    constants = [
        (constant(node.attributes), at) for node, at in inputs if node.operator is op.CONSTANT
    ]
    applied = [
        (bind(node), [*map(place_of, operands)], place_of(node))
        for node, operands in steps
        if operands
    ]
    results = [*map(place_of, outputs)]

    def walked(weight: Callable[[str], Any], datum: Callable[[str], Any]) -> list[Any]:
        values: list[Any] = [None] * count
        for name, place in weights:
            values[place] = weight(name)
        for name, place in data:
            values[place] = datum(name)
        for array, place in constants:
            values[place] = array
        value_of = values.__getitem__
        for function, operands, place in applied:
            values[place] = function(*map(value_of, operands))
        return [values[place] for place in results]

    return walked


def _places(steps: Sequence[Step], outputs: Sequence[Node]) -> tuple[dict[Node, int], int]:
    """Where in a list each node's value goes, and the length of the list."""
    last_use = {operand: node for node, operands in steps for operand in operands}
    for node in outputs:
        last_use.pop(node, None)
    inputs = [node for node, operands in steps if not operands]
    places = {node: place for place, node in enumerate(inputs)}
    count = len(places)
    free: list[int] = []
    for node, operands in steps:
        if operands:
            for operand in operands:
                if last_use.get(operand) is node:
                    del last_use[operand]  # once, even where it is both operands
                    free.append(places[operand])
            if not free:
                free.append(count)
                count += 1
            places[node] = free.pop()
    return places, count
