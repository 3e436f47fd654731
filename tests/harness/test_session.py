"""Sessions with launches that are told what to say: plans, rows, resuming, giving up."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from harness.cases import parse_spec
from harness.effort import quick_effort
from harness.launch import Surroundings, usable_cpu, usable_cpus
from harness.plan import MEMORY, TIME, Contender, Step, Version, plan_turns
from harness.session import AT_ONCE_NOTE, Session, Settings
from harness.side_files import blocks_path
from harness.worker import messages as m
from harness.written import Written
from results.notes import parse_notes
from results.schema import Reading
from results.tables import read, readings
from tests.harness.fakes import Answer, FakeLauncher, usual_answers
from tests.results.samples import reading

_EFFORT = quick_effort(launches=2, timeout_s=60, memory=False)


def _contender(label: str = "now", scenario: str = "mlp") -> Contender:
    return Contender(
        version=Version(label=label, interpreter=label),
        case=parse_spec(scenario).case("planned", "gradient"),
    )


def _settings(out: Path, **changed: object) -> Settings:
    return replace(Settings(out=out, effort=_EFFORT, seed=1), **changed)  # type: ignore[arg-type]


def _answers(_surroundings: Surroundings) -> dict[type, Answer]:
    return usual_answers()


def _rows(out: Path) -> list[Reading]:
    return list(readings(read(out)))


def _keys(rows: list[Reading]) -> list[tuple[object, ...]]:
    return sorted((row.label, row.scenario, row.phase, row.metric, row.launch or 0) for row in rows)


def test_a_plan_has_every_launch_of_every_group_time_before_memory() -> None:
    """Two groups, two time launches and one memory launch make six steps in rounds."""
    groups = [(_contender(scenario="mlp"),), (_contender(scenario="chain"),)]

    turns = plan_turns(groups, quick_effort(launches=2, timeout_s=1, memory=True), seed=1)
    steps = [step for (step,) in turns]

    assert [(step.kind, step.launch) for step in steps] == [
        (TIME, 1),
        (TIME, 1),
        (TIME, 2),
        (TIME, 2),
        (MEMORY, 3),
        (MEMORY, 3),
    ]
    assert all({steps[at].contenders, steps[at + 1].contenders} == set(groups) for at in (0, 2, 4))


def test_a_launch_of_its_own_has_no_pair() -> None:
    """Only launches that are alive together share a pair id."""
    single = plan_turns([(_contender(),)], _EFFORT, seed=1)
    pairs = list(plan_turns([(_contender("a"), _contender("b"))], _EFFORT, seed=1))

    assert {step.pair for (step,) in single} == {""}
    assert [step.pair for (step,) in pairs] == ["1", "2"]


def test_a_turn_has_pairs_of_one_case_and_each_knows_the_next_in_its_place() -> None:
    """Five pairs of each of two cases, two at once: turns of 1 and 2, of 3 and 4, and of 5."""
    groups = [
        (_contender("a", scenario), _contender("b", scenario)) for scenario in ("mlp", "chain")
    ]

    turns = list(plan_turns(groups, replace(_EFFORT, launches=5), seed=1, at_once=2))

    assert [[step.launch for step in turn] for turn in turns] == 2 * [[1, 2]] + 2 * [[3, 4]] + [
        [5],
        [5],
    ]
    assert all(len({step.contenders for step in turn}) == 1 for turn in turns)
    for turn, after in zip(turns[::2], turns[1::2], strict=True):
        following = [step.following for step in turn if step.following]
        assert [(each.launch, each.contenders) for each in following] == [
            (step.launch, step.contenders) for step in after
        ]


def test_a_case_alone_is_followed_by_itself() -> None:
    """Its next turn may have fewer pairs, and its last has none after it."""
    turns = plan_turns(
        [(_contender("a"), _contender("b"))], replace(_EFFORT, launches=3), seed=1, at_once=2
    )

    following = [[step.following and step.following.launch for step in turn] for turn in turns]

    assert following == [[3, None], [None]]


def test_readings_are_written_with_all_that_names_them(tmp_path: Path) -> None:
    """A row tells session, label, case, launch, machine and environment."""
    out = tmp_path / "a.csv"
    session = Session(_settings(out), FakeLauncher(_answers))

    session.run([(_contender(),)])

    rows = _rows(out)
    assert {row.session for row in rows} == {session.id}
    assert {(row.label, row.evaluator, row.mode) for row in rows} == {
        ("now", "planned", "gradient"),
        ("now", "yardstick", "gradient"),
    }
    assert {row.launch for row in rows} == {1, 2}
    assert all(row.machine and row.environment for row in rows)


def test_something_is_done_while_the_first_processes_start(tmp_path: Path) -> None:
    """Once, and before anything is asked of a subject."""
    launcher = FakeLauncher(_answers)
    asked_before: list[list[m.Message]] = []

    def meanwhile() -> None:
        questions = [question for each in launcher.launches for _, question in each.log]
        asked_before.append([each for each in questions if not isinstance(each, m.Describe)])

    Session(_settings(tmp_path / "a.csv"), launcher).run(
        [(_contender("a"), _contender("b"))], while_starting=meanwhile
    )

    assert asked_before == [[]]


def test_both_sides_of_a_pair_have_the_same_hash_seed(tmp_path: Path) -> None:
    """Launches that are alive together differ in what is compared and in nothing else."""
    launcher = FakeLauncher(_answers)

    Session(_settings(tmp_path / "a.csv"), launcher).run([(_contender("a"), _contender("b"))])

    seeds = [each.hash_seed for each in launcher.started[2:]]  # the first two were asked for facts
    assert seeds[0] == seeds[1]
    assert seeds[2] == seeds[3]
    assert seeds[0] != seeds[2]


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
    Session(_settings(out), launcher).run([(_contender("bad"),), (_contender("good"),)])

    bad = [row for row in _rows(out) if row.label == "bad"]
    assert [(row.phase, row.status, row.value) for row in bad] == [("compile", "crash", None)]
    assert {row.launch for row in _rows(out) if row.label == "good"} == {1, 2}
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
        Session(_settings(out), launcher).run([(_contender(),)])

    assert all(launch.closed for launch in launcher.launches)
    assert ("evaluate", "time") in {(row.phase, row.metric) for row in _rows(out)}


def test_resuming_adds_what_is_missing_and_nothing_twice(tmp_path: Path) -> None:
    """A table cut after any line is completed to the readings of an uninterrupted session."""
    whole = tmp_path / "whole.csv"
    groups = [(_contender(),), (_contender(scenario="chain"),)]
    Session(_settings(whole), FakeLauncher(_answers)).run(groups)
    expected = _keys(_rows(whole))
    lines = whole.read_bytes().splitlines(keepends=True)

    for kept in range(1, len(lines), 7):
        cut = tmp_path / f"cut{kept}.csv"
        cut.write_bytes(b"".join(lines[:kept]) + lines[kept][:9])
        Session(_settings(cut, resume=True), FakeLauncher(_answers)).run(groups)
        assert _keys(_rows(cut)) == expected


def test_resuming_measures_a_pair_whole_and_writes_nothing_twice(tmp_path: Path) -> None:
    """Cut after any line, also between the sides of a pair: launches come in pairs all the same."""
    whole = tmp_path / "whole.csv"
    groups = [(_contender("a"), _contender("b"))]
    Session(_settings(whole), FakeLauncher(_answers)).run(groups)
    expected = _keys(_rows(whole))
    lines = whole.read_bytes().splitlines(keepends=True)

    for kept in range(1, len(lines), 5):
        cut = tmp_path / f"cut{kept}.csv"
        cut.write_bytes(b"".join(lines[:kept]))
        launcher = FakeLauncher(_answers)
        Session(_settings(cut, resume=True), launcher).run(groups)
        assert _keys(_rows(cut)) == expected
        measured = [each.interpreter for each in launcher.started[2:]]
        assert measured == ["a", "b"] * (len(measured) // 2)
        assert measured


def test_resuming_knows_the_pairs_that_were_measured(tmp_path: Path) -> None:
    """Seven decide: after five, two more are made; after seven, none."""
    out = tmp_path / "a.csv"
    settings = _settings(
        out,
        effort=replace(_EFFORT, launches=50, least_launches=5),
        enough=lambda pairs: len(pairs) == 7,
        resume=True,
    )
    fewer = replace(settings, effort=replace(settings.effort, launches=5))
    groups = [(_contender("a"), _contender("b"))]
    pairs = []
    for each in (fewer, settings, settings):
        Session(each, FakeLauncher(_answers)).run(groups)
        pairs.append({row.launch for row in _rows(out)})

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

    settings = _settings(out, effort=replace(_EFFORT, launches=9, least_launches=1), resume=True)
    for _ in range(2):
        launcher = FakeLauncher(answers)
        Session(settings, launcher).run([(_contender("good"), _contender("bad"))])
        assert {row.launch for row in _rows(out)} == {1}

    assert len(launcher.started) == 2  # asked for facts


@pytest.mark.parametrize("phase", ["evaluate", "compile", "teardown"])
def test_a_launch_is_complete_with_the_phases_that_are_wanted(tmp_path: Path, phase: str) -> None:
    """Where only some phases are timed, resuming a complete table launches nothing either."""
    settings = _settings(
        tmp_path / "a.csv", effort=replace(_EFFORT, phases=frozenset({phase})), resume=True
    )
    groups = [(_contender("a"), _contender("b"))]
    Session(settings, FakeLauncher(_answers)).run(groups)
    launcher = FakeLauncher(_answers)

    Session(settings, launcher).run(groups)

    assert len(launcher.started) == 2


@pytest.mark.parametrize("drift_alone", [False, True])
def test_a_memory_launch_is_complete_with_its_last_row(*, drift_alone: bool) -> None:
    """Drift is the last row of a launch that follows calls alone, and the first of any other."""
    contender = _contender()
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
    Session(_settings(out), FakeLauncher(_answers)).run([(_contender(),)])
    launcher = FakeLauncher(_answers)

    Session(_settings(out, resume=True), launcher).run([(_contender(),)])

    assert len(launcher.started) == 1


def test_without_resume_a_new_session_is_appended(tmp_path: Path) -> None:
    """Measured again into the same table, every reading is there once for each session."""
    out = tmp_path / "a.csv"
    for _ in range(2):
        Session(_settings(out), FakeLauncher(_answers)).run([(_contender(),)])

    rows = _rows(out)
    assert len({row.session for row in rows}) == 2
    kinds = {(row.scenario, row.phase, row.metric, row.launch) for row in rows}
    assert len(rows) == 2 * len(kinds)


def _pair_of_groups() -> list[tuple[Contender, Contender]]:
    return [(_contender("a", scenario), _contender("b", scenario)) for scenario in ("mlp", "chain")]


def test_a_case_is_measured_until_its_pairs_have_decided(tmp_path: Path) -> None:
    """Seven pairs are enough for both cases, of the fifty that would be allowed."""
    out = tmp_path / "a.csv"
    settings = _settings(
        out,
        effort=replace(_EFFORT, launches=50, least_launches=5),
        enough=lambda pairs: len(pairs) == 7,
    )

    Session(settings, FakeLauncher(_answers)).run(_pair_of_groups())

    assert {(row.scenario, row.launch) for row in _rows(out) if row.evaluator != "yardstick"} == {
        (scenario, launch) for scenario in ("mlp", "chain") for launch in range(1, 8)
    }


def test_least_launches_are_made_whatever_the_budget(tmp_path: Path) -> None:
    """A budget that is gone at once still leaves the pairs that a first look needs."""
    out = tmp_path / "a.csv"
    settings = _settings(out, effort=replace(_EFFORT, launches=50, least_launches=5), budget_s=1e-9)

    Session(settings, FakeLauncher(_answers)).run(_pair_of_groups())

    rows = _rows(out)
    assert {row.launch for row in rows} == {1, 2, 3, 4, 5}
    assert {row.launch for row in rows if "last_pair=budget" in row.detail} == {5}


def test_what_the_budget_ended_stays_ended(tmp_path: Path) -> None:
    """Resuming adds nothing to it: a second last look would err once more."""
    out = tmp_path / "a.csv"
    settings = _settings(out, effort=replace(_EFFORT, launches=50, least_launches=5), budget_s=1e-9)
    Session(settings, FakeLauncher(_answers)).run(_pair_of_groups())
    before = out.read_bytes()

    Session(replace(settings, resume=True), FakeLauncher(_answers)).run(_pair_of_groups())

    assert out.read_bytes() == before


def test_a_pair_that_decides_is_not_declared_the_last(tmp_path: Path) -> None:
    """Since it would not have been, had it shown something else."""
    out = tmp_path / "a.csv"
    effort = replace(_EFFORT, launches=50, least_launches=5)
    settings = _settings(out, effort=effort, enough=lambda pairs: len(pairs) == 7)

    Session(settings, FakeLauncher(_answers)).run(_pair_of_groups())

    assert not any("last_pair" in row.detail for row in _rows(out))


def test_without_its_baseline_a_pair_is_measured_no_more(tmp_path: Path) -> None:
    """The baseline's failure ends the case; the candidate's first launch is kept."""
    out = tmp_path / "a.csv"

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        found = usual_answers()
        if surroundings.interpreter == "a":
            found[m.Open] = lambda _: m.Failure(phase="construct", status="error", detail="no")
        return found

    Session(_settings(out), FakeLauncher(answers)).run(_pair_of_groups()[:1])

    assert {(row.label, row.launch) for row in _rows(out) if row.status == "ok"} == {("b", 1)}


def test_blocks_are_kept_beside_the_table(tmp_path: Path) -> None:
    """One line a launch and side, with the blocks' times and what was seen meanwhile."""
    out = tmp_path / "a.csv"

    Session(_settings(out), FakeLauncher(_answers)).run(_pair_of_groups()[:1])

    lines = [json.loads(line) for line in blocks_path(out).read_text().splitlines()]
    assert [(line["label"], line["pair"]) for line in lines] == [
        ("a", "1"),
        ("b", "1"),
        ("a", "2"),
        ("b", "2"),
    ]
    assert all(len(line["elapsed_ns"]) == len(line["evidence"]) for line in lines)


