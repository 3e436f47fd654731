"""From the times of steps to the rows of a profile: what reading the clock cost is taken out.

A reading costs more within a call than by itself: it keeps the processor from working on two steps
at once. So the cost is found by what stretches of steps take longer with a reading after each step
than with one at the end, and a launch's own stretches have no part in the cost that is taken from
it: what the sum of its steps then misses of its uninstrumented stretches is told as a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from harness.profiling.launches import SteppedLaunch
from harness.worker import messages as m
from results.profiles.reading import UNEXPLAINED, By, ProfileReading

CALL, RETURN = "(call)", "(return)"
"""Rows of what no node's step is: entering the function, and leaving it."""
STEPPED: tuple[By, ...] = ("operator", "node", "line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How well the steps of a launch add up to its call.

    Attributes:
        plain_s: a call in uninstrumented stretches, the readings at their ends taken out.
        instrumented_s: one with a reading after each step.
        sum_s: of all steps, readings taken out.
        reading_s: the cost of a reading that was taken out.
        call_s: the function itself, in other turns than all the above.
        stretched_s: a call in uninstrumented stretches in the same turns, with the readings at
            their ends.
    """

    plain_s: float
    instrumented_s: float
    sum_s: float
    reading_s: float
    call_s: float
    stretched_s: float


def reading_cost_ns(steps: m.StepsRead) -> float:
    """What a reading costs in this launch, so that steps add up to the uninstrumented stretches.

    A step gives up no more than it has. Where each stretch is one step, both are the same, and the
    cost is what it is by itself.
    """
    intervals, stretches = np.array(steps.step_ns), np.array(steps.stretch_ns)
    if len(intervals) == len(stretches):
        return steps.reading_ns
    low, high = 0.0, float(intervals.max())
    for _ in range(60):
        middle = (low + high) / 2
        left = float(stretches.sum()) - len(stretches) * middle
        is_enough = float(np.maximum(intervals - middle, 0.0).sum()) <= left
        low, high = (low, middle) if is_enough else (middle, high)
    return high


def costs_ns(launches: Sequence[SteppedLaunch]) -> list[float]:
    """For each launch the cost of a reading, from the other launches that take the same steps.

    Versions that take the same steps in the same order have one cost in common, so that a change is
    not taken for a cost; a pair's own launches have no part in it. Where there is no other launch,
    it is what a reading costs by itself.
    """
    own = [reading_cost_ns(each.steps) for each in launches]
    found = []
    for each in launches:
        others = [
            cost
            for other, cost in zip(launches, own, strict=True)
            if other.launch != each.launch and other.steps.operators == each.steps.operators
        ]
        found.append(float(np.median(others)) if others else each.steps.reading_ns)
    return found


def reconciled(launches: Sequence[SteppedLaunch]) -> list[Reconciled]:
    """For each launch."""
    return [
        Reconciled(
            plain_s=_plain_s(each.steps, cost),
            instrumented_s=_instrumented_ns(each.steps) * 1e-9,
            sum_s=float(sum(_seconds(each.steps, cost))),
            reading_s=cost * 1e-9,
            call_s=each.steps.call_ns * 1e-9,
            stretched_s=each.steps.stretched_ns * 1e-9,
        )
        for each, cost in zip(launches, costs_ns(launches), strict=True)
    ]


def readings(launches: Sequence[SteppedLaunch], by: Iterable[By]) -> list[ProfileReading]:
    """The rows of all launches: of each kind that is asked for, all of a call's time."""
    kinds = tuple(by)
    return [
        reading
        for each, cost in zip(launches, costs_ns(launches), strict=True)
        for kind in kinds
        for reading in _rows(each, cost, kind)
    ]


def _seconds(steps: m.StepsRead, cost_ns: float) -> list[float]:
    """Of entering, of every step, and of leaving."""
    spent = np.maximum(np.array([steps.before_ns, *steps.step_ns]) - cost_ns, 0.0)
    return [*(spent * 1e-9).tolist(), steps.after_ns * 1e-9]


def _instrumented_ns(steps: m.StepsRead) -> float:
    return steps.before_ns + sum(steps.step_ns) + steps.after_ns


def _plain_s(steps: m.StepsRead, cost_ns: float) -> float:
    """A call of which no reading is left: entering, all uninstrumented stretches, and leaving."""
    stretches_ns = sum(steps.stretch_ns) - cost_ns * len(steps.stretch_ns)
    return (max(steps.before_ns - cost_ns, 0.0) + stretches_ns + steps.after_ns) * 1e-9


@dataclass(slots=True)
class _Row:
    line: int | None
    seconds: float = 0.0
    calls: int = 0
    moved_bytes: int = 0
    allocated_bytes: int = 0
    flops: int = 0


def _rows(launch: SteppedLaunch, cost_ns: float, by: By) -> list[ProfileReading]:
    steps = launch.steps
    entering, *own, leaving = _seconds(steps, cost_ns)
    rows: dict[tuple[str, str], _Row] = {}
    for step, seconds in enumerate(own):
        name, file, line = _key(steps, step, by)
        row = rows.setdefault((name, file), _Row(line))
        row.seconds += seconds
        row.calls += 1
        row.moved_bytes += steps.moved_bytes[step]
        row.allocated_bytes += steps.allocated_bytes[step]
        row.flops += steps.flops[step]
    found = [
        _reading(
            launch,
            by,
            name,
            row.seconds,
            file=file,
            line=row.line,
            calls=float(row.calls),
            moved_bytes=float(row.moved_bytes),
            allocated_bytes=float(row.allocated_bytes),
            flops=float(row.flops),
        )
        for (name, file), row in rows.items()
    ]
    left = _plain_s(steps, cost_ns) - entering - leaving - sum(own)
    return [
        *found,
        _reading(launch, by, CALL, entering),
        _reading(launch, by, RETURN, leaving),
        _reading(launch, by, UNEXPLAINED, left),
    ]


def _key(steps: m.StepsRead, step: int, by: By) -> tuple[str, str, int | None]:
    """Name, file and line of the row that the step belongs to."""
    if by == "operator":
        return steps.operators[step], "", None
    if by == "node":
        return steps.names[step], steps.files[step], steps.lines[step]
    return steps.texts[step] or "(no line)", steps.files[step], steps.lines[step]


def _reading(
    launch: SteppedLaunch,
    by: By,
    name: str,
    seconds: float,
    *,
    file: str = "",
    line: int | None = None,
    calls: float | None = None,
    moved_bytes: float | None = None,
    allocated_bytes: float | None = None,
    flops: float | None = None,
) -> ProfileReading:
    return ProfileReading(
        label=launch.contender.version.label,
        launch=launch.launch,
        pair=launch.pair,
        phase="evaluate",
        by=by,
        name=name,
        file=file,
        line=line,
        seconds=seconds,
        calls=calls,
        moved_bytes=moved_bytes,
        allocated_bytes=allocated_bytes,
        flops=flops,
    )
