"""Conducting launches against the clock: which question is put to which process, and when.

With several sides alive together, blocks are interleaved in mirrored rounds (ABBA or BAAB), so
that whatever the machine does meanwhile happens to all of them.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from time import monotonic

from harness.blocks import (
    Judged,
    Neighbours,
    Speed,
    compare_neighbours,
    judge_blocks,
    without_speed,
)
from harness.conversation import CALL, PREPARED_PHASES, Group, Side, SubjectFailed, checked
from harness.effort import Effort
from harness.measurement import CLOCK, Measurement, interquartile_range
from harness.worker import messages as m
from harness.worker.evidence import Evidence
from results.drift import drift_notes, time_drift
from results.notes import format_notes
from results.pairs import noted_ratio
from results.schema import SPEED_YARDSTICKS

UNTIMED_CALLS = 2
"""After a hand-over, with caches cold, the first calls are slow (docs/decisions/0001)."""
ROUND_BLOCKS = 2
"""Of each side: a round goes over all sides and back again."""
_MANY_MORE = 8
"""Times the calls: a block of as many as the other side's would be too short for the clock."""
LONG_CALL_NS = 10_000_000
"""In a call as long as this, warming the caches is no longer seen."""

_BLOCKS_AT_ONCE = 16
"""Of a launch alone, before the yardstick is read again; more where…"""
_MOST_STRETCHES = 200
"""…it would be read more often than this."""
_MUCH_LONGER = 100
"""Times the budget for repeating: who compiles for half a minute is not asked to do it again."""
_PATIENCE = 20
"""Times the budget: a machine that stalls for so long is not waited for."""

_COUNTED_IN = {
    "nodes": "construct",
    "gradient_nodes": "differentiate",
    "engine_nodes": "lower",
    "cache_entries": "compile",
    "recompilations": "compile",
    "optimised_nodes": "compile",
    "kernels": "compile",
}


def conduct_time(
    sides: Sequence[Side],
    effort: Effort,
    rng: random.Random,
    *,
    when_open: Callable[[], None] = lambda: None,
    when_timed: Callable[[], None] = lambda: None,
) -> None:
    """Take every side through its phases against the clock.

    Args:
        sides: alive together, the baseline first.
        effort: how much is measured.
        rng: orders the sides.
        when_open: called once when all sides are open, and not waited for.
        when_timed: called once when nothing more will be timed; what is left is arithmetic.
    """
    group = Group(sides, rng, "time")
    group.each(Side.open)
    when_open()
    is_prepared_elsewhere = not any(map(effort.wants, PREPARED_PHASES))
    if not is_prepared_elsewhere:
        group.each(Side.stay)
    for phase in PREPARED_PHASES:
        group.each(_first_time, phase, effort)
    # Nothing is said of a time before the value is known to be right.
    group.each(_check)
    group.each(_count)
    group.each(_multiply, effort)
    group.release()
    if is_prepared_elsewhere:
        group.each(Side.stay)
    _time_blocks(group, effort)
    is_repeated, is_torn_down = not is_prepared_elsewhere, effort.wants("teardown")
    if not (is_repeated or is_torn_down):
        when_timed()
    _judge_blocks(group, effort)
    group.release()
    if is_repeated:
        _repeat(group, effort)
        group.release()
    if is_torn_down:
        group.each(_time_teardown)
    if is_repeated or is_torn_down:
        when_timed()
    group.release()


def questions_ahead(request: m.Open, phases: Sequence[str], effort: Effort) -> list[m.Message]:
    """What `conduct_time` will ask first and does not time: it may be posted before.

    Args:
        request: what opens the subject.
        phases: that it has, as an earlier launch of it said; empty where none has said.
        effort: as it will be conducted with.
    """
    ahead: list[m.Message] = [request]
    if phases and not any(map(effort.wants, PREPARED_PHASES)):
        prepared = [phase for phase in PREPARED_PHASES if phase in phases]
        ahead += [m.RunPhase(phase=phase, collects=False) for phase in prepared]
        ahead += [m.Check(), m.Count()]
        if _is_multiplied(effort):
            ahead.append(_multiplying(effort))
    return ahead


def _first_time(side: Side, phase: str, effort: Effort) -> None:
    if phase not in side.phases:
        return
    is_wanted = effort.wants(phase)
    elapsed = side.ask(m.RunPhase(phase=phase, collects=is_wanted), m.Elapsed, phase)
    if phase != "first_call":
        side.prepared_ns += elapsed.elapsed_ns
    if not is_wanted:
        return
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


def _is_multiplied(effort: Effort) -> bool:
    return effort.instances > 1 and effort.wants("evaluate")


