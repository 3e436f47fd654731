"""tinygrad on the CPU: lazy tensors, scheduled and compiled by clang, replayed by `TinyJit`.

Two evaluators. `tinygrad` differentiates by itself, with `Tensor.gradient`; `tinygrad-network` is
given our differentiated network.

lower: the graph of UOps, made by calling tinygrad's functions on tensors that are not computed yet,
    `Tensor.gradient` included.
compile: `Tensor.realize` of that graph, which schedules it and has clang compile its kernels, and
    the call of a `TinyJit` that captures them. Capturing calls our function again: tinygrad makes
    its graph a second time there, as it does for whoever uses `TinyJit`.
waited for: `Device.synchronize`. Inputs are copied into the memory of the captured tensors, and
    results out of it: `Tensor(array)` and `.numpy()` would schedule a copy each, in every call.
cached: kernels, in the process until it ends and in the file CACHEDB, which the harness makes its
    own for each launch.

tinygrad's CPU device needs clang; where there is none the adapter refuses. Threads: told what the
harness fixed, by NUM_CPU_THREADS; releases that do not know it have one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, NamedTuple

import numpy as np

from evaluators.engines.compilers import clang
from evaluators.engines.threads import threads

# tinygrad reads these when it is imported.
os.environ["DEV"] = "CPU"
os.environ["CC"] = clang() or "clang"
os.environ["NUM_CPU_THREADS"] = str(threads())

from tinygrad import Device, Tensor, TinyJit, dtypes

from evaluators.engines.adapter import Adapter, Asked, OfInputs, Operators
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from evaluators.strategies.kernels import summed_axes
from networks import Network, Node, operators as op
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.operators import Operator

_DEVICE = "CPU"

_IS_TOLD = "materialize_grads" in signature(Tensor.gradient).parameters
_ZEROS = {"materialize_grads": True} if _IS_TOLD else {}
"""What makes the derivative by an unused weight zeros; newer releases do so untold."""

_DTYPES: dict[np.dtype[Any], Any] = {
    FLOAT32: dtypes.float32,
    FLOAT64: dtypes.float64,
    BOOL: dtypes.bool,
}


class _Lowered(NamedTuple):
    """Example inputs, the graph of their outputs, and what makes it of other inputs."""

    inputs: list[Any]
    outputs: list[Any]
    function: Callable[..., list[Any]]
    asked: Asked


class TinygradNetwork(Adapter):
    """Our differentiated network."""

    name = "tinygrad-network"
    distribution = "tinygrad"

    def __init__(self) -> None:
        super().__init__()
        self._jitted: Any = None

    def refuse(self, network: Network, mode: str) -> str | None:
        """Everything, where there is no clang; and what leaves tinygrad nothing to capture."""
        if clang() is None:
            return (
                "tinygrad compiles for its CPU device with clang, and found none on PATH; "
                "install it (apt-get install clang), or name it in CC"
            )
        return super().refuse(network, mode)

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The graph of UOps, of inputs that are ones."""
        asked = self.asked(network, mode)
        function = _of_tensors(asked)
        inputs = [_tensor(np.ones(node.shape, node.dtype)) for node in asked.inputs]
        outputs = function(*inputs)
        self._counters = {"engine_nodes": _uops(outputs)}
        return _Lowered(inputs, outputs, function, asked)

    def compile(self, lowered: _Lowered) -> Function:
        """Schedule, compile kernels, and capture them."""
        Tensor.realize(*lowered.outputs)
        jitted = TinyJit(_after_the_first(lowered.function))
        for _ in range(2):  # TinyJit captures the second call alone
            results = jitted(*lowered.inputs)
        self._counters["kernels"] = _kernels(jitted.captured)
        return _calling(jitted, lowered.inputs, results, lowered.asked)


class Tinygrad(TinygradNetwork):
    """tinygrad's own gradient."""

    name = "tinygrad"
    gradient_by = "native"


def _of_tensors(asked: Asked) -> Callable[..., list[Any]]:
    """What makes the graph of outputs, or of the loss and its derivatives; not computed."""
    evaluate: OfInputs = _OPERATORS.of_inputs(asked, _constant)
    count = len(asked.weights)

    def of_tensors(*tensors: Any) -> list[Any]:
        weights = list(tensors[:count])
        outputs = evaluate(weights, tensors[count:])
        if asked.is_differentiated and weights:
            outputs += outputs[0].gradient(*weights, **_ZEROS)
        # A buffer of its own for each: an output may be an input, a constant, or given twice.
        return [each.contiguous().clone() for each in outputs]

    return of_tensors


