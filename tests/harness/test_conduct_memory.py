"""What is asked of a memory launch, and what its rows say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.conduct_memory import conduct_memory
from harness.conversation import Side
from harness.effort import Effort, quick_effort
from harness.measurement import Measurement
from harness.worker import messages as m
from results.notes import parse_notes
from tests.harness.fakes import (
    PHASES,
    REQUEST,
    Answer,
    FakeLaunch,
    Recorder,
    memory_series,
    usual_answers,
)

_EFFORT = quick_effort(launches=1, timeout_s=60, memory=True)


def _conducted(
    effort: Effort = _EFFORT, **answers: Answer
) -> tuple[list[Measurement], list[m.Message]]:
    """The rows of one side, and what it was asked; answers by the name of the question."""
    launch = FakeLaunch(usual_answers())
    for name, answer in answers.items():
        launch._answers[getattr(m, name)] = answer
    rows = Recorder()
    side = Side(launch, REQUEST, rows, timeout_s=60)
    conduct_memory([side], effort, random.Random(1))
    return rows.rows[side], [question for _, question in launch.log]


def _in_turn(*series: Sequence[int]) -> Answer:
    """One series after the other, each going on from where the last one ended."""
    parts = []
    first_call = 0
    for each in series:
        parts.append(memory_series(each, first_call))
        first_call = parts[-1].calls[-1]
    turn = iter(parts)
    return lambda _: next(turn)


def _row(rows: list[Measurement], metric: str, phase: str = "evaluate") -> Measurement:
    (row,) = [row for row in rows if (row.phase, row.metric) == (phase, metric)]
    return row


def test_rows_tell_peak_held_and_retained_of_every_phase() -> None:
    """Each phase has three readings in bytes, with the heap's own count beside."""
    rows, _ = _conducted()

    assert {row.phase for row in rows if row.metric == "peak_memory"} == set(PHASES)
    assert _row(rows, "peak_memory", "lower").value == 300
    assert _row(rows, "held_memory", "lower").value == 200
    assert parse_notes(_row(rows, "held_memory", "lower").detail) == {"heap": "190"}
    assert _row(rows, "live_objects", "lower").value == 9


def test_the_last_row_is_the_one_that_marks_a_launch_as_complete() -> None:
    """`--resume` takes a launch with teardown's retained memory for whole."""
    rows, _ = _conducted()

    assert (rows[-1].phase, rows[-1].metric) == ("teardown", "retained_memory")


def test_what_comes_once_is_told_from_what_comes_each_time() -> None:
    """Repetition shows whether a phase leaves something behind for every network."""
    read = usual_answers()[m.MeasureMemory]
    rows, _ = _conducted(
        MeasureMemory=lambda q: read(q)._replace(retained_bytes=500_000),  # type: ignore[attr-defined]
        RepeatMemory=lambda _: m.MemoryRounds(
            retained_heap_bytes={"lower": [0, 0, 0], "compile": [40_000, 48_000, 48_000]},
            whole_heap_bytes=[80_000, 96_000, 96_000],
        ),
    )

    told = {
        phase: parse_notes(_row(rows, "retained_memory", phase).detail)
        for phase in ("lower", "compile", "evaluate")
    }
    assert (told["lower"]["comes"], told["lower"]["each"]) == ("once", "0")
    assert (told["compile"]["comes"], told["compile"]["each"]) == ("each time", "48000")
    assert told["compile"]["settled_by"] == "gc.collect+malloc_trim"
    assert "comes" not in told["evaluate"]


def test_what_a_round_gets_back_is_not_kept() -> None:
    """A call that fills a cache which the next round empties leaves nothing behind."""
    rows, _ = _conducted(
        RepeatMemory=lambda _: m.MemoryRounds(
            retained_heap_bytes={"first_call": [2_096, 2_096]}, whole_heap_bytes=[0, 16]
        ),
    )

    assert parse_notes(_row(rows, "retained_memory", "first_call").detail)["comes"] == "nothing"


def test_a_steady_subject_is_flat_and_is_followed_once() -> None:
    """Nothing more is asked where nothing grows."""
    rows, asked = _conducted()

    assert parse_notes(_row(rows, "memory_drift").detail)["class"] == "flat"
    assert sum(isinstance(each, m.FollowMemory) for each in asked) == 1