def _multiplying(effort: Effort) -> m.Multiply:
    return m.Multiply(instances=effort.instances, budget_ns=effort.instances_budget_ns)


def _multiply(side: Side, effort: Effort) -> None:
    if _is_multiplied(effort):
        side.instances = side.ask(_multiplying(effort), m.Multiplied, "compile").instances


def _time_blocks(group: Group, effort: Effort) -> None:
    """Time blocks of calls: alone in one go, together in mirrored rounds."""
    group.each(_calibrate, effort)
    group.each(_read_yardstick)
    if len(group.alive) == 1:
        group.each(_blocks_alone, effort)
    else:
        _share_calls(group.alive)
        _blocks_together(group, effort)
        group.each(_read_yardstick)


def _judge_blocks(group: Group, effort: Effort) -> None:
    """See that what was timed is still right, and estimate from the blocks."""
    group.each(_check_again)
    _estimate(group.alive, effort)
    for side in group.alive:
        _hold_yardstick(side)


def _calibrate(side: Side, effort: Effort) -> None:
    asked = m.Calibrate(block_ns=effort.block_ns, calls=side.known_calls)
    calibrated = side.ask(asked, m.Calibrated, "evaluate")
    side.series.calls = calibrated.calls
    side.untimed_calls = UNTIMED_CALLS if calibrated.call_ns < LONG_CALL_NS else 0


def _share_calls(sides: Sequence[Side]) -> None:
    """Give all sides blocks of as many calls, but for one so fast that it needs many more.

    The first calls of a block are slower than later ones, so that a block of one call says more
    per call than one of two.
    """
    least = min((side.series.calls for side in sides), default=1)
    for side in sides:
        if side.series.calls < _MANY_MORE * least:
            side.series.calls = least


