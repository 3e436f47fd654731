"""PyTensor: a symbolic graph, rewritten, then linked to Numba (since 3.0) or to C.

Two evaluators. `pytensor` differentiates by itself, with `pytensor.grad`; `pytensor-network` is
given our differentiated network.

lower: the graph of variables, all with static shapes, and `pytensor.grad`.
compile: `pytensor.function(inputs, outputs)` in PyTensor's default mode: rewriting, then linking.
    PyTensor's own split of the two is what `profile` tells.
waited for: nothing; its functions are synchronous. With Numba much of the compilation is left to
    the first call, and is seen there.
cached: compiled C and Numba code in `base_compiledir`, which the harness makes a directory of its
    own for each launch; within a process what is compiled stays.

PyTensor gives the whole derivative of `maximum`, `minimum` and `max` to every operand at a tie; so
that it is shared as in our operators, their derivatives are written out here, by terms that are
zero and that PyTensor's rewriting takes out again.

Threads: by the variables of OpenMP and Numba, which the harness sets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.gradient import disconnected_grad

from evaluators.engine_profile import EngineProfile, EngineRow
from evaluators.engines.adapter import Adapter, Asked, Operators
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights
from evaluators.strategies.kernels import summed_axes
from networks import Network, Node, operators as op
from networks.operators import Operator

_WARM_UP = 2
"""Calls before those that a profile is of: with Numba, the first compiles."""


class _Lowered(NamedTuple):
    """A graph, and the names of its inputs in the network."""

    inputs: list[Any]
    outputs: list[Any]
    asked: Asked


class PytensorNetwork(Adapter):
    """Our differentiated network."""

    name = "pytensor-network"
    distribution = "pytensor"

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The graph; differentiated if it is to be."""
        asked = self.asked(network, mode)
        weights, data = [
            [pt.tensor(dtype=node.dtype.name, shape=node.shape) for node in inputs]
            for inputs in (asked.weights, asked.data)
        ]
        outputs = _OPERATORS.of_inputs(asked, pt.constant)(weights, data)
        if asked.is_differentiated and weights:
            outputs += pytensor.grad(
                outputs[0], weights, disconnected_inputs="ignore", return_disconnected="zero"
            )
        return _Lowered([*weights, *data], outputs, asked)

    def compile(self, lowered: _Lowered) -> Function:
        """Rewrite and link."""
        function = pytensor.function(lowered.inputs, lowered.outputs, on_unused_input="ignore")
        left = function.maker.fgraph.apply_nodes
        self._counters = {"optimised_nodes": sum(_operations_within(each) for each in left)}
        # Our arrays have the dtypes and shapes that were declared: checking them again is left out.
        function.trust_input = True
        return _calling(function, lowered.asked)

    def profile(self, lowered: _Lowered, weights: Weights, data: Data, calls: int) -> EngineProfile:
        """Operations and the parts of compile, from PyTensor's own profile of a function."""
        function = pytensor.function(
            lowered.inputs, lowered.outputs, on_unused_input="ignore", profile=True
        )
        function.trust_input = True
        calling = _calling(function, lowered.asked)
        for _ in range(_WARM_UP):
            calling(weights, data)
        seen = function.profile
        before, before_s = _operations(seen), seen.vm_call_time
        for _ in range(calls):
            calling(weights, data)
        rows = [
            EngineRow(
                name=name,
                seconds=(seconds - before[name][0]) / calls,
                calls=(count - before[name][1]) / calls,
            )
            for name, (seconds, count) in _operations(seen).items()
        ]
        remarks = ["PyTensor tells neither bytes nor floating-point operations of a call"]
        if not rows:
            whole_s = (seen.vm_call_time - before_s) / calls
            rows = [EngineRow(name="the whole function", seconds=whole_s, calls=1)]
            remarks.append(
                "linked to Numba, the function is one piece of machine code: no operation is told"
            )
        parts = {"rewriting": seen.rewriting_time, "linking": seen.linker_time}
        return EngineProfile(
            rows=[
                *sorted(rows, key=lambda row: -row.seconds),
                *(
                    EngineRow(name=name, seconds=seconds, calls=1, phase="compile")
                    for name, seconds in parts.items()
                ),
            ],
            profiler=f"the profile of PyTensor {self.version()}",
            remarks=remarks,
            graph=Counter(str(node.op) for node in function.maker.fgraph.apply_nodes),
            graph_of="nodes after rewriting",
        )


class Pytensor(PytensorNetwork):
    """PyTensor's own gradient."""

    name = "pytensor"
    gradient_by = "native"


def _operations_within(node: Any) -> int:
    """Operations of two operands or one that a node of a rewritten graph stands for.

    Fused loops have a graph of their own, and a sum of n operands is n - 1 additions: where
    flattening sums loses sharing, the nodes are few and these are not.
    """
    operation = getattr(node.op, "scalar_op", node.op)
    inner = getattr(operation, "fgraph", None)
    if inner is not None:
        return sum(_operations_within(each) for each in inner.apply_nodes)
    is_variadic = getattr(operation, "nin", None) == -1
    return max(1, len(node.inputs) - 1) if is_variadic else 1


