"""Functions on nodes, named and behaving as in the Python array API standard.

`logistic`, `logsumexp` and `softmax` are not in the standard; they are what networks use. The last
section holds adjoints: operations that derivatives are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from networks import inference, operators
from networks.errors import NetworkError
from networks.inference import BOOL, DTYPES, Mismatch, Shape
from networks.node import (
    Node,
    Operand,
    as_node,
    binary,
    compare,
    expect_node,
    make,
    matmul,
    refusal,
    reshape as _reshape,
    subscript,
    unary,
)
from networks.operators import Along, Partial, Permutation, Reduced, Region, Taken

__all__ = [
    "abs", "add", "astype", "broadcast_to", "concat", "cos", "divide", "equal", "exp",
    "expand_dims", "expm1", "greater", "greater_equal", "less", "less_equal", "log", "log1p",
    "logistic", "logsumexp", "matmul", "matrix_transpose", "max", "maximum", "mean", "min",
    "minimum", "multiply", "negative", "not_equal", "permute_dims", "pow", "reshape", "sign",
    "sin", "softmax", "sqrt", "square", "squeeze", "stack", "subtract", "sum", "take", "tanh",
    "transpose", "where",
]  # fmt: skip

Axis = int | tuple[int, ...] | None


# Elementwise


def add(x1: Operand, x2: Operand) -> Node:
    """x1 + x2."""
    return binary(operators.ADD, x1, x2)


def subtract(x1: Operand, x2: Operand) -> Node:
    """x1 - x2."""
    return binary(operators.SUBTRACT, x1, x2)


def multiply(x1: Operand, x2: Operand) -> Node:
    """x1 · x2, element by element."""
    return binary(operators.MULTIPLY, x1, x2)


def divide(x1: Operand, x2: Operand) -> Node:
    """x1 / x2."""
    return binary(operators.DIVIDE, x1, x2)


def pow(x1: Operand, x2: Operand) -> Node:  # noqa: A001 - the array API's name
    """x1 to the power of x2."""
    return binary(operators.POW, x1, x2)


def maximum(x1: Operand, x2: Operand) -> Node:
    """The larger of both; its derivative is split evenly at ties."""
    return binary(operators.MAXIMUM, x1, x2)


def minimum(x1: Operand, x2: Operand) -> Node:
    """The smaller of both; its derivative is split evenly at ties."""
    return binary(operators.MINIMUM, x1, x2)


def negative(x: Node) -> Node:
    """-x."""
    return unary(operators.NEGATIVE, x)


def exp(x: Node) -> Node:
    """e to the power of x."""
    return unary(operators.EXP, x)


def expm1(x: Node) -> Node:
    """exp(x) - 1, accurate near 0."""
    return unary(operators.EXPM1, x)


def log(x: Node) -> Node:
    """Natural logarithm."""
    return unary(operators.LOG, x)


def log1p(x: Node) -> Node:
    """log(1 + x), accurate near 0."""
    return unary(operators.LOG1P, x)


def sqrt(x: Node) -> Node:
    """Square root."""
    return unary(operators.SQRT, x)


def square(x: Node) -> Node:
    """x · x."""
    return binary(operators.MULTIPLY, x, x)


def sin(x: Node) -> Node:
    """Sine of radians."""
    return unary(operators.SIN, x)


def cos(x: Node) -> Node:
    """Cosine of radians."""
    return unary(operators.COS, x)


def tanh(x: Node) -> Node:
    """Hyperbolic tangent."""
    return unary(operators.TANH, x)


def logistic(x: Node) -> Node:
    """1 / (1 + exp(-x))."""
    return unary(operators.LOGISTIC, x)


def abs(x: Node) -> Node:  # noqa: A001 - the array API's name
    """Absolute value; its derivative at 0 is 0."""
    return unary(operators.ABS, x)


def sign(x: Node) -> Node:
    """-1, 0 or 1."""
    return unary(operators.SIGN, x)


def astype(x: Node, dtype: str) -> Node:
    """The same values as float32, float64 or bool."""
    expect_node(operators.ASTYPE, x)
    wanted = DTYPES.get(str(dtype))
    if wanted is None:
        raise NetworkError(f"astype: found dtype {dtype!r}; expected one of {', '.join(DTYPES)}")
    if x.dtype is wanted:
        return x
    return make(operators.ASTYPE, (x,), None, x.shape, wanted, x.cache)


def less(x1: Operand, x2: Operand) -> Node:
    """x1 < x2."""
    return compare(operators.LESS, x1, x2)


def less_equal(x1: Operand, x2: Operand) -> Node:
    """x1 <= x2."""
    return compare(operators.LESS_EQUAL, x1, x2)


def greater(x1: Operand, x2: Operand) -> Node:
    """x1 > x2."""
    return compare(operators.GREATER, x1, x2)


def greater_equal(x1: Operand, x2: Operand) -> Node:
    """x1 >= x2."""
    return compare(operators.GREATER_EQUAL, x1, x2)


def equal(x1: Operand, x2: Operand) -> Node:
    """x1 == x2."""
    return compare(operators.EQUAL, x1, x2)


def not_equal(x1: Operand, x2: Operand) -> Node:
    """x1 != x2."""
    return compare(operators.NOT_EQUAL, x1, x2)


def where(condition: Node, x1: Operand, x2: Operand) -> Node:
    """x1 where the condition holds, else x2; both are evaluated."""
    if not isinstance(condition, Node) or condition.dtype is not BOOL:
        raise NetworkError(f"where: found {condition!r} as condition; expected a bool node")
    like = next((each for each in (x1, x2) if isinstance(each, Node)), None)
    if like is None:
        raise NetworkError("where: neither branch is a node; start from net.constant()")
    first, second = as_node(x1, like), as_node(x2, like)
    try:
        shape = inference.broadcast(condition.shape, inference.broadcast(first.shape, second.shape))
        dtype = first.dtype
        if dtype is not second.dtype:
            dtype = inference.promote(dtype, second.dtype)
    except Mismatch as mismatch:
        raise refusal(operators.WHERE, (condition, first, second), mismatch) from None
    operands = (condition, first, second)
    return make(operators.WHERE, operands, None, shape, dtype, condition.cache)


# Reductions


def _reduce(operator: operators.Operator, x: Node, axis: Axis, *, keepdims: bool) -> Node:
    expect_node(operator, x)
    try:
        axes = inference.normalise_axes(axis, x.ndim)
        inference.promote(x.dtype, x.dtype)
        if operator is not operators.SUM and any(x.shape[each] == 0 for each in axes):
            raise Mismatch("no elements to reduce")
    except Mismatch as mismatch:
        raise refusal(operator, (x,), mismatch) from None
    shape = inference.reduced(x.shape, axes, keepdims=keepdims)
    return make(operator, (x,), Reduced(axes, bool(keepdims)), shape, x.dtype, x.cache)


def sum(x: Node, *, axis: Axis = None, keepdims: bool = False) -> Node:  # noqa: A001
    """Sum over the axes, in x's own dtype; over all of them by default."""
    return _reduce(operators.SUM, x, axis, keepdims=keepdims)


