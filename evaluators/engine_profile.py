"""What an engine's own profiler tells of its calls: an adapter's optional method `profile`.

    def profile(self, lowered, weights, data, calls) -> EngineProfile

`lowered` is what the adapter's `lower` gave; it is compiled anew with the profiler on, and called
so many times after calls that warm it up. Nothing is measured beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple


class EngineRow(NamedTuple):
    """An operation, as the engine calls it; all of its nodes together, for one call."""

    name: str
    seconds: float
    """Of its own."""
    calls: float | None
    moved_bytes: float | None = None
    """Read and written; None where the engine does not tell, as below."""
    allocated_bytes: float | None = None
    flops: float | None = None
    phase: str = "evaluate"


class EngineProfile(NamedTuple):
    """Rows, in words what the profiler is and does not tell, and what the engine's graph holds."""

    rows: list[EngineRow]
    profiler: str
    remarks: list[str]
    graph: Mapping[str, int] = MappingProxyType({})
    """Nodes of the graph that `lower` gave, by the engine's own kinds; empty where it has none."""
    graph_of: str = ""
    """What those are, such as "ONNX nodes"."""


def summed(events: Iterable[EngineRow], calls: int) -> list[EngineRow]:
    """Rows of single events as rows of operations for one call, the longest first."""
    found: dict[tuple[str, str], list[EngineRow]] = {}
    for event in events:
        found.setdefault((event.phase, event.name), []).append(event)
    rows = [
        EngineRow(
            name=name,
            phase=phase,
            seconds=sum(each.seconds for each in all_events) / calls,
            calls=sum(each.calls or 0 for each in all_events) / calls,
            moved_bytes=_sum([each.moved_bytes for each in all_events], calls),
            allocated_bytes=_sum([each.allocated_bytes for each in all_events], calls),
            flops=_sum([each.flops for each in all_events], calls),
        )
        for (phase, name), all_events in found.items()
    ]
    return sorted(rows, key=lambda row: -row.seconds)


def _sum(values: list[float | None], calls: int) -> float | None:
    known = [each for each in values if each is not None]
    return sum(known) / calls if known else None
