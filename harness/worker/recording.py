"""What happens along one launch: phases, blocks, collections, memory; for a viewer of timelines."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns

from harness.worker.messages import RecordTimeline, TimelineRecorded
from harness.worker.profiling import ProfiledSubject

_STATM = "/proc/self/statm"
PHASES, BLOCKS, COLLECTOR = "phases", "blocks", "collector"


class _Record:
    """Spans and readings, in ns since the record began."""

    def __init__(self) -> None:
        self._began_ns = perf_counter_ns()
        self.began_s = time.time()
        self.spans: list[tuple[str, str, int, int, dict[str, float]]] = []
        self.resident_bytes: list[tuple[int, int]] = []
        self._collecting_ns = 0

    def now(self) -> int:
        return perf_counter_ns() - self._began_ns

    def add(self, track: str, name: str, start_ns: int, **facts: float) -> None:
        self.spans.append((track, name, start_ns, self.now() - start_ns, facts))

    def read_memory(self) -> None:
        """Resident bytes, where the system tells them at no cost."""
        try:
            with open(_STATM, "rb") as file:
                pages = int(file.read().split()[1])
        except (OSError, IndexError, ValueError):
            return
        self.resident_bytes.append((self.now(), pages * os.sysconf("SC_PAGE_SIZE")))

    def on_collection(self, moment: str, facts: dict[str, int]) -> None:
        """What the interpreter calls when its cyclic collector begins and ends."""
        if moment == "start":
            self._collecting_ns = self.now()
        else:
            name = f"generation {facts['generation']}"
            self.add(COLLECTOR, name, self._collecting_ns, collected=facts["collected"])

    @contextmanager
    def collections(self) -> Iterator[None]:
        """Have every collection recorded meanwhile."""
        gc.callbacks.append(self.on_collection)
        try:
            yield
        finally:
            gc.callbacks.remove(self.on_collection)


class RecordedSubject(ProfiledSubject):
    """A case that is taken once through its life, with the times of all that happens in it."""

    def record_timeline(self, request: RecordTimeline) -> TimelineRecorded:
        """Every phase, and between first call and teardown so many blocks of calls."""
        record = _Record()
        with record.collections():
            for phase in self.opened().phases:
                record.read_memory()
                start_ns = record.now()
                if phase == "evaluate":
                    self._record_blocks(record, request)
                else:
                    self.run_phase(phase, collects=False)
                record.add(PHASES, phase, start_ns)
                record.read_memory()
        return TimelineRecorded(
            began_s=record.began_s, spans=record.spans, resident_bytes=record.resident_bytes
        )

    def _record_blocks(self, record: _Record, request: RecordTimeline) -> None:
        calls = self.calibrate(request.block_ns).calls
        for _ in range(request.blocks):
            start_ns = record.now()
            elapsed_ns, _evidence = self._time_one_block(calls, untimed_calls=0)
            record.add(
                BLOCKS,
                f"{calls} calls",
                start_ns,
                calls=calls,
                seconds_per_call=elapsed_ns * 1e-9 / calls,
            )
            record.read_memory()
