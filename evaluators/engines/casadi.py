"""CasADi: matrix expressions (MX), evaluated by its virtual machine in float64.

Two evaluators. `casadi` differentiates by itself, in reverse mode; `casadi-network` is given our
differentiated network. CasADi computes in float64 alone; results are cast to the network's dtype.

lower: the MX expressions, and `casadi.reverse` where it differentiates. CasADi has matrices and no
    arrays of more axes, so a value is a dense column of its elements in C order: elementwise
    operations are CasADi's own, movements are its gathering of non-zeros, sums are those of a
    matrix's rows or columns, and a product of matrices is the product of both transposed, which in
    CasADi's column-major order needs no movement.
compile: `casadi.Function(…)`, which sorts the expressions into a list of instructions.
waited for: nothing; calls are synchronous. Arguments and results are handed over as buffers.
cached: nothing. Expressions are kept alive by the functions made of them.

Threads: CasADi uses one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

import casadi
import numpy as np

from evaluators.engine_profile import EngineProfile, EngineRow
from evaluators.engines.adapter import Adapter
from evaluators.engines.decomposition import decomposed_steps
from evaluators.engines.walk import walk
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from networks import Network, Node, operators as op
from networks.inference import Shape
from networks.operators import Operator, Region

_INSTRUCTIONS = {
    getattr(casadi, name): name.removeprefix("OP_").lower()
    for name in dir(casadi)
    if name.startswith("OP_")
}
"""What CasADi calls an instruction, by its number."""


class _Lowered(NamedTuple):
    """Expressions, and what they stand for."""

    inputs: list[Any]
    outputs: list[Any]
    input_nodes: tuple[Node, ...]
    output_nodes: tuple[Node, ...]


class CasadiNetwork(Adapter):
    """Our differentiated network."""

    name = "casadi-network"
    distribution = "casadi"
    dtype = "float64"

    def lower(self, network: Network, mode: str) -> _Lowered:
        """Expressions of MX symbols; differentiated if they are to be."""
        asked = self.asked(network, mode)
        weights, data = [
            {node.attributes: casadi.MX.sym(node.attributes, node.size) for node in inputs}
            for inputs in (asked.weights, asked.data)
        ]
        known, steps = decomposed_steps(asked.outputs, _KNOWN)
        walked = walk(known, _Functions().bind, _constant, steps)
        outputs = walked(weights.__getitem__, data.__getitem__)
        nodes = asked.outputs
        if asked.is_differentiated:
            outputs += _derivatives(outputs[0], list(weights.values()))
            nodes += asked.weights
        return _Lowered(
            [*weights.values(), *data.values()],
            [casadi.densify(each) for each in outputs],
            asked.inputs,
            nodes,
        )

    def compile(self, lowered: _Lowered) -> Function:
        """A function of those expressions."""
        function = casadi.Function("network", lowered.inputs, lowered.outputs)
        self._counters = {"optimised_nodes": function.n_instructions()}
        return _calling(function, lowered)

    def profile(self, lowered: _Lowered, weights: Weights, data: Data, calls: int) -> EngineProfile:
        """The whole function's time, which is all that CasADi takes, and how many instructions."""
        function = casadi.Function(
            "network", lowered.inputs, lowered.outputs, {"record_time": True}
        )
        # Through buffers, as we call it otherwise, CasADi keeps no statistics.
        arguments = [
            casadi.DM(np.asarray(arrays[node.attributes], np.float64).reshape(-1))
            for node in lowered.input_nodes
            for arrays in (weights if node.operator is op.WEIGHT else data,)
        ]
        function.call(arguments)
        seconds = 0.0
        for _ in range(calls):
            function.call(arguments)
            seconds += function.stats()["t_wall_total"]
        instructions = Counter(
            _INSTRUCTIONS.get(function.instruction_id(at), "?")
            for at in range(function.n_instructions())
        )
        return EngineProfile(
            rows=[EngineRow(name="the whole function", seconds=seconds / calls, calls=1)],
            profiler=f"record_time of CasADi {self.version()}",
            remarks=[
                "CasADi times whole functions: it tells no instruction's time, bytes or "
                "floating-point operations",
            ],
            graph=instructions,
            graph_of="instructions",
        )


class Casadi(CasadiNetwork):
    """CasADi's own gradient."""

    name = "casadi"
    gradient_by = "native"


