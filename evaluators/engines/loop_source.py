"""A network as plain Python loops over flat arrays, for engines that compile such source.

Every value lies in one array of its dtype, the workspace, from a position that is written into the
source; so do constants, in arrays of their own. A position is used again when its value is no
longer needed. `evaluators.engines.loops` says which operations share a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from evaluators.engines.loop_expressions import (
    COMBINING,
    TEXTS,
    cast,
    expression,
    is_literal,
    literal,
    typed,
)
from evaluators.engines.loops import (
    REDUCED,
    VIEWED,
    Plan,
    Step,
    c_strides,
    matrix_order,
    spread,
)
from evaluators.protocol import Array
from networks import Node, operators as op
from networks.inference import BOOL, FLOAT32, FLOAT64, Shape
from networks.operators import ELEMENTWISE, Operator, Taken

LOOPS_PER_FUNCTION = 40

WORKSPACES: dict[np.dtype[Any], str] = {FLOAT32: "f", FLOAT64: "d", BOOL: "b"}
"""Name of the array that values of a dtype lie in; constants lie in `cf`, `cd`, `cb`."""

INDICES = "ci"
"""Name of the array of int64 that holds the positions of `take` and `scatter_add`."""


class Located(NamedTuple):
    """An input or a result in the workspace of its dtype: contiguous from `start` on."""

    node: Node
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loops:
    """Source, and what its arrays hold."""

    functions: list[str]
    """Each defines `part`, of the arrays in the order of `arrays`."""
    sizes: dict[str, int]
    """Elements of each workspace."""
    constants: dict[str, Array]
    inputs: list[Located]
    outputs: list[Located]
    count: int
    """How many steps there are."""

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of a function's arguments."""
        return (*self.sizes, *self.constants)


def looped(inputs: Sequence[Node], outputs: Sequence[Node]) -> Loops:
    """The outputs as loops; operators must have been decomposed."""
    return _Writer(Plan(outputs), inputs).loops()


