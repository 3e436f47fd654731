"""`planned`: walks a plan whose intermediate values all have their place beforehand.

`lower` decides by liveness which values can share a buffer; `compile` allocates one block of
memory for all buffers, makes views of it, and turns the plan into steps. A call runs the steps,
each of which is a NumPy function with `out=` where there is one. Results are always fresh arrays.

The block stays allocated between calls, and a function must not be called by two threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from evaluators import VERSION, instrumentation
from evaluators.instrumentation import Clock, Instrumented, Reads, Ticking, after_every_step
from evaluators.protocol import (
    Array,
    Arrays,
    Data,
    Evaluator,
    Function,
    Weights,
    network_for,
    refusal,
)
from evaluators.strategies.kernels import KEYWORD_OUT, UFUNCS, VIEWS, kernel, reduced_axis
from evaluators.strategies.liveness import Liveness, bytes_of, liveness, overwritten
from evaluators.strategies.lowering import Program, program
from networks import Network, Node, operators as op

ALIGNMENT = 64
"""Bytes; of a cache line, and of the widest vector registers."""

Values: TypeAlias = list[Any]
Step: TypeAlias = tuple[Callable[..., Any], int, int, int]
"""(function, i, j, k): k gets the function of i, j and the array to write to; of i and that array
where j is -1; where i is -1 too, the function is given the list of values and does the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A program, and where in one block of memory its values lie."""

    program: Program
    liveness: Liveness
    offsets: dict[Node, int]
    """In bytes, of every value that lies in the block, views excepted."""
    block_bytes: int
    buffers: int


class Planned:
    """A plan with liveness-based reuse of buffers."""

    name = "planned"

    def __init__(self) -> None:
        self._counters: dict[str, int] = {}

    def version(self) -> str:
        """Our own release."""
        return VERSION

    def refuse(self, network: Network, mode: str) -> str | None:
        """Nothing but what cannot be asked of a network."""
        return refusal(network, mode)

    def lower(self, network: Network, mode: str) -> Plan:
        """The plan."""
        lowered = program(network_for(network, mode))
        plan = _Planner(lowered).plan()
        self._counters = {
            "nodes": len(lowered.nodes),
            "buffers": plan.buffers,
            "buffer_bytes": plan.block_bytes,
        }
        return plan

    def compile(self, lowered: Plan) -> Function:
        """The steps, bound to memory."""
        binding = _Binding(lowered)
        binding.bind()
        return binding.walk(binding.steps)

    def instrument(
        self, network: Network, mode: str, clock: Clock, reads: Reads = after_every_step
    ) -> Instrumented:
        """The same walk over the same steps, with the clock read after steps."""
        plan = self.lower(network, mode)
        binding = _Binding(plan)
        binding.bind()
        ticking = Ticking(binding.steps, clock, reads)
        steps = [
            instrumentation.Step(node, node not in plan.offsets and node.operator not in VIEWS)
            for node in binding.stepped
        ]
        return ticking.instrumented(binding.walk(ticking), steps)

    def counters(self) -> dict[str, int]:
        """Nodes, buffers and their bytes, of what was lowered last."""
        return self._counters


class _Planner:
    """Gives values that can be written into a buffer their place in the block."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._liveness = liveness(program)
        self._offsets: dict[Node, int] = {}
        self._free: dict[int, list[int]] = {}
        self._block_bytes = 0
        self._buffers = 0

    def plan(self) -> Plan:
        """The whole."""
        live = self._liveness
        end = len(self._program.nodes)
        for position, node in enumerate(self._program.nodes):
            given = None
            if node.operator in _WRITABLE and live.last_touch[node] < end:
                given = overwritten(node, position, live)
                if given is None or given not in self._offsets:
                    given = None
                    self._offsets[node] = self._buffer(node)
                else:
                    self._offsets[node] = self._offsets[given]
            for dead in live.freed_after.get(position, ()):
                if dead is not given and dead in self._offsets:
                    self._free.setdefault(_buffer_bytes(dead), []).append(self._offsets[dead])
        return Plan(
            program=self._program,
            liveness=live,
            offsets=self._offsets,
            block_bytes=self._block_bytes,
            buffers=self._buffers,
        )

    def _buffer(self, node: Node) -> int:
        """The buffer of that size that was freed last, since it may still be in a cache."""
        size = _buffer_bytes(node)
        free = self._free.get(size)
        if free:
            return free.pop()
        offset = self._block_bytes
        self._block_bytes += size
        self._buffers += 1
        return offset