def mean(x: Node, *, axis: Axis = None, keepdims: bool = False) -> Node:
    """Arithmetic mean over the axes."""
    return _reduce(operators.MEAN, x, axis, keepdims=keepdims)


def max(x: Node, *, axis: Axis = None, keepdims: bool = False) -> Node:  # noqa: A001
    """Largest element over the axes; its derivative is split evenly at ties."""
    return _reduce(operators.MAX, x, axis, keepdims=keepdims)


def min(x: Node, *, axis: Axis = None, keepdims: bool = False) -> Node:  # noqa: A001
    """Smallest element over the axes, as -max(-x)."""
    return negative(max(negative(x), axis=axis, keepdims=keepdims))


def logsumexp(x: Node, *, axis: Axis = None, keepdims: bool = False) -> Node:
    """log(sum(exp(x))), shifted by the largest element so that nothing overflows."""
    peak = max(x, axis=axis, keepdims=True)
    total = log(sum(exp(x - peak), axis=axis, keepdims=True)) + peak
    axes = inference.normalise_axes(axis, x.ndim)
    return _reshape(total, inference.reduced(x.shape, axes, keepdims=keepdims))


def softmax(x: Node, *, axis: Axis = -1) -> Node:
    """exp(x) / sum(exp(x)), shifted by the largest element so that nothing overflows."""
    weight = exp(x - max(x, axis=axis, keepdims=True))
    return weight / sum(weight, axis=axis, keepdims=True)


