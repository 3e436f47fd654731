"""ONNX Runtime: our network exported to ONNX, on the CPU.

ONNX Runtime does not differentiate; it is given our differentiated network.

lower: the ONNX model, made with the `onnx` package and serialised. Operators that ONNX lacks become
    several (`evaluators.engines.decomposition`); weights and data are the graph's inputs.
compile: `InferenceSession(model)`, which optimises the graph (at its highest level), chooses
    kernels and plans memory.
waited for: `run_with_iobinding` returns when all results are computed; they are copied out.
cached: nothing between sessions. A session keeps its arena of memory until it is dropped. Inputs
    are bound, which shares their memory, and bound anew where another array comes: `session.run`
    looks every name up among all of them, which for 1,001 inputs takes 6 ms of 6.5.

Threads: ONNX Runtime reads no environment variable; the adapter tells it what the harness fixed
for the launch (`evaluators.engines.threads`), within an operator, and has operators run one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import ReferenceType, ref

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

from evaluators.engines.adapter import Adapter
from evaluators.engines.decomposition import decomposed
from evaluators.engines.table import matches
from evaluators.engines.threads import threads
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from networks import Network, Node, operators as op, topological_order
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.operators import Operator

OPSET, IR_VERSION = 18, 8
"""Of 2022: every supported release reads them, and results do not depend on the exporter's age."""

FLOAT64_RELEASES = ">=1.32"
"""Those before 1.30 lack `Cos`, and fuse transpositions into products that they lack; 1.30 and 1.31
are off by 1e-9 in the gradient of `tests.evaluators.everything`."""

_TYPES = {FLOAT32: TensorProto.FLOAT, FLOAT64: TensorProto.DOUBLE, BOOL: TensorProto.BOOL}
_SEVERE = 3
"""Errors only: ONNX Runtime warns of initializers that its own optimisation left unused."""


@dataclass(frozen=True, kw_only=True)
class _Lowered:
    """A serialised model, and what its inputs are called in the network, in the model's order."""

    model: bytes
    weights: list[str]
    data: list[str]


