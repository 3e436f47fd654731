"""Times of a call's steps, by instrumented execution beside the uninstrumented.

A function and two doubles of it take turns in an order that is mirrored every time, on the same
inputs; between them the doubles time each stretch of steps both step by step and as a whole
(`harness.worker.stretches`). A turn in which the system gave the CPU to somebody else is set aside.
"""

from __future__ import annotations

import gc
import linecache
import os
import resource
import sys
from collections import Counter
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

import numpy as np

from evaluators.costs import cost, size_bytes
from evaluators.instrumentation import Instrumented, Reads, after_every_step
from evaluators.protocol import Function
from harness.worker.messages import StepsRead, StepsTimed
from harness.worker.preparation import Refusal
from harness.worker.stretches import Stretches, Times
from harness.worker.subject import Subject
from harness.worker.timing import Clock
from networks import Network, Node

_MAKING_SHARE = 0.4
"""Of the time: functions are made anew, since where their own memory lies is part of the layout."""
_READING_TURNS = 20
_LEAST_TURNS = 4
_SETTLING_CALLS = 8
"""Of functions made anew, until the interpreter has specialised their code."""


class StepTimes:
    """Records what the steps of a subject's calls take."""

    def __init__(self, subject: Subject, *, clock: Clock = perf_counter_ns) -> None:
        """Make the instrumented doubles; `Refusal` where the evaluator cannot."""
        instrument = getattr(subject.evaluator, "instrument", None)
        if instrument is None:
            raise Refusal(
                f"{subject.evaluator.name} has no instrument(network, mode, clock, reads), so that "
                "it cannot be timed by operator; see evaluators.instrumentation"
            )
        self._subject = subject
        self._clock = clock
        self._with_origins = subject.preparation_with_origins()
        for phase in self._with_origins.phases:
            if phase not in {"lower", "compile"}:
                self._with_origins.keep(phase, self._with_origins.step(phase)())
        self._making_ns = self._recorded_ns = 0
        self._every_step = self._instrument(after_every_step)
        self._stretches = Stretches.of(len(self._every_step.steps))
        self._plain: Function = subject.preparation.function
        self._doubles = self._make_doubles()
        self._is_disturbed: list[bool] = []
        self._plain_ns: list[int] = []
        self._intervals: list[tuple[Times, Times]] = []
        self._reading_ns = self._empty_reading_ns()
        self._check()

    def block(self, calls: int, untimed_calls: int) -> StepsTimed:
        """Call each so many times, in turns of an order that is mirrored every time."""
        if self._recorded_ns * _MAKING_SHARE > self._making_ns:
            self._make_anew()
        weights, pool = self._subject.placed_inputs()
        for _ in range(untimed_calls):
            for function in self._functions():
                function(weights, pool[-1])
        started = self._clock()
        for call in range(calls):
            switches = _involuntary_switches()
            self._record_turn(weights, pool[call % len(pool)])
            self._is_disturbed.append(_involuntary_switches() > switches)
        elapsed_ns = self._clock() - started
        self._recorded_ns += elapsed_ns
        return StepsTimed(elapsed_ns=elapsed_ns, calls=len(self._plain_ns))

    def read(self) -> StepsRead:
        """Means over quiet turns, step by step."""
        turns = self._undisturbed_turns()
        first, second = (
            np.array([self._intervals[turn][double] for turn in turns]) for double in (0, 1)
        )
        times = self._stretches.times((first, second))
        steps = self._every_step.steps
        nodes = [step.node for step in steps]
        lines = _Lines(self._with_origins.lowered_network)
        costs = [cost(node) for node in nodes]
        return StepsRead(
            operators=[node.operator.name for node in nodes],
            names=_names(nodes, lines),
            files=[lines.file(node) for node in nodes],
            lines=[lines.line(node) for node in nodes],
            texts=[lines.text(node) for node in nodes],
            step_ns=times.step_ns,
            flops=[each.flops for each in costs],
            moved_bytes=[each.moved_bytes for each in costs],
            allocated_bytes=[size_bytes(each.node) if each.allocates else 0 for each in steps],
            before_ns=times.before_ns,
            after_ns=times.after_ns,
            stretch_ns=times.stretch_ns,
            steps_per_stretch=self._stretches.length,
            call_ns=float(np.median([self._plain_ns[turn] for turn in turns])),
            stretched_ns=float(np.median(times.stretched_ns)),
            reading_ns=self._reading_ns,
            calls=len(self._plain_ns),
        )

    def _functions(self) -> tuple[Function, ...]:
        return self._doubles[0].function, self._plain, self._doubles[1].function

    def _record_turn(self, weights: Any, data: Any) -> None:
        """Call each once: the first, the function itself, the second, or the other way round."""
        order = self._functions()
        if len(self._plain_ns) % 2:
            order = order[::-1]
        bounds = [self._bounds(function, weights, data) for function in order]
        if len(self._plain_ns) % 2:
            bounds.reverse()
        one, plain, other = bounds
        self._plain_ns.append(plain[1] - plain[0])
        first, second = self._doubles
        self._intervals.append(
            (
                np.diff(np.array([one[0], *first.readings, one[1]])),
                np.diff(np.array([other[0], *second.readings, other[1]])),
            )
        )

    def _bounds(self, function: Function, weights: Any, data: Any) -> tuple[int, int]:
        """When a call began, and when its results were dropped."""
        clock = self._clock
        start = clock()
        function(weights, data)
        return start, clock()

    def _undisturbed_turns(self) -> Sequence[int]:
        """Those in which nobody else had the CPU, or all where they are few."""
        alone = [turn for turn, disturbed in enumerate(self._is_disturbed) if not disturbed]
        return alone if len(alone) >= _LEAST_TURNS else range(len(self._is_disturbed))

    def _instrument(self, reads: Reads) -> Instrumented:
        start = self._clock()
        made: Instrumented = self._subject.evaluator.instrument(  # type: ignore[attr-defined]
            self._with_origins.lowered_network, self._with_origins.mode, self._clock, reads
        )
        self._making_ns += self._clock() - start
        return made

    def _make_doubles(self) -> tuple[Instrumented, Instrumented]:
        first, second = (self._instrument(self._stretches.reads(double)) for double in (0, 1))
        return first, second

    def _check(self) -> None:
        """All functions must return the same, or what is timed is not what is asked about."""
        weights, pool = self._subject.placed_inputs()
        plain = self._plain(weights, pool[0])
        for double in self._doubles:
            results = double.function(weights, pool[0])
            if len(plain) != len(results) or not all(
                np.array_equal(a, b, equal_nan=True) for a, b in zip(plain, results, strict=True)
            ):
                name = self._subject.evaluator.name
                raise RuntimeError(
                    f"{name}.instrument() made a function whose results differ from {name}'s own"
                )

    def _make_anew(self) -> None:
        """The new functions are made before the old ones go, or they would get their memory."""
        plain = self._subject.preparation.step("compile")()
        self._doubles = self._make_doubles()
        self._plain = plain
        weights, pool = self._subject.placed_inputs()
        start = self._clock()
        for _ in range(_SETTLING_CALLS):
            for function in self._functions():
                function(weights, pool[-1])
        self._making_ns += self._clock() - start

    def _empty_reading_ns(self) -> float:
        """What a reading costs in a function that does nothing else."""
        subject, clock = self._every_step, self._clock
        spent: dict[bool, list[int]] = {True: [], False: []}
        gc.collect()
        for _ in range(_READING_TURNS):
            for is_empty in (True, False):
                start = clock()
                (subject.empty if is_empty else subject.bare)()
                spent[is_empty].append(clock() - start)
        empty, bare = (min(spent[kind]) for kind in (True, False))
        return (empty - bare) / len(subject.readings)


