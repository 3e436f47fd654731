"""Peak, held and retained memory of a phase from samples, where the kernel tells no peak of it.

memory_profiler looks at the process from outside every 20 ms; the worker says when the phase began
and ended, and stands still where a level is to be seen (`PortableProbe.be_seen`). A peak between
two samples is missed, which is why this is not the source where there is a better one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.timeline import Sample
from harness.worker.memory import PortableProbe
from harness.worker.messages import MemoryRead

SOURCE = "memory_profiler"


class Sampler(Protocol):
    """Looks at a process from outside."""

    def samples_so_far(self) -> Sequence[Sample]:
        """In the order of time."""
        ...


class SampledMemory:
    """What one launch was seen to hold."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._first_began_s: float | None = None

    def completed(self, read: MemoryRead) -> MemoryRead:
        """The reading as it is if its probe could tell a phase's peak, else from samples.

        It stays as it is, too, where not a sample was taken before the phase: `source` says so.
        """
        if read.peak_source != PortableProbe.peak_source:
            return read
        samples = self._sampler.samples_so_far()
        if self._first_began_s is None:
            self._first_began_s = read.began_s
        before = _level(samples, read.began_s)
        before_all = _level(samples, self._first_began_s)
        held, dropped = _level(samples, read.held_s), _level(samples, read.dropped_s)
        if before is None or before_all is None or held is None or dropped is None:
            return read
        meanwhile = [
            each.resident_bytes for each in samples if read.began_s < each.seconds <= read.held_s
        ]
        # Of teardown, what never came back of all phases together.
        start = before_all if read.phase == "teardown" else before
        return read._replace(
            peak_bytes=max(0, held - before, *(each - before for each in meanwhile)),
            held_bytes=held - before,
            retained_bytes=dropped - start,
            peak_source=SOURCE,
            held_source=SOURCE,
        )


def _level(samples: Sequence[Sample], seconds: float) -> int | None:
    """What the last sample until then saw."""
    earlier = [each.resident_bytes for each in samples if each.seconds <= seconds]
    return earlier[-1] if earlier else None