class OnnxRuntime(Adapter):
    """ONNX Runtime's CPU kernels."""

    name = "onnxruntime"
    distribution = "onnxruntime"

    def __init__(self) -> None:
        super().__init__()
        self._last: ReferenceType[_Lowered] | None = None

    def refuse(self, network: Network, mode: str) -> str | None:
        """float64 as well, in releases that lack kernels for it."""
        reason = super().refuse(network, mode)
        if reason is None and any(node.dtype is FLOAT64 for node in network.weights):
            reason = _no_float64(self.version())
        return reason

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The network as an ONNX model."""
        asked = self.asked(network, mode)
        model = exported(asked.inputs, decomposed(asked.outputs, KNOWN))
        self._counters = {"engine_nodes": len(model.graph.node)}
        return _Lowered(
            model=model.SerializeToString(),
            weights=[node.attributes for node in asked.weights],
            data=[node.attributes for node in asked.data],
        )

    def compile(self, lowered: _Lowered) -> Function:
        """A session."""
        self._last = ref(lowered)
        session = onnxruntime.InferenceSession(
            lowered.model, _session_options(), providers=["CPUExecutionProvider"]
        )
        return _calling(session, lowered)

    def counters(self) -> dict[str, int]:
        """ONNX nodes, and how many its optimisation leaves of them: optimised anew to be counted.

        The latter only as long as what was compiled last is alive.
        """
        lowered = self._last() if self._last is not None else None
        if lowered is None:
            return self._counters
        return {**self._counters, "optimised_nodes": _optimised_nodes(lowered.model)}


def _no_float64(release: str) -> str | None:
    if matches(release, FLOAT64_RELEASES):
        return None
    return (
        f"onnxruntime {release} has not all operators in float64, or not exactly; "
        f"float64 needs onnxruntime {FLOAT64_RELEASES}"
    )


def _optimised_nodes(model: bytes) -> int:
    with TemporaryDirectory() as directory:
        options = _session_options()
        options.optimized_model_filepath = str(Path(directory) / "optimised.onnx")
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return len(onnx.load(options.optimized_model_filepath).graph.node)


def _session_options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = _SEVERE
    return options


def _calling(session: Any, lowered: _Lowered) -> Function:
    binding = session.io_binding()
    for output in session.get_outputs():
        binding.bind_output(output.name)
    weight_inputs = [(f"w{place}", name) for place, name in enumerate(lowered.weights)]
    data_inputs = [(f"d{place}", name) for place, name in enumerate(lowered.data)]
    bound: dict[str, Array] = {}

    def bind(inputs: list[tuple[str, str]], arrays: Weights | Data) -> None:
        for name, array_name in inputs:
            array = arrays[array_name]
            if bound.get(name) is not array:
                binding.bind_cpu_input(name, array)
                bound.pop(name, None)
                if array.flags.c_contiguous:  # any other was copied, and is copied each time
                    bound[name] = array

    def function(weights: Weights, data: Data) -> Arrays:
        bind(weight_inputs, weights)
        bind(data_inputs, data)
        session.run_with_iobinding(binding)
        arrays: Arrays = binding.copy_outputs_to_cpu()
        return arrays

    return function


# Export


def exported(inputs: Sequence[Node], outputs: Sequence[Node]) -> Any:
    """An ONNX model of decomposed outputs; its inputs are called w0, w1, …, d0, d1, …."""
    return _Exporter().model(inputs, outputs)


class _Exporter:
    """Writes one graph. A node's value is called by its place in the order."""

    def __init__(self) -> None:
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="graphgauge")
        self._model.opset_import.add(version=OPSET)
        self._graph = self._model.graph
        self._graph.name = "network"
        self._names: dict[Node, str] = {}
        self._numbers: dict[Any, str] = {}

    def model(self, inputs: Sequence[Node], outputs: Sequence[Node]) -> Any:
        """The whole."""
        counts = {op.WEIGHT: 0, op.DATA: 0}
        for node in inputs:
            letter = "w" if node.operator is op.WEIGHT else "d"
            self._names[node] = f"{letter}{counts[node.operator]}"
            counts[node.operator] += 1
            self._declare(self._graph.input, self._names[node], node)
        for node in topological_order(outputs):
            if node.operator is op.CONSTANT:
                self._names[node] = self.number(node.attributes)
            elif node.operands:
                self._names[node] = self._add(node)
        for place, node in enumerate(outputs):
            # Graph outputs have names of their own: one may be an input, or given twice.
            self.emit("Identity", [self._names[node]], name=f"y{place}")
            self._declare(self._graph.output, f"y{place}", node)
        return self._model

    def emit(self, kind: str, inputs: Sequence[str], *, name: str = "", **attributes: Any) -> str:
        """One ONNX node; the name of its result."""
        node = self._graph.node.add()
        node.op_type = kind
        node.input.extend(inputs)
        name = name or f"v{len(self._graph.node)}"
        node.output.append(name)
        for key, value in attributes.items():
            node.attribute.append(onnx.helper.make_attribute(key, value))
        return name

    def number(self, value: Any) -> str:
        """The name of an initializer, made once for each value."""
        array = np.asarray(value)
        key = (array.tobytes(), array.shape, array.dtype)
        name = self._numbers.get(key)
        if name is None:
            name = self._numbers[key] = f"c{len(self._numbers)}"
            self._graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def integers(self, values: Sequence[int]) -> str:
        """An initializer of int64, as axes and shapes are."""
        return self.number(np.array(values, np.int64))

    def _add(self, node: Node) -> str:
        operands = [self._names[each] for each in node.operands]
        kind = _PLAIN.get(node.operator)
        if kind is not None:
            return self.emit(kind, operands)
        return _WRITTEN[node.operator](self, node, *operands)

    def _declare(self, into: Any, name: str, node: Node) -> None:
        declared = into.add()
        declared.name = name
        declared.type.tensor_type.elem_type = _TYPES[node.dtype]
        dimensions = declared.type.tensor_type.shape
        dimensions.SetInParent()  # a scalar has a shape without dimensions
        for size in node.shape:
            dimensions.dim.add().dim_value = size