class _Writer:
    """Gives every value its position, and writes the loops."""

    def __init__(self, plan: Plan, inputs: Sequence[Node]) -> None:
        self._plan = plan
        self._starts: dict[Node, int] = {}
        self._sizes = dict.fromkeys(WORKSPACES.values(), 0)
        self._free: dict[tuple[str, int], list[int]] = {}
        self._constants: dict[str, list[Array]] = {
            **{f"c{name}": [] for name in WORKSPACES.values()},
            INDICES: [],
        }
        self._constant_sizes = dict.fromkeys(self._constants, 0)
        self._lines: list[str] = []
        self._depth = 1
        self._inputs = [Located(node, self._allocate(node)) for node in inputs]
        self._last_use = self._find_last_use()

    def loops(self) -> Loops:
        """The whole."""
        functions = []
        steps = self._plan.steps
        for first in range(0, len(steps), LOOPS_PER_FUNCTION):
            self._lines = []
            for position in range(first, min(first + LOOPS_PER_FUNCTION, len(steps))):
                self._write(steps[position])
                for owner in self._last_use.get(position, ()):
                    self._free_place(owner)
            functions.append("\n".join(self._lines))
        outputs = [Located(node, self._start(node)) for node in self._plan.outputs]
        arrays = {**self._sizes, **self._constants}
        head = f"def part({', '.join(arrays)}):\n"
        dtypes = {f"c{name}": dtype for dtype, name in WORKSPACES.items()}
        return Loops(
            functions=[head + body for body in functions],
            sizes=self._sizes,
            constants={
                name: np.concatenate([np.zeros(0, dtypes.get(name, np.int64)), *parts])
                for name, parts in self._constants.items()
            },
            inputs=self._inputs,
            outputs=outputs,
            count=len(steps),
        )

    # Positions

    def _find_last_use(self) -> dict[int, list[Node]]:
        """For each step the owners that it is the last to read; results are read at the end."""
        views = self._plan.views
        last: dict[Node, int] = {}
        for position, step in enumerate(self._plan.steps):
            last[step.node] = position
            for member in step.members:
                for operand in member.operands:
                    if operand in views:
                        last[views[operand].owner] = position
        for node in self._plan.outputs:
            last.pop(views[node].owner, None)
        found: dict[int, list[Node]] = {}
        for owner, position in last.items():
            if owner.operands:
                found.setdefault(position, []).append(owner)
        return found

    def _allocate(self, node: Node) -> int:
        name, size = WORKSPACES[node.dtype], node.size
        free = self._free.get((name, size))
        if free:
            start = free.pop()
        else:
            start = self._sizes[name]
            self._sizes[name] += size
        self._starts[node] = start
        return start

    def _free_place(self, owner: Node) -> None:
        key = (WORKSPACES[owner.dtype], owner.size)
        self._free.setdefault(key, []).append(self._starts[owner])

    def _start(self, node: Node) -> int:
        view = self._plan.views[node]
        if view.owner.operator is op.CONSTANT and view.owner not in self._starts:
            self._starts[view.owner] = self._stored(
                f"c{WORKSPACES[node.dtype]}", view.owner.attributes.reshape(-1)
            )
        return self._starts[view.owner] + view.start

    def _stored(self, name: str, array: Array) -> int:
        start = self._constant_sizes[name]
        self._constants[name].append(array)
        self._constant_sizes[name] += array.size
        return start

    # Text

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def _nest(self, shape: Shape, axes: Sequence[int]) -> int:
        """Open a loop for each of the axes; the depth to come back to."""
        depth = self._depth
        for axis in axes:
            if shape[axis] != 1:
                self._line(f"for i{axis} in range({shape[axis]}):")
                self._depth += 1
        return depth

    def _element(self, node: Node, shape: Shape, strides: Sequence[int], moved: int = 0) -> str:
        """The element of a value at the indices of the loops around; `moved` by so many."""
        terms = _terms(shape, strides)
        return f"{self._array(node)}[{' + '.join([str(self._start(node) + moved), *terms])}]"

    def _array(self, node: Node) -> str:
        name = WORKSPACES[node.dtype]
        return f"c{name}" if self._plan.views[node].owner.operator is op.CONSTANT else name

    def _write(self, step: Step) -> None:
        self._allocate(step.node)
        operator = step.node.operator
        if operator.kind == ELEMENTWISE:
            self._write_elementwise(step)
        elif operator in REDUCED:
            self._write_reduction(step)
        else:
            _WRITTEN[operator](self, step.node)

    def _read(self, members: Sequence[Node], shape: Shape) -> dict[Node, tuple[int, ...]]:
        """What the members need from memory, and the strides to read it with."""
        inner = set(members)
        return {
            operand: spread(self._plan.views[operand], operand.shape, shape)
            for member in members
            for operand in member.operands
            if operand not in inner and not is_literal(operand)
        }

    def _compute(
        self, members: Sequence[Node], shape: Shape, read: dict[Node, tuple[int, ...]]
    ) -> dict[Node, str]:
        """One element of each of the members; their names."""
        names: dict[Node, str] = {}
        for operand, strides in read.items():
            name = names[operand] = f"x{len(names)}"
            self._line(f"{name} = {self._element(operand, shape, strides)}")
        for member in members:
            operands = [names.get(each) or literal(each) for each in member.operands]
            name = names[member] = f"x{len(names)}"
            self._line(f"{name} = {expression(member, operands)}")
        return names

    def _write_elementwise(self, step: Step) -> None:
        node = step.node
        read = self._read(step.members, node.shape)
        shape, (target, *strides) = _collapsed(node.shape, [c_strides(node.shape), *read.values()])
        depth = self._nest(shape, range(len(shape)))
        names = self._compute(step.members, shape, dict(zip(read, strides, strict=True)))
        self._line(f"{self._element(node, shape, target)} = {names[node]}")
        self._depth = depth

    def _write_reduction(self, step: Step) -> None:
        """Into a local number where the last axis is summed; else element by element, in memory."""
        node, members = step.node, step.members[:-1]
        (operand,) = node.operands
        shape, axes = operand.shape, node.attributes.axes
        kept = [axis for axis in range(len(shape)) if axis not in axes]
        target = self._kept_strides(node, shape)
        read = self._read(members or [node], shape)
        initial, combine = COMBINING[node.operator]
        start = typed(node, initial)
        if kept and (not axes or kept[-1] == len(shape) - 1):
            self._fill(node, start)
            depth = self._nest(shape, [*axes, *kept])
            value = self._compute(members, shape, read)[operand]
            element = self._element(node, shape, target)
            self._line(f"s = {element}")
            self._line(f"{element} = {combine.format('s', value)}")
        else:
            depth = self._nest(shape, kept)
            is_wider = node.operator is op.SUM and node.dtype is FLOAT32
            self._line(f"s = {'0.0' if is_wider else start}")
            inner = self._nest(shape, axes)
            value = self._compute(members, shape, read)[operand]
            self._line(f"s = {combine.format('s', value)}")
            self._depth = inner
            self._line(f"{self._element(node, shape, target)} = {cast(node, 's')}")
        self._depth = depth

    def _kept_strides(self, node: Node, shape: Shape) -> tuple[int, ...]:
        """Where each element of the operand goes: 0 along what is reduced."""
        axes = node.attributes.axes
        sizes = [1 if axis in axes else size for axis, size in enumerate(shape)]
        strides = c_strides(tuple(sizes))
        return tuple([0 if axis in axes else stride for axis, stride in enumerate(strides)])

    def _fill(self, node: Node, text: str) -> None:
        start = self._start(node)
        self._line(f"{self._array(node)}[{start}:{start + node.size}] = {text}")

    # Operators that have no loop over their own elements

    def move(self, node: Node, operand: Node, target: Sequence[int], moved: int = 0) -> None:
        """Copy an operand's elements to where the node's strides put them."""
        shape, (to, out) = _collapsed(
            operand.shape, [tuple(target), self._plan.views[operand].strides]
        )
        depth = self._nest(shape, range(len(shape)))
        self._line(
            f"{self._element(node, shape, to, moved)} = {self._element(operand, shape, out)}"
        )
        self._depth = depth

    def reshape(self, node: Node) -> None:
        """Of what does not lie in order."""
        (operand,) = node.operands
        self.move(node, operand, c_strides(operand.shape))

    def concat(self, node: Node) -> None:
        """One operand after the other."""
        strides, axis, moved = c_strides(node.shape), node.attributes.axis, 0
        for operand in node.operands:
            self.move(node, operand, strides, moved)
            moved += operand.shape[axis] * strides[axis]

    def place(self, node: Node) -> None:
        """Zeros, then the operand."""
        self._fill(node, typed(node, "0"))
        ranges = list(zip(node.attributes.ranges, c_strides(node.shape), strict=True))
        moved = sum(first * stride for (first, _, _), stride in ranges)
        self.move(node, node.operands[0], [step * s for (_, _, step), s in ranges], moved)

    def take(self, node: Node) -> None:
        """Positions along the axis are read from an array."""
        (operand,) = node.operands
        strides = self._plan.views[operand].strides
        depth = self._nest(node.shape, range(node.ndim))
        read = self._indexed(operand, node, strides)
        self._line(f"{self._element(node, node.shape, c_strides(node.shape))} = {read}")
        self._depth = depth

    def scatter_add(self, node: Node) -> None:
        """Zeros, then every element added where its slice belongs."""
        (operand,) = node.operands
        self._fill(node, typed(node, "0"))
        depth = self._nest(operand.shape, range(operand.ndim))
        target = self._indexed(node, operand, c_strides(node.shape), node.attributes)
        strides = self._plan.views[operand].strides
        self._line(f"{target} += {self._element(operand, operand.shape, strides)}")
        self._depth = depth

    def _indexed(
        self, value: Node, around: Node, strides: Sequence[int], taken: Taken | None = None
    ) -> str:
        """An element of the value, at the loops' indices but for one axis, which is looked up."""
        indices, axis = taken or around.attributes
        start = self._stored(INDICES, np.array(indices, np.int64))
        place = f"{start} + i{axis}" if len(indices) != 1 else str(start)
        others = list(strides)
        others[axis] = 0
        terms = [f"{INDICES}[{place}] * {strides[axis]}", *_terms(around.shape, others)]
        return f"{self._array(value)}[{' + '.join([str(self._start(value)), *terms])}]"

    def matmul(self, node: Node) -> None:
        """A product of matrices for each of the batch; a vector is a row, or a column."""
        left, right = node.operands
        rows = left.shape[-2] if left.ndim > 1 else 1
        columns = right.shape[-1] if right.ndim > 1 else 1
        inner = left.shape[-1]
        batch = node.shape[: node.ndim - (left.ndim > 1) - (right.ndim > 1)]
        if not inner or not node.size:
            self._fill(node, typed(node, "0"))
            return
        views = self._plan.views
        texts = []
        for operand, size in ((left, (rows, inner)), (right, (inner, columns))):
            own = operand.shape[:-2]
            strides = spread(
                views[operand]._replace(strides=views[operand].strides[:-2]), own, batch
            )
            texts.append(self._matrix(operand, size, batch, strides))
        product = [each * rows * columns for each in c_strides(batch)]
        target = self._matrix(node, (rows, columns), batch, product, order="C")
        depth = self._nest(batch, range(len(batch)))
        self._line(f"dot({texts[0]}, {texts[1]}, {target})")
        self._depth = depth

    def _matrix(
        self,
        node: Node,
        size: tuple[int, int],
        batch: Shape,
        strides: Sequence[int],
        order: str = "",
    ) -> str:
        order = order or matrix_order(node.shape, self._plan.views[node].strides)
        start = " + ".join([str(self._start(node)), *_terms(batch, strides)])
        rows, columns = size
        flat = f"{self._array(node)}[{start} : {start} + {rows * columns}]"
        if order == "C":
            return f"{flat}.reshape(({rows}, {columns}))"
        return f"{flat}.reshape(({columns}, {rows})).T"


