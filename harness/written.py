"""What a table holds of a session already, so that `--resume` adds only what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from harness.conversation import PREPARED_PHASES
from harness.measurement import Measurement
from harness.plan import MEMORY, TIME, Contender, Step
from harness.spending import BUDGET
from results.notes import parse_notes
from results.pairs import LAST_PAIR_NOTE, LOG_RATIO_NOTE, PairRatio, noted_ratio
from results.schema import Reading

_LAST_OF_MEMORY = ("teardown", "retained_memory")


class Written:
    """What the table holds of this session: `--resume` adds only what is missing."""

    def __init__(
        self,
        readings: Iterable[Reading] = (),
        phases: frozenset[str] | None = None,
        *,
        drift_alone: bool = False,
    ) -> None:
        last_of_memory = ("evaluate", "memory_drift") if drift_alone else _LAST_OF_MEMORY
        self._last_rows = {TIME: _last_rows(phases), MEMORY: [last_of_memory]}
        self._keys: set[tuple[object, ...]] = set()
        self._failed: dict[tuple[str, ...], Measurement] = {}
        self._pair_ratios: dict[tuple[str, ...], list[PairRatio]] = {}
        self._last_of_budget: dict[tuple[str, ...], int] = {}
        self.session = ""
        for reading in readings:
            self.session = reading.session
            self._keys.add(_key(reading, reading.phase, reading.metric, reading.launch))
            ratio = _noted_ratio(reading)
            if ratio is not None:
                self._pair_ratios.setdefault(_case_key(reading), []).append(ratio)
            if _why_last(reading) == BUDGET and reading.launch is not None:
                self._last_of_budget[_case_key(reading)] = reading.launch
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

    def pair_ratios(self, contender: Contender) -> list[PairRatio]:
        """To the baseline of each pair that the contender was measured in before, in its order."""
        return list(self._pair_ratios.get(_contender_key(contender), ()))

    def last_of_budget(self, contender: Contender) -> int | None:
        """The launch that was declared to be the last one the budget pays for, if one was."""
        return self._last_of_budget.get(_contender_key(contender))

    def is_complete(self, contender: Contender, step: Step) -> bool:
        """Whether nothing is missing of that launch, or its case has failed before."""
        parts = _contender_key(contender)
        return parts in self._failed or any(
            (*parts, *last, step.launch) in self._keys for last in self._last_rows[step.kind]
        )


def written_before(
    table: Path, phases: frozenset[str] | None, *, resume: bool, drift_alone: bool = False
) -> Written:
    """Of the table's last session with `--resume`, else nothing: a new session is appended.

    Args:
        table: that exists.
        phases: whose times are wanted; None for all.
        resume: whether the session goes on.
        drift_alone: whether memory launches tell nothing but drift.
    """
    if not resume or not table.stat().st_size:
        return Written()
    from results.tables import read, readings  # noqa: PLC0415 - pandas; most sessions begin anew

    found = list(readings(read(table)))
    return Written(
        (each for each in found if each.session == found[-1].session),
        phases,
        drift_alone=drift_alone,
    )


def _last_rows(phases: frozenset[str] | None) -> Sequence[tuple[str, str]]:
    """Phase and metric of what a launch for time writes last: with one of them it is complete."""
    if phases is None or "teardown" in phases:
        return [("teardown", "time")]
    prepared = [(phase, "time") for phase in PREPARED_PHASES if phase in phases]
    return prepared or [("evaluate", "time")]


def _noted_ratio(reading: Reading) -> PairRatio | None:
    """To the pair's baseline; None where the reading notes none."""
    if reading.status != "ok" or LOG_RATIO_NOTE not in reading.detail:
        return None
    return noted_ratio(parse_notes(reading.detail))


def _why_last(reading: Reading) -> str:
    if LAST_PAIR_NOTE not in reading.detail:
        return ""
    return parse_notes(reading.detail).get(LAST_PAIR_NOTE, "")


def _contender_key(contender: Contender) -> tuple[str, ...]:
    case = contender.case
    return (contender.version.label, case.evaluator, case.scenario, case.params_text, case.mode)


def _case_key(reading: Reading) -> tuple[str, ...]:
    return (reading.label, reading.evaluator, reading.scenario, reading.params, reading.mode)


def _key(reading: Reading, phase: str, metric: str, launch: int | None) -> tuple[object, ...]:
    return (*_case_key(reading), phase, metric, launch)