class _Lines:
    """Which line made a node, told plainly."""

    def __init__(self, network: Network) -> None:
        self._origins = network.origins

    def file(self, node: Node) -> str:
        origin = self._origins.of(node) if self._origins is not None else None
        return "" if origin is None else _short(origin.file)

    def line(self, node: Node) -> int | None:
        origin = self._origins.of(node) if self._origins is not None else None
        return None if origin is None else origin.line

    def text(self, node: Node) -> str:
        origin = self._origins.of(node) if self._origins is not None else None
        return "" if origin is None else linecache.getline(*origin).strip()


def _names(nodes: Sequence[Node], lines: _Lines) -> list[str]:
    """Names that stay as they are when nodes of another kind or line come or go."""
    seen: Counter[tuple[str, str]] = Counter()
    names = []
    for node in nodes:
        name = _name(node)
        alike = (name, lines.text(node))
        seen[alike] += 1
        names.append(f"{name} #{seen[alike]}")
    return names


def _name(node: Node) -> str:
    if not node.operands:
        named = isinstance(node.attributes, str)
        return f"{node.operator.name} {node.attributes}" if named else node.operator.name
    shapes = ", ".join("×".join(map(str, each.shape)) or "scalar" for each in node.operands)
    return f"{node.operator.name}({shapes})"


def _short(path: str) -> str:
    """A path from where packages are found, so that it is alike in every environment."""
    for root in sorted((each for each in sys.path if each), key=len, reverse=True):
        if path.startswith(root.rstrip(os.sep) + os.sep):
            return path[len(root.rstrip(os.sep)) + 1 :]
    return os.path.basename(path)


def _involuntary_switches() -> int:
    """How often the system has taken the CPU from this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
