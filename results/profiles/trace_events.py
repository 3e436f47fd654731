"""Timelines of launches in the Trace Event Format, which Perfetto and Chrome's tracing page open.

Complete events (`ph: X`) on named tracks and counters (`ph: C`); times in microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that took time.

    Attributes:
        track: the line that it is drawn on.
        name: what is written in its box.
        start_s: since the launch's record began.
        duration_s: how long it took.
        facts: what else is shown of it.
    """

    track: str
    name: str
    start_s: float
    duration_s: float
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchTimeline:
    """What happened along one launch.

    Attributes:
        name: of the launch, as its process is called.
        spans: on tracks, in any order; those of a track lie within each other or apart.
        resident_bytes: pairs of seconds since the record began, and bytes.
    """

    name: str
    spans: Sequence[Span]
    resident_bytes: Sequence[tuple[float, int]]


def trace_file(launches: Sequence[LaunchTimeline]) -> str:
    """All launches as one file, each as a process of its own."""
    events: list[dict[str, Any]] = []
    for process, launch in enumerate(launches, 1):
        events.append(_named("process_name", launch.name, process, 0))
        tracks = list(dict.fromkeys(span.track for span in launch.spans))
        for thread, track in enumerate(tracks, 1):
            events.append(_named("thread_name", track, process, thread))
            events.append(
                {"ph": "M", "name": "thread_sort_index", "pid": process, "tid": thread}
                | {"args": {"sort_index": thread}}
            )
        events += [_span(span, process, tracks.index(span.track) + 1) for span in launch.spans]
        events += [
            {"ph": "C", "name": "resident memory", "pid": process, "ts": seconds * 1e6}
            | {"args": {"bytes": size}}
            for seconds, size in sorted(launch.resident_bytes)
        ]
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"})


def _named(kind: str, name: str, process: int, thread: int) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _span(span: Span, process: int, thread: int) -> dict[str, Any]:
    return {
        "ph": "X",
        "name": span.name,
        "cat": span.track,
        "pid": process,
        "tid": thread,
        "ts": span.start_s * 1e6,
        "dur": span.duration_s * 1e6,
        "args": dict(span.facts),
    }
