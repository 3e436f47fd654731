"""`reference`, the golden evaluator: float64, one operation after another, obviously right.

Inputs and constants are cast up, so float32 networks are computed in float64 too. It shares no
code with the strategies that it is there to check. `lower` orders the nodes and counts their
users, `compile` does nothing, and nothing is kept between calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from evaluators import VERSION
from evaluators.instrumentation import (
    Clock,
    Instrumented,
    Reads,
    Step,
    Ticking,
    after_every_step,
)
from evaluators.protocol import (
    Array,
    Arrays,
    Data,
    Evaluator,
    Function,
    Weights,
    network_for,
    refusal,
)
from networks import Network, Node, operators as op, topological_order


class _Ordered(NamedTuple):
    """The nodes, operands first; the results; and how often each node's value is used."""

    nodes: Iterable[Node]
    outputs: tuple[Node, ...]
    uses: dict[Node, int]


class Reference:
    """Every value in float64 (comparisons in bool), freed after its last use."""

    name = "reference"
    dtype = "float64"

    def version(self) -> str:
        """Our own release."""
        return VERSION

    def refuse(self, network: Network, mode: str) -> str | None:
        """Nothing but what cannot be asked of a network."""
        return refusal(network, mode)

    def lower(self, network: Network, mode: str) -> _Ordered:
        """The nodes in order, and how often each is used."""
        outputs = network_for(network, mode).outputs
        nodes = topological_order(outputs)
        uses = dict.fromkeys(nodes, 0)
        for node in nodes:
            for operand in node.operands:
                uses[operand] += 1
        for node in outputs:
            uses[node] += 1
        return _Ordered(nodes, outputs, uses)

    def compile(self, lowered: _Ordered) -> Function:
        """A function that evaluates node by node."""

        def function(weights: Weights, data: Data) -> Arrays:
            with np.errstate(all="ignore"):
                return _evaluate(lowered, weights, data)

        return function

    def instrument(
        self, network: Network, mode: str, clock: Clock, reads: Reads = after_every_step
    ) -> Instrumented:
        """The same, with the clock read after nodes."""
        ordered = self.lower(network, mode)
        nodes = tuple(ordered.nodes)
        ticking = Ticking(nodes, clock, reads)
        steps = [Step(node, bool(node.operands) and node.operator not in _VIEWS) for node in nodes]
        return ticking.instrumented(self.compile(ordered._replace(nodes=ticking)), steps)


def _evaluate(ordered: _Ordered, weights: Weights, data: Data) -> Arrays:
    values: dict[Node, Array] = {}
    left = dict(ordered.uses)
    for node in ordered.nodes:
        values[node] = _value(node, [values[each] for each in node.operands], weights, data)
        for operand in node.operands:
            left[operand] -= 1
            if not left[operand]:
                del values[operand]
    return [values[node].copy() for node in ordered.outputs]


def _value(node: Node, operands: list[Array], weights: Weights, data: Data) -> Array:
    if node.operator is op.WEIGHT:
        value = weights[node.attributes]
    elif node.operator is op.DATA:
        value = data[node.attributes]
    elif node.operator is op.CONSTANT:
        value = node.attributes
    else:
        value = _OPERATIONS[node.operator](node, *operands)
    return np.asarray(value, bool if node.dtype == bool else np.float64)


def _logistic(_node: Node, x: Array) -> Any:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1.0 + small)


def _sum_to(node: Node, x: Array) -> Any:
    shape = (1,) * (x.ndim - node.ndim) + node.shape
    for axis, size in enumerate(shape):
        if size == 1:
            x = np.sum(x, axis=axis, keepdims=True)
    return np.reshape(x, node.shape)


def _take(node: Node, x: Array) -> Any:
    return np.take(x, np.array(node.attributes.indices, int), axis=node.attributes.axis)


def _place(node: Node, x: Array) -> Any:
    whole = np.zeros(node.shape)
    whole[node.attributes.slices()] = x
    return whole