def _derivatives(loss: Any, weights: list[Any]) -> list[Any]:
    if not weights:
        return []
    (found,) = casadi.reverse([loss], weights, [[casadi.MX(1.0)]])
    return list(found)


def _calling(function: Any, lowered: _Lowered) -> Function:
    buffer, trigger = function.buffer()
    inputs = [
        (place, node.attributes, node.operator is op.WEIGHT)
        for place, node in enumerate(lowered.input_nodes)
    ]
    outputs = [(node.shape, node.dtype) for node in lowered.output_nodes]

    def calling(weights: Weights, data: Data) -> Arrays:
        arguments = []  # kept until the call is over
        for place, name, is_weight in inputs:
            array = np.ascontiguousarray((weights if is_weight else data)[name], np.float64)
            arguments.append(array)
            buffer.set_arg(place, memoryview(array.reshape(-1)))
        results = [np.empty(shape) for shape, _ in outputs]
        for place, array in enumerate(results):
            buffer.set_res(place, memoryview(array.reshape(-1)))
        trigger()
        return [
            array.astype(dtype, copy=False)
            for array, (_, dtype) in zip(results, outputs, strict=True)
        ]

    return calling


# Operators: values are dense columns in C order


def _constant(array: Array) -> Any:
    return casadi.MX(casadi.DM(array.astype(np.float64).reshape(-1)))


class _Functions:
    """CasADi's functions of nodes' operands, for one lowering.

    Nodes of one kind and the same shapes share theirs: the places of elements are long lists.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, Callable[..., Any]] = {}

    def bind(self, node: Node) -> Callable[..., Any]:
        """The function of the node's operands."""
        shapes = [operand.shape for operand in node.operands]
        plain = _PLAIN.get(node.operator)
        if plain is not None and shapes.count(node.shape) == len(shapes):
            return plain
        key = (node.operator, node.attributes, node.shape, node.dtype, *shapes)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = (
                _BINDS[node.operator](node) if plain is None else _spread(plain, shapes, node.shape)
            )
        return made


def _spread(
    plain: Callable[..., Any], shapes: Sequence[Shape], wanted: Shape
) -> Callable[..., Any]:
    """Of operands that are broadcast first."""
    spread = [_spreading(shape, wanted) for shape in shapes]
    if not any(spread):
        return plain
    return lambda *operands: plain(
        *[x if each is None else each(x) for each, x in zip(spread, operands, strict=True)]
    )


_LONG = 10_000
"""Lists of so many positions are made where they are used, and let go. Kept until all is lowered,
each would need memory of its own, which takes longer than making one again."""


def _gather(places: Array, size: int = 0) -> Callable[[Any], Any]:
    """What takes the elements at those places of a column (of that size)."""
    if size == 1:  # indexing a single number would make a row
        return lambda x: casadi.repmat(x, places.size, 1)
    if places.size >= _LONG:
        return lambda x: x[places.reshape(-1).tolist()]
    indices = places.reshape(-1).tolist()
    return lambda x: x[indices]


def _places(shape: Shape) -> Array:
    return np.arange(math.prod(shape)).reshape(shape)


def _places_at(shape: Shape, positions: Sequence[Array]) -> Array:
    """Those of the elements at these positions along each axis."""
    places = np.zeros((), np.int64)
    for size, along in zip(shape, positions, strict=True):
        places = np.add.outer(places * size, along)
    return places


def _sliced(shape: Shape, region: Region) -> Array:
    slices = zip(shape, region.slices(), strict=True)
    return _places_at(shape, [np.arange(size)[each] for size, each in slices])


def _slice(node: Node) -> Callable[[Any], Any]:
    operand = node.operands[0]
    return _gather(_sliced(operand.shape, node.attributes), operand.size)


def _take(node: Node) -> Callable[[Any], Any]:
    """Many elements as rows or columns of a matrix, where the axis is the last or the first."""
    shape = node.operands[0].shape
    indices, axis = node.attributes
    before, size, after = math.prod(shape[:axis]), shape[axis], math.prod(shape[axis + 1 :])
    chosen = list(indices)
    if node.size >= _LONG and after == 1 < size:
        return lambda x: casadi.vec(casadi.reshape(x, size, before)[chosen, :])
    if node.size >= _LONG and before == 1 < after:
        return lambda x: casadi.vec(casadi.reshape(x, after, size)[:, chosen])
    positions = [np.arange(each) for each in shape]
    positions[axis] = np.array(indices, np.int64)
    return _gather(_places_at(shape, positions), node.operands[0].size)