def _terms(shape: Shape, strides: Sequence[int]) -> list[str]:
    """What the indices of loops add to a position."""
    return [
        f"i{axis} * {stride}" if stride != 1 else f"i{axis}"
        for axis, (size, stride) in enumerate(zip(shape, strides, strict=True))
        if size != 1 and stride
    ]


def _collapsed(
    shape: Shape, strides: Sequence[tuple[int, ...]]
) -> tuple[Shape, list[tuple[int, ...]]]:
    """The same elements in fewer axes: neighbours that all strides run through become one."""
    sizes: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        here = [each[axis] for each in strides]
        if sizes and all(
            before[-1] == now * size for before, now in zip(merged, here, strict=True)
        ):
            sizes[-1] *= size
            for before, now in zip(merged, here, strict=True):
                before[-1] = now
        else:
            sizes.append(size)
            for before, now in zip(merged, here, strict=True):
                before.append(now)
    return tuple(sizes), [tuple(each) for each in merged]


_WRITTEN: dict[Operator, Callable[[_Writer, Node], None]] = {
    op.MATMUL: _Writer.matmul,
    op.RESHAPE: _Writer.reshape,
    op.CONCAT: _Writer.concat,
    op.TAKE: _Writer.take,
    op.PLACE: _Writer.place,
    op.SCATTER_ADD: _Writer.scatter_add,
}
KNOWN = frozenset({*TEXTS, *COMBINING, *_WRITTEN, *VIEWED, op.ASTYPE})
"""The operators that can be written."""
