"""Conducting launches under the memory probes."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.conversation import CALL, PREPARED_PHASES, Group, Side, checked
from harness.effort import Effort
from harness.measurement import CLOCK, Measurement
from harness.sampled_memory import SampledMemory, Sampler
from harness.worker import messages as m
from results.drift import (
    LEAK_FLOOR_BYTES_PER_CALL,
    LEAK_FLOOR_BYTES_PER_REBUILD,
    Drift,
    drift_notes,
    memory_drift,
    time_drift,
)
from results.notes import format_notes

_KEPT_BYTES = 1_024
"""Of the heap, each time a phase is repeated: less is heap slack."""
_ONCE_BYTES = 64 * 1024
"""Resident memory that stays: less is pages that were touched for the first time."""
_LEAK_CALLS = 500
"""Over fewer, an engine's own caches that are filling look like a leak: a function that PyTorch has
compiled gains 40 kB within its first two hundred calls, and then nothing."""
_SETTLED = frozenset({"flat", "plateau"})
_KEPT = "function kept"
"""What stands in the place of a call where every function stays alive."""
_SAWTOOTH_BYTES = 4_096
"""Garbage that climbs less high is not told."""


def conduct_memory(
    sides: Sequence[Side],
    effort: Effort,
    rng: random.Random,
    samplers: Sequence[Sampler] = (),
) -> None:
    """Take every side through its phases under the memory probes.

    Args:
        sides: what is measured together.
        effort: how much of it.
        rng: for the order of sides.
        samplers: those that look at each side from outside, for systems that tell no peaks.
    """
    group = Group(sides, rng, "memory")
    if effort.drift_alone:
        _conduct_drift(group, effort)
        return
    reads: dict[Side, dict[str, m.MemoryRead]] = {side: {} for side in sides}
    sampled = {
        side: SampledMemory(each) for side, each in zip(sides, samplers, strict=bool(samplers))
    }
    group.each(Side.open)
    for phase in PREPARED_PHASES:
        group.each(_measure_memory, phase, reads, sampled)
    group.each(_follow_memory, effort)
    group.each(_measure_memory, "evaluate", reads, sampled)
    group.each(_measure_memory, "teardown", reads, sampled)
    # The first time is over, so what comes again each time shows.
    group.each(_hold_memory, effort, reads)
    # The golden evaluator's own memory would be in the readings, so the check comes last.
    group.each(checked)
    group.release()


def _conduct_drift(group: Group, effort: Effort) -> None:
    """Prepare once, without probes, and follow the calls as any other memory launch does."""
    group.each(Side.open)
    for phase in PREPARED_PHASES:
        group.each(_prepare, phase)
    group.each(_follow_memory, effort)
    group.each(checked)
    group.release()


def _prepare(side: Side, phase: str) -> None:
    if phase in side.phases:
        side.ask(m.RunPhase(phase=phase, collects=False), m.Elapsed, phase)


def _measure_memory(
    side: Side,
    phase: str,
    reads: dict[Side, dict[str, m.MemoryRead]],
    sampled: Mapping[Side, SampledMemory],
) -> None:
    if phase in side.phases:
        read = side.ask(m.MeasureMemory(phase=phase), m.MemoryRead, phase)
        reads[side][phase] = sampled[side].completed(read) if side in sampled else read


def _hold_memory(side: Side, effort: Effort, reads: dict[Side, dict[str, m.MemoryRead]]) -> None:
    asked = m.RepeatMemory(most=effort.rounds, budget_ns=effort.rounds_budget_ns)
    rounds = side.ask(asked, m.MemoryRounds, "compile")
    for read in reads[side].values():
        side.hold(*_measurements(read, rounds))


def _measurements(read: m.MemoryRead, rounds: m.MemoryRounds) -> list[Measurement]:
    """What the table says of a phase."""
    held = {"heap": str(read.held_heap_bytes)}
    found = [
        _memory(read.phase, "peak_memory", read.peak_bytes, read.peak_source),
        _memory(read.phase, "held_memory", read.held_bytes, read.held_source, held),
    ]
    if read.live_objects is not None:
        found.append(
            _memory(read.phase, "live_objects", read.live_objects, "gc.get_objects"),
        )
    return [
        *found,
        _memory(
            read.phase,
            "retained_memory",
            read.retained_bytes,
            read.held_source,
            _retained_notes(read, rounds),
        ),
    ]


def _retained_notes(read: m.MemoryRead, rounds: m.MemoryRounds) -> dict[str, str]:
    """The heap's own count, and whether what is left came once or comes again each time."""
    notes = {"heap": str(read.retained_heap_bytes), "objects": str(read.retained_objects)}
    left = rounds.retained_heap_bytes.get(read.phase, [])
    if left:
        each = round(statistics.median(left)) if _comes_each_time(left, rounds) else 0
        once = read.retained_bytes - each > _ONCE_BYTES
        comes = "each time" if each else "once" if once else "nothing"
        notes |= {"comes": comes, "each": str(each), "rounds": str(len(left))}
    return notes | {"settled_by": read.settled_by}


