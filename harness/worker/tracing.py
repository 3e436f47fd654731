"""Attribution: which lines allocated what is there at the peak, and what never comes back.

tracemalloc knows every allocation of Python and of numpy with its stack. It slows allocation down
several times over, so nothing is timed here, and memory of other allocators is not in it: memray
tells that, where it is there (`harness.worker.native_tracing`).
"""

from __future__ import annotations

import gc
import linecache
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.worker.memory_subject import MemorySubject
from harness.worker.messages import Traced, TraceMemory
from harness.worker.native_tracing import trace_natively
from harness.worker.places import shortened

_FRAMES = 32
_LOOK_S = 0.0005
_HIGHER = 1.02
"""A new highest moment is looked at when it exceeds the last by so much: looking takes time."""
_SWITCH_S = 0.0001

Site = tuple[list[str], str, int]


class TracedSubject(MemorySubject):
    """A case that is taken through its phases under tracemalloc."""

    def trace_memory(self, request: TraceMemory) -> Traced:
        """Prepare, call and drop: once, and then again in rounds, reading what is left."""
        if request.is_native:
            return self._trace_natively(request)
        tracemalloc.start(_FRAMES)
        before = _settled()
        with _highest_moment() as seen:
            self._trace_round(request.calls)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        after_first = _settled()
        for _ in range(request.rounds):
            self._trace_round(request.calls)
        after_all = _settled()
        tracemalloc.stop()
        return Traced(
            peak=_sites(seen.snapshot, request.sites),
            once=_grown(before, after_first, 1, request.sites),
            each=_grown(after_first, after_all, request.rounds, request.sites),
            peak_bytes=peak_bytes,
            seen_bytes=seen.highest_bytes,
            evaluator_version=self._evaluator.version(),
        )

    def _trace_natively(self, request: TraceMemory) -> Traced:
        found = trace_natively(
            lambda: self._trace_round(request.calls), request.rounds, request.sites
        )
        return Traced(**found._asdict(), evaluator_version=self._evaluator.version())

    def _trace_round(self, calls: int) -> None:
        self._preparation = self._new_preparation()
        self._prepare_again()
        for _ in range(calls):
            self._fresh_call()
        self._tear_down()
        self._pool, self._weights, self._inputs = [], {}, None


class _Moment:
    """The highest moment so far, and what was allocated then."""

    def __init__(self) -> None:
        self.highest_bytes = 0
        self.snapshot: tracemalloc.Snapshot | None = None
        self._ended = threading.Event()

    def look(self) -> None:
        """Take a snapshot if memory is higher than it was at the last one."""
        current_bytes = tracemalloc.get_traced_memory()[0]
        if current_bytes > self.highest_bytes * _HIGHER:
            self.highest_bytes = current_bytes
            self.snapshot = _without_us(tracemalloc.take_snapshot())

    def keep_looking(self) -> None:
        """Look until told to end."""
        while not self._ended.is_set():
            self.look()
            time.sleep(_LOOK_S)

    def end(self) -> None:
        """Look no more."""
        self._ended.set()


@contextmanager
def _highest_moment() -> Iterator[_Moment]:
    """Look at memory from another thread meanwhile, which gets its turn often."""
    moment = _Moment()
    thread = threading.Thread(target=moment.keep_looking, daemon=True)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    thread.start()
    try:
        yield moment
    finally:
        moment.end()
        thread.join()
        sys.setswitchinterval(interval)


def _settled() -> tracemalloc.Snapshot:
    gc.collect()
    return _without_us(tracemalloc.take_snapshot())


def _without_us(snapshot: tracemalloc.Snapshot) -> tracemalloc.Snapshot:
    """The snapshot without what tracing itself allocates."""
    ours = (__file__, tracemalloc.__file__, linecache.__file__, threading.__file__)
    return snapshot.filter_traces([tracemalloc.Filter(False, each) for each in ours])


def _sites(snapshot: tracemalloc.Snapshot | None, most: int) -> list[Site]:
    if snapshot is None:
        return []
    return [_site(each.traceback, each.size) for each in snapshot.statistics("traceback")[:most]]


def _grown(
    before: tracemalloc.Snapshot, after: tracemalloc.Snapshot, rounds: int, most: int
) -> list[Site]:
    """The sites that hold more than before, by round, the largest first."""
    if rounds == 0:
        return []
    differences = after.compare_to(before, "traceback")
    found = [
        _site(each.traceback, each.size_diff // rounds)
        for each in differences
        if each.size_diff // rounds > 0
    ]
    return sorted(found, key=lambda site: site[2], reverse=True)[:most]


def _site(traceback: Sequence[tracemalloc.Frame], size: int) -> Site:
    """The stack up to who called numpy: its own lines tell nothing."""
    frames = [(shortened(frame.filename), frame) for frame in traceback]
    while len(frames) > 1 and frames[-1][0].startswith("numpy/"):
        frames.pop()
    innermost = frames[-1][1]
    text = linecache.getline(innermost.filename, innermost.lineno).strip()
    return [f"{path}:{frame.lineno}" for path, frame in frames], text, size
