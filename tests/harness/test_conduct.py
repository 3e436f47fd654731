"""Which question is put to whom and when, and what rows come of the answers."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.conduct_time import conduct_time, questions_ahead
from harness.conversation import Side
from harness.effort import Effort, quick_effort
from harness.measurement import interquartile_range
from harness.worker import messages as m
from results.schema import YARDSTICKS
from tests.harness.fakes import PHASES, REQUEST, FakeLaunch, Recorder, blocks, usual_answers

_EFFORT = quick_effort(launches=1, timeout_s=60, memory=True)


def _sides(count: int) -> tuple[list[Side], list[FakeLaunch], Recorder]:
    log: list[tuple[str, m.Message]] = []
    rows = Recorder()
    launches = [FakeLaunch(usual_answers(), name, log) for name in "ABCD"[:count]]
    return [Side(each, REQUEST, rows, timeout_s=60) for each in launches], launches, rows


def _conduct(sides: list[Side], effort: Effort = _EFFORT) -> None:
    conduct_time(sides, effort, random.Random(1))


def test_one_side_gives_every_time_of_every_phase() -> None:
    """A subject that does all right has a row for each metric of each phase, and the yardstick."""
    sides, _, rows = _sides(1)

    _conduct(sides)

    found = [(row.phase, row.metric) for row in rows.rows[sides[0]]]
    assert found == [
        ("construct", "first_time"),
        ("differentiate", "first_time"),
        ("lower", "first_time"),
        ("compile", "first_time"),
        ("first_call", "first_time"),
        ("first_call", "max_relative_error"),
        ("construct", "nodes"),
        ("differentiate", "gradient_nodes"),
        ("evaluate", "time"),
        ("evaluate", "time_drift"),
        *[("evaluate", "time")] * len(YARDSTICKS),
        ("construct", "time"),
        ("differentiate", "time"),
        ("lower", "time"),
        ("compile", "time"),
        ("teardown", "time"),
    ]


def test_the_time_of_a_call_is_a_block_s_time_over_its_calls() -> None:
    """Blocks of 2,000 calls of 1 µs give 1 µs a call, without spread or drift."""
    sides, _, rows = _sides(1)

    _conduct(sides)

    row = next(each for each in rows.rows[sides[0]] if each.phase == "evaluate")
    assert row.value == pytest.approx(1e-6)
    assert row.detail == "steady=flat; set_aside=0; waited=0"
    assert row.spread == pytest.approx(0)
    assert (row.blocks, row.calls) == (12, 12 * 2_000)


def test_what_is_wrong_after_it_was_timed_has_no_times() -> None:
    """Right at the first call and wrong at the last: `evaluate` is one row that says so."""
    sides, launches, rows = _sides(1)
    answers = usual_answers()
    answers[m.CheckAgain] = lambda _: m.CheckedAgain(problem="not now", threads=0)
    launches[0]._answers = answers

    _conduct(sides)

    found = [row for row in rows.rows[sides[0]] if row.phase == "evaluate"]
    assert [(row.status, row.value, row.detail) for row in found] == [("wrong", None, "not now")]


def test_threads_that_go_on_are_noted() -> None:
    """The row says how many there are beside those that the process was loaded with."""
    sides, launches, rows = _sides(1)
    answers = usual_answers()
    answers[m.CheckAgain] = lambda _: m.CheckedAgain(problem="", threads=2)
    launches[0]._answers = answers

    _conduct(sides)

    row = next(each for each in rows.rows[sides[0]] if each.phase == "evaluate")
    assert row.detail == "steady=flat; set_aside=0; waited=0; threads=2"


def test_warm_up_blocks_are_not_estimated_from() -> None:
    """Three slow blocks at the start leave the estimate alone."""
    sides, launches, rows = _sides(1)
    answers = usual_answers()
    answers[m.RunBlocks] = lambda q: blocks(
        [9_000 * q.calls] * 3 + [1_000 * q.calls] * (q.blocks - 3), q.calls
    )
    launches[0]._answers = answers

    _conduct(sides)

    row = next(each for each in rows.rows[sides[0]] if each.phase == "evaluate")
    assert row.value == pytest.approx(1e-6)


def test_blocks_of_a_pair_are_interleaved_in_mirrored_rounds() -> None:
    """Every four blocks are ABBA or BAAB, both occur, and two calls before each are not timed."""
    sides, launches, _ = _sides(2)

    _conduct(sides)

    asked = [(name, q) for name, q in launches[0].log if isinstance(q, m.RunBlocks)]
    order = "".join(name for name, _ in asked)
    quads = [order[at : at + 4] for at in range(0, len(order), 4)]
    assert set(quads) == {"ABBA", "BAAB"}
    assert all((q.blocks, q.untimed_calls) == (1, 2) for _, q in asked)


def test_long_calls_are_not_made_twice_for_nothing() -> None:
    """Where a call takes 20 ms, none is spent on warming caches after a hand-over."""
    sides, launches, _ = _sides(2)
    for launch in launches:
        launch._answers[m.Calibrate] = lambda _: m.Calibrated(calls=1, call_ns=20e6)

    _conduct(sides)

    assert {q.untimed_calls for _, q in launches[0].log if isinstance(q, m.RunBlocks)} == {0}


def test_both_sides_of_a_pair_run_blocks_of_as_many_calls() -> None:
    """Where one side calibrates to 2,000 calls, both run as many as the other, up to an eighth."""
    for others, run in ((1_500, {1_500}), (251, {251}), (250, {250, 2_000})):
        sides, launches, _ = _sides(2)
        answer = m.Calibrated(calls=others, call_ns=1.3)
        launches[1]._answers[m.Calibrate] = lambda _, answer=answer: answer

        _conduct(sides)

        calls = {q.calls for _, q in launches[0].log if isinstance(q, m.RunBlocks)}
        assert calls == run


def test_each_phase_is_run_by_both_sides_before_the_next() -> None:
    """No side is two phases ahead of the other."""
    sides, launches, _ = _sides(2)

    _conduct(sides)

    phases = [q.phase for _, q in launches[0].log if isinstance(q, m.RunPhase)]
    assert phases[0::2] == phases[1::2]


def test_nothing_is_said_of_times_of_a_wrong_value() -> None:
    """A value outside the tolerance is one row without value, and no time is given."""
    sides, launches, rows = _sides(1)
    launches[0]._answers[m.Check] = lambda _: m.Checked(max_relative_error=0.5, problem="off")

    _conduct(sides)

    (row,) = rows.rows[sides[0]]
    assert (row.phase, row.metric, row.status) == ("first_call", "max_relative_error", "wrong")
    assert row.value is None
    assert row.detail == "off"


def test_a_side_that_fails_drops_out_and_the_other_goes_on() -> None:
    """One side's crash in compile is its last row; the other side's rows are complete."""
    sides, launches, rows = _sides(2)
    crash = m.Failure(phase="compile", status="crash", detail="SIGSEGV")
    run = launches[0]._answers[m.RunPhase]
    launches[0]._answers[m.RunPhase] = lambda q: crash if q.phase == "compile" else run(q)

    _conduct(sides)

    (failed,) = rows.rows[sides[0]]
    assert (failed.phase, failed.metric, failed.status) == ("compile", "first_time", "crash")
    assert rows.rows[sides[1]][-1].phase == "teardown"


def test_a_failure_that_names_no_phase_gets_the_one_that_was_asked_for() -> None:
    """A process that dies while blocks are timed has failed in evaluate."""
    sides, launches, rows = _sides(1)
    launches[0]._answers[m.RunBlocks] = lambda _: m.Failure(phase="", status="crash", detail="x")

    _conduct(sides)

    assert (rows.rows[sides[0]][-1].phase, rows.rows[sides[0]][-1].metric) == ("evaluate", "time")


def test_an_answer_of_the_wrong_kind_is_an_error_row() -> None:
    """A worker that answers something else is told of, not believed."""
    sides, launches, rows = _sides(1)
    launches[0]._answers[m.Calibrate] = lambda _: m.Check()

    _conduct(sides)

    assert rows.rows[sides[0]][-1].status == "error"
    assert "Check" in rows.rows[sides[0]][-1].detail


def test_a_budget_ends_interleaving_after_a_whole_round() -> None:
    """With no time at all, each side still has its two blocks of one round."""
    sides, launches, _ = _sides(2)

    _conduct(sides, replace(_EFFORT, evaluate_budget_ns=0))

    names = [name for name, q in launches[0].log if isinstance(q, m.RunBlocks)]
    assert sorted(names) == ["A", "A", "B", "B"]


@pytest.mark.parametrize(
    ("stalled", "slow_ns", "rounds"), [(1, 50_000, 8), (1, 160_000_000, 8), (10**6, 50_000, 2)]
)
def test_a_stall_cuts_no_rounds_short_and_long_blocks_do(
    stalled: int, slow_ns: int, rounds: int
) -> None:
    """Of a budget of 200 µs a side, one slow block leaves all 8 rounds; slow blocks leave two."""
    sides, launches, _ = _sides(2)
    for launch in launches:
        elapsed_ns = itertools.chain(itertools.repeat(slow_ns, stalled), itertools.repeat(1_000))

        def run(question: m.RunBlocks, elapsed_ns: Iterator[int] = elapsed_ns) -> m.Blocks:
            return blocks([next(elapsed_ns)], question.calls)

        launch._answers = usual_answers() | {m.RunBlocks: run}

    _conduct(sides, replace(_EFFORT, evaluate_budget_ns=200_000))

    names = [name for name, q in launches[0].log if isinstance(q, m.RunBlocks)]
    assert len(names) == 4 * rounds


def test_the_interquartile_range_is_the_middle_half() -> None:
    """Of 0 to 4 it is 2; a single value has none."""
    assert interquartile_range([0, 1, 2, 3, 4]) == 2
    assert interquartile_range([1]) is None


def test_what_fails_when_it_is_repeated_does_not_contradict_its_first_time() -> None:
    """The first time was told already; the failure is a row of the repeated time."""
    sides, launches, rows = _sides(1)
    launches[0]._answers[m.Repeat] = lambda _: m.Failure(phase="", status="timeout", detail="slow")

    _conduct(sides)

    of_compile = [row for row in rows.rows[sides[0]] if row.phase == "compile"]
    assert [(row.metric, row.status) for row in of_compile] == [
        ("first_time", "ok"),
        ("time", "timeout"),
    ]


@pytest.mark.parametrize("seconds", [1.0, 10.0])
def test_what_takes_long_to_prepare_is_prepared_once(seconds: float) -> None:
    """Longer than a hundred times the 30 ms that repeating may take; both sides of a pair alike."""
    sides, launches, rows = _sides(2)
    launches[1]._answers[m.RunPhase] = lambda q: m.Elapsed(
        phase=q.phase, elapsed_ns=int(seconds * 1e9) if q.phase == "compile" else 1_000
    )

    _conduct(sides)

    for side, launch in zip(sides, launches, strict=True):
        is_repeated = any(isinstance(question, m.Repeat) for _, question in launch.log)
        told = {row.metric for row in rows.rows[side] if row.phase == "compile"}
        assert is_repeated == ("time" in told) == (seconds < 3)
        assert "first_time" in told


def test_where_one_phase_is_wanted_no_other_is_told_and_the_rest_may_be_posted() -> None:
    """With `evaluate` alone, what is asked before it is what may be posted ahead."""
    effort = replace(_EFFORT, phases=frozenset({"evaluate"}))
    sides, launches, rows = _sides(1)

    _conduct(sides, effort)

    told = {(row.phase, row.metric) for row in rows.rows[sides[0]]}
    assert {phase for phase, metric in told if metric in ("time", "first_time")} == {"evaluate"}
    asked = [question for _, question in launches[0].log]
    ahead = questions_ahead(REQUEST, PHASES, effort)
    assert asked[: len(ahead)] == ahead
    assert isinstance(asked[len(ahead)], m.Calibrate)


def test_what_is_timed_is_not_posted() -> None:
    """Where all phases are wanted, only the subject is opened ahead."""
    assert questions_ahead(REQUEST, PHASES, _EFFORT) == [REQUEST]


def test_a_side_that_started_elsewhere_goes_to_its_cpu_before_it_is_timed() -> None:
    """Before the first phase, or before blocks where phases are not timed."""
    for phases, before in ((None, m.RunPhase), (frozenset({"evaluate"}), m.Calibrate)):
        sides, launches, _ = _sides(1)
        sides[0].cpu = 1

        _conduct(sides, replace(_EFFORT, phases=phases))

        asked = [question for _, question in launches[0].log]
        place = asked.index(m.StayOn(cpu=1))
        assert isinstance(asked[place + 1], before)


@pytest.mark.parametrize(
    ("phases", "before"),
    [
        (None, "teardown"),
        (frozenset({"evaluate"}), "evaluate"),
        (frozenset({"compile"}), "compile"),
    ],
)
def test_it_is_told_when_nothing_more_will_be_timed(
    phases: frozenset[str] | None, before: str
) -> None:
    """After the last block, or the last phase that is repeated or torn down against the clock."""
    sides, launches, _ = _sides(2)
    asked: list[m.Message] = []

    conduct_time(
        sides,
        replace(_EFFORT, phases=phases),
        random.Random(1),
        when_timed=lambda: asked.extend(question for _, question in launches[0].log),
    )

    timed = {"teardown": m.RunPhase, "evaluate": m.ReadYardstick, "compile": m.Repeat}
    assert isinstance(asked[-1], timed[before])
    later = [question for _, question in launches[0].log[len(asked) :]]
    assert {type(question) for question in later} <= {m.CheckAgain}
