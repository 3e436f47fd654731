"""The gate's decisions: thresholds, tolerances, and never green without evidence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from results.comparison import compare
from results.errors import ComparisonError
from results.frames import frame_of
from results.gate import Decision, Rules, Tolerance, Wanted, decide
from results.schema import Reading
from tests.results.samples import lognormal, reading, suite, version

TODAY = date(2026, 11, 22)
SLOWER = Tolerance(reason="issue 12", expires=TODAY, metric="time")


def _decided(readings: Iterable[Reading], today: date = TODAY, **rules: Any) -> Decision:
    frame = frame_of(readings)
    return decide(frame, Rules(**rules), baseline="old", candidates=["new"], today=today)


def _slower(factor: float = 1.2) -> list[Reading]:
    return [*suite("old", seed=1), *suite("new", seed=2, slower=factor)]


def test_a_regression_fails_the_gate() -> None:
    """20 % more time is exit code 1; the same version twice is 0."""
    assert _decided(_slower()).exit_code == 1
    assert _decided(_slower(1.0), threshold=0.1).exit_code == 0


def test_one_threshold_is_the_comparison_itself() -> None:
    """Without thresholds by metric the gate says what `compare` says."""
    readings = _slower()

    assert _decided(readings).comparison == compare(frame_of(readings), baseline_label="old")


def test_each_metric_has_its_threshold() -> None:
    """Times may change by a third, memory by nothing; all rows are there once."""
    readings = [
        *_slower(),
        *version("old", [5e6, 5e6, 5e6], metric="held_memory", phase="evaluate"),
        *version("new", [7e6, 7e6, 7e6], metric="held_memory", phase="evaluate"),
    ]

    lenient = _decided(readings, thresholds={"time": 0.5})
    strict = _decided(readings, thresholds={"time": 0.5, "held_memory": 0.7})

    assert lenient.exit_code == 1
    assert [row.metric for row in lenient.comparison.having("regressed")] == ["held_memory"]
    assert strict.exit_code == 0
    rows = compare(frame_of(readings), baseline_label="old").rows
    assert sorted((row.case, row.phase, row.metric) for row in strict.comparison.rows) == sorted(
        (row.case, row.phase, row.metric) for row in rows
    )
    assert any("thresholds differ" in note for note in strict.comparison.notes)


def test_a_failure_counts_once_however_many_thresholds() -> None:
    """A case that newly fails is one row, though every threshold's comparison tells it."""
    failing = replace(reading(label="new", status="crash"), value=None, spread=None)
    readings = [*version("old", [1.0, 1.1]), failing, *_slower(1.0)]
    readings = [one for one in readings if not (one.label == "new" and one.scenario == "chain")]
    readings.append(failing)

    decision = _decided(readings, thresholds={"time": 0.3, "peak_memory": 0.2})

    assert decision.exit_code == 1
    assert len([row for row in decision.comparison.rows if row.baseline is None]) == 1


def test_a_known_exception_is_tolerated_until_its_day() -> None:
    """It holds on its last day and not after; either way the notes tell."""
    on_the_day = _decided(_slower(), tolerances=(SLOWER,))
    after = _decided(_slower(), today=date(2026, 11, 23), tolerances=(SLOWER,))

    assert on_the_day.exit_code == 0
    assert not on_the_day.comparison.having("regressed")
    assert any("issue 12" in note and "+1" in note for note in on_the_day.comparison.notes)
    assert after.exit_code == 1
    assert any("expired on 2026-11-22" in note for note in after.comparison.notes)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scenario": "chain"}, 1),  # mlp got slower as well
        ({"metric": "peak_memory"}, 1),
        ({"phase": "evaluate"}, 0),
        ({"up_to": 1.1}, 1),
        ({"up_to": 1.5}, 0),
        ({"evaluator": "planned", "mode": "output", "params": "depth=100;width=64"}, 0),
    ],
)
def test_an_exception_covers_what_it_names(change: dict[str, Any], code: int) -> None:
    """Every field that is given must match, and the ratio must not exceed `up_to`."""
    assert _decided(_slower(), tolerances=(replace(SLOWER, **change),)).exit_code == code


