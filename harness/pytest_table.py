"""The table of a pytest session: one launch, as everything is measured in one process."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from harness.environment import facts_of_this_process, machine_id
from harness.measurement import Measurement
from results.environments import write_environment
from results.errors import TableError
from results.schema import METRICS, Reading, storable
from results.writing import TableWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a test measures, as the table is to name it."""

    evaluator: str
    version: str
    scenario: str
    params: str
    mode: str


class Table:
    """Collects readings, and writes them when the session is over.

    Attributes:
        written: readings that were appended.
        problem: why they could not be; empty if they could.
    """

    def __init__(self, *, label: str) -> None:
        self.written = 0
        self.problem = ""
        self._label = label
        self._session = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        self._readings: list[Reading] = []

    def add(self, subject: Subject, measurements: Sequence[Measurement]) -> None:
        """Keep what was measured just now."""
        recorded_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._readings += [
            Reading(
                session=self._session,
                recorded_at=recorded_at,
                label=storable(self._label) or "current",
                evaluator=storable(subject.evaluator),
                evaluator_version=storable(subject.version),
                scenario=storable(subject.scenario),
                params=storable(subject.params),
                mode=subject.mode,
                phase=each.phase,
                metric=each.metric,
                unit=METRICS[each.metric].unit,
                source=each.source,
                launch=1,
                value=each.value,
                spread=each.spread,
                blocks=each.blocks,
                calls=each.calls,
                status=each.status,
                detail=storable(each.detail),
                machine=machine_id(),
                environment="",
            )
            for each in measurements
        ]

    def write(self, path: Path) -> None:
        """Append all readings to the table at `path`, and the environment's facts beside it."""
        if not self._readings:
            return
        environment, facts = facts_of_this_process()
        rows = [replace(each, environment=environment) for each in self._readings]
        try:
            with TableWriter(path) as table:
                table.write(rows)
            write_environment(path, environment, facts)
        except TableError as error:
            self.problem = str(error)
            return
        self.written = len(rows)
