"""What a table holds of a session already, so that `--resume` adds only what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.measurement import Measurement
from harness.plan import MEMORY, TIME, Contender, Step
from results.schema import Reading
from results.tables import read, readings

_LAST_ROW = {TIME: ("teardown", "time"), MEMORY: ("teardown", "retained_memory")}
"""The reading that a launch of that kind writes last: with it, the launch is complete."""


class Written:
    """What the table holds of this session: `--resume` adds only what is missing."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._keys: set[tuple[object, ...]] = set()
        self._failed: dict[tuple[str, ...], Measurement] = {}
        self.session = ""
        for reading in readings:
            self.session = reading.session
            self._keys.add(_key(reading, reading.phase, reading.metric, reading.launch))
            if reading.status != "ok":
                self._failed[_case_key(reading)] = Measurement(
                    phase=reading.phase,
                    metric=reading.metric,
                    source=reading.source,
                    value=None,
                    status=reading.status,
                    detail=reading.detail,
                )

    def has(self, reading: Reading) -> bool:
        """Whether the reading was written before."""
        return _key(reading, reading.phase, reading.metric, reading.launch) in self._keys

    def failure(self, contender: Contender) -> Measurement | None:
        """The row that stands for the contender's failure, if it has failed before."""
        return self._failed.get(_contender_key(contender))

    def is_complete(self, contender: Contender, step: Step) -> bool:
        """Whether nothing is missing of that launch, or its case has failed before."""
        parts = _contender_key(contender)
        return parts in self._failed or (*parts, *_LAST_ROW[step.kind], step.launch) in self._keys


def written_before(table: Path, *, resume: bool) -> Written:
    """Of the table's last session with `--resume`, else nothing: a new session is appended."""
    if not resume or not table.stat().st_size:
        return Written()
    found = list(readings(read(table)))
    return Written(each for each in found if each.session == found[-1].session)


def _contender_key(contender: Contender) -> tuple[str, ...]:
    case = contender.case
    return (contender.version.label, case.evaluator, case.scenario, case.params_text, case.mode)


def _case_key(reading: Reading) -> tuple[str, ...]:
    return (reading.label, reading.evaluator, reading.scenario, reading.params, reading.mode)


def _key(reading: Reading, phase: str, metric: str, launch: int | None) -> tuple[object, ...]:
    return (*_case_key(reading), phase, metric, launch)
