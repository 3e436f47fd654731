"""Where a measurement comes from, and the row that it becomes with that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from harness.cases import Case
from harness.environment import machine_id
from harness.measurement import Measurement
from harness.plan import Contender, Step
from results.notes import format_notes
from results.schema import METRICS, YARDSTICK, Reading, storable


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A launch of one side of a step, in a session."""

    session: str
    contender: Contender
    step: Step
    evaluator_version: str
    environment: str

    def reading(self, measured: Measurement, notes: Mapping[str, str]) -> Reading:
        """The row of a measurement that is recorded now, its own notes before those given."""
        case = self.contender.case
        detail = "; ".join(filter(None, (measured.detail, format_notes(notes) if notes else "")))
        return Reading(
            session=self.session,
            recorded_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            label=self.contender.version.label,
            evaluator=YARDSTICK if measured.yardstick else case.evaluator,
            evaluator_version="" if measured.yardstick else self.evaluator_version,
            scenario=measured.yardstick or case.scenario,
            params=_beside(case) if measured.yardstick else case.params_text,
            mode=case.mode,
            phase=measured.phase,
            metric=measured.metric,
            unit=METRICS[measured.metric].unit,
            source=measured.source,
            launch=self.step.launch,
            pair=self.step.pair,
            value=measured.value,
            spread=measured.spread,
            blocks=measured.blocks,
            calls=measured.calls,
            status=measured.status,
            detail=storable(detail),
            machine=machine_id(),
            environment=self.environment,
        )


def _beside(case: Case) -> str:
    """The case that a yardstick was read beside, as parameters of the yardstick."""
    params = case.params_text.replace("=", ":").replace(";", ",")
    named = {"evaluator": case.evaluator, "params": params, "scenario": case.scenario}
    return ";".join(f"{key}={value}" for key, value in named.items() if value)
