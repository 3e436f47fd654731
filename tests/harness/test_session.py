"""Sessions with launches that are told what to say: rows, failures, when a case is over."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.launch import Surroundings
from harness.session import Session
from harness.side_files import blocks_path
from harness.worker import messages as m
from tests.harness.fakes import Answer, FakeLauncher, usual_answers
from tests.harness.sessions import (
    EFFORT,
    TWO_AT_ONCE,
    a_contender,
    as_usual,
    pair_of_groups,
    rows_of,
    settings_for,
)


def test_readings_are_written_with_all_that_names_them(tmp_path: Path) -> None:
    """A row tells session, label, case, launch, machine and environment."""
    out = tmp_path / "a.csv"
    session = Session(settings_for(out), FakeLauncher(as_usual))

    session.run([(a_contender(),)])

    rows = rows_of(out)
    assert {row.session for row in rows} == {session.id}
    assert {(row.label, row.evaluator, row.mode) for row in rows} == {
        ("now", "planned", "gradient"),
        ("now", "yardstick", "gradient"),
    }
    assert {row.launch for row in rows} == {1, 2}
    assert all(row.machine and row.environment for row in rows)


def test_a_case_that_fails_is_a_row_and_is_not_launched_again(tmp_path: Path) -> None:
    """After a crash in its first launch a case has one row, and the other case all of its rows."""
    out = tmp_path / "a.csv"
    crash = m.Failure(phase="compile", status="crash", detail="SIGSEGV")

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        run = usual[m.RunPhase]
        if surroundings.interpreter == "bad":
            usual[m.RunPhase] = lambda q: crash if q.phase == "compile" else run(q)
        return usual

    launcher = FakeLauncher(answers)
    Session(settings_for(out), launcher).run([(a_contender("bad"),), (a_contender("good"),)])

    bad = [row for row in rows_of(out) if row.label == "bad"]
    assert [(row.phase, row.status, row.value) for row in bad] == [("compile", "crash", None)]
    assert {row.launch for row in rows_of(out) if row.label == "good"} == {1, 2}
    assert sum(each.interpreter == "bad" for each in launcher.started) == 2


def test_every_launch_is_closed_when_the_session_is_interrupted(tmp_path: Path) -> None:
    """Ctrl-C leaves no process behind, and what was read before is in the table."""
    out = tmp_path / "a.csv"

    def interrupted(_surroundings: Surroundings) -> dict[type, Answer]:
        answers = usual_answers()

        def interrupt(_question: object) -> m.Message:
            raise KeyboardInterrupt

        answers[m.Repeat] = interrupt
        return answers

    launcher = FakeLauncher(interrupted)
    with pytest.raises(KeyboardInterrupt):
        Session(settings_for(out), launcher).run([(a_contender(),)])

    assert all(launch.closed for launch in launcher.launches)
    assert ("evaluate", "time") in {(row.phase, row.metric) for row in rows_of(out)}


def test_a_case_is_measured_until_its_pairs_have_decided(tmp_path: Path) -> None:
    """Seven pairs are enough for both cases, of the fifty that would be allowed."""
    out = tmp_path / "a.csv"
    settings = settings_for(
        out,
        effort=replace(EFFORT, launches=50, least_launches=5),
        enough=lambda pairs: len(pairs) == 7,
    )

    Session(settings, FakeLauncher(as_usual)).run(pair_of_groups())

    assert {(row.scenario, row.launch) for row in rows_of(out) if row.evaluator != "yardstick"} == {
        (scenario, launch) for scenario in ("mlp", "chain") for launch in range(1, 8)
    }


def test_least_launches_are_made_whatever_the_budget(tmp_path: Path) -> None:
    """A budget that is gone at once still leaves the pairs that a first look needs."""
    out = tmp_path / "a.csv"
    settings = settings_for(
        out, effort=replace(EFFORT, launches=50, least_launches=5), budget_s=1e-9
    )

    Session(settings, FakeLauncher(as_usual)).run(pair_of_groups())

    rows = rows_of(out)
    assert {row.launch for row in rows} == {1, 2, 3, 4, 5}
    assert {row.launch for row in rows if "last_pair=budget" in row.detail} == {5}


def test_a_pair_that_decides_is_not_declared_the_last(tmp_path: Path) -> None:
    """Since it would not have been, had it shown something else."""
    out = tmp_path / "a.csv"
    effort = replace(EFFORT, launches=50, least_launches=5)
    settings = settings_for(out, effort=effort, enough=lambda pairs: len(pairs) == 7)

    Session(settings, FakeLauncher(as_usual)).run(pair_of_groups())

    assert not any("last_pair" in row.detail for row in rows_of(out))


def test_without_its_baseline_a_pair_is_measured_no_more(tmp_path: Path) -> None:
    """The baseline's failure ends the case; the candidate's first launch is kept."""
    out = tmp_path / "a.csv"

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        found = usual_answers()
        if surroundings.interpreter == "a":
            found[m.Open] = lambda _: m.Failure(phase="construct", status="error", detail="no")
        return found

    Session(settings_for(out), FakeLauncher(answers)).run(pair_of_groups()[:1])

    assert {(row.label, row.launch) for row in rows_of(out) if row.status == "ok"} == {("b", 1)}


def test_blocks_are_kept_beside_the_table(tmp_path: Path) -> None:
    """One line a launch and side, with the blocks' times and what was seen meanwhile."""
    out = tmp_path / "a.csv"

    Session(settings_for(out), FakeLauncher(as_usual)).run(pair_of_groups()[:1])

    lines = [json.loads(line) for line in blocks_path(out).read_text().splitlines()]
    assert [(line["label"], line["pair"]) for line in lines] == [
        ("a", "1"),
        ("b", "1"),
        ("a", "2"),
        ("b", "2"),
    ]
    assert all(len(line["elapsed_ns"]) == len(line["evidence"]) for line in lines)