def test_a_leak_is_told_when_it_was_seen_twice() -> None:
    """80 B a call, and again: the row is a leak with its interval, over all calls."""
    first = [8_000 * at for at in range(20)]
    second = [8_000 * at for at in range(19, 39)]

    rows, asked = _conducted(FollowMemory=_in_turn(first, second))

    drift = _row(rows, "memory_drift")
    notes = parse_notes(drift.detail)
    assert (drift.value, drift.calls, drift.blocks) == (pytest.approx(80), 3_800, 39)
    assert (notes["class"], float(notes["low"]), float(notes["high"])) == ("leak", 80, 80)
    assert sum(isinstance(each, m.FollowMemory) for each in asked) == 2


def test_what_looked_like_a_leak_and_stopped_is_a_plateau() -> None:
    """A cache that takes 2,000 calls to fill: bytes and call are told."""
    filling = [8_000 * at for at in range(20)]
    full = [8_000 * 19] * 40

    rows, _ = _conducted(FollowMemory=_in_turn(filling, full))

    notes = parse_notes(_row(rows, "memory_drift").detail)
    assert (notes["class"], notes["grown"], notes["settled_at"]) == ("plateau", "152000", "1900")


def test_the_height_of_a_sawtooth_is_told() -> None:
    """Garbage in cycles that the collector comes for is no leak, but it has a height."""
    rows, _ = _conducted(
        WatchCollector=lambda _: m.Sawtooth(
            calls=2_000, highest_bytes=900_000, collections=3, collector_is_on=True
        )
    )

    notes = parse_notes(_row(rows, "memory_drift").detail)
    assert (notes["class"], notes["sawtooth"], notes["collector"]) == ("flat", "900000", "on")


def test_a_rebuilt_subject_tells_how_the_time_of_a_rebuild_drifts() -> None:
    """Its rows say that they are per rebuild; the source keeps them apart from calls."""
    opened = usual_answers()[m.Open]
    rows, asked = _conducted(
        Open=lambda q: opened(q)._replace(lifecycle="rebuilds", units=100)  # type: ignore[attr-defined]
    )

    drift = _row(rows, "time_drift")
    assert drift.source == "perf_counter_ns per rebuild"
    assert parse_notes(drift.detail)["per"] == "rebuild"
    assert parse_notes(_row(rows, "memory_drift").detail)["per"] == "rebuild"
    assert [each.calls for each in asked if isinstance(each, m.FollowMemory)] == [100]


def test_drift_alone_runs_every_phase_once_and_follows_as_ever() -> None:
    """No probe is asked but that of the calls; the row is the same, and the check comes last."""
    usual, _ = _conducted()
    rows, asked = _conducted(replace(_EFFORT, drift_alone=True))

    assert rows == [_row(usual, "memory_drift")]
    assert [each.phase for each in asked if isinstance(each, m.RunPhase)] == list(PHASES[:5])
    assert not any(isinstance(each, m.MeasureMemory | m.RepeatMemory) for each in asked)
    assert isinstance(asked[-1], m.Check)


def test_memory_is_checked_after_everything_was_read() -> None:
    """The golden evaluator runs last, so that its memory is in no reading."""
    _, asked = _conducted()

    assert isinstance(asked[-1], m.Check)


def test_a_wrong_value_gives_no_memory_either() -> None:
    """A case whose value is wrong has a failure row and no reading of memory."""
    rows, _ = _conducted(Check=lambda _: m.Checked(max_relative_error=None, problem="off"))

    assert [(row.metric, row.status) for row in rows] == [("peak_memory", "wrong")]


def test_growth_within_few_calls_is_followed_for_longer() -> None:
    """What grows for 150 slow calls and then stands still is no leak; each time gets more time."""
    rising = [320 * at for at in range(20)]
    parts = [
        memory_series(in_use)._replace(calls=[first + 4 * at for at in range(20)])
        for first, in_use in (
            (0, rising),
            (76, [rising[-1] + each for each in rising]),
            (152, [2 * rising[-1]] * 20),
            (228, [2 * rising[-1]] * 20),
        )
    ]
    turn = iter(parts)

    rows, questions = _conducted(FollowMemory=lambda _: next(turn))

    budgets = [each.budget_ns for each in questions if isinstance(each, m.FollowMemory)]
    assert budgets == [budgets[0] * 2**at for at in range(len(budgets))]
    assert len(budgets) >= 3
    assert parse_notes(_row(rows, "memory_drift").detail)["class"] != "leak"
