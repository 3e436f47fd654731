"""NumPy functions for the operators, in the node's own dtype on NumPy 1.26 and 2 alike.

A kernel takes the operands' values and returns the node's value: an array, or for a scalar also
a NumPy scalar, which is what NumPy itself returns. The value may be a view of an operand for the
operators in `VIEWS`, and of nothing otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from evaluators.protocol import Array
from networks import Node, operators as op
from networks.inference import BOOL, FLOAT64
from networks.operators import MOVEMENT, Operator, Partial, Reduced, Taken

Kernel: TypeAlias = Callable[..., Any]

SUBSCRIPT = Operator(name="subscript", kind=MOVEMENT, arity=1)
"""Basic indexing with a tuple of integers and slices, its attributes. Only `lowering` makes it."""

VIEWS = frozenset({op.RESHAPE, op.PERMUTE_DIMS, op.SLICE, SUBSCRIPT})

UFUNCS: dict[op.Operator, np.ufunc] = {
    op.ADD: np.add,
    op.SUBTRACT: np.subtract,
    op.MULTIPLY: np.multiply,
    op.DIVIDE: np.true_divide,
    op.POW: np.power,
    op.MAXIMUM: np.maximum,
    op.MINIMUM: np.minimum,
    op.NEGATIVE: np.negative,
    op.EXP: np.exp,
    op.EXPM1: np.expm1,
    op.LOG: np.log,
    op.LOG1P: np.log1p,
    op.SQRT: np.sqrt,
    op.SIN: np.sin,
    op.COS: np.cos,
    op.TANH: np.tanh,
    op.ABS: np.absolute,
    op.SIGN: np.sign,
    op.LESS: np.less,
    op.LESS_EQUAL: np.less_equal,
    op.GREATER: np.greater,
    op.GREATER_EQUAL: np.greater_equal,
    op.EQUAL: np.equal,
    op.NOT_EQUAL: np.not_equal,
    op.MATMUL: np.matmul,
}
"""The operators that are one NumPy function with an `out` argument."""

KEYWORD_OUT = frozenset({op.MAXIMUM, op.MINIMUM})
"""Those of them that take it by keyword alone, from NumPy 2.4 on; elsewhere that is slower."""


def kernel(node: Node) -> Kernel:
    """The function of the node's operands that gives its value."""
    ufunc = UFUNCS.get(node.operator)
    function = ufunc if ufunc is not None else _MAKERS[node.operator](node)
    return _promoting(function) if has_mixed_operands(node) else function


def has_mixed_operands(node: Node) -> bool:
    """Whether operands are of different floating-point dtypes.

    NumPy 1.26 would let a float32 array decide over a float64 scalar, so they are cast first.
    """
    operands = node.operands
    if len(operands) == 2:
        return operands[0].dtype is not operands[1].dtype
    return len({operand.dtype for operand in operands} - {BOOL}) > 1


def _promoting(function: Kernel) -> Kernel:
    def promoted(*operands: Array) -> Any:
        return function(*[x if x.dtype == BOOL else x.astype(FLOAT64) for x in operands])

    return promoted


def logistic(x: Array) -> Any:
    """1 / (1 + exp(-x)) without overflow, and with full relative accuracy on both sides."""
    small = np.exp(-np.absolute(x))
    return np.where(x < 0, small, small.dtype.type(1)) / (small + small.dtype.type(1))


def maximum_share(x: Array, y: Array) -> Any:
    """1 where x is larger, 1/2 at ties, 0 elsewhere, in the dtype of both."""
    doubled = np.add(np.greater(x, y), np.greater_equal(x, y), dtype=x.dtype)
    return doubled * x.dtype.type(0.5)


def max_share(x: Array, axes: tuple[int, ...]) -> Any:
    """1 at the largest element along the axes, divided evenly among ties, 0 elsewhere."""
    largest = np.equal(x, np.maximum.reduce(x, axis=axes, keepdims=True))
    return largest / np.add.reduce(largest, axis=axes, dtype=x.dtype, keepdims=True)


def pow_partial(base: Array, exponent: Array, order: Partial) -> Any:
    """The derivative of base**exponent, taken that often by each.

    It is a sum over k of binomial(n, k) · p⁽ᵏ⁾(e) · b^(e-m) · log(b)^(n-k), where p(e) is
    e(e-1)…(e-m+1). Where p⁽ᵏ⁾ is 0 the term is 0, whatever b is; log(0) counts as 0, so that
    0 to any positive power has derivative 0 by the power.
    """
    number = base.dtype.type
    power = np.power(base, exponent - number(order.base))
    log = np.log(np.where(base == 0, number(1), base)) if order.exponent else None
    total: Any = None
    for k, coefficients in enumerate(falling_factorials(order)):
        factor = _polynomial(coefficients, exponent)
        term = np.where(factor == 0, number(0), factor * power)
        if log is not None:
            term = term * log ** number(order.exponent - k)
        total = term if total is None else total + term
    return total