def _buffer_bytes(node: Node) -> int:
    return max(-(-bytes_of(node) // ALIGNMENT), 1) * ALIGNMENT


class _Binding:
    """Binds a plan to memory: which place of a list holds which value, and the steps."""

    def __init__(self, plan: Plan) -> None:
        self._program = plan.program
        self._liveness = plan.liveness
        self._offsets = plan.offsets
        self._block = _aligned_block(plan.block_bytes)
        self._template: Values = []
        self._places: dict[Node, int] = {}
        self._fixed: dict[Node, Array] = {}
        self._places_of_buffers: dict[tuple[int, Any, Any], int] = {}
        self._free_places: list[int] = []
        self._weights: list[str] = []
        self._data: list[str] = []
        self.steps: list[Step] = []
        self.stepped: list[Node] = []
        """The node of each step."""

    def bind(self) -> None:
        """Give every value its place, and make the steps."""
        self._weights = self._input_names(op.WEIGHT)
        self._data = self._input_names(op.DATA)
        for position, node in enumerate(self._program.nodes):
            if node.operands:
                self._bind(node)
            elif node.operator is op.CONSTANT:
                self._fix(node, node.attributes, self._new_place())
            for unused in self._liveness.unused_after.get(position, ()):
                if unused.operands and unused not in self._fixed:
                    self._free_places.append(self._places[unused])

    def walk(self, steps: Iterable[Step]) -> Function:
        """The function that runs the steps."""
        outputs = self._program.outputs
        return _walk(
            template=self._template,
            weights=self._weights,
            data=self._data,
            steps=steps,
            results=[self._places[node] for node in outputs],
            copied=[
                number
                for number, node in enumerate(outputs)
                if self._liveness.copied[number] or not node.shape
            ],
        )

    def _input_names(self, operator: op.Operator) -> list[str]:
        """The names of those inputs, which get the next places."""
        names = []
        for node in self._program.nodes:
            if node.operator is operator:
                self._places[node] = self._new_place()
                names.append(node.attributes)
        return names

    def _bind(self, node: Node) -> None:
        """Give the node its place, and add the step that puts its value there."""
        if node in self._offsets:
            self._fix_buffer(node)
        elif node.operator in VIEWS and self._fix_view(node):
            return
        elif node.operator in _WRITABLE:  # a result: allocated, since None is where it will be
            self._places[node] = self._new_place()
        else:
            self._places[node] = self._free_places.pop() if self._free_places else self._new_place()
        operands = [self._places[operand] for operand in node.operands]
        self.steps.append(_step(node, operands, self._places[node]))
        self.stepped.append(node)

    def _new_place(self) -> int:
        self._template.append(None)
        return len(self._template) - 1

    def _fix(self, node: Node, value: Array, place: int) -> None:
        """The node's value is in that array at every call."""
        self._fixed[node] = self._template[place] = value
        self._places[node] = place

    def _fix_buffer(self, node: Node) -> None:
        key = (self._offsets[node], node.shape, node.dtype)
        place = self._places_of_buffers.get(key)
        if place is None:
            place = self._places_of_buffers[key] = self._new_place()
            self._template[place] = np.ndarray(
                node.shape, node.dtype, self._block, self._offsets[node]
            )
        self._fix(node, self._template[place], place)

    def _fix_view(self, node: Node) -> bool:
        """Make the view of a buffer once and for all; False where there is no such view."""
        array = self._fixed.get(node.operands[0])
        if array is None:
            return False
        view = kernel(node)(array)
        if not np.may_share_memory(view, array):  # a reshape that has to copy, or a scalar
            return False
        self._fix(node, view, self._new_place())
        return True


def _aligned_block(size: int) -> Array:
    block = np.empty(size + ALIGNMENT, np.uint8)
    start = -block.__array_interface__["data"][0] % ALIGNMENT
    return block[start : start + size]


def _step(node: Node, operands: list[int], place: int) -> Step:
    ufunc = UFUNCS.get(node.operator)
    if node.operator in KEYWORD_OUT:
        return _keyword_step(UFUNCS[node.operator], operands, place), -1, -1, -1
    if ufunc is not None:
        first, second = operands if len(operands) == 2 else (*operands, -1)
        return ufunc, first, second, place
    if node.operator in _REDUCTIONS:
        return _reduction_step(node, operands[0], place), -1, -1, -1
    return _kernel_step(kernel(node), operands, place), -1, -1, -1


def _keyword_step(
    function: Callable[..., Any], operands: list[int], place: int
) -> Callable[[Values], None]:
    first, second = operands

    def step(values: Values) -> None:
        values[place] = function(values[first], values[second], out=values[place])

    return step


def _reduction_step(node: Node, operand: int, place: int) -> Callable[[Values], None]:
    reduce: Callable[..., Any] = _REDUCTIONS[node.operator].reduce
    axis, keepdims = reduced_axis(node), node.attributes.keepdims

    def step(values: Values) -> None:
        values[place] = reduce(values[operand], axis, None, values[place], keepdims)

    return step


def _kernel_step(
    function: Callable[..., Any], operands: list[int], place: int
) -> Callable[[Values], None]:
    def step(values: Values) -> None:
        values[place] = function(*[values[operand] for operand in operands])

    return step


def _walk(
    *,
    template: Values,
    weights: list[str],
    data: list[str],
    steps: Iterable[Step],
    results: list[int],
    copied: list[int],
) -> Function:
    """The function: inputs in, steps, results out.

    The list is copied at each call, so that neither inputs nor results are held afterwards.
    """
    weights_of, data_of = _getter(weights), _getter(data)
    results_of = _getter(results)
    first_data, first_value = len(weights), len(weights) + len(data)

    def function(weights: Weights, data: Data) -> Arrays:
        values = template.copy()
        values[:first_data] = weights_of(weights)
        values[first_data:first_value] = data_of(data)
        for f, i, j, k in steps:
            if j >= 0:
                values[k] = f(values[i], values[j], values[k])
            elif i >= 0:
                values[k] = f(values[i], values[k])
            else:
                f(values)
        arrays = list(results_of(values))
        for number in copied:
            arrays[number] = np.array(arrays[number])
        return arrays

    return function


def _getter(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """All of those items at once; `itemgetter` alone returns no tuple for fewer than two."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda items: tuple([items[key] for key in keys])


_REDUCTIONS = {op.SUM: np.add, op.MAX: np.maximum}
_WRITABLE = frozenset({*UFUNCS, *_REDUCTIONS})
"""The operators whose NumPy function takes an array to write to, or None to allocate one."""

EVALUATORS: tuple[Evaluator, ...] = (Planned(),)
