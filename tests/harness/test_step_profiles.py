"""Profiles by operator, node and line: what a reading costs is taken out, and real runs add up."""

from pathlib import Path

import pytest

from harness.cases import make_cases, parse_spec
from harness.cli import main
from harness.commands import explaining, profile_steps
from harness.launch import LocalLauncher
from harness.plan import Contender, Version
from harness.profiling.launches import StepEffort, SteppedLaunch, time_steps
from harness.profiling.peaks import measured_peaks
from harness.profiling.steps import STEPPED, readings, reconciled
from harness.worker import messages as m
from harness.worker.peaks import measured_peaks as measured_here
from results.profiles.reading import UNEXPLAINED
from results.profiles.table import read_profile
from tests.harness.fakes import FakeClock

_LACKING = str(Path(__file__).parents[1] / "evaluators" / "lacking.py")
_CASE = make_cases([parse_spec("rnn:steps=4")], ["straightline"], ["gradient"])[0]


def _steps(step_ns: list[float], stretch_ns: float, operators: list[str]) -> m.StepsRead:
    """Steps of one stretch, which takes so long by itself."""
    size = len(step_ns)
    return m.StepsRead(
        operators=operators,
        names=[f"{name} #{at}" for at, name in enumerate(operators)],
        files=["a.py"] * size,
        lines=[*range(size)],
        texts=["h = f(x)"] * size,
        step_ns=step_ns,
        flops=[1] * size,
        moved_bytes=[8] * size,
        allocated_bytes=[4] * size,
        before_ns=150.0,
        after_ns=30.0,
        stretch_ns=[stretch_ns],
        steps_per_stretch=size,
        call_ns=stretch_ns + 80.0,
        stretched_ns=stretch_ns + 180.0,
        reading_ns=60.0,
        calls=10,
    )


def _launch(steps: m.StepsRead, launch: int, label: str = "a") -> SteppedLaunch:
    contender = Contender(version=Version(label=label, interpreter="python"), case=_CASE)
    return SteppedLaunch(contender=contender, launch=launch, pair=None, steps=steps)


# Entering 50, steps of 900, 400 and 20, leaving 30, and 100 for each of the readings: 1,400 in all.
_EXACT = _steps([1_000.0, 500.0, 120.0], 1_420.0, ["matmul", "add", "add"])
_SLOWER = _steps([1_000.0, 500.0, 120.0], 1_520.0, ["matmul", "add", "add"])


@pytest.mark.parametrize("by", STEPPED)
def test_rows_add_up_to_the_uninstrumented_call(by: str) -> None:
    """To the last digit, since what they miss is a row."""
    rows = readings([_launch(_EXACT, 1), _launch(_SLOWER, 2)], [by])  # type: ignore[list-item]

    first = [row for row in rows if row.launch == 1]
    # Entering 100, the stretch 1,370 and leaving 30, with 50 for a reading.
    assert sum(row.seconds for row in first) == pytest.approx(1_500e-9, rel=1e-12)
    unexplained = next(row.seconds for row in first if row.name == UNEXPLAINED)
    assert unexplained == pytest.approx(-100e-9)  # two readings of 50 ns too little taken out
    found = reconciled([_launch(_EXACT, 1), _launch(_SLOWER, 2)])[0]
    assert (found.sum_s, found.plain_s) == pytest.approx((1_600e-9, 1_500e-9))
    assert found.instrumented_s == pytest.approx(1_800e-9)
    assert found.stretched_s == found.plain_s  # no turn was slow


def test_operators_are_summed_with_their_calls_and_costs() -> None:
    """Two additions are one row of an operator, and two of nodes."""
    launches = [_launch(_EXACT, 1), _launch(_EXACT, 2)]

    row = next(row for row in readings(launches, ["operator"]) if row.name == "add")

    assert row.seconds == pytest.approx(420e-9)
    assert (row.calls, row.flops, row.moved_bytes, row.allocated_bytes) == (2, 2, 16, 8)
    nodes = [row.name for row in readings(launches[:1], ["node"]) if row.calls]
    assert nodes == ["matmul #0", "add #1", "add #2"]


@pytest.mark.parametrize("evaluator", ["reference", "interpreter", "planned", "straightline"])
def test_a_real_launch_is_told_step_by_step(evaluator: str) -> None:
    """With the scenario's own lines; all rows of a kind are the same call."""
    case = make_cases([parse_spec("rnn:steps=4")], [evaluator], ["gradient"])[0]
    contender = Contender(version=_current(), case=case)
    effort = StepEffort(
        launches=1, least_launches=1, budget_s=None, recorded_s=0.02, timeout_s=60.0
    )

    found = time_steps([contender], effort, launcher=LocalLauncher(), plugins=(), seed=1)

    assert not found.failures
    rows = readings(found.launches, STEPPED)
    by = {kind: [row for row in rows if row.by == kind] for kind in STEPPED}
    wholes = [sum(row.seconds for row in by[kind]) for kind in STEPPED]
    assert wholes[0] == pytest.approx(wholes[1], rel=1e-9)
    assert wholes[0] == pytest.approx(reconciled(found.launches)[0].plain_s, rel=1e-9)
    matmul = next(row for row in by["operator"] if row.name == "matmul")
    assert matmul.calls == 19  # 2 a step forward, and 3 backward but for the first step's state
    assert matmul.seconds > 0
    lines = {row.name for row in by["line"] if row.file == "scenarios/recurrent.py"}
    assert "h = f.tanh(x[step] @ w_input + h @ w_hidden + b)" in lines


