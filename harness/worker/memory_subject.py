"""The subject of a memory launch: its phases under the probes, and its memory as calls go on."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from time import perf_counter_ns
from typing import Any

import numpy as np

from harness.worker.memory import Probe, collecting_new_garbage_only, settle
from harness.worker.messages import (
    FollowMemory,
    MemoryRead,
    MemoryRounds,
    MemorySeries,
    Open,
    Sawtooth,
)
from harness.worker.preparation import Preparation
from harness.worker.subject import Subject
from harness.worker.timing import Clock
from scenarios.scenario import CALLS

_LEAST_READINGS = 14
"""Of memory along the calls: half of them are warm-up, and a class needs six."""
_FIRST_CALLS = 100
"""Calls that are looked at closely."""
_LONG_CALL_NS = 1_000_000
"""Calls as long as this end with the budget, however few they are."""
_LEAST_ROUNDS = 2
_GARBAGE_BYTES = 4_096
"""Uncollected memory above it is worth waiting for the collector."""


class MemorySubject(Subject):
    """A case that is taken through its phases under memory probes."""

    def __init__(self, request: Open, *, probe: Probe, clock: Clock = perf_counter_ns) -> None:
        super().__init__(request, clock=clock)
        self._probe = probe
        self._resident_before_all = 0
        self._calls: _Marks | None = None
        self._calls_made = 0

    def measure_memory(self, phase: str) -> MemoryRead:
        """Run a phase under the probes: once to be measured and dropped, once to be kept."""
        if phase == "evaluate":
            return self._measure_calls()
        if phase == "teardown":
            return self._measure_teardown()
        step = self._step(phase)
        marks = _Marks(self._probe)
        if phase == "construct":
            self._resident_before_all = marks.resident_bytes
        read = marks.run(phase, step)
        objects_before = len(gc.get_objects())
        self._keep(phase, step())
        gc.collect()
        return read._replace(live_objects=len(gc.get_objects()) - objects_before)

    def repeat_memory(self, most: int, budget_ns: int) -> MemoryRounds:
        """Prepare anew, again and again, and read what each phase leaves behind every time.

        What came once, such as an import or an allocator's arena, is there already; what comes
        again for each network shows. As when a phase is measured, it is run once to be dropped and
        once to be kept for the phases after it, so that products of others are in no reading.
        """
        retained: dict[str, list[int]] = {}
        whole: list[int] = []
        deadline = self._clock() + budget_ns
        with collecting_new_garbage_only():
            for done in range(most):
                if done >= _LEAST_ROUNDS and self._clock() > deadline:
                    break
                whole.append(self._left_by(lambda: self._run_round(retained)))
        return MemoryRounds(retained_heap_bytes=retained, whole_heap_bytes=whole)

    def follow_memory(self, request: FollowMemory) -> MemorySeries:
        """Call with fresh data and read bytes in use, garbage collected, as calls go on.

        A scenario whose life cycle is rebuilding is rebuilt in the place of each call. Reading
        takes at most about as long as calling does. Asked again, it goes on from where it was.
        """
        if self._calls is None:
            self._calls = _Marks(self._probe)
        unit = self._unit()
        # What is read is kept in memory that is there already: a list would grow meanwhile.
        rows = np.zeros((4 * request.samples, 4), np.int64)
        pace = Pace(request, self._clock)
        readings = 0
        with collecting_new_garbage_only(), self._collector():
            while True:
                pace.begin_reading()
                if self._collects:
                    gc.collect()
                rows[readings] = (
                    self._calls_made,
                    self._probe.in_use(),
                    self._probe.resident(),
                    pace.unit_ns,
                )
                readings += 1
                pace.end_reading()
                if readings == len(rows) or pace.is_enough(readings):
                    break
                while True:
                    unit()
                    self._calls_made += 1
                    if pace.is_reading_due():
                        break
        calls, in_use_bytes, resident_bytes, unit_ns = rows[:readings].T.tolist()
        return MemorySeries(
            calls=calls,
            in_use_bytes=in_use_bytes,
            resident_bytes=resident_bytes,
            unit_ns=unit_ns,
            source=self._probe.in_use_source,
        )

    def watch_collector(self, budget_ns: int) -> Sawtooth:
        """Go on calling as a user's program does, and see how high memory climbs meanwhile.

        While there is garbage that nobody has collected, this goes on for up to four budgets.
        """
        unit = self._unit()
        gc.collect()
        start_bytes = highest_bytes = self._probe.in_use()
        collections_before = _collections()
        calls = collections = 0
        reading_ns = 0
        start = looked = self._clock()
        with self._collector():
            while True:
                unit()
                calls += 1
                before = self._clock()
                if before - looked < 4 * reading_ns:
                    continue
                highest_bytes = max(highest_bytes, self._probe.in_use())
                collections = _collections() - collections_before
                looked = self._clock()
                reading_ns = looked - before
                spent_ns = looked - start
                waits = highest_bytes - start_bytes > _GARBAGE_BYTES and collections < 2
                if spent_ns > (4 * budget_ns if waits else budget_ns):
                    break
        self._calls_made += calls
        gc.collect()
        return Sawtooth(
            calls=calls,
            highest_bytes=max(0, highest_bytes - self._probe.in_use()),
            collections=collections,
            collector_is_on=gc.isenabled(),
        )

    # Units that are repeated

    def _unit(self) -> Callable[[], None]:
        """One call with fresh data; or what the scenario's life cycle has in its place."""
        return self._fresh_call if self._scenario.lifecycle == CALLS else self._round

    def _fresh_call(self) -> None:
        self._preparation.function(self._weights, self._draw_data(self._preparation.network))

    def _steps_of(self, preparation: Preparation) -> Iterator[tuple[str, Callable[[], Any]]]:
        """The phases of a preparation in order; the first call has inputs of its own."""
        for phase in preparation.phases:
            yield phase, preparation.step(phase)
        rng = np.random.default_rng(self._request.seed)
        weights = self._scenario.draw_weights(preparation.network, rng)
        data = self._scenario.draw_data(preparation.network, rng)
        yield "first_call", lambda: preparation.function(weights, data)

    def _run_round(self, retained: dict[str, list[int]]) -> None:
        """Run every phase on a new preparation, drop all, and add what each left behind."""
        preparation = self._new_preparation()
        for phase, step in self._steps_of(preparation):
            retained.setdefault(phase, []).append(self._left_by(step))
            if phase != "first_call":
                preparation.keep(phase, step())
        preparation.drop()

    # Readings

    def _left_by(self, step: Callable[[], Any]) -> int:
        """Heap bytes that a step leaves behind when its product is dropped."""
        heap_bytes = np.zeros(2, np.int64)  # an int would be allocated between the two readings
        settle(self._probe)
        heap_bytes[0] = self._probe.heap()
        step()
        settle(self._probe)
        heap_bytes[1] = self._probe.heap()
        return int(heap_bytes[1] - heap_bytes[0])

    def _measure_calls(self) -> MemoryRead:
        """What the calls that were followed did, all together."""
        if self._calls is None:
            raise RuntimeError("no calls were followed")
        return self._calls.run("evaluate", lambda: None)

    def _measure_teardown(self) -> MemoryRead:
        """What dropping everything gives back; retained is what never came back of all phases."""
        self._pool, self._weights = [], {}
        marks = _Marks(self._probe)
        read = marks.run("teardown", self._tear_down)
        return read._replace(retained_bytes=self._probe.resident() - self._resident_before_all)


