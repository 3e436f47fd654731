"""autograd: operator overloading on NumPy, a new tape at every call.

Two evaluators. `autograd` differentiates by itself, with `autograd.value_and_grad`;
`autograd-network` evaluates our differentiated network with `autograd.numpy`, so that it shows
what the wrapped NumPy costs without a tape.

lower: the nodes in order, each with its function of `autograd.numpy`. autograd itself has nothing
    to do before a call: it makes its graph anew whenever it differentiates.
compile: nothing.
waited for: nothing; NumPy is synchronous.
cached: nothing.

Weights are handed to autograd as one container of our own, made with `autograd.extend`: with a
list, tuple or dict, differentiating N weights is quadratic in N, since autograd describes the whole
container again for each weight that is taken out of it.

autograd computes the derivatives of `where`, `maximum`, `minimum` and `max` in float64; results are
cast to the dtype of their weight.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, SparseObject, VSpace, defvjp, primitive
from autograd.tracer import getval

from evaluators.engines.adapter import Adapter
from evaluators.engines.walk import Walk, walk
from evaluators.protocol import (
    Array,
    Arrays,
    Data,
    Evaluator,
    Function,
    Weights,
)
from evaluators.results import fresh
from evaluators.strategies import kernels
from networks import Network, Node, operators as op, topological_order
from networks.inference import BOOL, FLOAT64
from networks.operators import Operator, Partial, Region, Taken

Bind: TypeAlias = Callable[[Node], Callable[..., Any]]


class _Lowered:
    """The walk that a call makes, and what becomes of its results."""

    def __init__(self, outputs: tuple[Node, ...], weights: tuple[Node, ...] | None) -> None:
        self.outputs = outputs
        self.weights = weights
        """What to differentiate the one output by; None where outputs are returned as they are."""
        self.walk: Walk = walk(outputs, _bind)
        self.is_active = weights is not None and _depends_on_weights(outputs[0])


class AutogradNetwork(Adapter):
    """Our differentiated network, evaluated with `autograd.numpy`."""

    name = "autograd-network"
    distribution = "autograd"

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The nodes in order, each with its function; up to the loss if it is differentiated."""
        asked = self.asked(network, mode)
        return _Lowered(asked.outputs, asked.weights if asked.is_differentiated else None)

    def compile(self, lowered: _Lowered) -> Function:
        """A function that walks the nodes, on a tape if it is to differentiate."""
        if lowered.weights is None:
            return _evaluating(lowered)
        return _differentiating(lowered, lowered.weights)


class Autograd(AutogradNetwork):
    """autograd's own gradient."""

    name = "autograd"
    gradient_by = "native"


def _evaluating(lowered: _Lowered) -> Function:
    def function(weights: Weights, data: Data) -> Arrays:
        return fresh(lowered.outputs, lowered.walk(weights.__getitem__, data.__getitem__))

    return function


def _differentiating(lowered: _Lowered, by: tuple[Node, ...]) -> Function:
    def function(weights: Weights, data: Data) -> Arrays:
        def of_weights(container: _Weights) -> Any:
            return lowered.walk(partial(_weight, container), data.__getitem__)[0]

        container = _Weights(weights)
        if lowered.is_active:
            value, by_name = autograd.value_and_grad(of_weights)(container)
        else:  # autograd would warn that the output seems independent of its input
            value, by_name = of_weights(container), {}
        return [np.array(value), *_derivatives(by, by_name)]

    return function


def _derivatives(weights: tuple[Node, ...], by_name: dict[str, Any]) -> Arrays:
    """One array of its own for each weight: autograd hands a cotangent on to several as it is."""
    arrays: Arrays = []
    seen: set[int] = set()
    for node in weights:
        found = by_name.get(node.attributes)
        if found is None:
            arrays.append(np.zeros(node.shape, node.dtype))
            continue
        array = np.asarray(found, node.dtype)
        arrays.append(array.copy() if id(found) in seen else array)
        seen.add(id(found))
    return arrays


_FLAT = frozenset({op.SIGN, op.MAXIMUM_SHARE, op.MAX_SHARE})
"""The floating-point operators that have no derivative but zero."""


def _depends_on_weights(loss: Node) -> bool:
    """Whether autograd will find a path from the loss to a weight."""
    active: set[Node] = set()
    for node in topological_order((loss,)):
        if node.operator is op.WEIGHT or (
            node.dtype is not BOOL
            and node.operator not in _FLAT
            and any(operand in active for operand in node.operands)
        ):
            active.add(node)
    return loss in active


# The container of weights


