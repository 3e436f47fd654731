"""Sessions that go on where one was interrupted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.launch import Surroundings
from harness.plan import MEMORY, Step
from harness.session import Session
from harness.worker import messages as m
from harness.written import Written
from tests.harness.fakes import Answer, FakeLauncher, usual_answers
from tests.harness.sessions import (
    EFFORT,
    a_contender,
    as_usual,
    keys_of,
    pair_of_groups,
    rows_of,
    settings_for,
)
from tests.results.samples import reading


def test_resuming_adds_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    """A table cut after any line is completed to the readings of an uninterrupted session."""
    whole = tmp_path / "whole.csv"
    groups = [(a_contender(),), (a_contender(scenario="chain"),)]
    Session(settings_for(whole), FakeLauncher(as_usual)).run(groups)
    expected = keys_of(rows_of(whole))
    lines = whole.read_bytes().splitlines(keepends=True)

    for kept in range(1, len(lines), 7):
        cut = tmp_path / f"cut{kept}.csv"
        cut.write_bytes(b"".join(lines[:kept]) + lines[kept][:9])
        Session(settings_for(cut, resume=True), FakeLauncher(as_usual)).run(groups)
        assert keys_of(rows_of(cut)) == expected


def test_resuming_measures_a_pair_whole_and_writes_nothing_twice(tmp_path: Path) -> None:
    """Cut after any line, also between the sides of a pair: launches come in pairs all the same."""
    whole = tmp_path / "whole.csv"
    groups = [(a_contender("a"), a_contender("b"))]
    Session(settings_for(whole), FakeLauncher(as_usual)).run(groups)
    expected = keys_of(rows_of(whole))
    lines = whole.read_bytes().splitlines(keepends=True)

    for kept in range(1, len(lines), 5):
        cut = tmp_path / f"cut{kept}.csv"
        cut.write_bytes(b"".join(lines[:kept]))
        launcher = FakeLauncher(as_usual)
        Session(settings_for(cut, resume=True), launcher).run(groups)
        assert keys_of(rows_of(cut)) == expected
        measured = [each.interpreter for each in launcher.started[2:]]
        assert measured == ["a", "b"] * (len(measured) // 2)
        assert measured


def test_resuming_knows_the_pairs_that_were_measured(tmp_path: Path) -> None:
    """Seven decide: after five, two more are made; after seven, none."""
    out = tmp_path / "a.csv"
    settings = settings_for(
        out,
        effort=replace(EFFORT, launches=50, least_launches=5),
        enough=lambda pairs: len(pairs) == 7,
        resume=True,
    )
    fewer = replace(settings, effort=replace(settings.effort, launches=5))
    groups = [(a_contender("a"), a_contender("b"))]
    pairs = []
    for each in (fewer, settings, settings):
        Session(each, FakeLauncher(as_usual)).run(groups)
        pairs.append({row.launch for row in rows_of(out)})

    assert pairs == [set(range(1, 6)), set(range(1, 8)), set(range(1, 8))]


def test_resuming_ends_a_case_whose_candidate_had_failed(tmp_path: Path) -> None:
    """The baseline is not measured on alone, since there is nothing to compare it to."""
    out = tmp_path / "a.csv"
    crash = m.Failure(phase="compile", status="crash", detail="SIGSEGV")

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        if surroundings.interpreter == "bad":
            usual[m.RunPhase] = lambda _: crash
        return usual

    settings = settings_for(out, effort=replace(EFFORT, launches=9, least_launches=1), resume=True)
    for _ in range(2):
        launcher = FakeLauncher(answers)
        Session(settings, launcher).run([(a_contender("good"), a_contender("bad"))])
        assert {row.launch for row in rows_of(out)} == {1}

    assert len(launcher.started) == 2  # asked for facts


@pytest.mark.parametrize("phase", ["evaluate", "compile", "teardown"])
def test_a_launch_is_complete_with_the_phases_that_are_wanted(tmp_path: Path, phase: str) -> None:
    """Where only some phases are timed, resuming a complete table launches nothing either."""
    settings = settings_for(
        tmp_path / "a.csv", effort=replace(EFFORT, phases=frozenset({phase})), resume=True
    )
    groups = [(a_contender("a"), a_contender("b"))]
    Session(settings, FakeLauncher(as_usual)).run(groups)
    launcher = FakeLauncher(as_usual)

    Session(settings, launcher).run(groups)

    assert len(launcher.started) == 2


@pytest.mark.parametrize("drift_alone", [False, True])
def test_a_memory_launch_is_complete_with_its_last_row(*, drift_alone: bool) -> None:
    """Drift is the last row of a launch that follows calls alone, and the first of any other."""
    contender = a_contender()
    case = contender.case
    drift = reading(
        label=contender.version.label,
        evaluator=case.evaluator,
        scenario=case.scenario,
        params=case.params_text,
        mode=case.mode,
        phase="evaluate",
        metric="memory_drift",
        launch=2,
    )
    written = Written([drift], drift_alone=drift_alone)

    steps = [Step(kind=MEMORY, launch=launch, contenders=(contender,)) for launch in (1, 2, 3)]

    found = [written.is_complete(contender, step) for step in steps]
    assert found == [False, drift_alone, False]


def test_resuming_a_complete_table_launches_nothing(tmp_path: Path) -> None:
    """Only the environment is asked for its facts again."""
    out = tmp_path / "a.csv"
    Session(settings_for(out), FakeLauncher(as_usual)).run([(a_contender(),)])
    launcher = FakeLauncher(as_usual)

    Session(settings_for(out, resume=True), launcher).run([(a_contender(),)])

    assert len(launcher.started) == 1


def test_without_resume_a_new_session_is_appended(tmp_path: Path) -> None:
    """Measured again into the same table, every reading is there once for each session."""
    out = tmp_path / "a.csv"
    for _ in range(2):
        Session(settings_for(out), FakeLauncher(as_usual)).run([(a_contender(),)])

    rows = rows_of(out)
    assert len({row.session for row in rows}) == 2
    kinds = {(row.scenario, row.phase, row.metric, row.launch) for row in rows}
    assert len(rows) == 2 * len(kinds)


def test_what_the_budget_ended_stays_ended(tmp_path: Path) -> None:
    """Resuming adds nothing to it: a second last look would err once more."""
    out = tmp_path / "a.csv"
    settings = settings_for(
        out, effort=replace(EFFORT, launches=50, least_launches=5), budget_s=1e-9
    )
    Session(settings, FakeLauncher(as_usual)).run(pair_of_groups())
    before = out.read_bytes()

    Session(replace(settings, resume=True), FakeLauncher(as_usual)).run(pair_of_groups())

    assert out.read_bytes() == before
