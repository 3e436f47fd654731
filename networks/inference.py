"""Shape and dtype inference: pure functions on shapes, dtypes and attributes.

Each raises `Mismatch` with the reason alone; `networks.node` adds operator, operands and line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index

import numpy as np

Shape = tuple[int, ...]

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
BOOL = np.dtype(np.bool_)
DTYPES: dict[str, np.dtype] = {"float32": FLOAT32, "float64": FLOAT64, "bool": BOOL}


class Mismatch(Exception):  # noqa: N818 - always caught and turned into a NetworkError
    """Why operands do not fit together."""


def broadcast(left: Shape, right: Shape) -> Shape:
    """The common shape of two operands under the array API's broadcasting rules."""
    if left == right or not right:
        return left
    if not left:
        return right
    if len(left) < len(right):
        left, right = right, left
    offset = len(left) - len(right)
    result = list(left)
    for axis, size in enumerate(right, start=offset):
        if result[axis] == 1:
            result[axis] = size
        elif size not in (1, result[axis]):
            raise Mismatch(f"axes of {left[axis]} and {size} do not broadcast")
    return tuple(result)


def promote(left: np.dtype, right: np.dtype) -> np.dtype:
    """The floating-point dtype of a result; bool is never promoted to a number."""
    if left is BOOL or right is BOOL:
        raise Mismatch("bool is no number; use where(), or astype() first")
    return left if left is right else FLOAT64


def normalise_axes(axis: int | tuple[int, ...] | None, rank: int) -> tuple[int, ...]:
    """Sorted, non-negative, distinct axes; None means all of them."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, tuple) else (axis,)
    result = sorted(normalise_axis(each, rank) for each in axes)
    if len(set(result)) != len(result):
        raise Mismatch(f"axis {axis} names an axis twice")
    return tuple(result)


def normalise_axis(axis: int, rank: int) -> int:
    """The axis counted from the front."""
    try:
        found = index(axis)
    except TypeError:
        raise Mismatch(f"axis {axis!r} is no integer") from None
    if not -rank <= found < rank:
        raise Mismatch(f"axis {axis} is outside a shape of rank {rank}")
    return found % rank


def as_shape(sizes: Sequence[int]) -> Shape:
    """Sizes given by a caller as plain ints; -1 is let through."""
    try:
        shape = tuple(map(index, sizes))
    except TypeError:
        raise Mismatch(f"{sizes!r} is no shape; expected a tuple of sizes") from None
    if min(shape, default=0) < -1:
        raise Mismatch(f"{sizes!r} is no shape; a size is negative")
    return shape


def reduced(shape: Shape, axes: tuple[int, ...], *, keepdims: bool) -> Shape:
    """The shape left after reducing those axes."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def contracted(left: Shape, right: Shape) -> Shape:
    """The shape of a matrix product, vectors and batches included."""
    if not left or not right:
        raise Mismatch("matmul takes no scalars")
    inner_left = left[-1]
    inner_right = right[-2] if len(right) > 1 else right[0]
    if inner_left != inner_right:
        raise Mismatch(f"inner sizes {inner_left} and {inner_right} differ")
    batch = broadcast(left[:-2], right[:-2])
    rows = left[-2:-1]
    columns = right[-1:] if len(right) > 1 else ()
    return batch + rows + columns


def reshaped(shape: Shape, wanted: Shape) -> Shape:
    """The wanted shape with a single -1 filled in."""
    size = math.prod(shape)
    if wanted.count(-1) > 1:
        raise Mismatch(f"{wanted} is no shape; only one size can follow from the others")
    if -1 in wanted:
        rest = math.prod(each for each in wanted if each != -1)
        if rest == 0 or size % rest:
            raise Mismatch(f"{size} elements do not fill {wanted}")
        return tuple(size // rest if each == -1 else each for each in wanted)
    if math.prod(wanted) != size:
        raise Mismatch(f"{size} elements do not fill {wanted}")
    return wanted


def broadcasts_to(shape: Shape, wanted: Shape) -> bool:
    """Whether an operand of that shape broadcasts to exactly the wanted one."""
    offset = len(wanted) - len(shape)
    return (
        offset >= 0
        and -1 not in wanted
        and all(size in (1, wanted[offset + axis]) for axis, size in enumerate(shape))
    )


def joined(shapes: tuple[Shape, ...], axis: int) -> Shape:
    """The shape of a concatenation."""
    first = shapes[0]
    for shape in shapes[1:]:
        if len(shape) != len(first) or any(
            one != other
            for position, (one, other) in enumerate(zip(first, shape, strict=True))
            if position != axis
        ):
            raise Mismatch(f"shapes differ outside axis {axis}")
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])
