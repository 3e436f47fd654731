"""Single numbers in the source of loops: literals, casts, and what each operator is written as."""

from __future__ import annotations

import math
from collections.abc import Sequence

from networks import Node, operators as op
from networks.inference import BOOL
from networks.operators import Operator


def is_literal(node: Node) -> bool:
    """Whether it is written as a number wherever it is used, in place of being read."""
    return node.operator is op.CONSTANT and node.size == 1


def literal(node: Node) -> str:
    """The number of a constant that has one element."""
    value = node.attributes.reshape(-1)[0].item()
    return str(value) if node.dtype is BOOL else typed(node, repr(value))


def typed(node: Node, number: str) -> str:
    """A number of the node's dtype; Python's own would be float64."""
    if not math.isfinite(float(number)):
        number = number.replace("inf", "INFINITY").replace("nan", "NAN")
    return f"{node.dtype.name}({number})"


def cast(node: Node, text: str) -> str:
    """A number as one of the node's dtype."""
    return f"({text} != 0)" if node.dtype is BOOL else f"{node.dtype.name}({text})"


def expression(node: Node, operands: Sequence[str]) -> str:
    """One element of an elementwise node, of names of its operands' elements."""
    if node.operator is op.ASTYPE:
        (x,) = operands
        return x if node.operands[0].dtype is node.dtype else cast(node, x)
    return TEXTS[node.operator].format(*operands, one=f"{node.dtype.name}(1)")


_LARGER = "({0} if {0} > {1} or {0} != {0} else {1})"
COMBINING = {op.SUM: ("0", "{0} + {1}"), op.MAX: ("-inf", _LARGER)}
"""What a reduction starts from, and how it goes on."""

TEXTS: dict[Operator, str] = {
    op.ADD: "{0} + {1}",
    op.SUBTRACT: "{0} - {1}",
    op.MULTIPLY: "{0} * {1}",
    op.DIVIDE: "{0} / {1}",
    op.POW: "{0} ** {1}",
    op.MAXIMUM: _LARGER,
    op.MINIMUM: "({0} if {0} < {1} or {0} != {0} else {1})",
    op.NEGATIVE: "-{0}",
    op.EXP: "exp({0})",
    op.EXPM1: "expm1({0})",
    op.LOG: "log({0})",
    op.LOG1P: "log1p({0})",
    op.SQRT: "sqrt({0})",
    op.SIN: "sin({0})",
    op.COS: "cos({0})",
    op.TANH: "tanh({0})",
    op.LOGISTIC: "{one} / ({one} + exp(-{0}))",
    op.ABS: "fabs({0})",
    op.LESS: "{0} < {1}",
    op.LESS_EQUAL: "{0} <= {1}",
    op.GREATER: "{0} > {1}",
    op.GREATER_EQUAL: "{0} >= {1}",
    op.EQUAL: "{0} == {1}",
    op.NOT_EQUAL: "{0} != {1}",
    op.WHERE: "({1} if {0} else {2})",
}