class _Marks:
    """What memory was before a phase, and what it has become."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._objects = _settled_objects(probe)
        self._heap_bytes = probe.heap()
        self.resident_bytes = probe.resident()
        probe.be_seen()
        probe.reset_peak()
        self._peak_bytes = probe.peak()
        self._began_s = time.time()

    def run(self, phase: str, step: Callable[[], object]) -> MemoryRead:
        """Take the step, and read the marks with its product alive and after dropping it."""
        probe = self._probe
        product = step()
        # The kernel may still owe a batch of its counter to the first reading of the mark.
        peak_bytes = max(0, probe.peak() - self._peak_bytes)
        ended_s = time.time()
        settle(probe)
        held_bytes = probe.resident() - self.resident_bytes
        held_heap_bytes = probe.heap() - self._heap_bytes
        probe.be_seen()
        held_s = time.time()
        del product
        objects = _settled_objects(probe)
        probe.be_seen()
        return MemoryRead(
            phase=phase,
            peak_bytes=peak_bytes,
            held_bytes=held_bytes,
            retained_bytes=probe.resident() - self.resident_bytes,
            live_objects=None,
            peak_source=probe.peak_source,
            held_source=probe.resident_source,
            held_heap_bytes=held_heap_bytes,
            retained_heap_bytes=probe.heap() - self._heap_bytes,
            retained_objects=objects - self._objects,
            heap_source=probe.heap_source,
            settled_by=probe.settled_by,
            began_s=self._began_s,
            ended_s=ended_s,
            held_s=held_s,
            dropped_s=time.time(),
        )


class Pace:
    """When memory is read along the calls, and when that has been done often enough.

    The first calls are looked at closely: a reading is due when there were a quarter more calls
    than at the last one. Then it is due after a share of the budget or, where a number of calls was
    asked for, of those calls; and by time not before calling has taken as long as the last reading.
    """

    def __init__(self, request: FollowMemory, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._start = self._looked = clock()
        self._began_reading = 0
        self._reading_ns = 0
        self._calling_ns = 0
        self._last_unit = 0
        self._done = self._done_at_reading = 0
        self.unit_ns = 0
        """How long the last call took."""

    def begin_reading(self) -> None:
        """Note when a reading begins."""
        self._began_reading = self._clock()
        self._calling_ns += self._began_reading - self._looked

    def end_reading(self) -> None:
        """Note when it has ended, and calls go on."""
        self._looked = self._last_unit = self._clock()
        self._reading_ns = self._looked - self._began_reading
        self._done_at_reading = self._done

    def is_reading_due(self) -> bool:
        """To be asked after every call."""
        request = self._request
        now = self._clock()
        self.unit_ns = now - self._last_unit
        self._last_unit = now
        self._done += 1
        if self._done <= _FIRST_CALLS and 4 * self._done >= 5 * self._done_at_reading:
            return True
        if request.calls is not None:
            if self._done >= request.calls:
                return True
            if (self._done - self._done_at_reading) * request.samples >= request.calls:
                return True
        share_ns = request.budget_ns // request.samples
        return now - self._looked >= max(self._reading_ns, share_ns)

    def is_enough(self, readings: int) -> bool:
        """To be asked after every reading."""
        request = self._request
        if request.calls is not None and self._done >= request.calls:
            return True
        spent_ns = self._looked - self._start
        are_long = self._done > 0 and self._calling_ns >= _LONG_CALL_NS * self._done
        if spent_ns > 10 * request.budget_ns and are_long:
            return True
        if spent_ns <= request.budget_ns or readings < _LEAST_READINGS:
            return False
        return are_long or self._done >= request.least_calls


def _settled_objects(probe: Probe) -> int:
    """Settle, and count the objects that the collector knows.

    They are counted in between, since listing them takes memory that is then given back.
    """
    gc.collect()
    objects = len(gc.get_objects())
    settle(probe)
    return objects


def _collections() -> int:
    """How often the collector has come so far."""
    return sum(each["collections"] for each in gc.get_stats())