def _operations(seen: Any) -> dict[str, tuple[float, int]]:
    """Seconds and calls of every kind of operation so far."""
    found: dict[str, tuple[float, int]] = {}
    for key, seconds in seen.apply_time.items():
        node = key[1] if isinstance(key, tuple) else key
        name = str(node.op)
        before_s, before = found.get(name, (0.0, 0))
        count = seen.apply_callcount.get(key, 0)
        found[name] = (before_s + seconds, before + count)
    return found


def _calling(function: Callable[..., list[Any]], asked: Asked) -> Function:
    weight_names, data_names = asked.weight_names, asked.data_names

    def calling(weights: Weights, data: Data) -> Arrays:
        results = function(
            *[weights[name] for name in weight_names], *[data[name] for name in data_names]
        )
        return [np.asarray(each) for each in results]

    return calling


# Operators


def _with_derivative(value: Any, *operands_and_shares: tuple[Any, Any]) -> Any:
    """The value, with derivatives that are the operands' shares of the cotangent."""
    total = disconnected_grad(value)
    for operand, share in operands_and_shares:
        total = total + (operand - disconnected_grad(operand)) * disconnected_grad(share)
    return total


def _share(x: Any, y: Any) -> Any:
    """1 where x is larger, 1/2 at ties, 0 elsewhere."""
    number = np.dtype(x.dtype).type
    return pt.switch(pt.gt(x, y), number(1), pt.switch(pt.eq(x, y), number(0.5), number(0)))


def _maximum(x: Any, y: Any) -> Any:
    return _with_derivative(pt.maximum(x, y), (x, _share(x, y)), (y, _share(y, x)))


def _minimum(x: Any, y: Any) -> Any:
    return _with_derivative(pt.minimum(x, y), (x, _share(y, x)), (y, _share(x, y)))


def _max(node: Node) -> Callable[..., Any]:
    axes, keepdims = node.attributes

    def maximum(x: Any) -> Any:
        value = pt.max(x, axis=axes, keepdims=True)
        largest = pt.cast(pt.eq(x, value), node.dtype.name)
        share = disconnected_grad(largest / pt.sum(largest, axis=axes, keepdims=True))
        moved = pt.sum((x - disconnected_grad(x)) * share, axis=axes, keepdims=keepdims)
        return disconnected_grad(pt.max(x, axis=axes, keepdims=keepdims)) + moved

    return maximum if axes else lambda x: x


def _reduction(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    def bind(node: Node) -> Callable[..., Any]:
        axes, keepdims = node.attributes
        if not axes:
            return lambda x: x
        return lambda x: function(x, axis=axes, keepdims=keepdims, dtype=node.dtype.name)

    return bind


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = summed_axes(node).axes
    return lambda x: pt.reshape(
        pt.sum(x, axis=axes, dtype=node.dtype.name) if axes else x, node.shape
    )


def _take(node: Node) -> Callable[..., Any]:
    index = _index(node)
    return lambda x: x[index]


def _scatter_add(node: Node) -> Callable[..., Any]:
    index = _index(node)
    return lambda x: pt.inc_subtensor(pt.zeros(node.shape, node.dtype.name)[index], x)


def _index(node: Node) -> tuple[Any, ...]:
    indices, axis = node.attributes
    return (*[slice(None)] * axis, np.array(indices, np.int64))


def _place(node: Node) -> Callable[..., Any]:
    slices = node.attributes.slices()
    return lambda x: pt.set_subtensor(pt.zeros(node.shape, node.dtype.name)[slices], x)


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: pt.add,
    op.SUBTRACT: pt.sub,
    op.MULTIPLY: pt.mul,
    op.DIVIDE: pt.true_div,
    op.POW: pt.pow,
    op.MAXIMUM: _maximum,
    op.MINIMUM: _minimum,
    op.NEGATIVE: pt.neg,
    op.EXP: pt.exp,
    op.EXPM1: pt.expm1,
    op.LOG: pt.log,
    op.LOG1P: pt.log1p,
    op.SQRT: pt.sqrt,
    op.SIN: pt.sin,
    op.COS: pt.cos,
    op.TANH: pt.tanh,
    op.LOGISTIC: pt.sigmoid,
    op.ABS: pt.abs,
    op.SIGN: pt.sign if hasattr(pt, "sign") else pt.sgn,
    op.LESS: pt.lt,
    op.LESS_EQUAL: pt.le,
    op.GREATER: pt.gt,
    op.GREATER_EQUAL: pt.ge,
    op.EQUAL: pt.eq,
    op.NOT_EQUAL: pt.neq,
    op.WHERE: pt.switch,
    op.MATMUL: pt.matmul,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: (
        (lambda x: pt.neq(x, 0)) if node.dtype == bool else lambda x: pt.cast(x, node.dtype.name)
    ),
    op.SUM: _reduction(pt.sum),
    op.MEAN: _reduction(pt.mean),
    op.MAX: _max,
    op.RESHAPE: lambda node: lambda x: pt.reshape(x, node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: pt.transpose(x, node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: pt.broadcast_to(x, node.shape),
    op.CONCAT: lambda node: lambda *xs: pt.concatenate(xs, axis=node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (Pytensor(), PytensorNetwork())
