"""Our networks as ONNX models, for the engines that read them.

Operators that ONNX lacks must have been decomposed (`evaluators.engines.decomposition`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto

from evaluators.engines.walk import Step
from networks import Node, operators as op
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.operators import Operator

OPSET, IR_VERSION = 18, 8
"""Of 2022: every supported release reads them, and results do not depend on the exporter's age."""

_TYPES = {FLOAT32: TensorProto.FLOAT, FLOAT64: TensorProto.DOUBLE, BOOL: TensorProto.BOOL}
_ELEMENTS = {**_TYPES, np.dtype(np.int64): TensorProto.INT64}


def exported(inputs: Sequence[Node], outputs: Sequence[Node], steps: Sequence[Step]) -> Any:
    """An ONNX model of decomposed outputs and the steps that they need, operands first.

    Its inputs are called w0, w1, …, d0, d1, ….
    """
    return _Exporter().model(inputs, outputs, steps)


class _Exporter:
    """Writes one graph. A node's value is called by its place in the order."""

    def __init__(self) -> None:
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="graphgauge")
        self._model.opset_import.add(version=OPSET)
        self._graph = self._model.graph
        self._nodes = self._graph.node  # each look-up would make another view of it
        self._count = 0
        self._graph.name = "network"
        self._names: dict[Node, str] = {}
        self._numbers: dict[Any, str] = {}
        self._integers: dict[tuple[int, ...], str] = {}

    def model(self, inputs: Sequence[Node], outputs: Sequence[Node], steps: Sequence[Step]) -> Any:
        """The whole."""
        counts = {op.WEIGHT: 0, op.DATA: 0}
        for node in inputs:
            letter = "w" if node.operator is op.WEIGHT else "d"
            self._names[node] = f"{letter}{counts[node.operator]}"
            counts[node.operator] += 1
            self._declare(self._graph.input, self._names[node], node)
        names, emit = self._names, self.emit
        name_of = names.__getitem__
        for node, operands in steps:
            kind = _PLAIN.get(node.operator)
            if kind is not None:
                names[node] = emit(kind, [*map(name_of, operands)])
            elif operands:
                names[node] = _WRITTEN[node.operator](self, node, *map(name_of, operands))
            elif node.operator is op.CONSTANT:
                names[node] = self.number(node.attributes)
        for place, node in enumerate(outputs):
            # Graph outputs have names of their own: one may be an input, or given twice.
            self.emit("Identity", [self._names[node]], name=f"y{place}")
            self._declare(self._graph.output, f"y{place}", node)
        return self._model

    def emit(
        self, kind: str, inputs: Sequence[str], *, name: str = "", **attributes: int | Sequence[int]
    ) -> str:
        """One ONNX node; the name of its result."""
        self._count += 1
        name = name or f"v{self._count}"
        node = self._nodes.add(op_type=kind, input=inputs, output=(name,))
        for key, value in attributes.items():
            if isinstance(value, int):
                node.attribute.add(name=key, type=AttributeProto.INT, i=value)
            else:
                node.attribute.add(name=key, type=AttributeProto.INTS, ints=value)
        return name

    def number(self, value: Any) -> str:
        """The name of an initializer, made once for each value."""
        array = np.asarray(value)
        key = (array.tobytes(), array.shape, array.dtype)
        name = self._numbers.get(key)
        if name is None:
            name = self._numbers[key] = f"c{len(self._numbers)}"
            self._graph.initializer.add(
                name=name,
                dims=array.shape,
                data_type=_ELEMENTS[array.dtype],
                raw_data=array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(),
            )
        return name

    def integers(self, values: tuple[int, ...]) -> str:
        """The name of an initializer of int64, as axes and shapes are."""
        name = self._integers.get(values)
        if name is None:
            name = self._integers[values] = self.number(np.array(values, np.int64))
        return name

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
    if not node.shape:  # OpenVINO 2024.4 does not take an empty shape
        return exporter.emit("Squeeze" if node.operands[0].shape else "Identity", [x])
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
