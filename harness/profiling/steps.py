"""From the times of steps to the rows of a profile: what reading the clock cost is taken out.

What the sum of a launch's steps then misses of its uninstrumented stretches is told as a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.profiling.launches import SteppedLaunch
from harness.profiling.reading_cost import ReadingCost, reading_costs
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
        slower: the share by which steps were slower between readings, taken out too.
        call_s: the function itself, in other turns than all the above.
        stretched_s: a call in uninstrumented stretches in the same turns as that, slow ones too;
            readings taken out.
    """

    plain_s: float
    instrumented_s: float
    sum_s: float
    reading_s: float
    slower: float
    call_s: float
    stretched_s: float


def reconciled(launches: Sequence[SteppedLaunch]) -> list[Reconciled]:
    """For each launch."""
    return [
        Reconciled(
            plain_s=_plain_s(each.steps, cost),
            instrumented_s=_instrumented_ns(each.steps) * 1e-9,
            sum_s=float(sum(_seconds(each.steps, cost))),
            reading_s=cost.reading_ns * 1e-9,
            slower=cost.slower,
            call_s=each.steps.call_ns * 1e-9,
            stretched_s=_stretched_s(each.steps, cost),
        )
        for each, cost in zip(launches, reading_costs(launches), strict=True)
    ]


def readings(launches: Sequence[SteppedLaunch], by: Iterable[By]) -> list[ProfileReading]:
    """The rows of all launches: of each kind that is asked for, all of a call's time."""
    kinds = tuple(by)
    return [
        reading
        for each, cost in zip(launches, reading_costs(launches), strict=True)
        for kind in kinds
        for reading in _rows(each, cost, kind)
    ]


def _seconds(steps: m.StepsRead, cost: ReadingCost) -> list[float]:
    """Of entering, of every step, and of leaving."""
    spent = cost.without([steps.before_ns, *steps.step_ns])
    return [*(spent * 1e-9).tolist(), steps.after_ns * 1e-9]


def _instrumented_ns(steps: m.StepsRead) -> float:
    return steps.before_ns + sum(steps.step_ns) + steps.after_ns


def _plain_s(steps: m.StepsRead, cost: ReadingCost) -> float:
    """A call of which no reading is left: entering, all uninstrumented stretches, and leaving."""
    entering_ns = float(cost.without([steps.before_ns])[0])
    stretches_ns = cost.without_ends_ns(sum(steps.stretch_ns), len(steps.stretch_ns))
    return (entering_ns + stretches_ns + steps.after_ns) * 1e-9


def _stretched_s(steps: m.StepsRead, cost: ReadingCost) -> float:
    return cost.without_ends_ns(steps.stretched_ns, len(steps.stretch_ns) + 1) * 1e-9


@dataclass(slots=True)
class _Row:
    line: int | None
    seconds: float = 0.0
    calls: int = 0
    moved_bytes: int = 0
    allocated_bytes: int = 0
    flops: int = 0


def _rows(launch: SteppedLaunch, cost: ReadingCost, by: By) -> list[ProfileReading]:
    steps = launch.steps
    entering, *own, leaving = _seconds(steps, cost)
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
    left = _plain_s(steps, cost) - entering - leaving - sum(own)
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
