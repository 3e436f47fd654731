"""Networks in fewer operators, for engines that lack some of ours.

An adapter says which operators its engine has; the others become several nodes of those. Every
operation then has operands of one dtype, too: engines differ in what they make of mixed ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from evaluators.engines.walk import Step, steps_of
from evaluators.strategies.kernels import (
    falling_factorials,
    has_mixed_operands,
    mean_count,
    summed_axes,
)
from networks import Node, functions as f, operators as op, topological_order
from networks.collector import collector_paused
from networks.inference import BOOL
from networks.node import constant, make
from networks.operators import Along, Operator, Reduced, Taken


def decomposed(outputs: Sequence[Node], known: Collection[Operator]) -> tuple[Node, ...]:
    """Equal outputs, without the operators that are not known and have a rule here."""
    equal, steps = decomposed_steps(outputs, known)
    made: dict[Node, Node] = {}
    with collector_paused():
        for node, operands in steps:
            if operands is not node.operands or not made.keys().isdisjoint(operands):
                again = tuple([made.get(each, each) for each in operands])
                made[node] = make(
                    node.operator, again, node.attributes, node.shape, node.dtype, None
                )
    return tuple([made.get(node, node) for node in equal])


def decomposed_steps(
    outputs: Sequence[Node], known: Collection[Operator]
) -> tuple[tuple[Node, ...], Sequence[Step]]:
    """As `decomposed`, as steps: every node that the outputs need, operands before their users.

    A node stays itself even if its operands were replaced: its step says by what.
    """
    nodes = topological_order(outputs)
    unknown = _RULES.keys() - known
    is_of_one_dtype = len({node.dtype for node in nodes}) == 1
    if is_of_one_dtype and unknown.isdisjoint({node.operator for node in nodes}):
        return tuple(outputs), steps_of(nodes)
    replaced: dict[Node, Node] = {}
    is_as_before = replaced.keys().isdisjoint
    steps: list[Step] = []
    listed = set(nodes)
    with collector_paused():
        for node in nodes:
            operands = node.operands
            if not is_as_before(operands):
                operands = tuple([replaced.get(each, each) for each in operands])
            if node.operator in unknown or (not is_of_one_dtype and has_mixed_operands(node)):
                equal = replaced[node] = _replacement(node, operands, known)
                steps += steps_of(topological_order((equal,), listed))
            else:
                steps.append((node, operands))
    return tuple([replaced.get(node, node) for node in outputs]), steps


def _replacement(node: Node, operands: tuple[Node, ...], known: Collection[Operator]) -> Node:
    """Of operands that may have been replaced themselves, with shapes and dtypes as they were."""
    if has_mixed_operands(node):
        operands = tuple([x if x.dtype is BOOL else f.astype(x, "float64") for x in operands])
    rule = None if node.operator in known else _RULES.get(node.operator)
    if rule is not None:
        return rule(node, *operands)
    return make(node.operator, operands, node.attributes, node.shape, node.dtype, None)


def source_positions(start: int, step: int, count: int, size: int) -> np.ndarray:
    """For each place of an axis of `size`, which of `count` placed elements it gets; else `count`.

    The elements are placed at start, start + step, …
    """
    positions = np.full(size, count, np.int64)
    positions[start + step * np.arange(count)] = np.arange(count)
    return positions


def sources(indices: Sequence[int], size: int) -> np.ndarray:
    """For each index below `size`, at which positions it occurs, padded with `len(indices)`.

    Shape (size, most occurrences).
    """
    found = np.array(indices, np.int64)
    positions = np.argsort(found, kind="stable")
    found = found[positions]
    counts = np.bincount(found, minlength=size)
    firsts = np.cumsum(counts) - counts
    padded = np.full((size, max(1, counts.max(initial=1))), len(indices), np.int64)
    padded[found, np.arange(len(indices)) - firsts[found]] = positions
    return padded


def _number(value: float, like: Node) -> Node:
    return constant(value, like.dtype, None)


def _with_zero(x: Node, axis: int) -> Node:
    """One more slice along the axis, of zeros."""
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    zeros = constant(np.zeros((*before, 1, *after)), x.dtype, None)
    shape = (*before, x.shape[axis] + 1, *after)
    return make(op.CONCAT, (x, zeros), Along(axis), shape, x.dtype, None)


def _taken(x: Node, positions: np.ndarray, axis: int) -> Node:
    """As `functions.take`, of positions that need no check."""
    shape = (*x.shape[:axis], len(positions), *x.shape[axis + 1 :])
    indices = Taken(tuple(positions.tolist()), axis)
    return make(op.TAKE, (x,), indices, shape, x.dtype, None)


def _expm1(_node: Node, x: Node) -> Node:
    """tanh(x/2)·(e^x + 1), which keeps its accuracy near 0."""
    return f.tanh(x * 0.5) * (f.exp(x) + 1.0)


def _log1p(_node: Node, x: Node) -> Node:
    """W. Kahan's: the rounding of 1 + x is made good by the quotient."""
    whole = x + 1.0
    rest = whole - 1.0
    small = f.log(whole) * (x / f.where(rest == 0.0, _number(1.0, x), rest))
    return f.where(rest == 0.0, x, f.where(rest == whole, f.log(whole), small))


