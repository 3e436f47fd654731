"""Reverse-mode differentiation, from network to network.

Each operator has one rule, which turns the cotangent of its result into the cotangents of its
operands, as nodes (Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3). Since
rules are made of the same operators, derivatives can be differentiated again.

A cotangent may be of a larger shape than its node as long as it broadcasts from it: contributions
are added first and summed down once. That bounds the graph's size: a rule makes at most four
nodes, and accumulation adds at most one for each operand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from networks import functions as f, operators as op
from networks.collector import collector_paused
from networks.errors import NetworkError
from networks.inference import BOOL, reduced
from networks.network import Network
from networks.node import Node, binary, constant, reshape
from networks.operators import Partial, Region

Cotangents = tuple[Node | None, ...]
Active = set[Node]
Rule = Callable[[Node, Node, Active], Cotangents]
"""(node, cotangent of the node, active nodes) -> a cotangent for each operand that is active.

Where there is one operand it is active, or the rule would not be asked."""


def gradient(of: Node, by: Sequence[Node], *, cotangent: Node | None = None) -> list[Node]:
    """The derivative of a scalar by each of the given nodes, as nodes of their shapes.

    Parameters
    ----------
    of: a floating-point node; a scalar unless a cotangent is given.
    by: what to differentiate by; a node that `of` does not depend on gets zeros.
    cotangent: of the shape of `of`; 1 by default.
    """
    if cotangent is None:
        if of.shape != () or of.dtype is BOOL:
            raise NetworkError(
                f"gradient of {of!r}: expected a float scalar; sum() it, or give a cotangent"
            )
        cotangent = constant(1.0, of.dtype, of.cache)
    elif cotangent.shape != of.shape:
        raise NetworkError(
            f"gradient of {of!r}: the cotangent has shape {cotangent.shape}; expected {of.shape}"
        )
    with collector_paused():
        return _sweep(of, by, cotangent)


def differentiate(network: Network) -> Network:
    """The network whose outputs are the loss and its derivative by each weight, in their order."""
    if network.is_gradient:
        raise NetworkError("the network is a gradient already; use gradient() for higher orders")
    if network.loss is None:
        raise NetworkError("the network has no loss to differentiate; call net.loss(y) first")
    derivatives = gradient(network.loss, network.weights)
    return Network(
        weights=network.weights,
        data=network.data,
        outputs=(network.loss, *derivatives),
        loss=network.loss,
        is_gradient=True,
    )


def _sweep(of: Node, by: Sequence[Node], seed: Node) -> list[Node]:
    """One pass from a result back to its inputs."""
    order, active = _active_order(of, by)
    cotangents = {of: seed}
    for node in reversed(order):
        cotangent = cotangents.get(node)
        if cotangent is None:  # reached through what has no derivative only, such as a comparison
            continue
        if cotangent.shape != node.shape:
            cotangent = cotangents[node] = f.sum_to(cotangent, node.shape)
        if cotangent.dtype is not node.dtype:
            cotangent = cotangents[node] = f.astype(cotangent, node.dtype.name)
        operands = node.operands
        if not operands:
            continue
        contributions = _RULES[node.operator](node, cotangent, active)
        for operand, contribution in zip(operands, contributions, strict=True):
            if contribution is not None:
                previous = cotangents.get(operand)
                cotangents[operand] = (
                    contribution
                    if previous is None
                    else _accumulated(operand, previous, contribution)
                )
    return [
        cotangents[node] if node in active and node in cotangents else _zeros(node) for node in by
    ]


def _active_order(of: Node, by: Sequence[Node]) -> tuple[list[Node], set[Node]]:
    """The floating-point nodes between `by` and `of`, operands first; and all that are active.

    A node is active when its value depends on `by`. This is `topological_order` with that question
    answered on the way, since a second walk would be a tenth of differentiation.
    """
    active = set(by)
    order: list[Node] = []
    done: set[Node] = set()
    stack = [of]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        ready = True
        depends = node in active
        for operand in node.operands:
            if operand not in done:
                stack.append(operand)
                ready = False
            elif operand in active:
                depends = True
        if ready:
            stack.pop()
            done.add(node)
            if depends and node.dtype is not BOOL:
                active.add(node)
                order.append(node)
    return order, active


def _accumulated(operand: Node, previous: Node, contribution: Node) -> Node:
    """The sum of two cotangents of a node, summed down to its shape only if theirs differ."""
    if previous.shape != contribution.shape:
        previous = f.sum_to(previous, operand.shape)
        contribution = f.sum_to(contribution, operand.shape)
    return binary(op.ADD, previous, contribution)


def _zeros(node: Node) -> Node:
    return f.broadcast_to(constant(0.0, node.dtype, node.cache), node.shape)


_RULES: dict[op.Operator, Rule] = {}


def _rule(operator: op.Operator) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        _RULES[operator] = rule
        return rule

    return register


# Elementwise


@_rule(op.ADD)
def _add(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return (g if left in active else None, g if right in active else None)


@_rule(op.SUBTRACT)
def _subtract(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return (g if left in active else None, -g if right in active else None)


@_rule(op.MULTIPLY)
def _multiply(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return (
        binary(op.MULTIPLY, g, right) if left in active else None,
        binary(op.MULTIPLY, g, left) if right in active else None,
    )


@_rule(op.DIVIDE)
def _divide(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    quotient = g / right
    return (quotient if left in active else None, -(quotient * node) if right in active else None)


@_rule(op.POW)
def _pow(node: Node, g: Node, active: Active) -> Cotangents:
    base, exponent = node.operands
    if exponent.operator is not op.CONSTANT or np.any(exponent.attributes == 0):
        return _pow_partials(node, g, active, Partial(0, 0))
    if np.all(exponent.attributes == 2):
        return (g * (base + base), None)
    lower = constant(exponent.attributes - 1, exponent.dtype, exponent.cache)
    return (g * (exponent * base**lower), None)


@_rule(op.POW_PARTIAL)
def _pow_partial(node: Node, g: Node, active: Active) -> Cotangents:
    return _pow_partials(node, g, active, node.attributes)


def _pow_partials(node: Node, g: Node, active: Active, order: Partial) -> Cotangents:
    base, exponent = node.operands
    by_base = Partial(order.base + 1, order.exponent)
    by_exponent = Partial(order.base, order.exponent + 1)
    return (
        g * f.pow_partial(node, by_base) if base in active else None,
        g * f.pow_partial(node, by_exponent) if exponent in active else None,
    )


@_rule(op.MAXIMUM)
def _maximum(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return _split(g, left, right, active)


@_rule(op.MINIMUM)
def _minimum(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return _split(g, right, left, active)[::-1]


def _split(g: Node, larger: Node, other: Node, active: Active) -> Cotangents:
    """Hand the cotangent to whichever operand is larger, half each at ties."""
    part = g * f.maximum_share(larger, other)
    return (part if larger in active else None, g - part if other in active else None)


@_rule(op.WHERE)
def _where(node: Node, g: Node, active: Active) -> Cotangents:
    condition, first, second = node.operands
    zero = constant(0.0, g.dtype, g.cache)
    return (
        None,
        f.where(condition, g, zero) if first in active else None,
        f.where(condition, zero, g) if second in active else None,
    )


@_rule(op.NEGATIVE)
def _negative(_node: Node, g: Node, _active: Active) -> Cotangents:
    return (-g,)


@_rule(op.EXP)
def _exp(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g * node,)


@_rule(op.EXPM1)
def _expm1(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g * node + g,)


@_rule(op.LOG)
def _log(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g / node.operands[0],)


@_rule(op.LOG1P)
def _log1p(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g / (node.operands[0] + 1.0),)


@_rule(op.SQRT)
def _sqrt(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g / (node + node),)


@_rule(op.SIN)
def _sin(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g * f.cos(node.operands[0]),)


@_rule(op.COS)
def _cos(node: Node, g: Node, _active: Active) -> Cotangents:
    return (-(g * f.sin(node.operands[0])),)


@_rule(op.TANH)
def _tanh(node: Node, g: Node, _active: Active) -> Cotangents:
    return (binary(op.SUBTRACT, g, binary(op.MULTIPLY, binary(op.MULTIPLY, g, node), node)),)


@_rule(op.LOGISTIC)
def _logistic(node: Node, g: Node, _active: Active) -> Cotangents:
    part = g * node
    return (part - part * node,)


@_rule(op.ABS)
def _abs(node: Node, g: Node, _active: Active) -> Cotangents:
    return (g * f.sign(node.operands[0]),)


@_rule(op.ASTYPE)
def _astype(_node: Node, g: Node, _active: Active) -> Cotangents:
    return (g,)  # the sweep casts a cotangent to its node's dtype


@_rule(op.SIGN)
@_rule(op.MAXIMUM_SHARE)
@_rule(op.MAX_SHARE)
def _piecewise_constant(node: Node, _g: Node, _active: Active) -> Cotangents:
    return (None,) * len(node.operands)


# Reductions


@_rule(op.SUM)
def _sum(node: Node, g: Node, _active: Active) -> Cotangents:
    operand = node.operands[0]
    return (f.broadcast_to(_with_reduced_axes(node, g), operand.shape),)


@_rule(op.MEAN)
def _mean(node: Node, g: Node, _active: Active) -> Cotangents:
    operand = node.operands[0]
    count = math.prod(operand.shape[axis] for axis in node.attributes.axes)
    share = _with_reduced_axes(node, g * (1.0 / count))
    return (f.broadcast_to(share, operand.shape),)


@_rule(op.MAX)
def _max(node: Node, g: Node, _active: Active) -> Cotangents:
    share = f.max_share(node.operands[0], node.attributes.axes)
    return (_with_reduced_axes(node, g) * share,)


def _with_reduced_axes(node: Node, g: Node) -> Node:
    """The cotangent of a reduction with its reduced axes put back at size 1."""
    shape = reduced(node.operands[0].shape, node.attributes.axes, keepdims=True)
    return reshape(g, shape)


@_rule(op.SUM_TO)
def _sum_to(node: Node, g: Node, _active: Active) -> Cotangents:
    return (f.broadcast_to(g, node.operands[0].shape),)


# Contraction


@_rule(op.MATMUL)
def _matmul(node: Node, g: Node, active: Active) -> Cotangents:
    left, right = node.operands
    return (
        _matmul_by_left(left, right, g) if left in active else None,
        _matmul_by_right(left, right, g) if right in active else None,
    )


def _matmul_by_left(left: Node, right: Node, g: Node) -> Node:
    if right.ndim == 1:  # a vector on the right: an outer product
        return (_column(g) if left.ndim > 1 else g) * right
    if left.ndim == 1 and right.ndim == 2:
        return right @ g
    if left.ndim == 1:
        product = right @ _column(g)
        return reshape(product, product.shape[:-1])
    return g @ right.mT


def _matmul_by_right(left: Node, right: Node, g: Node) -> Node:
    if left.ndim == 1:  # a vector on the left: an outer product
        return _column(left) * _row(g) if right.ndim > 1 else g * left
    if right.ndim == 1 and left.ndim == 2:
        return g @ left
    if right.ndim == 1:
        product = _row(g) @ left
        return reshape(product, product.shape[:-2] + product.shape[-1:])
    return left.mT @ g


def _column(node: Node) -> Node:
    return reshape(node, (*node.shape, 1))


def _row(node: Node) -> Node:
    return reshape(node, (*node.shape[:-1], 1, *node.shape[-1:]))


# Movement


@_rule(op.RESHAPE)
def _reshape(node: Node, g: Node, _active: Active) -> Cotangents:
    return (reshape(g, node.operands[0].shape),)


@_rule(op.PERMUTE_DIMS)
def _permute_dims(node: Node, g: Node, _active: Active) -> Cotangents:
    axes = node.attributes.axes
    return (f.permute_dims(g, sorted(range(len(axes)), key=axes.__getitem__)),)


@_rule(op.BROADCAST_TO)
def _broadcast_to(_node: Node, g: Node, _active: Active) -> Cotangents:
    return (g,)  # the sweep sums a cotangent down to its node's shape


@_rule(op.CONCAT)
def _concat(node: Node, g: Node, active: Active) -> Cotangents:
    axis = node.attributes.axis
    contributions: list[Node | None] = []
    start = 0
    for operand in node.operands:
        stop = start + operand.shape[axis]
        ranges = [(0, size, 1) for size in node.shape]
        ranges[axis] = (start, stop, 1)
        region = Region(tuple(ranges))
        contributions.append(
            f.slice_region(g, region, operand.shape) if operand in active else None
        )
        start = stop
    return tuple(contributions)


@_rule(op.SLICE)
def _slice(node: Node, g: Node, _active: Active) -> Cotangents:
    return (f.place(g, node.attributes, node.operands[0].shape),)


@_rule(op.PLACE)
def _place(node: Node, g: Node, _active: Active) -> Cotangents:
    return (f.slice_region(g, node.attributes, node.operands[0].shape),)


@_rule(op.TAKE)
def _take(node: Node, g: Node, _active: Active) -> Cotangents:
    return (f.scatter_add(g, node.attributes, node.operands[0].shape),)


@_rule(op.SCATTER_ADD)
def _scatter_add(node: Node, g: Node, _active: Active) -> Cotangents:
    return (f.take_again(g, node.attributes, node.operands[0].shape),)
