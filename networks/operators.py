"""The operator table: every operation a network may hold, and what each one's attributes say.

Names and semantics follow the Python array API standard (data-apis.org/array-api, 2024.12)
where it has the operation. The operators in `ADJOINTS` are not in the standard; they exist so that
derivatives stay small and are closed under repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

INPUT, ELEMENTWISE, REDUCTION, MOVEMENT, CONTRACTION = (
    "input",
    "elementwise",
    "reduction",
    "movement",
    "contraction",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operator:
    """What a node does. Operators are singletons: compare them with `is`."""

    name: str
    kind: str
    """One of the five kinds above: what shape inference and evaluators tell apart."""
    arity: int | None
    """Number of operands; None when any number will do."""

    def __repr__(self) -> str:
        return self.name


class Reduced(NamedTuple):
    """Attributes of a reduction: sorted, non-negative axes, and whether they stay as ones."""

    axes: tuple[int, ...]
    keepdims: bool


class Permutation(NamedTuple):
    """Attributes of `permute_dims`: axis `axes[i]` of the operand becomes axis i."""

    axes: tuple[int, ...]


class Along(NamedTuple):
    """Attributes of `concat`: the axis that operands are joined along."""

    axis: int


class Region(NamedTuple):
    """Attributes of `slice` and `place`: start, stop and step for each axis, steps non-zero.

    `stop` is None only for a negative step that runs through index 0.
    """

    ranges: tuple[tuple[int, int | None, int], ...]

    def slices(self) -> tuple[slice, ...]:
        """The same as Python slices."""
        return tuple(slice(*each) for each in self.ranges)


class Taken(NamedTuple):
    """Attributes of `take` and `scatter_add`: static non-negative indices along one axis."""

    indices: tuple[int, ...]
    axis: int


class Partial(NamedTuple):
    """Attributes of `pow_partial`: how often to differentiate by base and by exponent."""

    base: int
    exponent: int


_TABLE: dict[str, Operator] = {}


def _operator(name: str, kind: str, arity: int | None) -> Operator:
    operator = _TABLE[name] = Operator(name=name, kind=kind, arity=arity)
    return operator


WEIGHT = _operator("weight", INPUT, 0)
DATA = _operator("data", INPUT, 0)
CONSTANT = _operator("constant", INPUT, 0)

ADD = _operator("add", ELEMENTWISE, 2)
SUBTRACT = _operator("subtract", ELEMENTWISE, 2)
MULTIPLY = _operator("multiply", ELEMENTWISE, 2)
DIVIDE = _operator("divide", ELEMENTWISE, 2)
POW = _operator("pow", ELEMENTWISE, 2)
MAXIMUM = _operator("maximum", ELEMENTWISE, 2)
MINIMUM = _operator("minimum", ELEMENTWISE, 2)

NEGATIVE = _operator("negative", ELEMENTWISE, 1)
EXP = _operator("exp", ELEMENTWISE, 1)
EXPM1 = _operator("expm1", ELEMENTWISE, 1)
LOG = _operator("log", ELEMENTWISE, 1)
LOG1P = _operator("log1p", ELEMENTWISE, 1)
SQRT = _operator("sqrt", ELEMENTWISE, 1)
SIN = _operator("sin", ELEMENTWISE, 1)
COS = _operator("cos", ELEMENTWISE, 1)
TANH = _operator("tanh", ELEMENTWISE, 1)
LOGISTIC = _operator("logistic", ELEMENTWISE, 1)
ABS = _operator("abs", ELEMENTWISE, 1)
SIGN = _operator("sign", ELEMENTWISE, 1)
ASTYPE = _operator("astype", ELEMENTWISE, 1)

LESS = _operator("less", ELEMENTWISE, 2)
LESS_EQUAL = _operator("less_equal", ELEMENTWISE, 2)
GREATER = _operator("greater", ELEMENTWISE, 2)
GREATER_EQUAL = _operator("greater_equal", ELEMENTWISE, 2)
EQUAL = _operator("equal", ELEMENTWISE, 2)
NOT_EQUAL = _operator("not_equal", ELEMENTWISE, 2)
WHERE = _operator("where", ELEMENTWISE, 3)

SUM = _operator("sum", REDUCTION, 1)
MEAN = _operator("mean", REDUCTION, 1)
MAX = _operator("max", REDUCTION, 1)

MATMUL = _operator("matmul", CONTRACTION, 2)

RESHAPE = _operator("reshape", MOVEMENT, 1)
PERMUTE_DIMS = _operator("permute_dims", MOVEMENT, 1)
BROADCAST_TO = _operator("broadcast_to", MOVEMENT, 1)
CONCAT = _operator("concat", MOVEMENT, None)
SLICE = _operator("slice", MOVEMENT, 1)
TAKE = _operator("take", MOVEMENT, 1)

SUM_TO = _operator("sum_to", REDUCTION, 1)
"""Adjoint of broadcasting: sums the operand down to the node's own, broadcastable, shape."""
PLACE = _operator("place", MOVEMENT, 1)
"""Adjoint of `slice`: zeros of the node's shape, with the operand in the region."""
SCATTER_ADD = _operator("scatter_add", MOVEMENT, 1)
"""Adjoint of `take`: zeros of the node's shape, each slice of the operand added at its index."""
MAXIMUM_SHARE = _operator("maximum_share", ELEMENTWISE, 2)
"""Derivative of `maximum` by its first operand: 1 where it is larger, 1/2 at ties, 0 elsewhere."""
MAX_SHARE = _operator("max_share", REDUCTION, 1)
"""Derivative of `max`: 1 at the largest element, divided evenly among ties, 0 elsewhere."""
POW_PARTIAL = _operator("pow_partial", ELEMENTWISE, 2)
"""A partial derivative of `pow`, of any order by base and exponent: closed under itself."""

ADJOINTS = frozenset({SUM_TO, PLACE, SCATTER_ADD, MAXIMUM_SHARE, MAX_SHARE, POW_PARTIAL})
COMPARISONS = frozenset({LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL})


def operator_named(name: str) -> Operator:
    """The operator of that name; KeyError when there is none."""
    return _TABLE[name]


def operators() -> tuple[Operator, ...]:
    """Every operator, in the table's order."""
    return tuple(_TABLE.values())
