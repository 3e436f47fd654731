"""What is kept beside a table: blocks and timelines, one JSON object a launch and line.

NAME.blocks.jsonl       the blocks that times stand on, with what else went on
NAME.timelines.jsonl    resident memory along a memory launch
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.blocks import Series
from harness.plan import Contender, Step
from harness.timeline import Timeline
from harness.worker.evidence import Evidence
from results.writing import append_json_lines


def blocks_path(table: Path) -> Path:
    """Where the blocks that a table's times stand on are kept."""
    return table.with_name(f"{table.stem}.blocks.jsonl")


def timelines_path(table: Path) -> Path:
    """Where the timelines of a table's memory launches are kept."""
    return table.with_name(f"{table.stem}.timelines.jsonl")


class SideFiles:
    """Appends to the files beside one table."""

    def __init__(self, table: Path) -> None:
        self._table = table

    def keep_blocks(
        self, session: str, step: Step, series: Iterable[tuple[Contender, Series]]
    ) -> None:
        """The blocks of a step's launches; nothing of those that have none."""
        lines = [
            {
                **_launch_names(session, contender, step),
                "calls": each.calls,
                "elapsed_ns": each.elapsed_ns,
                "evidence": each.evidence,
                "evidence_fields": Evidence._fields,
            }
            for contender, each in series
            if each.elapsed_ns
        ]
        append_json_lines(blocks_path(self._table), lines)

    def keep_timeline(
        self, session: str, step: Step, contender: Contender, timeline: Timeline
    ) -> None:
        """Resident memory along a launch; nothing of one that was too short for a sample."""
        samples = timeline.samples()
        if not samples:
            return
        start = samples[0].seconds
        line = {
            **_launch_names(session, contender, step),
            "source": "memory_profiler",
            "seconds": [round(each.seconds - start, 3) for each in samples],
            "resident_bytes": [each.resident_bytes for each in samples],
        }
        append_json_lines(timelines_path(self._table), [line])


def _launch_names(session: str, contender: Contender, step: Step) -> dict[str, object]:
    return {
        "session": session,
        "label": contender.version.label,
        "evaluator": contender.case.evaluator,
        "scenario": contender.case.scenario,
        "params": contender.case.params_text,
        "mode": contender.case.mode,
        "launch": step.launch,
        "pair": step.pair,
    }
