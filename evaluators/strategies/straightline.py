"""`straightline`: Python source, generated once, with one NumPy call for each node.

`lower` writes the source, `compile` has Python compile it. Local names are used again as soon as
their values are no longer needed, so memory is freed early; a result is written over an operand
that dies (`out=`) where both are arrays of the same shape and dtype. Nothing is kept between
calls, and a function can be called by several threads at once.

A long network becomes several functions of `STATEMENTS_PER_FUNCTION` nodes, so that Python's
compiler needs memory for one of them at a time. Values that outlive the function that makes them
are passed on in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluators import VERSION
from evaluators.instrumentation import (
    Clock,
    Instrumented,
    Reads,
    Step,
    after_every_step,
    read_after,
    room_for,
)
from evaluators.protocol import Evaluator, Function, network_for, refusal
from evaluators.strategies.kernels import (
    KEYWORD_OUT,
    SUBSCRIPT,
    UFUNCS,
    VIEWS,
    kernel,
    reduced_axis,
)
from evaluators.strategies.liveness import bytes_of, liveness, overwritten
from evaluators.strategies.lowering import Program, program
from networks import Network, Node, operators as op
from networks.operators import Operator

STATEMENTS_PER_FUNCTION = 2_000

FREED_BYTES = 4096
"""A dead value of this size is let go at once; a smaller one when its name is used again."""

_READING = "    keep(clock())"
"""Stands after statements of an instrumented function."""

_SCALAR_SIGNS = {op.ADD: "+", op.SUBTRACT: "-", op.MULTIPLY: "*", op.DIVIDE: "/"}
"""On two NumPy scalars Python's own operators are several times faster than a ufunc."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Generated source, and what its global names stand for."""

    functions: list[str]
    """Source of `part0`, `part1`, …; the last one returns the results."""
    passed_on: int
    """Length of the list of values that one function leaves to the next."""
    namespace: dict[str, Any]
    names: int
    """Most local names in use at once."""


class Straightline:
    """The network as a straight line of NumPy calls."""

    name = "straightline"

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}

    def version(self) -> str:
        """Our own release."""
        return VERSION

    def refuse(self, network: Network, mode: str) -> str | None:
        """Nothing but what cannot be asked of a network."""
        return refusal(network, mode)

    def lower(self, network: Network, mode: str) -> Source:
        """The source."""
        lowered = program(network_for(network, mode))
        source = _Writer(lowered).source()
        self._counters = {
            "nodes": len(lowered.nodes),
            "functions": len(source.functions),
            "names": source.names,
        }
        return source

    def compile(self, lowered: Source) -> Function:
        """The function that the source defines."""
        return _joined(_executed(lowered), lowered.passed_on)

    def instrument(
        self, network: Network, mode: str, clock: Clock, reads: Reads = after_every_step
    ) -> Instrumented:
        """The same source, with the clock read after nodes' statements."""
        steps: list[Step] = []
        written = _Writer(program(network_for(network, mode)), steps, reads).source()
        readings = room_for(sum(read_after(len(steps), reads)) + 1)
        reading = {"keep": readings.append, "clock": clock}
        source = replace(written, namespace=written.namespace | reading)
        taken = len(readings)
        lines = [_READING] * min(taken, STATEMENTS_PER_FUNCTION)
        return Instrumented(
            self.compile(source),
            tuple(steps),
            readings,
            _repeated(lines, reading, taken),
            _repeated(["    pass"], reading, taken),
        )

    def counters(self) -> dict[str, int]:
        """Nodes, functions and most local names at once, of what was lowered last."""
        return self._counters


def _executed(source: Source) -> list[Callable[..., Any]]:
    """The functions that the source defines."""
    namespace = dict(source.namespace)
    for text in source.functions:
        exec(compile(text, "<straightline>", "exec"), namespace)  # noqa: S102 - our own source
    return [namespace.pop(f"part{number}") for number in range(len(source.functions))]


