"""Reverse-mode differentiation, from network to network.

Each operator has one rule, which turns the cotangent of its result into the cotangents of its
operands, as nodes (Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3). Since
rules are made of the same operators, derivatives can be differentiated again.

A contribution to a cotangent may be of a larger shape than its node, as long as that broadcasts
from the node's: contributions of a shape are added first and summed down once. That bounds the
graph's size to five nodes for each node of the network, where an operator of n operands counts as
n - 1 of two: a rule makes at most four nodes, and accumulation one for an operand that has been
used before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from networks import functions as f, operators as op
from networks.collector import collector_paused
from networks.errors import NetworkError
from networks.inference import BOOL, Shape, reduced
from networks.network import Network
from networks.node import Node, constant, elementwise, reshape
from networks.operators import Partial, Region
from networks.origins import followed

Rule = Callable[[Node, Node, "_Sweep"], None]
"""(node, its cotangent, sweep): adds a contribution to the cotangent of each active operand.

The cotangent given has the node's own shape and dtype. A rule for one operand need not ask whether
it is active, since otherwise there would be nothing to do."""


def gradient(of: Node, by: Sequence[Node], *, cotangent: Node | None = None) -> list[Node]:
    """The derivative of a scalar by each of the given nodes, as nodes of their shapes.

    Parameters
    ----------
    of: a floating-point node; a scalar unless a cotangent is given.
    by: what to differentiate by, floating-point; a node that `of` does not depend on gets zeros.
    cotangent: of the shape of `of`; 1 by default.
    """
    if of.dtype is BOOL or any(node.dtype is BOOL for node in by):
        raise NetworkError(f"gradient of {of!r} by {list(by)!r}: bool has no derivative")
    if cotangent is None:
        if of.shape != ():
            raise NetworkError(f"gradient of {of!r}: expected a scalar; sum() or give a cotangent")
        cotangent = constant(1.0, of.dtype, of.cache)
    elif cotangent.shape != of.shape:
        raise NetworkError(
            f"gradient of {of!r}: the cotangent has shape {cotangent.shape}; expected {of.shape}"
        )
    with collector_paused():
        sweep = _Sweep(of, cotangent, by)
        return [sweep.cotangent(node) for node in followed(by, of.cache)]


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
        origins=network.origins,
    )


class _Sweep:
    """One pass from a result back to its inputs.

    A node's cotangent is forgotten once it has been passed on, so that what is looked up stays few.

    Attributes
    ----------
    active: for every node on the way, whether its value depends on what is differentiated by.
    """

    __slots__ = ("_apart", "_sums", "active")

    def __init__(self, of: Node, seed: Node, by: Sequence[Node]) -> None:
        order, self.active = _active_order(of, by)
        sums = self._sums = {of: seed}
        """For each node, the sum of the contributions of one shape."""
        self._apart: dict[Node, dict[Shape, Node]] = {}
        """The sums of the other shapes, for the few nodes that are used in several."""
        kept = {node for node in by if node.operands}
        for node in followed(reversed(order), of.cache):
            g = sums.pop(node, None)
            if g is None:  # only a comparison has used the node
                continue
            if g.shape is not node.shape or g.dtype is not node.dtype or self._apart:
                g = self._settled(node, g)
            if kept and node in kept:
                sums[node] = g
            _RULES[node.operator](node, g, self)

    def add(self, operand: Node, contribution: Node) -> None:
        """Add a contribution to the operand's cotangent."""
        previous = self._sums.get(operand)
        if previous is None:
            self._sums[operand] = contribution
        elif previous.shape is contribution.shape and previous.dtype is contribution.dtype:
            self._sums[operand] = elementwise(op.ADD, (previous, contribution), previous)
        elif previous.shape == contribution.shape:
            self._sums[operand] = previous + contribution
        else:
            sums = self._apart.setdefault(operand, {})
            previous = sums.get(contribution.shape)
            sums[contribution.shape] = contribution if previous is None else previous + contribution

    def cotangent(self, node: Node) -> Node:
        """The cotangent of a node that the pass was made for: zeros if nothing depends on it."""
        g = self._sums.get(node)
        if g is None:
            return f.spread(constant(0.0, node.dtype, node.cache), node.shape)
        g = self._sums[node] = self._settled(node, g)
        return g

    def _settled(self, node: Node, g: Node) -> Node:
        """The sum of all contributions, in the node's shape and dtype."""
        g = f.sum_to(g, node.shape)
        for other in self._apart.pop(node, {}).values():
            g = g + f.sum_to(other, node.shape)
        return g if g.dtype is node.dtype else f.astype(g, node.dtype.name)