def _current() -> Version:
    import sys  # noqa: PLC0415 - the one use

    return Version(label="current", interpreter=sys.executable)


def test_two_evaluators_are_told_apart_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts first, then rows that add up to the whole call, and the table beside."""
    monkeypatch.setattr(profile_steps, "RECORDED_S", 0.02)

    code = main(
        [
            "profile",
            "rnn:steps=4",
            "--sides",
            "interpreter",
            "straightline",
            "--launches",
            "2",
            "--out",
            str(tmp_path),
        ]
    )

    shown = capsys.readouterr().out
    assert code == 0
    assert "runs in a call, interpreter → straightline: " in shown
    assert "what changed of a call, by operator" in shown
    assert "the whole call" in shown
    assert "2 pairs" in shown
    (table,) = tmp_path.glob("*.profile.csv")
    assert len(list(tmp_path.glob("*.svg"))) == 4  # each, and the difference both ways
    assert len(list(tmp_path.glob("*.speedscope.json"))) == 1
    rows = read_profile(table)
    assert {row.label for row in rows} == {"interpreter", "straightline"}
    assert {row.by for row in rows} == set(STEPPED)
    assert {row.pair for row in rows} == {1, 2}


def test_one_version_is_told_with_its_reconciliation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a calibration, the share of the peak says so."""
    monkeypatch.setattr(profile_steps, "RECORDED_S", 0.02)
    monkeypatch.setattr(explaining, "latest_calibration", lambda _machine: None)

    code = main(
        [
            "profile",
            "mlp:batch=2",
            "--evaluator",
            "planned",
            "--launches",
            "2",
            "--by",
            "node",
            "--out",
            str(tmp_path),
            "--top",
            "3",
        ]
    )

    shown = capsys.readouterr().out
    assert code == 0
    assert "matmul(" in shown
    assert "not calibrated" in shown
    assert "steps add up to the call within" in shown
    assert "not shown: " in shown


def test_a_verdict_can_be_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the comparison's table, with the comparison's exit code."""
    monkeypatch.setattr(explaining, "RECORDED_S", 0.02)
    command = ["versus", "interpreter", "straightline", "--scenario", "rnn:steps=4"]
    chosen = ["--mode", "output", "--quick", "--launches", "3", "--no-memory", "--explain"]

    code = main([*command, *chosen, "--out", str(tmp_path / "v.csv")])

    shown = capsys.readouterr().out
    assert code in {0, 1}
    assert shown.index("evaluate time") < shown.index("what changed of a call, by operator")


def test_an_evaluator_that_cannot_be_instrumented_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused in words, and the exit code is that of nothing."""
    plugin = tmp_path / "plain.py"
    plugin.write_text(
        "from evaluators import catalog\n"
        "class Plain:\n"
        "    name = 'without-steps'\n"
        "    version = lambda self: '1'\n"
        "    refuse = lambda self, network, mode: None\n"
        "    lower = lambda self, network, mode: catalog.get('planned').lower(network, mode)\n"
        "    compile = lambda self, lowered: catalog.get('planned').compile(lowered)\n"
        "catalog.register(Plain())\n",
        encoding="utf-8",
    )

    code = main(
        [
            "profile",
            "rnn:steps=4",
            "--evaluator",
            "without-steps",
            "--plugin",
            str(plugin),
            "--out",
            str(tmp_path),
        ]
    )

    assert code == 3
    assert "without-steps has no instrument(network, mode, clock, reads)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--evaluator is missing"),
        (["--evaluator", "planned", "--sides", "planned", "straightline"], "leave it out"),
        (["--evaluator", "planned", "--sides", "numpy==2.4.6"], "expected a baseline and a"),
    ],
)
def test_sides_and_evaluators_must_fit(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is measured or installed."""
    assert main(["profile", "rnn", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_peaks_are_rates_of_known_work() -> None:
    """With a clock that gives every piece of work the same time, larger work has a higher rate."""
    clock = FakeClock()

    def ticking() -> int:
        clock.advance(30_000_000)
        return clock()

    found = measured_here(clock=ticking)

    assert found.flops_per_s["float32"] == pytest.approx(2 * 768**3 / 0.03)
    sizes = [size for size, _ in found.bytes_per_s]
    assert sizes == sorted(sizes)
    for size, rate in found.bytes_per_s:
        assert rate == pytest.approx(size / 0.03)


def test_a_worker_measures_this_machine() -> None:
    """Caches are no slower than memory, and float32 no slower than float64, within reason."""
    peaks = measured_peaks(LocalLauncher())

    assert peaks.flops_per_s["float32"] > peaks.flops_per_s["float64"] > 1e8
    assert peaks.bytes_per_s[1][1] > peaks.bytes_per_s[-1][1] > 1e8
