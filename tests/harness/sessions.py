"""What tests of sessions share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.cases import parse_spec
from harness.effort import quick_effort
from harness.launch import Surroundings, usable_cpus
from harness.plan import Contender, Version
from harness.settings import Settings
from results.schema import Reading
from results.tables import read, readings
from tests.harness.fakes import Answer, usual_answers

EFFORT = quick_effort(launches=2, timeout_s=60, memory=False)

TWO_AT_ONCE = pytest.mark.skipif(
    len(usable_cpus(2)) < 2, reason="pairs are measured at once where there are two cores"
)


def a_contender(label: str = "now", scenario: str = "mlp") -> Contender:
    """A version of one case, named by what it is called."""
    return Contender(
        version=Version(label=label, interpreter=label),
        case=parse_spec(scenario).case("planned", "gradient"),
    )


def settings_for(out: Path, **changed: object) -> Settings:
    """Of a short session that measures time."""
    return replace(Settings(out=out, effort=EFFORT, seed=1), **changed)  # type: ignore[arg-type]


def as_usual(_surroundings: Surroundings) -> dict[type, Answer]:
    """Of subjects that do everything right, whatever they run in."""
    return usual_answers()


def rows_of(out: Path) -> list[Reading]:
    """The table's readings, in its order."""
    return list(readings(read(out)))


def keys_of(rows: list[Reading]) -> list[tuple[object, ...]]:
    """What names each reading, sorted."""
    return sorted((row.label, row.scenario, row.phase, row.metric, row.launch or 0) for row in rows)


def pair_of_groups() -> list[tuple[Contender, Contender]]:
    """Two cases, each of a baseline and a candidate."""
    return [
        (a_contender("a", scenario), a_contender("b", scenario)) for scenario in ("mlp", "chain")
    ]
