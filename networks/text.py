"""The text form of a network: one node a line, readable and read back exactly.

graphgauge network 1
%0 = weight "w" float32[3]
%1 = constant 0.5 float32[]
%2 = multiply %0 %1 float32[3]
%3 = sum %2 {"axes": [0], "keepdims": false} float32[]
outputs %3
loss %3
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from networks import operators as op
from networks.errors import NetworkError
from networks.inference import DTYPES
from networks.network import Network
from networks.node import Node, constant, make
from networks.validation import validate

_HEADER = "graphgauge network 1"
_LINE = re.compile(r"%(\d+) = (\w+)((?: %\d+)*)(?: (.+))? (\w+)\[([\d, ]*)\]")

_ATTRIBUTES: dict[op.Operator, Any] = {
    op.SUM: op.Reduced,
    op.MEAN: op.Reduced,
    op.MAX: op.Reduced,
    op.MAX_SHARE: op.Reduced,
    op.PERMUTE_DIMS: op.Permutation,
    op.CONCAT: op.Along,
    op.SLICE: op.Region,
    op.PLACE: op.Region,
    op.TAKE: op.Taken,
    op.SCATTER_ADD: op.Taken,
    op.POW_PARTIAL: op.Partial,
}


def to_text(network: Network) -> str:
    """The network as text; floats are written so that reading gives the same bits."""
    positions = network.positions
    lines = [_HEADER]
    for position, node in enumerate(network.nodes):
        words = [f"%{position} = {node.operator.name}"]
        words += [f"%{positions[operand]}" for operand in node.operands]
        words += _attribute_words(node)
        words.append(f"{node.dtype.name}{list(node.shape)}")
        lines.append(" ".join(words))
    for title, nodes in (
        ("weights", network.weights),
        ("data", network.data),
        ("outputs", network.outputs),
        ("loss", () if network.loss is None else (network.loss,)),
    ):
        if nodes:
            lines.append(" ".join([title, *(f"%{positions[node]}" for node in nodes)]))
    if network.is_gradient:
        lines.append("gradient")
    return "\n".join(lines) + "\n"


def from_text(text: str) -> Network:
    """The network that the text describes, validated; `NetworkError` names a bad line."""
    lines = text.splitlines()
    if not lines or lines[0] != _HEADER:
        raise NetworkError(f"line 1: expected {_HEADER!r}; this is no network's text form")
    nodes: list[Node] = []
    roots: dict[str, list[Node]] = {"weights": [], "data": [], "outputs": [], "loss": []}
    is_gradient = False
    for number, line in enumerate(lines[1:], start=2):
        title, *names = line.split(" ")
        try:
            if line == "gradient":
                is_gradient = True
            elif title in roots:
                roots[title] = [_named(name, nodes) for name in names]
            else:
                nodes.append(_read_node(line, nodes))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise NetworkError(f"line {number}: found {line!r}; {error}") from None
    network = Network(
        weights=roots["weights"],
        data=roots["data"],
        outputs=roots["outputs"],
        loss=roots["loss"][0] if roots["loss"] else None,
        is_gradient=is_gradient,
    )
    validate(network)
    return network


def _attribute_words(node: Node) -> list[str]:
    attributes = node.attributes
    if attributes is None:
        return []
    if isinstance(attributes, np.ndarray):
        return [json.dumps(attributes.tolist())]
    if isinstance(attributes, str):
        return [json.dumps(attributes)]
    return [json.dumps(attributes._asdict())]


def _named(name: str, nodes: list[Node]) -> Node:
    if not re.fullmatch(r"%\d+", name):
        raise ValueError(f"expected a node such as %0 where {name!r} stands")
    return nodes[int(name[1:])]


def _read_node(line: str, nodes: list[Node]) -> Node:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("expected '%N = operator %operand… attributes dtype[shape]'")
    number, name, operand_names, attributes, dtype, sizes = match.groups()
    if int(number) != len(nodes):
        raise ValueError(f"expected node %{len(nodes)}")
    operator = op.operator_named(name)
    operands = tuple(_named(each, nodes) for each in operand_names.split())
    if operator.arity is not None and len(operands) != operator.arity:
        raise ValueError(f"{name} takes {operator.arity} operands, found {len(operands)}")
    if operator.arity is None and not operands:
        raise ValueError(f"{name} takes one operand or more")
    shape = tuple(int(size) for size in sizes.split(",")) if sizes else ()
    value = None if attributes is None else json.loads(attributes)
    if operator is op.CONSTANT:
        return constant(np.reshape(np.array(value, DTYPES[dtype]), shape), DTYPES[dtype], None)
    return make(operator, operands, _attributes(operator, value), shape, DTYPES[dtype], None)


def _attributes(operator: op.Operator, value: Any) -> Any:
    if operator.kind == op.INPUT:
        if not isinstance(value, str):
            raise ValueError("expected the input's name as a text")
        return value
    kind = _ATTRIBUTES.get(operator)
    if kind is None:
        if value is not None:
            raise ValueError(f"{operator.name} has no attributes")
        return None
    if not isinstance(value, dict):
        raise ValueError(f"{operator.name} needs its attributes")
    return kind(**{key: _as_tuples(entry) for key, entry in value.items()})


def _as_tuples(value: Any) -> Any:
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value