def test_sides_of_a_pair_share_their_luck_and_the_next_pair_has_another(tmp_path: Path) -> None:
    """Hash seed and layout are drawn for a pair, so that what they do falls out of its ratio."""
    launcher = FakeLauncher(_answers)

    Session(_settings(tmp_path / "a.csv"), launcher).run(_pair_of_groups()[:1])

    first, second, third, fourth = launcher.started[-4:]
    assert (first.hash_seed, first.layout) == (second.hash_seed, second.layout)
    assert (third.hash_seed, third.layout) == (fourth.hash_seed, fourth.layout)
    assert first.layout != third.layout


def test_a_fixed_layout_is_left_to_the_kernel(tmp_path: Path) -> None:
    """With --fixed-layout nothing is drawn."""
    launcher = FakeLauncher(_answers)

    Session(_settings(tmp_path / "a.csv", fixed_layout=True), launcher).run(_pair_of_groups()[:1])

    assert {each.layout for each in launcher.started[2:]} == {None}


def test_the_next_launches_start_while_a_case_is_measured_alone(tmp_path: Path) -> None:
    """Two pairs of one case are four launches, each used once and closed."""
    launcher = FakeLauncher(_answers)

    Session(_settings(tmp_path / "a.csv"), launcher).run(_pair_of_groups()[:1])

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

    effort = replace(_EFFORT, phases=frozenset({"evaluate"}))

    Session(_settings(tmp_path / "a.csv", effort=effort), FakeLauncher(answers)).run(
        [(_contender("a"), _contender("b"))]
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

    Session(_settings(tmp_path / "a.csv"), FakeLauncher(answers)).run(
        [(_contender("a"), _contender("b"))]
    )

    assert asked_on == {usable_cpu()}
    assert not asked_on & started_on
    assert os.sched_getaffinity(0) == before


_TWO_AT_ONCE = pytest.mark.skipif(
    len(usable_cpus(2)) < 2, reason="pairs are measured at once where there are two cores"
)


@_TWO_AT_ONCE
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
    settings = _settings(out, effort=replace(_EFFORT, launches=4), at_once=2)

    Session(settings, FakeLauncher(answers)).run(_pair_of_groups()[:1])

    alone = tmp_path / "alone.csv"
    Session(replace(settings, out=alone, at_once=1), FakeLauncher(_answers)).run(
        _pair_of_groups()[:1]
    )
    assert _keys(_rows(out)) == _keys(_rows(alone))
    assert {
        row.phase for row in _rows(out) if parse_notes(row.detail).get(AT_ONCE_NOTE) == "2"
    } == {"evaluate"}
    assert not any(AT_ONCE_NOTE in row.detail for row in _rows(alone))
    assert [len(cpus) for cpus in asked_on.values()] == [1, 1, 1, 1]
    assert set.union(*asked_on.values()) == set(usable_cpus(2))
    assert os.sched_getaffinity(0) == before


@_TWO_AT_ONCE
def test_a_candidate_that_fails_in_two_pairs_at_once_is_told_once(tmp_path: Path) -> None:
    """As one that fails in the first of them is."""
    out = tmp_path / "a.csv"
    crash = m.Failure(phase="compile", status="crash", detail="SIGSEGV")

    def answers(surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        if surroundings.interpreter == "b":
            usual[m.RunPhase] = lambda _: crash
        return usual

    settings = _settings(out, effort=replace(_EFFORT, launches=8), at_once=2)
    launcher = FakeLauncher(answers)

    Session(settings, launcher).run(_pair_of_groups()[:1])

    assert [row.status for row in _rows(out) if row.status != "ok"] == ["crash"]
    assert all(launch.closed for launch in launcher.launches)


@_TWO_AT_ONCE
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
        Session(_settings(out, at_once=2), launcher).run(_pair_of_groups()[:1])

    assert all(launch.closed for launch in launcher.launches)
    assert not [row for row in _rows(out) if row.status != "ok"]


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

    Session(_settings(tmp_path / "a.csv"), FakeLauncher(answers)).run(_pair_of_groups()[:1])

    assert asked == [None, None, 2_000, 2_000]
