"""TensorFlow on the CPU: `tf.function`, traced to a graph.

Two evaluators. `tensorflow` differentiates by itself, with `tf.GradientTape` within the traced
function; `tensorflow-network` traces our differentiated network.

lower: `tf.function(f).get_concrete_function(…)`: Python runs once over the network with
    TensorFlow's functions, and the tape adds the derivatives' operations.
compile: nothing that TensorFlow lets us call: it optimises the graph (Grappler) and makes its
    executor in the first call, and is seen there.
waited for: `.numpy()` of every result, which waits for it and copies it.
cached: optimised functions, in the process's eager context until it ends.

Threads: within and between operations as many as the harness fixed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it greets on stderr

import numpy as np
import tensorflow as tf

from evaluators.engines.adapter import Adapter, Asked, Operators, Traced
from evaluators.engines.decomposition import source_positions
from evaluators.engines.threads import threads
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights
from evaluators.strategies.kernels import summed_axes
from networks import Network, Node, operators as op
from networks.operators import Operator

tf.config.set_visible_devices([], "GPU")
tf.config.threading.set_intra_op_parallelism_threads(threads())
tf.config.threading.set_inter_op_parallelism_threads(threads())


class TensorflowNetwork(Adapter):
    """Our differentiated network, traced."""

    name = "tensorflow-network"
    distribution = "tensorflow"

    def lower(self, network: Network, mode: str) -> Traced:
        """Trace; with the derivatives, if it is to differentiate."""
        asked = self.asked(network, mode)
        signature = [tf.TensorSpec(node.shape, node.dtype) for node in asked.inputs]
        concrete = tf.function(_of_tensors(asked), autograph=False).get_concrete_function(
            *signature
        )
        self._counters = {"engine_nodes": len(concrete.graph.get_operations())}
        return Traced(concrete, asked)

    def compile(self, lowered: Traced) -> Function:
        """A function of arrays."""
        return _calling(lowered.function, lowered.asked)


class Tensorflow(TensorflowNetwork):
    """TensorFlow's own gradient."""

    name = "tensorflow"
    gradient_by = "native"


def _of_tensors(asked: Asked) -> Callable[..., list[Any]]:
    of_inputs = _OPERATORS.of_inputs(asked, tf.constant)
    count = len(asked.weights)

    def evaluate(*tensors: Any) -> list[Any]:
        return [tf.identity(each) for each in of_inputs(tensors[:count], tensors[count:])]

    def differentiate(*tensors: Any) -> list[Any]:
        weights = list(tensors[:count])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            (loss,) = evaluate(*tensors)
        derivatives = tape.gradient(loss, weights, unconnected_gradients="zero")
        return [loss, *[tf.convert_to_tensor(each) for each in derivatives]]

    return differentiate if asked.is_differentiated else evaluate


def _calling(concrete: Callable[..., Any], asked: Asked) -> Function:
    weight_names, data_names = asked.weight_names, asked.data_names

    def calling(weights: Weights, data: Data) -> Arrays:
        results = concrete(
            *[tf.constant(weights[name]) for name in weight_names],
            *[tf.constant(data[name]) for name in data_names],
        )
        return [np.asarray(each.numpy()) for each in results]

    return calling


# Operators


def _reduction(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    def bind(node: Node) -> Callable[..., Any]:
        axes, keepdims = node.attributes
        return lambda x: function(x, axis=list(axes), keepdims=keepdims)

    return bind


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = list(summed_axes(node).axes)
    return lambda x: tf.reshape(tf.reduce_sum(x, axis=axes), node.shape)


def _matmul(node: Node) -> Callable[..., Any]:
    """TensorFlow multiplies matrices alone: a vector is made one."""
    left, right = node.operands
    if left.ndim > 1 and right.ndim > 1:
        product: Callable[..., Any] = tf.matmul
        return product
    row = (1, *left.shape) if left.ndim == 1 else left.shape
    column = (*right.shape, 1) if right.ndim == 1 else right.shape
    return lambda x, y: tf.reshape(tf.matmul(tf.reshape(x, row), tf.reshape(y, column)), node.shape)


def _take(node: Node) -> Callable[..., Any]:
    indices, axis = tf.constant(node.attributes.indices, tf.int32), node.attributes.axis
    return lambda x: tf.gather(x, indices, axis=axis)


def _place(node: Node) -> Callable[..., Any]:
    """Zeros around contiguous regions; elsewhere each place takes its element, or a zero."""
    ranges, sizes = node.attributes.ranges, node.operands[0].shape
    if all(step == 1 for _start, _stop, step in ranges):
        padding = [
            (start, whole - start - size)
            for (start, _stop, _step), size, whole in zip(ranges, sizes, node.shape, strict=True)
        ]
        return lambda x: tf.pad(x, padding)
    positions = [
        source_positions(start, step, size, whole)
        for (start, _stop, step), size, whole in zip(ranges, sizes, node.shape, strict=True)
    ]

    def place(x: Any) -> Any:
        x = tf.pad(x, [(0, 1)] * len(sizes))
        for axis, indices in enumerate(positions):
            x = tf.gather(x, indices, axis=axis)
        return x

    return place


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: tf.add,
    op.SUBTRACT: tf.subtract,
    op.MULTIPLY: tf.multiply,
    op.DIVIDE: tf.divide,
    op.POW: tf.pow,
    op.MAXIMUM: tf.maximum,
    op.MINIMUM: tf.minimum,
    op.NEGATIVE: tf.negative,
    op.EXP: tf.exp,
    op.EXPM1: tf.math.expm1,
    op.LOG: tf.math.log,
    op.LOG1P: tf.math.log1p,
    op.SQRT: tf.sqrt,
    op.SIN: tf.sin,
    op.COS: tf.cos,
    op.TANH: tf.tanh,
    op.LOGISTIC: tf.sigmoid,
    op.ABS: tf.abs,
    op.SIGN: tf.sign,
    op.LESS: tf.less,
    op.LESS_EQUAL: tf.less_equal,
    op.GREATER: tf.greater,
    op.GREATER_EQUAL: tf.greater_equal,
    op.EQUAL: tf.equal,
    op.NOT_EQUAL: tf.not_equal,
    op.WHERE: tf.where,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: lambda x: tf.cast(x, node.dtype),
    op.SUM: _reduction(tf.reduce_sum),
    op.MEAN: _reduction(tf.reduce_mean),
    op.MAX: _reduction(tf.reduce_max),
    op.MATMUL: _matmul,
    op.RESHAPE: lambda node: lambda x: tf.reshape(x, node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: tf.transpose(x, node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: tf.broadcast_to(x, node.shape),
    op.CONCAT: lambda node: lambda *xs: tf.concat(xs, node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (Tensorflow(), TensorflowNetwork())
