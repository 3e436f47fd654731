"""Times of a call's steps, by instrumented execution beside the uninstrumented.

A function and its instrumented double take turns, each as often first as the other, on the same
inputs. A turn in which the system gave the CPU to somebody else is set aside. Both means are over
the quieter half of the others, chosen by what both calls of a turn take together: whatever the
machine or the memory layout did, it did to both, and the times of the steps add up to the time of
a call.
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
from evaluators.instrumentation import Instrumented
from evaluators.protocol import Function
from harness.worker.messages import StepsRead, StepsTimed
from harness.worker.preparation import Refusal
from harness.worker.subject import Subject
from harness.worker.timing import Clock
from networks import Network, Node

_MAKING_SHARE = 0.2
"""Of the time: functions are made anew, since where their own memory lies is part of the layout."""
_READING_TURNS = 20
_LEAST_TURNS = 4


class StepTimes:
    """Records what the steps of a subject's calls take."""

    def __init__(self, subject: Subject, *, clock: Clock = perf_counter_ns) -> None:
        """Make the instrumented double; `Refusal` where the evaluator cannot."""
        instrument = getattr(subject.evaluator, "instrument", None)
        if instrument is None:
            raise Refusal(
                f"{subject.evaluator.name} has no instrument(network, mode, clock), so that it "
                "cannot be timed by operator; see evaluators.instrumentation"
            )
        self._subject = subject
        self._clock = clock
        self._with_origins = subject.preparation_with_origins()
        for phase in self._with_origins.phases:
            if phase not in {"lower", "compile"}:
                self._with_origins.keep(phase, self._with_origins.step(phase)())
        self._plain: Function = subject.preparation.function
        self._making_ns = self._recorded_ns = 0
        self._instrumented = self._instrument()
        self._is_disturbed: list[bool] = []
        self._plain_ns: list[int] = []
        self._instrumented_ns: list[int] = []
        self._intervals: list[np.ndarray] = []
        self._reading_ns = self._empty_reading_ns()
        self._check()

    def block(self, calls: int, untimed_calls: int) -> StepsTimed:
        """Call each so many times, in turns of an order that is mirrored every time."""
        if self._recorded_ns * _MAKING_SHARE > self._making_ns:
            self._make_anew()
        weights, pool = self._subject.placed_inputs()
        double, readings = self._instrumented.function, self._instrumented.readings
        clock = self._clock
        for _ in range(untimed_calls):
            self._plain(weights, pool[-1])
            double(weights, pool[-1])
        started = clock()
        for call in range(calls):
            data = pool[call % len(pool)]
            switches = _involuntary_switches()
            if call % 2:
                plain = self._bounds(self._plain, weights, data)
                instrumented = self._bounds(double, weights, data)
            else:
                instrumented = self._bounds(double, weights, data)
                plain = self._bounds(self._plain, weights, data)
            self._is_disturbed.append(_involuntary_switches() > switches)
            start, end = instrumented
            self._plain_ns.append(plain[1] - plain[0])
            self._instrumented_ns.append(end - start)
            self._intervals.append(np.diff(np.array([start, *readings, end])))
        elapsed_ns = clock() - started
        self._recorded_ns += elapsed_ns
        return StepsTimed(elapsed_ns=elapsed_ns, calls=len(self._plain_ns))

    def read(self) -> StepsRead:
        """Means over the quieter half of the calls, step by step."""
        quiet = self._quiet_turns()
        means = np.mean([self._intervals[call] for call in quiet], axis=0)
        steps = self._instrumented.steps
        nodes = [step.node for step in steps]
        lines = _Lines(self._with_origins.lowered_network)
        costs = [cost(node) for node in nodes]
        return StepsRead(
            operators=[node.operator.name for node in nodes],
            names=_names(nodes, lines),
            files=[lines.file(node) for node in nodes],
            lines=[lines.line(node) for node in nodes],
            texts=[lines.text(node) for node in nodes],
            step_ns=means[1:-1].tolist(),
            flops=[each.flops for each in costs],
            moved_bytes=[each.moved_bytes for each in costs],
            allocated_bytes=[size_bytes(each.node) if each.allocates else 0 for each in steps],
            before_ns=float(means[0]),
            after_ns=float(means[-1]),
            plain_ns=_mean_of(self._plain_ns, quiet),
            instrumented_ns=_mean_of(self._instrumented_ns, quiet),
            reading_ns=self._reading_ns,
            calls=len(self._plain_ns),
        )

    def _bounds(self, function: Function, weights: Any, data: Any) -> tuple[int, int]:
        """When a call began, and when its results were dropped."""
        clock = self._clock
        start = clock()
        function(weights, data)
        return start, clock()

    def _quiet_turns(self) -> list[int]:
        """The quieter half of the turns that nobody disturbed, or of all where those are few."""
        both_ns = [a + b for a, b in zip(self._plain_ns, self._instrumented_ns, strict=True)]
        alone = [turn for turn, disturbed in enumerate(self._is_disturbed) if not disturbed]
        turns = alone if len(alone) >= _LEAST_TURNS else range(len(both_ns))
        return sorted(turns, key=both_ns.__getitem__)[: max(1, len(turns) // 2)]

    def _instrument(self) -> Instrumented:
        start = self._clock()
        made: Instrumented = self._subject.evaluator.instrument(  # type: ignore[attr-defined]
            self._with_origins.lowered_network, self._with_origins.mode, self._clock
        )
        self._making_ns += self._clock() - start
        return made

    def _check(self) -> None:
        """Both functions must return the same, or what is timed is not what is asked about."""
        weights, pool = self._subject.placed_inputs()
        plain = self._plain(weights, pool[0])
        double = self._instrumented.function(weights, pool[0])
        if len(plain) != len(double) or not all(
            np.array_equal(a, b, equal_nan=True) for a, b in zip(plain, double, strict=True)
        ):
            name = self._subject.evaluator.name
            raise RuntimeError(
                f"{name}.instrument() made a function whose results differ from {name}'s own"
            )

    def _make_anew(self) -> None:
        """The new functions are made before the old ones go, or they would get their memory."""
        plain = self._subject.preparation.step("compile")()
        self._instrumented = self._instrument()
        self._plain = plain

    def _empty_reading_ns(self) -> float:
        """What a reading costs in a function that does nothing else."""
        subject, clock = self._instrumented, self._clock
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


def _mean_of(elapsed_ns: Sequence[int], calls: Sequence[int]) -> float:
    return sum(elapsed_ns[call] for call in calls) / len(calls)