# Movement


def reshape(x: Node, shape: Sequence[int]) -> Node:
    """The same elements in C order under another shape; one size may be -1."""
    expect_node(operators.RESHAPE, x)
    try:
        return _reshape(x, inference.reshaped(x.shape, inference.as_shape(shape)))
    except Mismatch as mismatch:
        raise refusal(operators.RESHAPE, (x,), mismatch) from None


def permute_dims(x: Node, axes: Sequence[int]) -> Node:
    """Axis i of the result is axis axes[i] of x."""
    expect_node(operators.PERMUTE_DIMS, x)
    try:
        order = tuple(inference.normalise_axis(axis, x.ndim) for axis in axes)
        if sorted(order) != list(range(x.ndim)):
            raise Mismatch(f"axes {tuple(axes)} are no permutation of {x.ndim} axes")
    except Mismatch as mismatch:
        raise refusal(operators.PERMUTE_DIMS, (x,), mismatch) from None
    return _permuted(x, order)


def _permuted(x: Node, order: tuple[int, ...]) -> Node:
    shape = tuple([x.shape[axis] for axis in order])
    return make(operators.PERMUTE_DIMS, (x,), Permutation(order), shape, x.dtype, x.cache)


def transpose(x: Node) -> Node:
    """All axes reversed."""
    expect_node(operators.PERMUTE_DIMS, x)
    return _permuted(x, tuple(reversed(range(x.ndim))))


def matrix_transpose(x: Node) -> Node:
    """The last two axes exchanged."""
    expect_node(operators.PERMUTE_DIMS, x)
    rank = x.ndim
    if rank < 2:
        raise refusal(operators.PERMUTE_DIMS, (x,), "matrix_transpose needs two axes or more")
    return _permuted(x, (*range(rank - 2), rank - 1, rank - 2))


def expand_dims(x: Node, *, axis: int = 0) -> Node:
    """A new axis of size 1 at that place."""
    expect_node(operators.RESHAPE, x)
    try:
        at = inference.normalise_axis(axis, x.ndim + 1)
    except Mismatch as mismatch:
        raise refusal(operators.RESHAPE, (x,), mismatch) from None
    return _reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


def squeeze(x: Node, axis: int | tuple[int, ...]) -> Node:
    """Without those axes, which must have size 1."""
    expect_node(operators.RESHAPE, x)
    try:
        axes = inference.normalise_axes(axis, x.ndim)
        if any(x.shape[each] != 1 for each in axes):
            raise Mismatch(f"axis {axis} is not of size 1")
    except Mismatch as mismatch:
        raise refusal(operators.RESHAPE, (x,), mismatch) from None
    return _reshape(x, inference.reduced(x.shape, axes, keepdims=False))


def broadcast_to(x: Node, shape: Sequence[int]) -> Node:
    """x repeated along axes that it lacks or has at size 1."""
    expect_node(operators.BROADCAST_TO, x)
    try:
        wanted = inference.as_shape(shape)
        if not inference.broadcasts_to(x.shape, wanted):
            raise Mismatch(f"does not broadcast to {list(wanted)}")
    except Mismatch as mismatch:
        raise refusal(operators.BROADCAST_TO, (x,), mismatch) from None
    return spread(x, wanted)