def test_an_exception_that_covers_nothing_is_told() -> None:
    """So that it does not wait for the next regression."""
    decision = _decided(_slower(1.0), threshold=0.1, tolerances=(SLOWER,))

    assert decision.exit_code == 0
    assert any("delete it" in note for note in decision.comparison.notes)


def test_an_exception_that_is_exceeded_says_so() -> None:
    """A regression beyond `up_to` is told with the exception that would have covered it."""
    decision = _decided(_slower(), tolerances=(replace(SLOWER, up_to=1.1),))

    [note] = [note for note in decision.comparison.notes if "issue 12" in note]
    assert "ends at a ratio of 1.1, which is exceeded: " in note
    assert "delete it" not in note


def test_a_missing_scenario_is_never_green() -> None:
    """What the baseline has and the candidate lacks is exit code 3, unless known."""
    readings = [one for one in _slower(1.0) if (one.label, one.scenario) != ("new", "mlp")]
    gone = Tolerance(reason="removed", expires=TODAY, scenario="mlp")

    assert _decided(readings, threshold=0.1).exit_code == 3
    assert _decided(readings, threshold=0.1, tolerances=(gone,)).exit_code == 0


def test_other_parameters_are_never_green() -> None:
    """The same scenario at another size is another case."""
    readings = [
        replace(one, params="depth=99;width=64") if one.label == "new" else one
        for one in _slower(1.0)
    ]

    assert _decided(readings).exit_code == 3


def test_all_refused_is_never_green() -> None:
    """Refusals on both sides leave nothing to compare."""
    readings = [
        replace(reading(label=label, status="refused"), value=None, spread=None)
        for label in ("old", "new")
    ]

    assert _decided(readings).exit_code == 3


def test_tolerating_everything_is_still_a_measurement() -> None:
    """A gate whose only rows are known regressions has measured something; without rows, not."""
    readings = [*version("old", [1.0, 1.01, 1.02]), *version("new", [2.0, 2.01, 2.02])]

    assert _decided(readings, tolerances=(SLOWER,)).exit_code == 0
    assert _decided(readings, metrics=("peak_memory",), tolerances=(SLOWER,)).exit_code == 3


@pytest.mark.parametrize("lacking", ["old", "new"])
def test_what_the_settings_ask_for_must_be_on_both_sides(lacking: str) -> None:
    """A suite's case that either side lacks is exit code 3, though what is there is unchanged."""
    readings = [one for one in _slower(1.0) if one.label != lacking or one.scenario != "mlp"]
    wanted = Wanted(evaluator=None, scenario="mlp", params="depth=100;width=64", mode="output")

    assert _decided(readings, threshold=0.1, wanted=(wanted,)).exit_code == 3
    assert _decided(_slower(1.0), threshold=0.1, wanted=(wanted,)).exit_code == 0


def test_what_counts_as_failure_can_be_chosen() -> None:
    """Failures alone, or rows that settle nothing as well."""
    noisy = [*version("old", lognormal(1, 5, sd=0.1)), *version("new", lognormal(2, 5, sd=0.1))]

    assert _decided(_slower(), fail_on=frozenset({"failure"})).exit_code == 0
    assert _decided(noisy).exit_code == 0
    assert _decided(noisy, fail_on=frozenset({"regressed", "inconclusive"})).exit_code == 4


def test_other_machines_are_refused_unless_asked_or_counting() -> None:
    """Times of two machines do not compare; counts do, and asking gets a note on what it costs."""
    readings = [replace(one, machine=one.label) for one in _slower(1.0)]

    with pytest.raises(ComparisonError, match="different machines"):
        _decided(readings, threshold=0.1)
    asked = _decided(readings, threshold=0.1, allow_other_machine=True)
    assert any("machines' difference" in note for note in asked.comparison.notes)
    assert _decided(readings, metrics=("nodes",)).exit_code == 0