def _cast(exporter: _Exporter, node: Node, x: str) -> str:
    return exporter.emit("Cast", [x], to=_TYPES[node.dtype])


def _not_equal(exporter: _Exporter, _node: Node, x: str, y: str) -> str:
    return exporter.emit("Not", [exporter.emit("Equal", [x, y])])


def _reduction(kind: str) -> Callable[..., str]:
    def reduction(exporter: _Exporter, node: Node, x: str) -> str:
        axes, keepdims = node.attributes
        if not axes:  # ONNX takes no axes for all of them
            return exporter.emit("Identity", [x])
        return exporter.emit(kind, [x, exporter.integers(axes)], keepdims=int(keepdims))

    return reduction


def _reshape(exporter: _Exporter, node: Node, x: str) -> str:
    # allowzero: a 0 in the shape is a size, and not "as before".
    return exporter.emit("Reshape", [x, exporter.integers(node.shape)], allowzero=1)


def _permute(exporter: _Exporter, node: Node, x: str) -> str:
    return exporter.emit("Transpose", [x], perm=list(node.attributes.axes))


def _broadcast(exporter: _Exporter, node: Node, x: str) -> str:
    return exporter.emit("Expand", [x, exporter.integers(node.shape)])


def _concat(exporter: _Exporter, node: Node, *operands: str) -> str:
    return exporter.emit("Concat", operands, axis=node.attributes.axis)


_BEFORE_ALL = -(2**62)
"""The stop of a slice that runs backwards through index 0."""


def _slice(exporter: _Exporter, node: Node, x: str) -> str:
    sizes = node.operands[0].shape
    cut = [
        (axis, start, _BEFORE_ALL if stop is None else stop, step)
        for axis, (start, stop, step) in enumerate(node.attributes.ranges)
        if (start, stop, step) != (0, sizes[axis], 1)
    ]
    axes, starts, stops, steps = (exporter.integers(each) for each in zip(*cut, strict=True))
    return exporter.emit("Slice", [x, starts, stops, axes, steps])


def _take(exporter: _Exporter, node: Node, x: str) -> str:
    indices, axis = node.attributes
    return exporter.emit("Gather", [x, exporter.integers(indices)], axis=axis)


_PLAIN: dict[Operator, str] = {
    op.ADD: "Add",
    op.SUBTRACT: "Sub",
    op.MULTIPLY: "Mul",
    op.DIVIDE: "Div",
    op.POW: "Pow",
    op.MAXIMUM: "Max",
    op.MINIMUM: "Min",
    op.NEGATIVE: "Neg",
    op.EXP: "Exp",
    op.LOG: "Log",
    op.SQRT: "Sqrt",
    op.SIN: "Sin",
    op.COS: "Cos",
    op.TANH: "Tanh",
    op.LOGISTIC: "Sigmoid",
    op.ABS: "Abs",
    op.SIGN: "Sign",
    op.LESS: "Less",
    op.LESS_EQUAL: "LessOrEqual",
    op.GREATER: "Greater",
    op.GREATER_EQUAL: "GreaterOrEqual",
    op.EQUAL: "Equal",
    op.WHERE: "Where",
    op.MATMUL: "MatMul",
}
_WRITTEN: dict[Operator, Callable[..., str]] = {
    op.ASTYPE: _cast,
    op.NOT_EQUAL: _not_equal,
    op.SUM: _reduction("ReduceSum"),
    op.MEAN: _reduction("ReduceMean"),
    op.MAX: _reduction("ReduceMax"),
    op.RESHAPE: _reshape,
    op.PERMUTE_DIMS: _permute,
    op.BROADCAST_TO: _broadcast,
    op.CONCAT: _concat,
    op.SLICE: _slice,
    op.TAKE: _take,
}
KNOWN = frozenset({*_PLAIN, *_WRITTEN})

EVALUATORS: tuple[Evaluator, ...] = (OnnxRuntime(),)
