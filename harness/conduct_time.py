"""Conducting launches against the clock: which question is put to which process, and when.

With several sides alive together, blocks are interleaved in mirrored rounds (ABBA or BAAB), so
that whatever the machine does meanwhile happens to all of them.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from time import monotonic

from harness.conversation import PREPARED_PHASES, Group, Side, checked
from harness.effort import Effort
from harness.measurement import CLOCK, Measurement, interquartile_range
from harness.worker import messages as m
from results.drift import slope

UNTIMED_CALLS = 2
"""After a hand-over, with caches cold, the first calls are slow (docs/decisions/0001)."""
LONG_CALL_NS = 10_000_000
"""In a call as long as this, warming the caches is no longer seen."""

_COUNTED_IN = {
    "nodes": "construct",
    "gradient_nodes": "differentiate",
    "engine_nodes": "lower",
    "cache_entries": "compile",
    "recompilations": "compile",
}


def conduct_time(sides: Sequence[Side], effort: Effort, rng: random.Random) -> None:
    """Take every side through its phases against the clock."""
    group = Group(sides, rng, "time")
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


def _check(side: Side) -> None:
    side.hold(
        Measurement(
            phase="first_call",
            metric="max_relative_error",
            source="reference",
            value=checked(side).max_relative_error,
        )
    )


def _count(side: Side) -> None:
    counts = side.ask(m.Count(), m.Counts, "compile").counts
    for metric, phase in _COUNTED_IN.items():
        if metric in counts:
            value = float(counts[metric])
            side.hold(Measurement(phase=phase, metric=metric, source="count", value=value))


def _evaluate(group: Group, effort: Effort) -> None:
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


def _blocks_together(group: Group, effort: Effort) -> None:
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
            detail=side.per_unit,
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