def _logistic(_node: Node, x: Node) -> Node:
    """Without overflow, and with full relative accuracy on both sides."""
    small = f.exp(-f.abs(x))
    return f.where(x < 0.0, small, _number(1.0, x)) / (small + 1.0)


def _sign(_node: Node, x: Node) -> Node:
    return f.where(x > 0.0, 1.0, f.where(x < 0.0, _number(-1.0, x), _number(0.0, x)))


def _mean(node: Node, x: Node) -> Node:
    total = f.sum(x, axis=node.attributes.axes, keepdims=node.attributes.keepdims)
    return total / _number(mean_count(node), node)


def _sum_to(node: Node, x: Node) -> Node:
    """Without the checks of `functions.sum`: most of what is replaced in gradients is this."""
    axes = summed_axes(node).axes
    kept = tuple([size for axis, size in enumerate(x.shape) if axis not in axes])
    total = make(op.SUM, (x,), Reduced(axes, False), kept, x.dtype, None)
    if kept == node.shape:
        return total
    return make(op.RESHAPE, (total,), None, node.shape, x.dtype, None)


def _maximum_share(_node: Node, x: Node, y: Node) -> Node:
    tie = f.where(x == y, _number(0.5, x), _number(0.0, x))
    return f.where(x > y, _number(1.0, x), tie)


def _max_share(node: Node, x: Node) -> Node:
    axes = node.attributes.axes
    largest = f.astype(x == f.max(x, axis=axes, keepdims=True), node.dtype.name)
    return largest / f.sum(largest, axis=axes, keepdims=True)


def _place(node: Node, x: Node) -> Node:
    """Along each axis in turn, each place takes its element, or a zero."""
    for axis, (start, _stop, step) in enumerate(node.attributes.ranges):
        size, count = node.shape[axis], x.shape[axis]
        if (start, step, count) != (0, 1, size):
            positions = source_positions(start, step, count, size)
            x = _taken(_with_zero(x, axis), positions, axis)
    return x


def _scatter_add(node: Node, x: Node) -> Node:
    """Each place sums the elements that it gets."""
    indices, axis = node.attributes
    gathered = sources(indices, node.shape[axis])
    taken = _taken(_with_zero(x, axis), gathered.ravel(), axis)
    if gathered.shape[1] == 1:
        return taken
    shape = (*x.shape[:axis], *gathered.shape, *x.shape[axis + 1 :])
    return f.sum(f.reshape(taken, shape), axis=axis + 1)


def _pow_partial(node: Node, base: Node, exponent: Node) -> Node:
    """As `evaluators.strategies.kernels.pow_partial`."""
    order = node.attributes
    power = base ** (exponent - float(order.base))
    log = f.log(f.where(base == 0.0, _number(1.0, base), base)) if order.exponent else None
    total: Node | None = None
    for k, coefficients in enumerate(falling_factorials(order)):
        factor = _polynomial(coefficients, exponent)
        term = f.where(factor == 0.0, _number(0.0, base), factor * power)
        for _ in range(order.exponent - k):
            assert log is not None
            term = term * log
        total = term if total is None else total + term
    assert total is not None
    return total


def _polynomial(coefficients: Sequence[int], x: Node) -> Node:
    """Horner's scheme."""
    *lower, total = [_number(each, x) for each in coefficients] or [_number(0, x)]
    for coefficient in reversed(lower):
        total = total * x + coefficient
    return total


_RULES: dict[Operator, Callable[..., Node]] = {
    op.EXPM1: _expm1,
    op.LOG1P: _log1p,
    op.LOGISTIC: _logistic,
    op.SIGN: _sign,
    op.MEAN: _mean,
    op.SUM_TO: _sum_to,
    op.MAXIMUM_SHARE: _maximum_share,
    op.MAX_SHARE: _max_share,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
    op.POW_PARTIAL: _pow_partial,
}
