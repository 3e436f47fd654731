"""Trials are planned alike every time, made once, and kept whatever happens."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.verdict.findings import Finding
from benchmarks.verdict.processes import CommandFailed, run_command
from benchmarks.verdict.records import (
    IDENTICAL,
    OURS,
    PLANTED,
    Record,
    Trial,
    append_record,
    read_records,
)
from benchmarks.verdict.trial import PARTS, minutes, plan, run, share, sides_of
from results.pairs import PairRatio

FINDING = Finding(rule="a rule", verdict="unchanged", ratio=1.0, low=0.99, high=1.01)


def record_of(trial: Trial, *, error: str = "", wall_s: float = 7.0) -> Record:
    """A trial that came to nothing in particular."""
    return Record(
        trial=trial,
        findings=() if error else (FINDING,),
        pairs=() if error else (PairRatio(log_ratio=0.01), PairRatio(log_ratio=-0.01)),
        wall_s=wall_s,
        recorded_at="2026-01-31T12:00:00Z",
        error=error,
    )


class Maker:
    """Makes records, and remembers which; interrupted before the trial of that number."""

    def __init__(self, *, failing: str = "", interrupted_at: int | None = None) -> None:
        self.made: list[str] = []
        self._failing = failing
        self._interrupted_at = interrupted_at

    def __call__(self, trial: Trial) -> Record:
        if len(self.made) == self._interrupted_at:
            raise KeyboardInterrupt
        self.made.append(trial.key)
        return record_of(trial, error="it broke" if trial.key == self._failing else "")


def silent(_text: str) -> None:
    """Say nothing."""


def test_a_plan_is_the_same_every_time() -> None:
    """The order is random, and the seed decides it."""
    assert plan(PARTS) == plan(PARTS)
    assert plan(PARTS) != plan(PARTS, seed=2)
    assert Counter(plan(PARTS)) == Counter(plan(PARTS, seed=2))


def test_no_two_trials_have_the_same_name() -> None:
    """Or the second would never be made."""
    assert max(Counter(trial.key for trial in plan(PARTS)).values()) == 1


def test_identical_work_covers_workloads_engines_and_layouts() -> None:
    """400 trials, over all six workloads, half of them laid out otherwise."""
    trials = plan(["aa"])
    kinds = Counter(trial.kind for trial in trials)

    assert len(trials) == 400
    assert len({trial.workload for trial in trials}) == 6
    assert kinds["same"] == 200
    assert set(kinds) == set(IDENTICAL)


def test_planted_work_goes_both_ways() -> None:
    """In half of the trials the candidate is the faster side, at every level and workload."""
    ways = Counter((trial.percent, trial.swapped) for trial in plan(["planted", "long"]))

    assert {percent for percent, _ in ways} == {1, 2, 3, 5, 10}
    assert all(ways[percent, True] == ways[percent, False] for percent, _ in ways)


def test_peers_are_asked_the_same_questions() -> None:
    """Each of them 10 at each level and 20 about identical code."""
    by_tool: dict[str, Counter[tuple[object, ...]]] = {}
    for trial in plan(["peers"]):
        question = (trial.kind, trial.workload, trial.percent, trial.swapped, trial.number)
        by_tool.setdefault(trial.tool, Counter())[question] += 1
    first, *others = by_tool.values()

    assert len(by_tool) == 5
    assert all(other == first for other in others)
    assert sum(first.values()) == 5 * 10 + 20


def test_shares_are_the_whole_plan() -> None:
    """Two processes make every trial once."""
    trials = plan(PARTS)

    assert Counter(share(trials, "1/2") + share(trials, "2/2")) == Counter(trials)
    with pytest.raises(ValueError, match="found share 3/2"):
        share(trials, "3/2")


@pytest.mark.parametrize("swapped", [False, True])
def test_swapping_exchanges_the_sides(swapped: bool) -> None:
    """The planted side is the baseline then."""
    trial = Trial(
        tool=OURS, kind=PLANTED, workload="chain", percent=2, swapped=swapped, budget_s=7, number=0
    )
    sides = ("straightline", "straightline-plus-2")

    assert sides_of(trial) == (sides[::-1] if swapped else sides)


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was made is kept, and the next run makes the rest and nothing else."""
    path, trials = tmp_path / "trials.jsonl", plan(["planted"], count=1)
    first, second = Maker(interrupted_at=2), Maker()
    with pytest.raises(KeyboardInterrupt):
        run(trials, path, make=first, say=silent)

    run(trials, path, make=second, say=silent)

    assert first.made + second.made == [trial.key for trial in trials]
    assert {each.trial for each in read_records(path)} == set(trials)


def test_a_failed_trial_is_kept_and_made_again(tmp_path: Path) -> None:
    """Its last record is the one that counts."""
    path, trials = tmp_path / "trials.jsonl", plan(["planted"], count=1)
    run(trials, path, make=Maker(failing=trials[1].key), say=silent)
    (failed,) = (each for each in read_records(path) if each.error)
    again = Maker()

    run(trials, path, make=again, say=silent)

    assert again.made == [failed.trial.key] == [trials[1].key]
    assert not [each for each in read_records(path) if each.error]


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With every digit."""
    path = tmp_path / "trials.jsonl"
    record = record_of(plan(["long"])[0], wall_s=1 / 3)
    append_record(path, record)

    assert read_records(path) == [record]


def test_half_a_line_is_no_record(tmp_path: Path) -> None:
    """It is left out, and cut off before the next record is written."""
    path, trials = tmp_path / "trials.jsonl", plan(["planted"], count=1)
    append_record(path, record_of(trials[0]))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])

    assert len(read_records(path)) == 1
    append_record(path, record_of(trials[1]))
    assert [each.trial for each in read_records(path)] == trials[:2]


def test_a_line_that_is_no_record_is_an_error_that_names_it(tmp_path: Path) -> None:
    """With its number, and what to do."""
    path = tmp_path / "trials.jsonl"
    append_record(path, record_of(plan(["long"])[0]))
    with path.open("a", encoding="utf-8") as file:
        file.write("{}\n")

    with pytest.raises(ValueError, match=r"trials.jsonl:2: .*Delete this line"):
        read_records(path)


def test_the_time_left_is_what_such_trials_took() -> None:
    """And the budget, for those of which there were none."""
    known, unknown = plan(["planted"], count=1, levels=[2, 3])
    records = [record_of(known, wall_s=50.0), record_of(known, wall_s=70.0)]

    assert minutes([known, known], records) == 2
    assert minutes([unknown], records) == pytest.approx(7 / 60)


def test_a_command_that_fails_says_how(tmp_path: Path) -> None:
    """The exit code and the end of what it said."""
    with pytest.raises(CommandFailed, match="exit code 3; it said: no such luck"):
        run_command(
            [
                sys.executable,
                "-c",
                "import sys; print('no such luck', file=sys.stderr); sys.exit(3)",
            ],
            cwd=tmp_path,
        )


def test_a_command_runs_on_the_cpu_it_was_given(tmp_path: Path) -> None:
    """And sees the variables that it was given."""
    asked = "import os; print(os.sched_getaffinity(0), os.environ['SUBJECT'])"
    done = run_command(
        [sys.executable, "-c", asked], cwd=tmp_path, cpu=0, variables={"SUBJECT": "this"}
    )

    assert done.stdout == "{0} this\n"
