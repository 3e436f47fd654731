"""Conducting launches under the memory probes."""

from __future__ import annotations

import random
from collections.abc import Sequence

from harness.conversation import PREPARED_PHASES, Group, Side, checked
from harness.effort import Effort
from harness.measurement import Measurement
from harness.worker import messages as m
from results.drift import slope


def conduct_memory(sides: Sequence[Side], effort: Effort, rng: random.Random) -> None:
    """Take every side through its phases under the memory probes."""
    group = Group(sides, rng, "memory")
    group.each(Side.open)
    for phase in PREPARED_PHASES:
        group.each(_measure_memory, phase)
    group.each(_follow_memory, effort)
    group.each(_measure_memory, "teardown")
    # The golden evaluator's own memory would be in the readings, so the check comes last.
    group.each(checked)
    group.release()


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
                detail=side.per_unit,
            )
        )


def _hold_memory(side: Side, phase: str, read: m.MemoryRead | m.MemorySeries) -> None:
    for metric, value, source in (
        ("peak_memory", read.peak_bytes, read.peak_source),
        ("held_memory", read.held_bytes, read.held_source),
        ("retained_memory", read.retained_bytes, read.held_source),
    ):
        side.hold(Measurement(phase=phase, metric=metric, source=source, value=float(value)))