def _comes_each_time(left: Sequence[int], rounds: m.MemoryRounds) -> bool:
    """Whether a phase leaves something behind every time that whole rounds do not get back.

    A call may fill a cache of NumPy's that another phase empties, so a phase alone does not tell.
    """
    whole = statistics.median(rounds.whole_heap_bytes)
    return min(left) > max(_KEPT_BYTES, 0.02 * whole) and min(rounds.whole_heap_bytes) > _KEPT_BYTES


def _memory(
    phase: str, metric: str, value: int, source: str, notes: dict[str, str] | None = None
) -> Measurement:
    return Measurement(
        phase=phase,
        metric=metric,
        source=source,
        value=float(value),
        detail=format_notes(notes or {}),
    )


@dataclass(slots=True)
class _Followed:
    """The readings along the calls, of all that was asked for."""

    calls: list[int] = field(default_factory=list)
    in_use_bytes: list[int] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)
    unit_ns: list[int] = field(default_factory=list)
    source: str = ""

    def add(self, series: m.MemorySeries) -> None:
        """Go on with another series; where it begins, the last one ended."""
        new = 1 if self.calls else 0
        self.calls += series.calls[new:]
        self.in_use_bytes += series.in_use_bytes[new:]
        self.resident_bytes += series.resident_bytes[new:]
        self.unit_ns += series.unit_ns[new:]
        self.source = series.source

    def drift(self, floor: float) -> Drift | None:
        """The drift of bytes in use; None for too few readings."""
        if len(self.calls) < 3:
            return None
        return memory_drift(self.calls, self.in_use_bytes, floor)


def _follow_memory(side: Side, effort: Effort) -> None:
    """Follow memory along the calls, for longer where it seems to grow, and watch the collector."""
    followed = _Followed()
    units = side.opened.units if side.opened else None
    budget_ns = effort.follow_budget_ns
    if units is not None:
        budget_ns *= 5  # calls are what such a scenario is about, so it gets more time for them
    floor = LEAK_FLOOR_BYTES_PER_REBUILD if side.unit != CALL else LEAK_FLOOR_BYTES_PER_CALL
    drift: Drift | None = None
    for _ in range(1 + effort.follow_more):
        asked = m.FollowMemory(
            calls=units,
            least_calls=effort.follow_calls,
            samples=effort.follow_samples,
            budget_ns=budget_ns,
        )
        followed.add(side.ask(asked, m.MemorySeries, "evaluate"))
        before, drift = drift, followed.drift(floor)
        # A leak is told when it has been seen twice, the second time over more calls, and over
        # enough of them; where calls are slow, each time gets more.
        are_few = side.unit == CALL and followed.calls[-1] < _LEAK_CALLS
        confirmed = before is not None and before.grows and not are_few
        if are_few:
            budget_ns *= 2
        is_clear = drift is None or drift.kind in _SETTLED or (drift.grows and confirmed)
        if is_clear or side.unit == _KEPT:
            break
    watched = m.WatchCollector(budget_ns=effort.follow_budget_ns // 4)
    sawtooth = side.ask(watched, m.Sawtooth, "evaluate")
    if drift is not None:
        side.hold(_drift_measurement(side, followed, drift, sawtooth))
        if side.unit != CALL:
            _hold_rebuild_time_drift(side, followed)


def _drift_measurement(
    side: Side, followed: _Followed, drift: Drift, sawtooth: m.Sawtooth
) -> Measurement:
    notes = drift_notes(drift)
    if side.unit == _KEPT:
        notes["class"] = "kept"  # it grows because that is what the scenario does
    if sawtooth.highest_bytes > _SAWTOOTH_BYTES:
        notes["sawtooth"] = str(sawtooth.highest_bytes)
    notes["collector"] = "on" if sawtooth.collector_is_on else "off"
    notes["resident_growth"] = str(followed.resident_bytes[-1] - followed.resident_bytes[0])
    if side.unit != CALL:
        notes["per"] = side.unit
    return Measurement(
        phase="evaluate",
        metric="memory_drift",
        source=followed.source,
        value=drift.value,
        blocks=len(followed.calls),
        calls=followed.calls[-1],
        detail=format_notes(notes),
    )


def _hold_rebuild_time_drift(side: Side, followed: _Followed) -> None:
    """How the time of a rebuild goes on; the first one pays for what comes once."""
    if len(followed.calls) < 5:
        return
    drift = time_drift(followed.calls[2:], followed.unit_ns[2:])
    side.hold(
        Measurement(
            phase="evaluate",
            metric="time_drift",
            source=f"{CLOCK} per {side.unit}",
            value=drift.value,
            blocks=len(followed.calls) - 2,
            calls=followed.calls[-1],
            detail=format_notes(drift_notes(drift) | {"per": side.unit}),
        )
    )
