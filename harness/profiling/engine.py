"""Launches in which an engine's own profiler looks at its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from evaluators.engine_profile import EngineRow
from harness.cases import Case
from harness.conversation import SubjectFailed
from harness.launch import LocalLauncher
from harness.plan import Version
from harness.profiling.opening import prepare_and_check, started
from harness.worker import messages as m
from results.profiles.reading import UNEXPLAINED, ProfileReading

BY: Final = "engine"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTold:
    """What an engine's profiler told in one launch.

    Attributes:
        readings: its rows, the longest first, and what of a call they do not explain.
        profiler: which one, and its release.
        remarks: what it does not tell, in words.
        call_s: one call without the profiler.
        profiled_s: the rows of a call together.
        graph: nodes of its graph by kind, sorted by name; empty where it tells none.
        graph_of: what they are.
    """

    readings: tuple[ProfileReading, ...]
    profiler: str
    remarks: tuple[str, ...]
    call_s: float
    profiled_s: float
    graph: tuple[tuple[str, int], ...]
    graph_of: str


def ask_engine(
    case: Case,
    version: Version,
    *,
    calls: int,
    timeout_s: float,
    plugins: tuple[str, ...] = (),
    launch_number: int = 1,
    pair: int | None = None,
) -> EngineTold | m.Failure:
    """Take a case through its phases, check its result, and ask the engine."""
    launch, side = started(
        case,
        version,
        LocalLauncher(),
        plugins=plugins,
        timeout_s=timeout_s,
        launch_number=launch_number,
    )
    try:
        side.open()
        prepare_and_check(side)
        answer = side.ask(m.ProfileEngine(calls=calls), m.EngineProfiled, "evaluate")
    except SubjectFailed as failed:
        return failed.failure
    finally:
        launch.close()
    return _told(answer, version.label, launch_number, pair)


def _told(answer: m.EngineProfiled, label: str, launch: int, pair: int | None) -> EngineTold:
    rows = [EngineRow(*fields) for fields in answer.rows]
    call_s = answer.call_ns * 1e-9
    profiled_s = sum(row.seconds for row in rows if row.phase == "evaluate")
    if rows:
        rest = EngineRow(name=UNEXPLAINED, seconds=call_s - profiled_s, calls=None)
        rows.append(rest)
    return EngineTold(
        readings=tuple(
            ProfileReading(
                label=label,
                launch=launch,
                pair=pair,
                phase=row.phase,
                by=BY,
                name=row.name,
                file="",
                line=None,
                seconds=row.seconds,
                calls=row.calls,
                moved_bytes=row.moved_bytes,
                allocated_bytes=row.allocated_bytes,
                flops=row.flops,
            )
            for row in rows
        ),
        profiler=answer.profiler,
        remarks=tuple(answer.remarks),
        call_s=call_s,
        profiled_s=profiled_s,
        graph=tuple(sorted(answer.graph.items())),
        graph_of=answer.graph_of,
    )