def _after_the_first(function: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Nothing when called first: what TinyJit does not capture was done before."""
    is_first = True

    def after_the_first(*tensors: Any) -> list[Any]:
        nonlocal is_first
        if is_first:
            is_first = False
            return []
        return function(*tensors)

    return after_the_first


def _calling(jitted: Any, inputs: Sequence[Any], results: Sequence[Any], asked: Asked) -> Function:
    """Copies inputs into the tensors that were captured, replays, and copies results out."""
    views = [_view(tensor) for tensor in inputs]
    weights_in = list(zip(asked.weight_names, views, strict=False))
    data_in = list(zip(asked.data_names, views[len(asked.weights) :], strict=True))
    results_out = [_view(tensor) for tensor in results]
    device = Device[_DEVICE]

    def calling(weights: Weights, data: Data) -> Arrays:
        for name, view in weights_in:
            np.copyto(view, weights[name])
        for name, view in data_in:
            np.copyto(view, data[name])
        jitted(*inputs)
        device.synchronize()
        return [view.copy() for view in results_out]

    return calling


def _view(tensor: Any) -> Array:
    """The tensor's own memory, as an array."""
    buffer = tensor._buffer()
    memory = buffer.as_memoryview if hasattr(buffer, "as_memoryview") else buffer.as_buffer
    dtype = next(ours for ours, theirs in _DTYPES.items() if theirs == tensor.dtype)
    array: Array = np.frombuffer(memory(force_zero_copy=True), dtype)
    return array.reshape(tensor.shape)


def _tensor(array: Array) -> Any:
    """A buffer, also of a single number, which tinygrad would write into kernels."""
    return Tensor(array, dtype=_DTYPES[array.dtype], device=_DEVICE).clone().realize()


def _constant(array: Array) -> Any:
    """A single number is written into kernels; an array is a buffer."""
    if array.size == 1:
        return Tensor.full(array.shape, array.item(), dtype=_DTYPES[array.dtype], device=_DEVICE)
    return _tensor(np.array(array))


def _uops(outputs: Sequence[Any]) -> int:
    seen: set[Any] = set()
    for each in outputs:
        graph = each.uop if hasattr(each, "uop") else each.lazydata
        seen.update(graph.toposort())
    return len(seen)


def _kernels(captured: Any) -> int:
    """How many kernels and copies are replayed."""
    if hasattr(captured, "_jit_cache"):
        return len(captured._jit_cache)
    return len(captured.linear.src)


# Operators


def _reduction(name: str) -> Callable[[Node], Callable[..., Any]]:
    def bind(node: Node) -> Callable[..., Any]:
        axes, keepdims = node.attributes
        if not axes:
            return lambda x: x
        return lambda x: getattr(x, name)(axis=axes, keepdim=keepdims)

    return bind


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = summed_axes(node).axes
    return lambda x: (x.sum(axis=axes) if axes else x).reshape(node.shape)


def _take(node: Node) -> Callable[..., Any]:
    indices, axis = node.attributes
    index = (*[slice(None)] * axis, list(indices))
    return lambda x: x[index]


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: lambda x, y: x + y,
    op.SUBTRACT: lambda x, y: x - y,
    op.MULTIPLY: lambda x, y: x * y,
    op.DIVIDE: lambda x, y: x / y,
    op.POW: lambda x, y: x**y,
    op.MAXIMUM: lambda x, y: x.maximum(y),
    op.MINIMUM: lambda x, y: x.minimum(y),
    op.NEGATIVE: lambda x: -x,
    op.EXP: lambda x: x.exp(),
    op.LOG: lambda x: x.log(),
    op.SQRT: lambda x: x.sqrt(),
    op.SIN: lambda x: x.sin(),
    op.COS: lambda x: x.cos(),
    op.TANH: lambda x: x.tanh(),
    op.LOGISTIC: lambda x: x.sigmoid(),
    op.ABS: lambda x: x.abs(),
    op.SIGN: lambda x: x.sign(),
    op.LESS: lambda x, y: x < y,
    op.LESS_EQUAL: lambda x, y: x <= y,
    op.GREATER: lambda x, y: x > y,
    op.GREATER_EQUAL: lambda x, y: x >= y,
    op.EQUAL: lambda x, y: x == y,
    op.NOT_EQUAL: lambda x, y: x != y,
    op.WHERE: lambda condition, x, y: condition.where(x, y),
    op.MATMUL: lambda x, y: x.matmul(y),
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: lambda x: x.cast(_DTYPES[node.dtype]),
    op.SUM: _reduction("sum"),
    op.MAX: _reduction("max"),
    op.RESHAPE: lambda node: lambda x: x.reshape(node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: x.permute(node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: x.expand(node.shape),
    op.CONCAT: lambda node: lambda *xs: xs[0].cat(*xs[1:], dim=node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (Tinygrad(), TinygradNetwork())