@TWO_AT_ONCE
def test_a_candidate_that_fails_in_two_pairs_at_once_is_told_once(tmp_path: Path) -> None:
    """As one that fails in the first of them is."""
    out = tmp_path / "a.csv"
    crash = m.Failure(phase="compile", status="crash", detail="SIGSEGV")

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        if surroundings.interpreter == "b":
            usual[m.RunPhase] = lambda _: crash
        return usual

    settings = settings_for(out, effort=replace(EFFORT, launches=8), at_once=2)
    launcher = FakeLauncher(answers)

    Session(settings, launcher).run(pair_of_groups()[:1])

    assert [row.status for row in rows_of(out) if row.status != "ok"] == ["crash"]
    assert all(launch.closed for launch in launcher.launches)


@TWO_AT_ONCE
def test_what_ends_one_of_two_pairs_ends_the_other(tmp_path: Path) -> None:
    """A full disk, say: the pair beside is killed and not waited for, and its crash is not told."""
    out = tmp_path / "a.csv"
    launcher: FakeLauncher

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        number = len(launcher.started)

        def full(_question: m.Message) -> m.Message:
            raise OSError("no space left on device")

        def waits(_question: m.Message) -> m.Message:
            assert launcher.launches[number - 1].killed.wait(timeout=60)
            return m.Failure(phase="evaluate", status="crash", detail="SIGKILL")

        is_first_pair = surroundings.hash_seed == 1_001
        return usual | {m.Calibrate: full if is_first_pair else waits}

    launcher = FakeLauncher(answers)

    with pytest.raises(OSError, match="no space left"):
        Session(settings_for(out, at_once=2), launcher).run(pair_of_groups()[:1])

    assert all(launch.closed for launch in launcher.launches)
    assert not [row for row in rows_of(out) if row.status != "ok"]


def test_a_slow_first_pair_does_not_shorten_the_blocks_of_the_next(tmp_path: Path) -> None:
    """A call of one side seemed to fill a block; the next pair asks for as many as really do."""
    asked: list[int | None] = []

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers(call_ns=1_000)

        def slow_at_first(question: m.Calibrate) -> m.Message:
            asked.append(question.calls)
            calls = 1 if surroundings.interpreter == "a" else 2_000
            return m.Calibrated(calls=question.calls or calls, call_ns=1_000)

        return usual | {m.Calibrate: slow_at_first}

    Session(settings_for(tmp_path / "a.csv"), FakeLauncher(answers)).run(pair_of_groups()[:1])

    assert asked == [None, None, 2_000, 2_000]
