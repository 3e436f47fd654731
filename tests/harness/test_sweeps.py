"""Sweeps: smaller sizes first, and larger ones not run once a smaller one has failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cases import Case, parse_spec, parse_specs
from harness.effort import quick_effort
from harness.errors import UsageError
from harness.launch import Surroundings
from harness.measurement import Measurement
from harness.plan import Contender, Version, plan_turns
from harness.session import Session
from harness.settings import Settings
from harness.sweeps import Stops, ascending
from harness.worker import messages as m
from results.schema import Reading
from results.tables import read, readings
from tests.harness.fakes import Answer, FakeLauncher, usual_answers

_EFFORT = quick_effort(launches=2, timeout_s=60, memory=False)


def _case(text: str, evaluator: str = "planned") -> Case:
    return parse_spec(text).case(evaluator, "output")


def _failure(status: str = "recursion") -> Measurement:
    return Measurement(
        phase="compile", metric="first_time", source="clock", value=None, status=status
    )


def test_several_values_make_several_specs() -> None:
    """`depth=1/2,width=3/4` means four sizes."""
    specs = parse_specs("chain:depth=1/2,width=3/4,form=add")

    sizes = [(dict(spec.params)["depth"], dict(spec.params)["width"]) for spec in specs]
    assert sizes == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert all(dict(spec.params)["form"] == "add" for spec in specs)


def test_a_sweep_goes_through_the_scenarios_own_sizes() -> None:
    """By the first size that is not given; forms are left as they are."""
    assert [dict(spec.params)["depth"] for spec in parse_specs("chain", sweep=True)] == [
        100,
        1_000,
        10_000,
        100_000,
    ]
    mlp = parse_specs("mlp:depth=3", sweep=True)
    assert [dict(spec.params)["width"] for spec in mlp] == [64, 256, 1_024]


def test_a_sweep_without_a_size_says_what_to_give() -> None:
    """Where every size is given, and where there is no such scenario."""
    with pytest.raises(UsageError, match=r"double:depth=5 --sweep: no size is left.*NAME=10/100"):
        parse_specs("double:depth=5", sweep=True)
    with pytest.raises(UsageError, match="did you mean double"):
        parse_specs("duoble", sweep=True)


def test_a_larger_size_differs_in_one_number() -> None:
    """Other evaluators, other forms, and sizes that differ in two ways are no larger sizes."""
    small = _case("chain:depth=10,width=4")

    def is_larger(case: Case, other: Case) -> bool:
        stops = Stops()
        stops.failed("v1", other, _failure())
        return stops.row_for("v1", case, "time") is not None

    assert is_larger(_case("chain:depth=11,width=4"), small)
    assert is_larger(_case("chain:depth=10,width=5"), small)
    assert not is_larger(small, _case("chain:depth=11,width=4"))
    assert not is_larger(_case("chain:depth=11,width=5"), small)
    assert not is_larger(_case("chain:depth=11,width=4,form=add"), small)
    assert not is_larger(_case("chain:depth=11,width=4", "interpreter"), small)
    assert not is_larger(small, small)


def test_a_sweep_ends_at_its_smallest_failure() -> None:
    """Whatever the order in which sizes failed; of several sweeps the smallest case tells why."""
    stops = Stops()
    for depth in (30, 10, 20):
        stops.failed("v1", _case(f"chain:depth={depth},width=4"), _failure())
    stops.failed("v1", _case("chain:depth=40,width=2"), _failure("crash"))

    row = stops.row_for("v1", _case("chain:depth=40,width=4"), "time")
    other = stops.row_for("v1", _case("chain:depth=40,width=3"), "time")

    assert row is not None
    assert other is not None
    assert row.detail == "not run: depth=10 ended with recursion in compile"
    assert other.detail == "not run: width=2 ended with crash in compile"


def test_ascending_keeps_the_places_of_each_sweep() -> None:
    """Only sizes of one sweep change places with each other."""
    mixed = [_case("chain:depth=9"), _case("double:depth=8"), _case("chain:depth=2")]

    assert ascending(mixed, lambda case: case) == [mixed[2], mixed[1], mixed[0]]


def test_the_first_round_of_each_kind_is_in_ascending_order() -> None:
    """Whatever the seed: time first, then memory."""
    groups = [
        (
            Contender(
                version=Version(label="a", interpreter="a"), case=_case(f"chain:depth={depth}")
            ),
        )
        for depth in (5, 3, 9, 1, 7)
    ]
    effort = quick_effort(launches=2, timeout_s=1, memory=True)
    for seed in range(5):
        turns = plan_turns(groups, effort, seed)
        sizes = [dict(step.contenders[0].case.params)["depth"] for (step,) in turns]
        assert sizes[:5] == sizes[10:] == [1, 3, 5, 7, 9]
        assert sorted(sizes[5:10]) == [1, 3, 5, 7, 9]


@pytest.mark.parametrize("status", ["timeout", "out_of_memory", "recursion", "crash", "error"])
def test_a_failed_size_stands_for_larger_ones(status: str) -> None:
    """Their rows are timeouts that tell which size ended the sweep, and how."""
    stops = Stops()
    stops.failed("v1", _case("chain:depth=10"), _failure(status))

    row = stops.row_for("v1", _case("chain:depth=1000"), "time")

    assert row is not None
    assert (row.status, row.phase, row.value) == ("timeout", "compile", None)
    assert row.detail == f"not run: depth=10 ended with {status} in compile"
    assert stops.row_for("v1", _case("chain:depth=9"), "time") is None
    assert stops.row_for("v2", _case("chain:depth=1000"), "time") is None


@pytest.mark.parametrize("status", ["refused", "wrong"])
def test_what_is_refused_or_wrong_says_nothing_of_larger_sizes(status: str) -> None:
    """They are tried."""
    stops = Stops()
    stops.failed("v1", _case("chain:depth=10"), _failure(status))

    assert stops.row_for("v1", _case("chain:depth=1000"), "time") is None


def test_what_has_been_run_before_is_run_again() -> None:
    """A smaller size that fails in a later round takes nothing from a larger one that did not."""
    stops = Stops()
    stops.passed("v1", _case("chain:depth=1000"), "time")
    stops.failed("v1", _case("chain:depth=10"), _failure())

    assert stops.row_for("v1", _case("chain:depth=1000"), "time") is None
    assert stops.row_for("v1", _case("chain:depth=1000"), "memory") is not None


def _recursing_from(depth: int) -> Callable[[Surroundings], dict[type, Answer]]:
    """Launches that fail to compile from that depth on."""

    def answers(_surroundings: Surroundings) -> dict[type, Answer]:
        usual = usual_answers()
        opened, run = usual[m.Open], usual[m.RunPhase]
        asked: list[Any] = []

        def open_(question: Any) -> m.Message:
            asked.append(question.params["depth"])
            return opened(question)

        def run_phase(question: Any) -> m.Message:
            if asked[0] >= depth and question.phase == "compile":
                return m.Failure(phase="compile", status="recursion", detail="too deep")
            return run(question)

        return usual | {m.Open: open_, m.RunPhase: run_phase}

    return answers


def _groups(depths: tuple[int, ...]) -> list[tuple[Contender, ...]]:
    version = Version(label="now", interpreter="now")
    return [(Contender(version=version, case=_case(f"chain:depth={depth}")),) for depth in depths]


def _failures(out: Path) -> list[tuple[str, str, str]]:
    rows: list[Reading] = list(readings(read(out)))
    return [(row.params, row.status, row.detail) for row in rows if row.status != "ok"]


_ENDED = [
    ("depth=100;form=tanh;width=64", "recursion", "too deep"),
    (
        "depth=1000;form=tanh;width=64",
        "timeout",
        "not run: depth=100 ended with recursion in compile",
    ),
    (
        "depth=10000;form=tanh;width=64",
        "timeout",
        "not run: depth=100 ended with recursion in compile",
    ),
]


def test_a_session_ends_a_sweep_where_it_fails(tmp_path: Path) -> None:
    """One size fails, two larger ones are rows and not run, the smaller one is measured."""
    out = tmp_path / "a.csv"
    launcher = FakeLauncher(_recursing_from(100))
    settings = Settings(out=out, effort=_EFFORT, seed=1)

    Session(settings, launcher).run(_groups((10_000, 10, 1_000, 100)))

    assert _failures(out) == _ENDED
    # The environment, twice 10, once 100. A process may have started ahead; it was asked nothing.
    assert sum(bool(launch.log) for launch in launcher.launches) == 1 + 2 + 1


def test_resuming_knows_where_sweeps_ended(tmp_path: Path) -> None:
    """Interrupted after the failure was written, larger sizes are still not run."""
    out = tmp_path / "a.csv"
    settings = Settings(out=out, effort=_EFFORT, seed=1)
    Session(settings, FakeLauncher(_recursing_from(100))).run(_groups((10, 100)))
    launcher = FakeLauncher(_recursing_from(10**9))
    resumed = Settings(out=out, effort=_EFFORT, seed=1, resume=True)

    Session(resumed, launcher).run(_groups((10, 100, 1_000, 10_000)))

    assert _failures(out) == _ENDED
    assert len(launcher.started) == 1