def _active_order(of: Node, by: Sequence[Node]) -> tuple[list[Node], dict[Node, bool]]:
    """The nodes from `by` to `of` that have an active operand, operands first; and who is active.

    Depth-first, with one table for what has been visited and whether it depends on `by`. A node is
    entered when it is popped, and left when the None that was pushed then is popped.
    """
    wanted = set(by)
    active: dict[Node, bool] = {}
    order: list[Node] = []
    stack: list[Node | None] = [of]
    entered: list[Node] = []
    while stack:
        node = stack.pop()
        if node is None:
            node = entered.pop()
            for operand in node.operands:
                if active[operand] and node.dtype is not BOOL:
                    active[node] = True
                    order.append(node)
                    break
        elif node not in active:
            active[node] = node in wanted
            if node.operands:
                entered.append(node)
                stack.append(None)
                stack += node.operands
    return order, active


# A cotangent has its node's shape and dtype, and the operands broadcast to it. So `elementwise`
# makes what `g * operand` would, without the checks; the rules that are used most do that.


_RULES: dict[op.Operator, Rule] = {}


def _rule(operator: op.Operator) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        _RULES[operator] = rule
        return rule

    return register


# Elementwise


@_rule(op.ADD)
def _add(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    if sweep.active[left]:
        sweep.add(left, g)
    if sweep.active[right]:
        sweep.add(right, g)


@_rule(op.SUBTRACT)
def _subtract(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    if sweep.active[left]:
        sweep.add(left, g)
    if sweep.active[right]:
        sweep.add(right, -g)


@_rule(op.MULTIPLY)
def _multiply(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    if sweep.active[left]:
        sweep.add(left, elementwise(op.MULTIPLY, (g, right), g))
    if sweep.active[right]:
        sweep.add(right, elementwise(op.MULTIPLY, (g, left), g))


@_rule(op.DIVIDE)
def _divide(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    quotient = g / right
    if sweep.active[left]:
        sweep.add(left, quotient)
    if sweep.active[right]:
        sweep.add(right, -(quotient * node))


@_rule(op.POW)
def _pow(node: Node, g: Node, sweep: _Sweep) -> None:
    base, exponent = node.operands
    if exponent.operator is not op.CONSTANT or np.any(exponent.attributes == 0):
        _pow_partials(node, g, sweep, Partial(0, 0))
    elif np.all(exponent.attributes == 2):
        sweep.add(base, g * (base + base))
    else:
        lower = constant(exponent.attributes - 1, exponent.dtype, exponent.cache)
        sweep.add(base, g * (exponent * base**lower))


@_rule(op.POW_PARTIAL)
def _pow_partial(node: Node, g: Node, sweep: _Sweep) -> None:
    _pow_partials(node, g, sweep, node.attributes)


def _pow_partials(node: Node, g: Node, sweep: _Sweep, order: Partial) -> None:
    base, exponent = node.operands
    if sweep.active[base]:
        partial = Partial(order.base + 1, order.exponent)
        sweep.add(base, g * f.pow_partial(node, partial))
    if sweep.active[exponent]:
        partial = Partial(order.base, order.exponent + 1)
        sweep.add(exponent, g * f.pow_partial(node, partial))


@_rule(op.MAXIMUM)
def _maximum(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    _split(g, left, right, f.maximum_share(left, right), sweep)


@_rule(op.MINIMUM)
def _minimum(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    _split(g, left, right, f.maximum_share(right, left), sweep)


def _split(g: Node, left: Node, right: Node, share: Node, sweep: _Sweep) -> None:
    """Hand that share of the cotangent to the left operand, and the rest to the right one."""
    part = g * share
    if sweep.active[left]:
        sweep.add(left, part)
    if sweep.active[right]:
        sweep.add(right, g - part)


@_rule(op.WHERE)
def _where(node: Node, g: Node, sweep: _Sweep) -> None:
    condition, first, second = node.operands
    zero = constant(0.0, g.dtype, g.cache)
    if sweep.active[first]:
        sweep.add(first, f.where(condition, g, zero))
    if sweep.active[second]:
        sweep.add(second, f.where(condition, zero, g))


@_rule(op.NEGATIVE)
def _negative(node: Node, g: Node, sweep: _Sweep) -> None:
    sweep.add(node.operands[0], -g)


@_rule(op.EXP)
def _exp(node: Node, g: Node, sweep: _Sweep) -> None:
    sweep.add(node.operands[0], g * node)


@_rule(op.EXPM1)
def _expm1(node: Node, g: Node, sweep: _Sweep) -> None:
    sweep.add(node.operands[0], g * node + g)


@_rule(op.LOG)
def _log(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, g / x)


@_rule(op.LOG1P)
def _log1p(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, g / (x + 1.0))


@_rule(op.SQRT)
def _sqrt(node: Node, g: Node, sweep: _Sweep) -> None:
    sweep.add(node.operands[0], g / (node + node))


@_rule(op.SIN)
def _sin(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, g * f.cos(x))


@_rule(op.COS)
def _cos(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, -(g * f.sin(x)))


@_rule(op.TANH)
def _tanh(node: Node, g: Node, sweep: _Sweep) -> None:
    once = elementwise(op.MULTIPLY, (g, node), g)
    twice = elementwise(op.MULTIPLY, (once, node), g)
    sweep.add(node.operands[0], elementwise(op.SUBTRACT, (g, twice), g))


@_rule(op.LOGISTIC)
def _logistic(node: Node, g: Node, sweep: _Sweep) -> None:
    part = g * node
    sweep.add(node.operands[0], part - part * node)


@_rule(op.ABS)
def _abs(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, g * f.sign(x))


@_rule(op.ASTYPE)
@_rule(op.BROADCAST_TO)
def _converted(node: Node, g: Node, sweep: _Sweep) -> None:
    sweep.add(node.operands[0], g)  # the sweep brings it to the operand's own dtype and shape


@_rule(op.SIGN)
@_rule(op.MAXIMUM_SHARE)
@_rule(op.MAX_SHARE)
def _piecewise_constant(_node: Node, _g: Node, _sweep: _Sweep) -> None:
    """Nothing: the derivative is zero wherever there is one."""


# Reductions


@_rule(op.SUM)
def _sum(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.spread(_with_reduced_axes(node, g), x.shape))


@_rule(op.MEAN)
def _mean(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    count = math.prod(x.shape[axis] for axis in node.attributes.axes)
    share = _with_reduced_axes(node, g * (1.0 / count))
    sweep.add(x, f.spread(share, x.shape))


@_rule(op.MAX)
def _max(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, _with_reduced_axes(node, g) * f.max_share(x, node.attributes.axes))


def _with_reduced_axes(node: Node, g: Node) -> Node:
    """The cotangent of a reduction with its reduced axes put back at size 1."""
    shape = reduced(node.operands[0].shape, node.attributes.axes, keepdims=True)
    return reshape(g, shape)


@_rule(op.SUM_TO)
def _sum_to(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.spread(g, x.shape))


# Contraction


@_rule(op.MATMUL)
def _matmul(node: Node, g: Node, sweep: _Sweep) -> None:
    left, right = node.operands
    if sweep.active[left]:
        sweep.add(left, _matmul_by_left(left, right, g))
    if sweep.active[right]:
        sweep.add(right, _matmul_by_right(left, right, g))


def _matmul_by_left(left: Node, right: Node, g: Node) -> Node:
    if right.ndim == 1:  # an outer product
        return (_column(g) if left.ndim > 1 else g) * right
    if left.ndim == 1:
        return right @ g
    return g @ right.mT


def _matmul_by_right(left: Node, right: Node, g: Node) -> Node:
    if left.ndim == 1:  # an outer product
        return (_column(left) if right.ndim > 1 else left) * g
    if right.ndim > 1:
        return left.mT @ g
    if left.ndim > 2:  # a sum over each matrix's rows; the sweep sums over the batch
        g = reshape(g, (*g.shape[:-1], 1, g.shape[-1]))
    return g @ left


def _column(node: Node) -> Node:
    return reshape(node, (*node.shape, 1))


# Movement


@_rule(op.RESHAPE)
def _reshape(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, reshape(g, x.shape))


@_rule(op.PERMUTE_DIMS)
def _permute_dims(node: Node, g: Node, sweep: _Sweep) -> None:
    axes = node.attributes.axes
    inverse = sorted(range(len(axes)), key=axes.__getitem__)
    sweep.add(node.operands[0], f.permute_dims(g, inverse))


@_rule(op.CONCAT)
def _concat(node: Node, g: Node, sweep: _Sweep) -> None:
    axis = node.attributes.axis
    ranges = [(0, size, 1) for size in node.shape]
    start = 0
    for operand in node.operands:
        stop = start + operand.shape[axis]
        if sweep.active[operand]:
            ranges[axis] = (start, stop, 1)
            sweep.add(operand, f.slice_region(g, Region(tuple(ranges)), operand.shape))
        start = stop


@_rule(op.SLICE)
def _slice(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.place(g, node.attributes, x.shape))


@_rule(op.PLACE)
def _place(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.slice_region(g, node.attributes, x.shape))


@_rule(op.TAKE)
def _take(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.scatter_add(g, node.attributes, x.shape))


@_rule(op.SCATTER_ADD)
def _scatter_add(node: Node, g: Node, sweep: _Sweep) -> None:
    (x,) = node.operands
    sweep.add(x, f.take_again(g, node.attributes, x.shape))