def _blocks_alone(side: Side, effort: Effort) -> None:
    """Blocks back to back; the yardstick is read now and then, to tell drift from the machine."""
    wanted = effort.warm_up_blocks + effort.blocks
    at_once = max(_BLOCKS_AT_ONCE, wanted // _MOST_STRETCHES)
    deadline = monotonic() + effort.evaluate_budget_ns * 1e-9
    untimed_calls = 0
    while (done := len(side.series.elapsed_ns)) < wanted:
        left_ns = int((deadline - monotonic()) * 1e9)
        if done and left_ns <= 0:
            break
        _run_blocks(side, min(at_once, wanted - done), untimed_calls, max(0, left_ns))
        _read_yardstick(side)
        side.speeds.append(_speed_after(side))
        untimed_calls = side.untimed_calls


def _speed_after(side: Side) -> Speed:
    """What the yardstick said last, and after which block."""
    last = [side.yardstick_ns[name][-1] for name in SPEED_YARDSTICKS]
    log_time = statistics.fmean(math.log(max(1, elapsed_ns)) for elapsed_ns in last)
    return Speed(block=len(side.series.elapsed_ns), log_time=log_time)


def _blocks_together(group: Group, effort: Effort) -> None:
    budget_s = effort.evaluate_budget_ns * 1e-9 * len(group.alive)
    patience = monotonic() + _PATIENCE * budget_s
    order: list[Side] = []
    enough = -(-(effort.warm_up_blocks + effort.blocks) // ROUND_BLOCKS)
    for number in range(1, enough + 1):
        # Every other round is the mirror of the one before: no side comes first more often.
        order = group.shuffled() if number % 2 else order[::-1]
        for side in order + order[::-1]:
            group.one(side, _run_blocks, 1, side.untimed_calls, 0)
        if number >= _affordable(group.alive, budget_s) or monotonic() > patience:
            break


def _affordable(sides: Sequence[Side], budget_s: float) -> float:
    """How many rounds the budget pays for, by what blocks usually take: not by what a stall took.

    A pair whose rounds were cut short by a stall would stand on a handful of blocks. Of a round's
    two blocks, the faster one counts.
    """
    round_ns = sum(
        ROUND_BLOCKS
        * statistics.median_low(side.series.elapsed_ns)
        * (1 + side.untimed_calls / side.series.calls)
        for side in sides
        if side.series.elapsed_ns
    )
    return budget_s * 1e9 / round_ns if round_ns else 0.0


def _run_blocks(side: Side, blocks: int, untimed_calls: int, budget_ns: int) -> None:
    asked = m.RunBlocks(
        blocks=blocks, calls=side.series.calls, untimed_calls=untimed_calls, budget_ns=budget_ns
    )
    answer = side.ask(asked, m.Blocks, "evaluate")
    side.series.elapsed_ns += answer.elapsed_ns
    side.series.evidence += [Evidence(*each) for each in answer.evidence]


def _read_yardstick(side: Side) -> None:
    answer = side.ask(m.ReadYardstick(), m.YardstickRead, "evaluate")
    for name, elapsed_ns in answer.elapsed_ns.items():
        side.yardstick_ns.setdefault(name, []).append(elapsed_ns)


def _check_again(side: Side) -> None:
    """What was right at first may be wrong now, and its times worth nothing."""
    answer = side.ask(m.CheckAgain(), m.CheckedAgain, "evaluate")
    if answer.problem:
        raise SubjectFailed(m.Failure(phase="evaluate", status="wrong", detail=answer.problem))
    side.threads = answer.threads


def _hold_yardstick(side: Side) -> None:
    for name, elapsed_ns in side.yardstick_ns.items():
        side.hold(
            Measurement(
                phase="evaluate",
                metric="time",
                source=CLOCK,
                value=statistics.median(elapsed_ns) * 1e-9,
                blocks=len(elapsed_ns),
                calls=len(elapsed_ns),
                yardstick=name,
            )
        )


def _estimate(sides: Sequence[Side], effort: Effort) -> None:
    """Time per call of each side, and of each against the first, the baseline."""
    judged = judge_blocks(
        [side.series for side in sides],
        warm_up_blocks=effort.warm_up_blocks,
        round_blocks=ROUND_BLOCKS if len(sides) > 1 else 1,
    )
    for side, own in zip(sides, judged, strict=True):
        beside = None if own is judged[0] else compare_neighbours(judged[0], own)
        _evaluated(side, own, beside)


def _evaluated(side: Side, judged: Judged, beside: Neighbours | None) -> None:
    seconds_per_call = judged.seconds_per_call()
    median = statistics.median(seconds_per_call)
    blocks = len(seconds_per_call)
    notes = {
        "steady": judged.steady.kind,
        "set_aside": str(sum(judged.is_set_aside)),
        "waited": f"{side.series.share_waited():.2g}",
    }
    if side.instances > 1:
        notes["instances"] = str(side.instances)
    if side.unit != CALL:
        notes["per"] = side.unit
    if side.series.halts():
        notes["halted"] = str(side.series.halts())
    if side.threads:
        notes["threads"] = str(side.threads)
    if side.is_layout_fixed:
        notes["layout"] = "fixed"
    if beside is not None:
        notes |= beside.ratio.notes() | {"compared": str(beside.compared)}
    side.hold(
        Measurement(
            phase="evaluate",
            metric="time",
            source=CLOCK,
            value=median,
            spread=interquartile_range(seconds_per_call),
            blocks=blocks,
            calls=blocks * side.series.calls,
            detail=format_notes(notes),
            # To the digits of the table, which is to be judged as it is now.
            pair_ratio=noted_ratio(notes),
        )
    )
    if blocks >= 3 and median > 0:
        seconds_per_call, is_corrected = without_speed(
            judged.counted(), seconds_per_call, side.speeds
        )
        # Drift is told by the calls that one function has had.
        calls = [block * side.series.calls / side.instances for block in judged.counted()]
        drift = time_drift(calls, seconds_per_call)
        side.hold(
            Measurement(
                phase="evaluate",
                metric="time_drift",
                source=CLOCK,
                value=drift.value,
                blocks=blocks,
                calls=blocks * side.series.calls,
                detail=format_notes(
                    drift_notes(drift) | ({"speed": "corrected"} if is_corrected else {})
                ),
            )
        )


def _repeat(group: Group, effort: Effort) -> None:
    """Prepare again and again: alone in one go, together a few at a time in mirrored rounds.

    What took a hundred times as long as that may take is not prepared even once more.
    """
    longest_ns = max((side.prepared_ns for side in group.alive), default=0)
    if longest_ns > _MUCH_LONGER * effort.repeat_budget_ns:
        return
    if len(group.alive) == 1:
        group.each(_repeat_some, effort.repeats, effort.repeat_budget_ns)
    else:
        deadline = monotonic() + effort.repeat_budget_ns * 1e-9 * len(group.alive)
        for _ in range(-(-effort.repeats // ROUND_BLOCKS)):
            order = group.shuffled()
            for side in order + order[::-1]:
                group.one(side, _repeat_some, 1, 0)
            if monotonic() > deadline:
                break
    group.each(_repeated)


def _repeat_some(side: Side, most: int, budget_ns: int) -> None:
    repeats = side.ask(m.Repeat(most=most, budget_ns=budget_ns), m.Repeats, "compile")
    for phase, elapsed_ns in repeats.elapsed_ns.items():
        side.repeats_ns.setdefault(phase, []).extend(elapsed_ns)


def _repeated(side: Side) -> None:
    for phase, elapsed_ns in side.repeats_ns.items():
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