def _repeated(lines: list[str], namespace: dict[str, Any], readings: int) -> Callable[[], None]:
    """What runs the lines as often as it takes for so many readings, or a few more."""
    (body,) = _executed(
        Source(
            functions=["\n".join(["def part0():", *lines])],
            passed_on=0,
            namespace=namespace,
            names=0,
        )
    )
    turns = range(-(-readings // min(readings, STATEMENTS_PER_FUNCTION)))

    def run() -> None:
        for _ in turns:
            body()

    return run


def _joined(parts: list[Callable[..., Any]], passed_on: int) -> Function:
    """One function of the parts."""
    *before, last = parts
    if not before:
        return last

    def function(weights: Any, data: Any) -> Any:
        passed = [None] * passed_on
        for part in before:
            part(weights, data, passed)
        return last(weights, data, passed)

    return function


class _Writer:
    """Writes a program's source, node by node."""

    def __init__(
        self,
        program: Program,
        steps: list[Step] | None = None,
        reads: Reads = after_every_step,
    ) -> None:
        """With `steps`, they are told there, and the clock is read after those `reads` names."""
        self._program = program
        self._steps = steps
        self._reads = reads
        self._liveness = liveness(program)
        self._namespace: dict[str, Any] = {}
        self._globals: dict[Any, str] = {}
        self._functions: list[str] = []
        self._lines: list[str] = []
        self._names: dict[Node, str] = {}
        self._free_names: list[str] = []
        self._used_names = 0
        self._most_names = 0
        self._passed: dict[Node, int] = {}
        self._free_places: list[int] = []
        self._places = 0
        self._met_by_arrays = {
            operand for node in program.nodes if node.shape for operand in node.operands
        }

    def source(self) -> Source:
        """The whole."""
        nodes = self._program.nodes
        self._start_function()
        if self._steps is not None:
            self._lines.append(_READING)
        for position, node in enumerate(nodes):
            if position and position % STATEMENTS_PER_FUNCTION == 0:
                self._end_function()
                self._start_function()
            if node.operator is not op.CONSTANT:
                self._write(position, node)
        if self._steps and not self._reads(len(self._steps) - 1):
            self._lines.append(_READING)
        self._lines.append(f"    return [{', '.join(self._results())}]")
        self._functions.append("\n".join(self._lines))
        return Source(
            functions=self._functions,
            passed_on=self._places,
            namespace=self._namespace,
            names=self._most_names,
        )

    # Functions, and the values that they pass on

    def _start_function(self) -> None:
        passed = ", passed" if len(self._program.nodes) > STATEMENTS_PER_FUNCTION else ""
        self._lines = [f"def part{len(self._functions)}(weights, data{passed}):"]
        self._names = {}
        self._free_names = []
        self._used_names = 0

    def _end_function(self) -> None:
        """Pass on what is alive and not yet passed on."""
        for node, name in self._names.items():
            if node not in self._passed:
                place = self._free_places.pop() if self._free_places else self._new_place()
                self._passed[node] = place
                self._lines.append(f"    passed[{place}] = {name}")
        self._functions.append("\n".join(self._lines))

    def _new_place(self) -> int:
        self._places += 1
        return self._places - 1

    # Statements

    def _write(self, position: int, node: Node) -> None:
        expression = self._expression(node)
        over = overwritten(node, position, self._liveness) if node.shape else None
        dead = self._released(position)
        if over is not None:
            name = dead.pop(over)
            keyword = "out=" if node.operator in KEYWORD_OUT else ""
            self._lines.append(f"    {expression[:-1]}, {keyword}{name})")
        else:
            name = dead.pop(next(reversed(dead))) if dead else self._free_name()
            self._lines.append(f"    {name} = {expression}")
        self._names[node] = name
        for other, unused in dead.items():
            self._free_names.append(unused)
            if _held_bytes(self._liveness.owner[other]) >= FREED_BYTES:
                self._lines.append(f"    {unused} = None")
        if self._steps is not None:
            is_fresh = over is None and bool(node.operands) and node.operator not in VIEWS
            self._steps.append(Step(node, is_fresh))
            if self._reads(len(self._steps) - 1):
                self._lines.append(_READING)

    def _released(self, position: int) -> dict[Node, str]:
        """The names of the nodes that this position is the last to use."""
        released = {}
        for node in self._liveness.unused_after.get(position, ()):
            name = self._names.pop(node, None)
            if name is not None:
                released[node] = name
            place = self._passed.pop(node, None)
            if place is not None:
                self._lines.append(f"    passed[{place}] = None")
                self._free_places.append(place)
        return released

    def _free_name(self) -> str:
        if self._free_names:
            return self._free_names.pop()
        self._used_names += 1
        self._most_names = max(self._most_names, self._used_names)
        return f"v{self._used_names - 1}"

    # Expressions

    def _expression(self, node: Node) -> str:
        operator = node.operator
        if operator is op.WEIGHT or operator is op.DATA:
            source = "weights" if operator is op.WEIGHT else "data"
            alone = "" if node.shape or node in self._met_by_arrays else "[()]"
            return f"{source}[{node.attributes!r}]{alone}"
        if (
            not node.shape
            and operator in _SCALAR_SIGNS
            and not any(operand.shape for operand in node.operands)
        ):
            left, right = (self._scalar(operand) for operand in node.operands)
            return f"{left} {_SCALAR_SIGNS[operator]} {right}"
        operands = [self._operand(operand) for operand in node.operands]
        ufunc = UFUNCS.get(operator)
        if ufunc is not None:
            return f"{self._bound(operator.name, ufunc)}({', '.join(operands)})"
        written = _EXPRESSIONS.get(operator)
        if written is not None:
            return written(self, node, *operands)
        return f"{self._anonymous(kernel(node))}({', '.join(operands)})"

    def _operand(self, node: Node) -> str:
        if node.operator is op.CONSTANT:
            return self._constant(node, node.attributes)
        name = self._names.get(node)
        if name is None:
            name = self._names[node] = self._free_name()
            self._lines.append(f"    {name} = passed[{self._passed[node]}]")
        return name

    def _scalar(self, node: Node) -> str:
        if node.operator is op.CONSTANT:
            return self._constant(("scalar", node), node.attributes[()])
        return self._operand(node)

    def _constant(self, key: Any, value: Any) -> str:
        name = self._globals.get(key)
        if name is None:
            name = self._globals[key] = f"c{len(self._namespace)}"
            self._namespace[name] = value
        return name

    def _bound(self, name: str, value: Any) -> str:
        self._namespace[name] = value
        return name

    def _anonymous(self, value: Any) -> str:
        return self._bound(f"k{len(self._namespace)}", value)

    def _results(self) -> list[str]:
        return [
            self._result(node, copied=copied)
            for node, copied in zip(self._program.outputs, self._liveness.copied, strict=True)
        ]

    def _result(self, node: Node, *, copied: bool) -> str:
        if node.operator is op.CONSTANT:
            text = self._constant(node, node.attributes)
        elif node in self._names:
            text = self._names[node]
        else:
            text = f"passed[{self._passed[node]}]"
        if not node.shape:
            return f"{self._bound('array', np.array)}({text})"
        return f"{text}.copy()" if copied else text

    # Operators that are written in a way of their own

    def reduction(self, node: Node, x: str) -> str:
        """`sum(x, axis)`, bound to the ufunc's reduce."""
        ufunc = np.add if node.operator is op.SUM else np.maximum
        name = self._bound(node.operator.name, ufunc.reduce)
        keepdims = ", None, None, True" if node.attributes.keepdims else ""
        return f"{name}({x}, {reduced_axis(node)}{keepdims})"

    def where(self, _node: Node, *operands: str) -> str:
        """NumPy's own."""
        return f"{self._bound('where', np.where)}({', '.join(operands)})"

    def concatenation(self, node: Node, *operands: str) -> str:
        """NumPy's own."""
        name = self._bound("concatenate", np.concatenate)
        return f"{name}(({', '.join(operands)},), {node.attributes.axis})"

    def cast(self, node: Node, x: str) -> str:
        """A method of arrays and of scalars."""
        return f"{x}.astype({self._bound(node.dtype.name, node.dtype)})"

    def taken(self, node: Node, x: str) -> str:
        """A method, with the indices bound."""
        indices = self._anonymous(np.array(node.attributes.indices, np.intp))
        return f"{x}.take({indices}, {node.attributes.axis})"


def _permuted(_writer: _Writer, node: Node, x: str) -> str:
    axes = node.attributes.axes
    return f"{x}.T" if axes == tuple(reversed(range(len(axes)))) else f"{x}.transpose({axes})"


def _reshaped(_writer: _Writer, node: Node, x: str) -> str:
    return f"{x}.reshape({node.shape})"


def _subscripted(_writer: _Writer, node: Node, x: str) -> str:
    entries = list(node.attributes)
    sizes = node.operands[0].shape
    while len(entries) > 1 and entries[-1] == slice(0, sizes[len(entries) - 1], 1):
        entries.pop()
    return f"{x}[{', '.join(map(_entry_text, entries)) or '()'}]"


def _entry_text(entry: int | slice) -> str:
    if isinstance(entry, int):
        return str(entry)
    stop = "" if entry.stop is None else entry.stop
    return f"{entry.start}:{stop}" + ("" if entry.step == 1 else f":{entry.step}")


def _held_bytes(owner: Node) -> int:
    """What letting go of a value may free; nothing where it lies in an input."""
    return bytes_of(owner) if owner.operands else 0


_EXPRESSIONS: dict[Operator, Callable[..., str]] = {
    op.SUM: _Writer.reduction,
    op.MAX: _Writer.reduction,
    op.WHERE: _Writer.where,
    op.CONCAT: _Writer.concatenation,
    op.ASTYPE: _Writer.cast,
    op.TAKE: _Writer.taken,
    op.PERMUTE_DIMS: _permuted,
    op.RESHAPE: _reshaped,
    SUBSCRIPT: _subscripted,
}

EVALUATORS: tuple[Evaluator, ...] = (Straightline(),)