def falling_factorials(order: Partial) -> list[list[int]]:
    """For each k the coefficients of binomial(n, k) · p⁽ᵏ⁾, see `pow_partial`; constants first."""
    coefficients = [1]
    for root in range(order.base):
        shifted = [0, *coefficients]
        coefficients = [s - root * c for s, c in zip(shifted, [*coefficients, 0], strict=True)]
    derivatives = []
    for k in range(order.exponent + 1):
        derivatives.append([math.comb(order.exponent, k) * each for each in coefficients])
        coefficients = [place * each for place, each in enumerate(coefficients)][1:]
    return derivatives


def _polynomial(coefficients: list[int], x: Array) -> Any:
    """Horner's scheme in x's own dtype."""
    number = x.dtype.type
    total = np.zeros_like(x)
    for coefficient in reversed(coefficients):
        total = total * x + number(coefficient)
    return total


def scatter_add(x: Array, taken: Taken, shape: tuple[int, ...]) -> Array:
    """Zeros of that shape, x's slices added at their indices."""
    whole = np.zeros(shape, x.dtype)
    index: Any = (slice(None),) * taken.axis + (list(taken.indices),)
    if len(set(taken.indices)) == len(taken.indices):
        whole[index] = x
    else:
        np.add.at(whole, index, x)
    return whole


def summed_axes(node: Node) -> Reduced:
    """What `sum_to` sums: leading axes that its shape lacks, and those it has at size 1."""
    sizes = node.operands[0].shape
    lacking = len(sizes) - len(node.shape)
    shape = (1,) * lacking + node.shape
    axes = tuple(
        axis
        for axis, size in enumerate(sizes)
        if axis < lacking or (shape[axis] == 1 and size != 1)
    )
    return Reduced(axes, any(axis >= lacking for axis in axes))


def reduced_axis(node: Node) -> int | tuple[int, ...] | None:
    """The axes of a reduction in the form that NumPy is quickest with."""
    axes: tuple[int, ...] = node.attributes.axes
    if len(axes) == node.operands[0].ndim:
        return None
    return axes[0] if len(axes) == 1 else axes


def _reduction(ufunc: np.ufunc, node: Node) -> Kernel:
    return partial(ufunc.reduce, axis=reduced_axis(node), keepdims=node.attributes.keepdims)


def _mean(node: Node) -> Kernel:
    total = _reduction(np.add, node)
    count = node.dtype.type(mean_count(node))
    return lambda x: total(x) / count


def mean_count(node: Node) -> int:
    """How many elements each mean is over."""
    return math.prod(node.operands[0].shape[axis] for axis in node.attributes.axes)


def _sum_to(node: Node) -> Kernel:
    axes, shape = summed_axes(node).axes, node.shape
    return lambda x: np.add.reduce(x, axis=axes).reshape(shape)


def _broadcast_to(node: Node) -> Kernel:
    """An array of its own: NumPy's broadcast_to is a read-only view, and slower for small ones."""
    shape, dtype = node.shape, node.dtype

    def spread(x: Array) -> Array:
        whole = np.empty(shape, dtype)
        whole[...] = x
        return whole

    return spread


def _slice(node: Node) -> Kernel:
    slices = node.attributes.slices()
    return lambda x: x[slices]


def _take(node: Node) -> Kernel:
    indices, axis = node.attributes
    positions = np.array(indices, np.intp)
    return lambda x: x.take(positions, axis)


def _place(node: Node) -> Kernel:
    slices, shape = node.attributes.slices(), node.shape

    def place(x: Array) -> Array:
        whole = np.zeros(shape, x.dtype)
        whole[slices] = x
        return whole

    return place


_MAKERS: dict[op.Operator, Callable[[Node], Kernel]] = {
    op.LOGISTIC: lambda _: logistic,
    op.ASTYPE: lambda node: partial(np.array, dtype=node.dtype),
    op.WHERE: lambda _: np.where,
    op.SUM: lambda node: _reduction(np.add, node),
    op.MEAN: _mean,
    op.MAX: lambda node: _reduction(np.maximum, node),
    op.SUM_TO: _sum_to,
    op.MAX_SHARE: lambda node: partial(max_share, axes=node.attributes.axes),
    op.MAXIMUM_SHARE: lambda _: maximum_share,
    op.POW_PARTIAL: lambda node: partial(pow_partial, order=node.attributes),
    op.RESHAPE: lambda node: lambda x, shape=node.shape: x.reshape(shape),
    op.PERMUTE_DIMS: lambda node: lambda x, axes=node.attributes.axes: x.transpose(axes),
    op.BROADCAST_TO: _broadcast_to,
    op.CONCAT: lambda node: lambda *xs, axis=node.attributes.axis: np.concatenate(xs, axis),
    op.SLICE: _slice,
    SUBSCRIPT: lambda node: itemgetter(node.attributes),
    op.TAKE: _take,
    op.PLACE: _place,
    op.SCATTER_ADD: lambda node: partial(scatter_add, taken=node.attributes, shape=node.shape),
}
