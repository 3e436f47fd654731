"""How the processes of a session start: where, when, and with which luck."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.launch import Surroundings, usable_cpu, usable_cpus
from harness.session import AT_ONCE_NOTE, Session
from harness.worker import messages as m
from results.notes import parse_notes
from tests.harness.fakes import Answer, FakeLauncher, usual_answers
from tests.harness.sessions import (
    EFFORT,
    TWO_AT_ONCE,
    a_contender,
    as_usual,
    keys_of,
    pair_of_groups,
    rows_of,
    settings_for,
)


def test_something_is_done_while_the_first_processes_start(tmp_path: Path) -> None:
    """Once, and before anything is asked of a subject."""
    launcher = FakeLauncher(as_usual)
    asked_before: list[list[m.Message]] = []

    def meanwhile() -> None:
        questions = [question for each in launcher.launches for _, question in each.log]
        asked_before.append([each for each in questions if not isinstance(each, m.Describe)])

    Session(settings_for(tmp_path / "a.csv"), launcher).run(
        [(a_contender("a"), a_contender("b"))], while_starting=meanwhile
    )

    assert asked_before == [[]]


def test_both_sides_of_a_pair_have_the_same_hash_seed(tmp_path: Path) -> None:
    """Launches that are alive together differ in what is compared and in nothing else."""
    launcher = FakeLauncher(as_usual)

    Session(settings_for(tmp_path / "a.csv"), launcher).run([(a_contender("a"), a_contender("b"))])

    seeds = [each.hash_seed for each in launcher.started[2:]]  # the first two were asked for facts
    assert seeds[0] == seeds[1]
    assert seeds[2] == seeds[3]
    assert seeds[0] != seeds[2]


def test_sides_of_a_pair_share_their_luck_and_the_next_pair_has_another(tmp_path: Path) -> None:
    """Hash seed and layout are drawn for a pair, so that what they do falls out of its ratio."""
    launcher = FakeLauncher(as_usual)

    Session(settings_for(tmp_path / "a.csv"), launcher).run(pair_of_groups()[:1])

    first, second, third, fourth = launcher.started[-4:]
    assert (first.hash_seed, first.layout) == (second.hash_seed, second.layout)
    assert (third.hash_seed, third.layout) == (fourth.hash_seed, fourth.layout)
    assert first.layout != third.layout


def test_a_fixed_layout_is_left_to_the_kernel(tmp_path: Path) -> None:
    """With --fixed-layout nothing is drawn."""
    launcher = FakeLauncher(as_usual)

    Session(settings_for(tmp_path / "a.csv", fixed_layout=True), launcher).run(pair_of_groups()[:1])

    assert {each.layout for each in launcher.started[2:]} == {None}


def test_the_next_launches_start_while_a_case_is_measured_alone(tmp_path: Path) -> None:
    """Two pairs of one case are four launches, each used once and closed."""
    launcher = FakeLauncher(as_usual)

    Session(settings_for(tmp_path / "a.csv"), launcher).run(pair_of_groups()[:1])

    assert len(launcher.launches) == 2 + 4
    assert all(each.closed for each in launcher.launches)
    assert all(each.log for each in launcher.launches)


@pytest.mark.skipif(usable_cpu() is None, reason="nothing is started ahead with one CPU")
def test_the_next_pair_starts_when_nothing_more_is_timed(tmp_path: Path) -> None:
    """Not while a pair's blocks are timed, and before it is judged."""
    moments: list[str] = []

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        moments.append("start")
        usual = usual_answers()

        def noted(question: m.Message, moment: str, answer: Answer) -> m.Message:
            moments.append(moment)
            return answer(question)

        told = {m.ReadYardstick: "time", m.CheckAgain: "judge"}
        return usual | {
            kind: partial(noted, moment=moment, answer=usual[kind]) for kind, moment in told.items()
        }

    effort = replace(EFFORT, phases=frozenset({"evaluate"}))

    Session(settings_for(tmp_path / "a.csv", effort=effort), FakeLauncher(answers)).run(
        [(a_contender("a"), a_contender("b"))]
    )

    facts, pair, timed, judged = ["start"] * 2, ["start"] * 2, ["time"] * 4, ["judge"] * 2
    assert moments == [*facts, *pair, *timed, *pair, *judged, *timed, *judged]


@pytest.mark.skipif(usable_cpu() is None, reason="nothing is pinned with one CPU")
def test_who_hands_over_is_on_the_measured_cpu_and_starts_nothing_there(tmp_path: Path) -> None:
    """Blocks are asked for from the CPU that they run on; processes are started from another."""
    asked_on: set[int] = set()
    started_on: set[int] = set()

    def answers(_surroundings: Surroundings) -> dict[type, Answer]:
        started_on.update(os.sched_getaffinity(0))
        usual = usual_answers()
        run = usual[m.RunBlocks]

        def noted(question: m.Message) -> m.Message:
            asked_on.update(os.sched_getaffinity(0))
            return run(question)

        return usual | {m.RunBlocks: noted}

    before = os.sched_getaffinity(0)

    Session(settings_for(tmp_path / "a.csv"), FakeLauncher(answers)).run(
        [(a_contender("a"), a_contender("b"))]
    )

    assert asked_on == {usable_cpu()}
    assert not asked_on & started_on
    assert os.sched_getaffinity(0) == before


@TWO_AT_ONCE
def test_pairs_are_measured_at_once_each_on_a_core_of_its_own(tmp_path: Path) -> None:
    """The second is opened while the first is; both sides of a pair are asked from one CPU."""
    out = tmp_path / "a.csv"
    both = threading.Barrier(2)
    asked_on: dict[int, set[int]] = {}

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        run = usual[m.RunBlocks]

        def met(question: m.Message) -> m.Message:
            if surroundings.interpreter == "a":  # never passed by one pair after the other
                both.wait(timeout=60)
            return usual_answers()[m.Calibrate](question)

        def noted(question: m.Message) -> m.Message:
            cpus = asked_on.setdefault(surroundings.hash_seed, set())
            cpus.update(os.sched_getaffinity(0))
            return run(question)

        return usual | {m.Calibrate: met, m.RunBlocks: noted}

    before = os.sched_getaffinity(0)
    settings = settings_for(out, effort=replace(EFFORT, launches=4), at_once=2)

    Session(settings, FakeLauncher(answers)).run(pair_of_groups()[:1])

    alone = tmp_path / "alone.csv"
    Session(replace(settings, out=alone, at_once=1), FakeLauncher(as_usual)).run(
        pair_of_groups()[:1]
    )
    assert keys_of(rows_of(out)) == keys_of(rows_of(alone))
    assert {
        row.phase for row in rows_of(out) if parse_notes(row.detail).get(AT_ONCE_NOTE) == "2"
    } == {"evaluate"}
    assert not any(AT_ONCE_NOTE in row.detail for row in rows_of(alone))
    assert [len(cpus) for cpus in asked_on.values()] == [1, 1, 1, 1]
    assert set.union(*asked_on.values()) == set(usable_cpus(2))
    assert os.sched_getaffinity(0) == before
