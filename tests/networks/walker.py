"""A plain evaluator in numpy for tests: every operator in one line, node after node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from networks import Network, Node, operators as op

Array = np.ndarray[Any, Any]
Kernel = Callable[..., Any]


def evaluate(network: Network, values: Mapping[str, Array]) -> list[Array]:
    """The outputs of a network for inputs by name."""
    done = evaluate_nodes(network.nodes, values)
    return [done[node] for node in network.outputs]


def evaluate_nodes(nodes: tuple[Node, ...], values: Mapping[str, Array]) -> dict[Node, Array]:
    """The value of every node, operands first; each must have the shape and dtype it promises."""
    done: dict[Node, Array] = {}
    with np.errstate(all="ignore"):
        for node in nodes:
            if node.operator is op.CONSTANT:
                value = node.attributes
            elif node.operator in (op.WEIGHT, op.DATA):
                value = values[node.attributes]
            else:
                operands = [done[operand] for operand in node.operands]
                value = np.asarray(KERNELS[node.operator](node, *operands))
            assert value.shape == node.shape, node
            assert value.dtype == node.dtype, node
            done[node] = value
    return done


def _plain(function: Kernel) -> Kernel:
    return lambda node, *operands: function(*operands)


def _sum_to(node: Node, x: Array) -> Array:
    lacking = x.ndim - node.ndim
    kept = tuple(
        axis + lacking for axis, size in enumerate(node.shape) if x.shape[axis + lacking] != size
    )
    return x.sum(axis=tuple(range(lacking)) + kept, dtype=x.dtype).reshape(node.shape)


def _place(node: Node, x: Array) -> Array:
    result = np.zeros(node.shape, x.dtype)
    result[node.attributes.slices()] = x
    return result


def _scatter_add(node: Node, x: Array) -> Array:
    result = np.zeros(node.shape, x.dtype)
    indices, axis = node.attributes
    at = (slice(None),) * axis + (list(indices),)
    np.add.at(result, at, x)
    return result


def _max_share(node: Node, x: Array) -> Array:
    largest = x == x.max(axis=node.attributes.axes, keepdims=True)
    return largest.astype(x.dtype) / largest.sum(
        axis=node.attributes.axes, keepdims=True, dtype=x.dtype
    )


def _maximum_share(_node: Node, x1: Array, x2: Array) -> Array:
    dtype = np.result_type(x1, x2)
    return np.where(x1 > x2, 1.0, np.where(x1 == x2, 0.5, 0.0)).astype(dtype)


def _pow_partial(node: Node, base: Array, exponent: Array) -> Array:
    """Sums of c · base**(exponent - k) · log(base)**m, differentiated term by term.

    A term whose c is 0 is 0 at base 0 too: such as the derivative of base**0.
    """
    by_base, by_exponent = node.attributes
    dtype = np.result_type(base, exponent)
    terms = {by_exponent: np.ones(node.shape, dtype)}
    for k in range(by_base):
        following: dict[int, Array] = {}
        for m, c in terms.items():
            following[m] = following.get(m, 0) + c * (exponent - k)
            if m:
                following[m - 1] = following.get(m - 1, 0) + c * m
        terms = following
    power = base ** (exponent - by_base)
    total = sum(np.where(c == 0, 0, c * power * np.log(base) ** m) for m, c in terms.items())
    return np.asarray(total, dtype)


KERNELS: dict[op.Operator, Kernel] = {
    op.ADD: _plain(np.add),
    op.SUBTRACT: _plain(np.subtract),
    op.MULTIPLY: _plain(np.multiply),
    op.DIVIDE: _plain(np.divide),
    op.POW: _plain(np.power),
    op.MAXIMUM: _plain(np.maximum),
    op.MINIMUM: _plain(np.minimum),
    op.NEGATIVE: _plain(np.negative),
    op.EXP: _plain(np.exp),
    op.EXPM1: _plain(np.expm1),
    op.LOG: _plain(np.log),
    op.LOG1P: _plain(np.log1p),
    op.SQRT: _plain(np.sqrt),
    op.SIN: _plain(np.sin),
    op.COS: _plain(np.cos),
    op.TANH: _plain(np.tanh),
    op.LOGISTIC: _plain(lambda x: 1 / (1 + np.exp(-x))),
    op.ABS: _plain(np.abs),
    op.SIGN: _plain(np.sign),
    op.ASTYPE: lambda node, x: x.astype(node.dtype),
    op.LESS: _plain(np.less),
    op.LESS_EQUAL: _plain(np.less_equal),
    op.GREATER: _plain(np.greater),
    op.GREATER_EQUAL: _plain(np.greater_equal),
    op.EQUAL: _plain(np.equal),
    op.NOT_EQUAL: _plain(np.not_equal),
    op.WHERE: _plain(np.where),
    op.SUM: lambda node, x: x.sum(
        axis=node.attributes.axes, keepdims=node.attributes.keepdims, dtype=x.dtype
    ),
    op.MEAN: lambda node, x: x.mean(axis=node.attributes.axes, keepdims=node.attributes.keepdims),
    op.MAX: lambda node, x: x.max(axis=node.attributes.axes, keepdims=node.attributes.keepdims),
    op.MATMUL: _plain(np.matmul),
    op.RESHAPE: lambda node, x: x.reshape(node.shape),
    op.PERMUTE_DIMS: lambda node, x: x.transpose(node.attributes.axes),
    op.BROADCAST_TO: lambda node, x: np.broadcast_to(x, node.shape),
    op.CONCAT: lambda node, *xs: np.concatenate(xs, axis=node.attributes.axis),
    op.SLICE: lambda node, x: x[node.attributes.slices()],
    op.TAKE: lambda node, x: np.take(
        x, np.array(node.attributes.indices, int), axis=node.attributes.axis
    ),
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
    op.MAXIMUM_SHARE: _maximum_share,
    op.MAX_SHARE: _max_share,
    op.POW_PARTIAL: _pow_partial,
}
