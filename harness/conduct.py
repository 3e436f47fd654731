"""Conducting launches: which question is put to which process, and when.

One side alone or several alive together go through the same phases. With several, each phase is
run by one side after the other in random order, and blocks are interleaved in mirrored rounds
(ABBA or BAAB), so that whatever the machine does meanwhile happens to all of them.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from harness.effort import Effort
from harness.launch import Launch
from harness.worker import messages as m
from results.drift import slope

UNTIMED_CALLS = 2
"""After a hand-over, with caches cold, the first calls are slow (docs/decisions/0001)."""
LONG_CALL_NS = 10_000_000
"""In a call as long as this, warming the caches is no longer seen."""

CLOCK = "perf_counter_ns"
PREPARED_PHASES = ("construct", "differentiate", "lower", "compile", "first_call")
_COUNTED_IN = {
    "nodes": "construct",
    "gradient_nodes": "differentiate",
    "cache_entries": "compile",
    "recompilations": "compile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one launch says of one metric in one phase."""

    phase: str
    metric: str
    source: str
    value: float | None
    spread: float | None = None
    blocks: int | None = None
    calls: int | None = None
    status: str = "ok"
    detail: str = ""


class SubjectFailed(Exception):  # noqa: N818 - the subject's failure, not ours
    """The subject refused, raised, died or ran out of time."""

    def __init__(self, failure: m.Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


Answer = TypeVar("Answer")
Emit = Callable[["Side", Sequence[Measurement]], None]
"""Is given measurements as soon as they are final; they are in the table from there."""


class Side:
    """One process of a launch (or of a pair), with the time that it has left."""

    def __init__(self, launch: Launch, request: m.Open, emit: Emit, *, timeout_s: float) -> None:
        self._launch = launch
        self._request = request
        self._emit = emit
        self._deadline = monotonic() + timeout_s
        self.opened: m.Opened | None = None
        self.failed = False
        self._held: list[Measurement] = []
        self.calls = 1
        """Of each block in `elapsed_ns`."""
        self.untimed_calls = UNTIMED_CALLS
        """Before each block that follows a hand-over."""
        self.elapsed_ns: list[int] = []

    @property
    def phases(self) -> list[str]:
        """The phases that this subject has."""
        return [] if self.opened is None else self.opened.phases

    @property
    def is_rebuilt(self) -> bool:
        """Whether one evaluation of this subject is a whole construct-compile-call-drop."""
        return self.opened is not None and self.opened.lifecycle == "rebuilds"

    def open(self) -> None:
        """Load the subject."""
        self.opened = self.ask(self._request, m.Opened, "construct")

    def ask(self, question: m.Message, kind: type[Answer], phase: str) -> Answer:
        """The answer, of the kind that the question calls for; else `SubjectFailed`."""
        answer = self._launch.ask(question, timeout_s=self._deadline - monotonic())
        if isinstance(answer, kind):
            return answer
        if isinstance(answer, m.Failure):
            raise SubjectFailed(answer._replace(phase=answer.phase or phase))
        detail = f"answered {type(answer).__name__} where {kind.__name__} was expected"
        raise SubjectFailed(m.Failure(phase=phase, status="error", detail=detail))

    def hold(self, *measurements: Measurement) -> None:
        """Keep measurements that are not final yet."""
        self._held += measurements

    def release(self) -> None:
        """Hand on everything that is held."""
        held, self._held = self._held, []
        self._emit(self, held)

    def fail(self, failure: m.Failure, kind: str) -> None:
        """Put a failure in the place of what is held, and take part no more."""
        self.failed = True
        self._emit(self, [_failure_row(failure, kind)])


def conduct_time(sides: Sequence[Side], effort: Effort, rng: random.Random) -> None:
    """Take every side through its phases against the clock."""
    group = _Group(sides, rng, "time")
    group.each(Side.open)
    for phase in PREPARED_PHASES:
        group.each(_first_time, phase)
    # Nothing is said of a time before the value is known to be right.
    group.each(_check)
    group.each(_count)
    group.release()
    _evaluate(group, effort)
    group.release()
    group.each(_repeat, effort)
    group.release()
    group.each(_time_teardown)
    group.release()


def conduct_memory(sides: Sequence[Side], effort: Effort, rng: random.Random) -> None:
    """Take every side through its phases under the memory probes."""
    group = _Group(sides, rng, "memory")
    group.each(Side.open)
    for phase in PREPARED_PHASES:
        group.each(_measure_memory, phase)
    group.each(_follow_memory, effort)
    group.each(_measure_memory, "teardown")
    # The golden evaluator's own memory would be in the readings, so the check comes last.
    group.each(_check_only)
    group.release()


class _Group:
    """Sides that are alive together; those that fail drop out and the others go on."""

    def __init__(self, sides: Sequence[Side], rng: random.Random, kind: str) -> None:
        self._sides = list(sides)
        self._kind = kind
        self._rng = rng

    @property
    def alive(self) -> list[Side]:
        """The sides that have not failed."""
        return [side for side in self._sides if not side.failed]

    def shuffled(self) -> list[Side]:
        """The living sides in random order."""
        return self._rng.sample(self.alive, len(self.alive))

    def each(self, act: Callable[..., object], *arguments: object) -> None:
        """Let every living side act, one after the other in random order."""
        for side in self.shuffled():
            self.one(side, act, *arguments)

    def release(self) -> None:
        """Hand on what all living sides hold, the baseline's first."""
        for side in self.alive:
            side.release()

    def one(self, side: Side, act: Callable[..., object], *arguments: object) -> None:
        """Let one side act, unless it has failed; if it fails now, that becomes a row."""
        if side.failed:
            return
        try:
            act(side, *arguments)
        except SubjectFailed as failed:
            side.fail(failed.failure, self._kind)


def _first_time(side: Side, phase: str) -> None:
    if phase not in side.phases:
        return
    elapsed = side.ask(m.RunPhase(phase=phase), m.Elapsed, phase)
    side.hold(
        Measurement(
            phase=phase,
            metric="first_time",
            source=CLOCK,
            value=elapsed.elapsed_ns * 1e-9,
            blocks=1,
            calls=1,
        )
    )


def _check_only(side: Side) -> m.Checked:
    checked = side.ask(m.Check(), m.Checked, "first_call")
    if checked.problem:
        raise SubjectFailed(m.Failure(phase="first_call", status="wrong", detail=checked.problem))
    return checked


def _check(side: Side) -> None:
    side.hold(
        Measurement(
            phase="first_call",
            metric="max_relative_error",
            source="reference",
            value=_check_only(side).max_relative_error,
        )
    )


def _count(side: Side) -> None:
    counts = side.ask(m.Count(), m.Counts, "compile").counts
    for metric, phase in _COUNTED_IN.items():
        if metric in counts:
            value = float(counts[metric])
            side.hold(Measurement(phase=phase, metric=metric, source="count", value=value))


def _evaluate(group: _Group, effort: Effort) -> None:
    """Time blocks of calls: alone in one go, together in mirrored rounds."""
    group.each(_calibrate, effort)
    if len(group.alive) == 1:
        group.each(_blocks_alone, effort)
    else:
        _share_calls(group.alive)
        _blocks_together(group, effort)
    group.each(_evaluated, effort)


def _calibrate(side: Side, effort: Effort) -> None:
    calibrated = side.ask(m.Calibrate(block_ns=effort.block_ns), m.Calibrated, "evaluate")
    side.calls = calibrated.calls
    side.untimed_calls = UNTIMED_CALLS if calibrated.call_ns < LONG_CALL_NS else 0


def _share_calls(sides: Sequence[Side]) -> None:
    """Give all sides blocks of as many calls, but for one so fast that it needs many more."""
    least = min((side.calls for side in sides), default=1)
    for side in sides:
        if side.calls < 2 * least:
            side.calls = least


def _blocks_alone(side: Side, effort: Effort) -> None:
    blocks = effort.warm_up_blocks + effort.blocks
    _run_blocks(side, blocks, 0, effort.evaluate_budget_ns)


def _blocks_together(group: _Group, effort: Effort) -> None:
    deadline = monotonic() + effort.evaluate_budget_ns * 1e-9 * len(group.alive)
    for _ in range(-(-(effort.warm_up_blocks + effort.blocks) // 2)):
        order = group.shuffled()
        for side in order + order[::-1]:
            group.one(side, _run_blocks, 1, side.untimed_calls, 0)
        if monotonic() > deadline:
            break


def _run_blocks(side: Side, blocks: int, untimed_calls: int, budget_ns: int) -> None:
    asked = m.RunBlocks(
        blocks=blocks, calls=side.calls, untimed_calls=untimed_calls, budget_ns=budget_ns
    )
    side.elapsed_ns += side.ask(asked, m.Blocks, "evaluate").elapsed_ns


def _evaluated(side: Side, effort: Effort) -> None:
    """Time per call, and how it drifts, from the blocks after the warm-up."""
    # A subject so slow that the budget ended in the warm-up is estimated from what there is.
    skipped = min(effort.warm_up_blocks, len(side.elapsed_ns) // 2)
    seconds_per_call = [ns * 1e-9 / side.calls for ns in side.elapsed_ns[skipped:]]
    median = statistics.median(seconds_per_call)
    side.hold(
        Measurement(
            phase="evaluate",
            metric="time",
            source=CLOCK,
            value=median,
            spread=interquartile_range(seconds_per_call),
            blocks=len(seconds_per_call),
            calls=len(seconds_per_call) * side.calls,
        )
    )
    if len(seconds_per_call) >= 3 and median > 0:
        thousands = [block * side.calls / 1000 for block in range(len(seconds_per_call))]
        relative = [each / median for each in seconds_per_call]
        side.hold(
            Measurement(
                phase="evaluate",
                metric="time_drift",
                source=CLOCK,
                value=slope(thousands, relative).value,
                blocks=len(seconds_per_call),
                calls=len(seconds_per_call) * side.calls,
            )
        )


def _repeat(side: Side, effort: Effort) -> None:
    asked = m.Repeat(most=effort.repeats, budget_ns=effort.repeat_budget_ns)
    repeats = side.ask(asked, m.Repeats, "compile")
    for phase, elapsed_ns in repeats.elapsed_ns.items():
        side.hold(
            Measurement(
                phase=phase,
                metric="time",
                source=CLOCK,
                value=statistics.median(elapsed_ns) * 1e-9,
                spread=interquartile_range([ns * 1e-9 for ns in elapsed_ns]),
                blocks=len(elapsed_ns),
                calls=len(elapsed_ns),
            )
        )


def _time_teardown(side: Side) -> None:
    elapsed = side.ask(m.RunPhase(phase="teardown"), m.Elapsed, "teardown")
    side.hold(
        Measurement(
            phase="teardown",
            metric="time",
            source=CLOCK,
            value=elapsed.elapsed_ns * 1e-9,
            blocks=1,
            calls=1,
        )
    )


def _measure_memory(side: Side, phase: str) -> None:
    if phase not in side.phases:
        return
    read = side.ask(m.MeasureMemory(phase=phase), m.MemoryRead, phase)
    _hold_memory(side, phase, read)
    if read.live_objects is not None:
        side.hold(
            Measurement(
                phase=phase,
                metric="live_objects",
                source="gc.get_objects",
                value=float(read.live_objects),
            )
        )


def _follow_memory(side: Side, effort: Effort) -> None:
    wished = side.opened.units if side.opened else None
    asked = m.FollowMemory(
        calls=wished or effort.follow_calls,
        samples=effort.follow_samples,
        # Calls are what such a scenario is about, so it gets more time for them.
        budget_ns=effort.follow_budget_ns * (5 if wished else 1),
    )
    series = side.ask(asked, m.MemorySeries, "evaluate")
    _hold_memory(side, "evaluate", series)
    # The first half is warm-up: free lists and small caches of the interpreter and of numpy fill
    # over hundreds of calls, and then stand still.
    skipped = len(series.calls) // 2
    calls, in_use_bytes = series.calls[skipped:], series.in_use_bytes[skipped:]
    if len(calls) >= 3:
        side.hold(
            Measurement(
                phase="evaluate",
                metric="memory_drift",
                source=series.source,
                value=slope(calls, in_use_bytes).value,
                blocks=len(calls),
                calls=series.calls[-1],
                detail="per rebuild" if side.is_rebuilt else "",
            )
        )


def _hold_memory(side: Side, phase: str, read: m.MemoryRead | m.MemorySeries) -> None:
    for metric, value, source in (
        ("peak_memory", read.peak_bytes, read.peak_source),
        ("held_memory", read.held_bytes, read.held_source),
        ("retained_memory", read.retained_bytes, read.held_source),
    ):
        side.hold(Measurement(phase=phase, metric=metric, source=source, value=float(value)))


def _failure_row(failure: m.Failure, kind: str) -> Measurement:
    """The row that stands for what was not measured."""
    if kind == "memory":
        metric = "peak_memory"
    elif failure.status == "wrong":
        metric = "max_relative_error"
    else:
        metric = "time" if failure.phase in ("evaluate", "teardown") else "first_time"
    return Measurement(
        phase=failure.phase,
        metric=metric,
        source=CLOCK if kind == "time" else "VmHWM",
        value=None,
        status=failure.status,
        detail=failure.detail,
    )


def interquartile_range(values: Sequence[float]) -> float | None:
    """The distance between the quartiles; None below two values."""
    if len(values) < 2:
        return None
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return upper - lower