class _Weights:
    """What autograd differentiates by: arrays by name."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: Weights) -> None:
        self.arrays = arrays


class _WeightsBox(Box):  # type: ignore[misc]
    __slots__ = ()


class _WeightsSpace(VSpace):  # type: ignore[misc]
    """Cotangents of the container: those of its arrays by name, without those that are zero."""

    def zeros(self) -> dict[str, Array]:
        return {}


_SPACE = _WeightsSpace(None)
_WeightsBox.register(_Weights)
VSpace.register(_Weights, lambda _: _SPACE)


@primitive
def _weight(container: _Weights, name: str) -> Array:
    return container.arrays[name]


def _weight_vjp(_array: Array, _container: _Weights, name: str) -> Callable[[Any], SparseObject]:
    def vjp(g: Any) -> SparseObject:
        def add_to(by_name: dict[str, Any]) -> dict[str, Any]:
            by_name[name] = g  # a walk takes each weight out once
            return by_name

        return SparseObject(_SPACE, add_to)

    return vjp


defvjp(_weight, _weight_vjp, argnums=(0,))


# Operators that autograd lacks


@primitive
def _logistic(x: Array) -> Any:
    return kernels.logistic(x)


@primitive
def _place(x: Array, region: Region, shape: tuple[int, ...]) -> Array:
    whole = np.zeros(shape, x.dtype)
    whole[region.slices()] = x
    return whole


@primitive
def _take(x: Array, taken: Taken) -> Array:
    return x.take(taken.indices, taken.axis)


@primitive
def _scatter_add(x: Array, taken: Taken, shape: tuple[int, ...]) -> Array:
    return kernels.scatter_add(x, taken, shape)


@primitive
def _pow_partial(base: Array, exponent: Array, order: Partial) -> Any:
    return kernels.pow_partial(base, exponent, order)


def _unbroadcast(g: Array, like: Array) -> Any:
    """The cotangent summed down to the shape that was broadcast."""
    lacking = g.ndim - like.ndim
    axes = (*range(lacking), *(lacking + i for i, size in enumerate(like.shape) if size == 1))
    return np.sum(g, axis=axes, keepdims=True).reshape(like.shape)


defvjp(_logistic, lambda ans, _x: lambda g: g * ans * (1 - ans))
defvjp(_place, lambda _, _x, region, _shape: lambda g: g[region.slices()])
defvjp(_take, lambda _, x, taken: lambda g: kernels.scatter_add(g, taken, x.shape))
defvjp(_scatter_add, lambda _, _x, taken, _shape: lambda g: g.take(taken.indices, taken.axis))
defvjp(
    _pow_partial,
    lambda _, b, e, order: (
        lambda g: _unbroadcast(
            g * kernels.pow_partial(b, e, Partial(order.base + 1, order.exponent)), b
        )
    ),
    lambda _, b, e, order: (
        lambda g: _unbroadcast(
            g * kernels.pow_partial(b, e, Partial(order.base, order.exponent + 1)), e
        )
    ),
)


# Operators


def _bind(node: Node) -> Callable[..., Any]:
    """autograd's function of the node's operands."""
    plain = _PLAIN.get(node.operator)
    function = plain if plain is not None else _BINDS[node.operator](node)
    if not kernels.has_mixed_operands(node):
        return function
    return lambda *operands: function(
        *[x if x.dtype == BOOL else x.astype(FLOAT64) for x in operands]
    )


def _astype(node: Node) -> Callable[..., Any]:
    if node.dtype is BOOL:
        return lambda x: getval(x).astype(BOOL)
    return lambda x: x.astype(node.dtype)


def _broadcast_to(node: Node) -> Callable[..., Any]:
    shape = node.shape

    def broadcast_to(x: Any) -> Any:
        # autograd's own derivative handles axes of size 1, but none that are lacking.
        aligned = anp.reshape(x, (1,) * (len(shape) - len(x.shape)) + x.shape)
        return anp.broadcast_to(aligned, shape)

    return broadcast_to


def _where(node: Node) -> Callable[..., Any]:
    """Branches are broadcast first: autograd's derivative does not sum them down."""
    spread = _broadcast_to(node)
    return lambda condition, x, y: anp.where(
        condition,
        x if x.shape == node.shape else spread(x),
        y if y.shape == node.shape else spread(y),
    )


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = kernels.summed_axes(node).axes
    return lambda x: anp.reshape(anp.sum(x, axis=axes), node.shape)


def _reduction(function: Callable[..., Any]) -> Bind:
    return lambda node: partial(
        function, axis=node.attributes.axes, keepdims=node.attributes.keepdims
    )


_PLAIN: dict[Operator, Any] = {
    op.ADD: anp.add,
    op.SUBTRACT: anp.subtract,
    op.MULTIPLY: anp.multiply,
    op.DIVIDE: anp.divide,
    op.POW: anp.power,
    op.MAXIMUM: anp.maximum,
    op.MINIMUM: anp.minimum,
    op.NEGATIVE: anp.negative,
    op.EXP: anp.exp,
    op.EXPM1: anp.expm1,
    op.LOG: anp.log,
    op.LOG1P: anp.log1p,
    op.SQRT: anp.sqrt,
    op.SIN: anp.sin,
    op.COS: anp.cos,
    op.TANH: anp.tanh,
    op.LOGISTIC: _logistic,
    op.ABS: anp.abs,
    op.SIGN: anp.sign,
    op.LESS: anp.less,
    op.LESS_EQUAL: anp.less_equal,
    op.GREATER: anp.greater,
    op.GREATER_EQUAL: anp.greater_equal,
    op.EQUAL: anp.equal,
    op.NOT_EQUAL: anp.not_equal,
    op.MATMUL: anp.matmul,
    op.MAXIMUM_SHARE: lambda x, y: kernels.maximum_share(getval(x), getval(y)),
}
_BINDS: dict[Operator, Bind] = {
    op.ASTYPE: _astype,
    op.WHERE: _where,
    op.SUM: _reduction(anp.sum),
    op.MEAN: _reduction(anp.mean),
    op.MAX: _reduction(anp.max),
    op.RESHAPE: lambda node: lambda x: anp.reshape(x, node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: anp.transpose(x, node.attributes.axes),
    op.BROADCAST_TO: _broadcast_to,
    op.CONCAT: lambda node: lambda *xs: anp.concatenate(xs, node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: lambda node: lambda x: _take(x, node.attributes),
    op.SUM_TO: _sum_to,
    op.PLACE: lambda node: lambda x: _place(x, node.attributes, node.shape),
    op.SCATTER_ADD: lambda node: lambda x: _scatter_add(x, node.attributes, node.shape),
    op.MAX_SHARE: lambda node: lambda x: kernels.max_share(getval(x), node.attributes.axes),
    op.POW_PARTIAL: lambda node: lambda b, e: _pow_partial(b, e, node.attributes),
}

EVALUATORS: tuple[Evaluator, ...] = (Autograd(), AutogradNetwork())