def _spreading(shape: Shape, wanted: Shape) -> Callable[[Any], Any] | None:
    """What broadcasts a column, unless CasADi does it itself, as it does for single numbers."""
    return None if shape == wanted or math.prod(shape) == 1 else _repeated(shape, wanted)


def _repeated(shape: Shape, wanted: Shape) -> Callable[[Any], Any]:
    """What broadcasts a column: copies of it one after the other, if leading axes alone grow."""
    size, repeated_size = math.prod(shape), math.prod(wanted)
    sizes = (1,) * (len(wanted) - len(shape)) + shape
    grown = [axis for axis, each in enumerate(sizes) if each != wanted[axis]]
    if size and math.prod(sizes[: max(grown, default=0)]) == 1:
        return lambda x: casadi.vec(casadi.repmat(x, 1, repeated_size // size))
    # As objects: a position is made once for all its repetitions.
    return _gather(np.broadcast_to(_places(shape).astype(object), wanted), size)


def _permute_dims(node: Node) -> Callable[[Any], Any]:
    """The transpose of a matrix, if leading axes change places with all the others."""
    shape = node.operands[0].shape
    axes = [axis for axis in node.attributes.axes if shape[axis] != 1]
    in_order = sorted(axes)
    turn = in_order.index(axes[0]) if axes else 0
    if axes != in_order[turn:] + in_order[:turn]:
        return _mixed(shape, node.attributes.axes)
    if not turn:
        return lambda x: x
    rows, columns = [
        math.prod([shape[axis] for axis in part]) for part in (in_order[turn:], in_order[:turn])
    ]
    return lambda x: casadi.vec(casadi.reshape(x, rows, columns).T)


def _mixed(shape: Shape, axes: Sequence[int]) -> Callable[[Any], Any]:
    """Elements change places, alike for each place along the leading axes that stay: as rows."""
    stay = next(place for place, axis in enumerate(axes) if place != axis)
    columns, rows = math.prod(shape[:stay]), math.prod(shape[stay:])
    if columns == 1 or columns * rows < _LONG:
        return _gather(_places(shape).transpose(axes), columns * rows)
    order = _places(shape[stay:]).transpose([axis - stay for axis in axes[stay:]])
    chosen = order.reshape(-1).tolist()
    return lambda x: casadi.vec(casadi.reshape(x, rows, columns)[chosen, :])


def _reduction(of_rows: Callable[[Any, int, int], Any]) -> Callable[[Node], Callable[[Any], Any]]:
    """Reduced axes are moved to the front; `of_rows` gets the column, rows and their length."""

    def bind(node: Node) -> Callable[[Any], Any]:
        shape, axes = node.operands[0].shape, node.attributes.axes
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        places = _places(shape).transpose((*axes, *kept))
        is_in_order = bool(np.all(places.reshape(-1) == np.arange(places.size)))
        gather = None if is_in_order else _gather(places)
        length = node.size
        rows = places.size // length if length else 0
        return lambda x: of_rows(x if gather is None else gather(x), rows, length)

    return bind


def _sum(node: Node) -> Callable[[Any], Any]:
    """Over axes that stand side by side, by sums within a matrix: no element is moved."""
    shape, axes = node.operands[0].shape, node.attributes.axes
    summed = [axis for axis, size in enumerate(shape) if size != 1 and axis in axes]
    if not node.size:
        return lambda _: casadi.MX.zeros(0, 1)
    if not summed:
        return lambda x: x
    first, after = summed[0], summed[-1] + 1
    if any(shape[axis] != 1 and axis not in axes for axis in range(first, after)):
        return _sum_from_front(node)
    outer, rows, inner = map(math.prod, (shape[:first], shape[first:after], shape[after:]))
    if inner == 1:
        return lambda x: casadi.vec(casadi.sum1(casadi.reshape(x, rows, outer)))
    if outer == 1:
        return lambda x: casadi.sum2(casadi.reshape(x, inner, rows))
    ones = casadi.kron(casadi.DM.eye(outer), casadi.DM.ones(rows, 1))
    return lambda x: casadi.vec(casadi.mtimes(casadi.reshape(x, inner, outer * rows), ones))


_sum_from_front = _reduction(lambda x, rows, length: casadi.sum2(casadi.reshape(x, length, rows)))


def _max_of_rows(x: Any, rows: int, length: int) -> Any:
    """Halves against each other, until one row is left."""
    while rows > 1:
        half = rows // 2
        rest = x[2 * half * length :]
        x = casadi.fmax(x[: half * length], x[half * length : 2 * half * length])
        if rows % 2:
            x = casadi.vertcat(x, rest)
        rows = half + rows % 2
    return x


def _matmul(node: Node) -> Callable[[Any, Any], Any]:
    """Batch by batch; each is the product of the transposed matrices, the other way round."""
    left, right = [each.shape for each in node.operands]
    if len(left) == 1:
        left = (1, *left)
    if len(right) == 1:
        right = (*right, 1)
    (m, k), n = left[-2:], right[-1]
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    lefts, rights = [
        np.broadcast_to(_places(shape[:-2]), batch).reshape(-1).tolist() for shape in (left, right)
    ]

    def matmul(x: Any, y: Any) -> Any:
        products = []
        for i, j in zip(lefts, rights, strict=True):
            a = casadi.reshape(x[i * m * k : (i + 1) * m * k] if len(lefts) > 1 else x, k, m)
            b = casadi.reshape(y[j * k * n : (j + 1) * k * n] if len(rights) > 1 else y, n, k)
            products.append(casadi.vec(casadi.mtimes(b, a)))
        return products[0] if len(products) == 1 else casadi.vertcat(*products)

    return matmul


def _concat(node: Node) -> Callable[..., Any]:
    starts = np.cumsum([0, *[each.size for each in node.operands]])
    places = np.concatenate(
        [
            start + _places(each.shape)
            for start, each in zip(starts[:-1], node.operands, strict=True)
        ],
        axis=node.attributes.axis,
    )
    gather = None if np.all(places.reshape(-1) == np.arange(places.size)) else _gather(places)

    def concat(*operands: Any) -> Any:
        joined = casadi.vertcat(*operands)
        return joined if gather is None else gather(joined)

    return concat


def _place(node: Node) -> Callable[[Any], Any]:
    indices = _sliced(node.shape, node.attributes).reshape(-1).tolist()

    def place(x: Any) -> Any:
        whole = casadi.MX(casadi.DM.zeros(node.size, 1))
        whole[indices] = x
        return whole

    return place


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: lambda x, y: x + y,
    op.SUBTRACT: lambda x, y: x - y,
    op.MULTIPLY: lambda x, y: x * y,
    op.DIVIDE: lambda x, y: x / y,
    op.POW: lambda x, y: x**y,
    op.MAXIMUM: casadi.fmax,
    op.MINIMUM: casadi.fmin,
    op.NEGATIVE: lambda x: -x,
    op.EXP: casadi.exp,
    op.EXPM1: casadi.expm1,
    op.LOG: casadi.log,
    op.LOG1P: casadi.log1p,
    op.SQRT: casadi.sqrt,
    op.SIN: casadi.sin,
    op.COS: casadi.cos,
    op.TANH: casadi.tanh,
    # Not our decomposition, which is right at 0 but has no derivative there.
    op.LOGISTIC: lambda x: 0.5 + 0.5 * casadi.tanh(0.5 * x),
    op.ABS: casadi.fabs,
    op.SIGN: casadi.sign,
    op.LESS: lambda x, y: x < y,
    op.LESS_EQUAL: lambda x, y: x <= y,
    op.GREATER: lambda x, y: x > y,
    op.GREATER_EQUAL: lambda x, y: x >= y,
    op.EQUAL: lambda x, y: x == y,
    op.NOT_EQUAL: lambda x, y: x != y,
    op.WHERE: casadi.if_else,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: (lambda x: x != 0) if node.dtype == bool else lambda x: x,
    op.SUM: _sum,
    op.MAX: _reduction(_max_of_rows),
    op.MATMUL: _matmul,
    op.RESHAPE: lambda _: lambda x: x,
    op.PERMUTE_DIMS: _permute_dims,
    op.BROADCAST_TO: lambda node: _repeated(node.operands[0].shape, node.shape),
    op.CONCAT: _concat,
    op.SLICE: _slice,
    op.TAKE: _take,
    op.PLACE: _place,
}
_KNOWN = frozenset({*_PLAIN, *_BINDS})

EVALUATORS: tuple[Evaluator, ...] = (Casadi(), CasadiNetwork())
