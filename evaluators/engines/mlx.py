"""MLX on the CPU: lazy arrays, traced and fused by `mlx.core.compile`.

Two evaluators. `mlx` differentiates by itself, with `mlx.core.value_and_grad`; `mlx-network` is
given our differentiated network.

lower: the nodes in order, each with its function of `mlx.core`. MLX traces at the first call of a
    compiled function and hands out no graph of its own.
compile: `mlx.core.compile(f)`, called once with examples: it traces, simplifies, and fuses
    elementwise operations, for which it runs the system's C++ compiler.
waited for: `mlx.core.eval` of all results, which are then copied into NumPy arrays.
cached: compiled kernels, in the process until it ends and in MLX's directory under TMPDIR, which
    the harness makes its own for each launch.

Threads: MLX has one worker thread for its CPU stream; its products of matrices call a BLAS, which
takes the number that the harness set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np

from evaluators.engines.adapter import Adapter, Asked, Operators, Traced
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from evaluators.strategies.kernels import summed_axes
from networks import Network, Node, operators as op
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.operators import Operator

_DTYPES = {FLOAT32: mx.float32, FLOAT64: mx.float64, BOOL: mx.bool_}

mx.set_default_device(mx.cpu)


class MlxNetwork(Adapter):
    """Our differentiated network."""

    name = "mlx-network"
    distribution = "mlx"

    def refuse(self, network: Network, mode: str) -> str | None:
        """float64 as well, of which MLX computes `exp`, `sin` and others in float32."""
        reason = super().refuse(network, mode)
        if reason is None and any(node.dtype is FLOAT64 for node in network.weights):
            return "MLX computes exp, sin and cos of float64 in float32; give it a float32 network"
        return reason

    def lower(self, network: Network, mode: str) -> Traced:
        """The nodes in order, each with its function."""
        asked = self.asked(network, mode)
        return Traced(_of_mlx_arrays(asked), asked)

    def compile(self, lowered: Traced) -> Function:
        """Trace and fuse, by a first call."""
        compiled = mx.compile(lowered.function)
        mx.eval(
            compiled(
                [mx.ones(node.shape, _DTYPES[node.dtype]) for node in lowered.asked.weights],
                [mx.ones(node.shape, _DTYPES[node.dtype]) for node in lowered.asked.data],
            )
        )
        return _calling(compiled, lowered.asked)


class Mlx(MlxNetwork):
    """MLX's own gradient."""

    name = "mlx"
    gradient_by = "native"


def _of_mlx_arrays(asked: Asked) -> Callable[[list[Any], list[Any]], list[Any]]:
    evaluate = _OPERATORS.of_inputs(asked, _mlx_array)

    def differentiate(weights: list[Any], data: list[Any]) -> list[Any]:
        value, derivatives = mx.value_and_grad(lambda each: evaluate(each, data)[0])(weights)
        return [value, *derivatives]

    return differentiate if asked.is_differentiated and asked.weights else evaluate


def _mlx_array(array: Array) -> Any:
    """float64 would become float32 unless asked for."""
    return mx.array(array, _DTYPES[array.dtype])


def _calling(function: Callable[..., list[Any]], asked: Asked) -> Function:
    weight_names, data_names = asked.weight_names, asked.data_names

    def calling(weights: Weights, data: Data) -> Arrays:
        results = function(
            [_mlx_array(weights[name]) for name in weight_names],
            [_mlx_array(data[name]) for name in data_names],
        )
        mx.eval(results)
        return [np.array(each) for each in results]

    return calling


# Operators


def _reduction(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    def bind(node: Node) -> Callable[..., Any]:
        axes, keepdims = node.attributes
        if not axes:
            return lambda x: x
        return lambda x: function(x, axis=axes, keepdims=keepdims)

    return bind


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = summed_axes(node).axes
    return lambda x: mx.reshape(mx.sum(x, axis=axes) if axes else x, node.shape)


def _take(node: Node) -> Callable[..., Any]:
    indices, axis = mx.array(node.attributes.indices, mx.int32), node.attributes.axis
    return lambda x: mx.take(x, indices, axis=axis)


def _scatter_add(node: Node) -> Callable[..., Any]:
    indices, axis = node.attributes
    index = (*[slice(None)] * axis, mx.array(indices, mx.int32))
    whole = mx.zeros(node.shape, _DTYPES[node.dtype])
    return lambda x: whole.at[index].add(x)  # noqa: PLW0108 - each call makes its own update


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: mx.add,
    op.SUBTRACT: mx.subtract,
    op.MULTIPLY: mx.multiply,
    op.DIVIDE: mx.divide,
    op.POW: mx.power,
    op.MAXIMUM: mx.maximum,
    op.MINIMUM: mx.minimum,
    op.NEGATIVE: mx.negative,
    op.EXP: mx.exp,
    op.EXPM1: mx.expm1,
    op.LOG: mx.log,
    op.LOG1P: mx.log1p,
    op.SQRT: mx.sqrt,
    op.SIN: mx.sin,
    op.COS: mx.cos,
    op.TANH: mx.tanh,
    op.LOGISTIC: mx.sigmoid,
    op.ABS: mx.abs,
    op.SIGN: mx.sign,
    op.LESS: mx.less,
    op.LESS_EQUAL: mx.less_equal,
    op.GREATER: mx.greater,
    op.GREATER_EQUAL: mx.greater_equal,
    op.EQUAL: mx.equal,
    op.NOT_EQUAL: mx.not_equal,
    op.WHERE: mx.where,
    op.MATMUL: mx.matmul,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: lambda x: x.astype(_DTYPES[node.dtype]),
    op.SUM: _reduction(mx.sum),
    op.MAX: _reduction(mx.max),
    op.RESHAPE: lambda node: lambda x: mx.reshape(x, node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: mx.transpose(x, node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: mx.broadcast_to(x, node.shape),
    op.CONCAT: lambda node: lambda *xs: mx.concatenate(xs, node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.SCATTER_ADD: _scatter_add,
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (Mlx(), MlxNetwork())