def _scatter_add(node: Node, x: Array) -> Any:
    whole = np.zeros(node.shape)
    target = np.moveaxis(whole, node.attributes.axis, 0)
    source = np.moveaxis(x, node.attributes.axis, 0)
    for position, index in enumerate(node.attributes.indices):
        target[index] += source[position]
    return whole


def _maximum_share(_node: Node, x: Array, y: Array) -> Any:
    return np.where(x > y, 1.0, np.where(x == y, 0.5, 0.0))


def _max_share(node: Node, x: Array) -> Any:
    largest = x == np.max(x, axis=node.attributes.axes, keepdims=True)
    return largest / np.sum(largest, axis=node.attributes.axes, keepdims=True)


def _pow_partial(node: Node, base: Array, exponent: Array) -> Any:
    """Leibniz: b^e derived by b is e(e-1)…(e-m+1) · b^(e-m), and both factors depend on e."""
    by_base, by_exponent = node.attributes
    log = np.log(np.where(base == 0, 1.0, base))
    factor = np.poly1d(np.poly(range(by_base)) if by_base else [1.0])
    total: Any = np.zeros(node.shape)
    for order in range(by_exponent + 1):
        coefficient = math.comb(by_exponent, order) * factor.deriv(order)(exponent)
        power = base ** (exponent - by_base)
        if order < by_exponent:
            power = power * log ** (by_exponent - order)
        total = total + np.where(coefficient == 0, 0.0, coefficient * power)
    return total


_OPERATIONS: dict[op.Operator, Callable[..., Any]] = {
    op.ADD: lambda _, x, y: x + y,
    op.SUBTRACT: lambda _, x, y: x - y,
    op.MULTIPLY: lambda _, x, y: x * y,
    op.DIVIDE: lambda _, x, y: x / y,
    op.POW: lambda _, x, y: x**y,
    op.MAXIMUM: lambda _, x, y: np.maximum(x, y),
    op.MINIMUM: lambda _, x, y: np.minimum(x, y),
    op.NEGATIVE: lambda _, x: -x,
    op.EXP: lambda _, x: np.exp(x),
    op.EXPM1: lambda _, x: np.expm1(x),
    op.LOG: lambda _, x: np.log(x),
    op.LOG1P: lambda _, x: np.log1p(x),
    op.SQRT: lambda _, x: np.sqrt(x),
    op.SIN: lambda _, x: np.sin(x),
    op.COS: lambda _, x: np.cos(x),
    op.TANH: lambda _, x: np.tanh(x),
    op.LOGISTIC: _logistic,
    op.ABS: lambda _, x: abs(x),
    op.SIGN: lambda _, x: np.sign(x),
    op.ASTYPE: lambda _, x: x,
    op.LESS: lambda _, x, y: x < y,
    op.LESS_EQUAL: lambda _, x, y: x <= y,
    op.GREATER: lambda _, x, y: x > y,
    op.GREATER_EQUAL: lambda _, x, y: x >= y,
    op.EQUAL: lambda _, x, y: x == y,
    op.NOT_EQUAL: lambda _, x, y: x != y,
    op.WHERE: lambda _, condition, x, y: np.where(condition, x, y),
    op.SUM: lambda n, x: np.sum(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MEAN: lambda n, x: np.mean(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MAX: lambda n, x: np.max(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MATMUL: lambda _, x, y: x @ y,
    op.RESHAPE: lambda n, x: np.reshape(x, n.shape),
    op.PERMUTE_DIMS: lambda n, x: np.transpose(x, n.attributes.axes),
    op.BROADCAST_TO: lambda n, x: np.broadcast_to(x, n.shape),
    op.CONCAT: lambda n, *xs: np.concatenate(xs, axis=n.attributes.axis),
    op.SLICE: lambda n, x: x[n.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
    op.MAXIMUM_SHARE: _maximum_share,
    op.MAX_SHARE: _max_share,
    op.POW_PARTIAL: _pow_partial,
}

_VIEWS = frozenset({op.RESHAPE, op.PERMUTE_DIMS, op.BROADCAST_TO, op.SLICE})

EVALUATORS: tuple[Evaluator, ...] = (Reference(),)