def concat(arrays: Sequence[Node], *, axis: int = 0) -> Node:
    """Joined along an existing axis."""
    operands = tuple(arrays)
    if not operands or not all(isinstance(each, Node) for each in operands):
        raise NetworkError(f"concat: found {arrays!r}; expected one node or more")
    first = operands[0]
    try:
        at = inference.normalise_axis(axis, first.ndim)
        shape = inference.joined(tuple(each.shape for each in operands), at)
        dtype = first.dtype
        for each in operands[1:]:
            if each.dtype is not dtype:
                dtype = inference.promote(dtype, each.dtype)
    except Mismatch as mismatch:
        raise refusal(operators.CONCAT, operands, mismatch) from None
    return make(operators.CONCAT, operands, Along(at), shape, dtype, first.cache)


def stack(arrays: Sequence[Node], *, axis: int = 0) -> Node:
    """Joined along a new axis."""
    return concat([expand_dims(each, axis=axis) for each in arrays], axis=axis)


def take(x: Node, indices: Sequence[int], *, axis: int = 0) -> Node:
    """The slices at static positions along an axis, in that order, with repetition."""
    expect_node(operators.TAKE, x)
    try:
        at = inference.normalise_axis(axis, x.ndim)
    except Mismatch as mismatch:
        raise refusal(operators.TAKE, (x,), mismatch) from None
    size = x.shape[at]
    listed = np.asarray(indices)
    if listed.ndim != 1 or (listed.size and listed.dtype.kind not in "iu"):
        raise NetworkError(f"take: found {indices!r} as indices; expected a list of integers")
    if listed.size and (listed.min() < -size or listed.max() >= size):
        raise refusal(operators.TAKE, (x,), f"an index is outside axis {at} of size {size}")
    positions = tuple((listed.astype(np.int64) % size).tolist())
    shape = (*x.shape[:at], len(positions), *x.shape[at + 1 :])
    return make(operators.TAKE, (x,), Taken(positions, at), shape, x.dtype, x.cache)


def getitem(x: Node, index: Any) -> Node:
    """Basic indexing, the same as x[index]."""
    expect_node(operators.SLICE, x)
    return subscript(x, index)


# Adjoints: no argument checks, since derivatives call them with shapes that fit.


def sum_to(x: Node, shape: Shape) -> Node:
    """The adjoint of broadcasting from that shape: x itself if it has it already."""
    if x.shape == shape:
        return x
    return make(operators.SUM_TO, (x,), None, shape, x.dtype, x.cache)


def spread(x: Node, shape: Shape) -> Node:
    """The adjoint of `sum_to`: x repeated to that shape; x itself if it has it already."""
    if x.shape == shape:
        return x
    return make(operators.BROADCAST_TO, (x,), None, shape, x.dtype, x.cache)


def place(x: Node, region: Region, shape: Shape) -> Node:
    """The adjoint of `slice`: zeros of that shape with x in the region."""
    return make(operators.PLACE, (x,), region, shape, x.dtype, x.cache)


def slice_region(x: Node, region: Region, shape: Shape) -> Node:
    """The region of x, which has that shape: the adjoint of `place`."""
    return make(operators.SLICE, (x,), region, shape, x.dtype, x.cache)


def take_again(x: Node, taken: Taken, shape: Shape) -> Node:
    """`take` with attributes that are known to fit: the adjoint of `scatter_add`."""
    return make(operators.TAKE, (x,), taken, shape, x.dtype, x.cache)


def scatter_add(x: Node, taken: Taken, shape: Shape) -> Node:
    """The adjoint of `take`: zeros of that shape, x's slices added at their indices."""
    return make(operators.SCATTER_ADD, (x,), taken, shape, x.dtype, x.cache)


def maximum_share(x1: Node, x2: Node) -> Node:
    """1 where x1 is larger, 1/2 where both are equal, 0 elsewhere."""
    return binary(operators.MAXIMUM_SHARE, x1, x2)


def max_share(x: Node, axes: tuple[int, ...]) -> Node:
    """1 at the largest element along the axes, split evenly among ties, 0 elsewhere."""
    return make(operators.MAX_SHARE, (x,), Reduced(axes, True), x.shape, x.dtype, x.cache)


def pow_partial(like: Node, partial: Partial) -> Node:
    """A derivative of like's x1**x2, where `like` is a `pow` or a `pow_partial` itself."""
    return make(operators.POW_PARTIAL, like.operands, partial, like.shape, like.dtype, like.cache)
