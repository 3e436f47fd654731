"""The command line, run for real: real workers, real tables, the exit codes of the contract."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.launch import LocalLaunch
from harness.settings import Settings
from harness.worker import messages as m
from results.schema import COLUMNS
from results.tables import read

_PLUGIN = str(Path(__file__).parent / "subjects" / "misbehaving.py")
_TINY = ["--scenario", "tiny", "--plugin", _PLUGIN, "--quick"]


_TIMEOUT_S = 6
_HANG_S = 0.5


@pytest.fixture
def soon_given_up(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Have the subject `hanging` waited for no longer than a moment where it hangs.

    What it would have been waited for is returned, in seconds.
    """
    ask = LocalLaunch.ask
    opened: dict[LocalLaunch, str] = {}
    granted: list[float] = []

    def hasty(self: LocalLaunch, question: m.Message, *, timeout_s: float) -> m.Message:
        if isinstance(question, m.Open):
            opened[self] = question.evaluator
        is_compile = isinstance(question, m.RunPhase) and question.phase == "compile"
        if is_compile and opened[self] == "hanging":
            granted.append(timeout_s)
            timeout_s = _HANG_S
        return ask(self, question, timeout_s=timeout_s)

    monkeypatch.setattr(LocalLaunch, "ask", hasty)
    return granted


def _run(*arguments: str) -> int:
    return main(["run", *_TINY, *arguments])


def _statuses(table: Path) -> dict[str, set[tuple[str, str]]]:
    frame = read(table)
    return {
        str(evaluator): set(zip(rows["phase"], rows["status"], strict=True))
        for evaluator, rows in frame.groupby("evaluator", observed=True)
    }


def test_a_run_writes_the_contract_s_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has the contract's header, and the summary goes to stdout, not the progress."""
    out = tmp_path / "deep" / "a.csv"

    code = _run("--evaluator", "interpreter", "--label", "one", "--out", str(out))

    with out.open(newline="") as file:
        header = next(csv.reader(file))
    assert code == 0
    assert tuple(header) == COLUMNS
    said = capsys.readouterr().out
    assert "tiny width=4 gradient" in said
    assert "interpreter" in said
    environments = json.loads((tmp_path / "deep" / "a.environment.json").read_text())
    assert set(read(out)["environment"]) == set(environments)


def test_memory_launches_are_as_many_as_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--memory-launches` does not touch those that measure time."""
    settled: list[Settings] = []

    def measure(settings: Settings, _: object) -> int:
        settled.append(settings)
        return 0

    monkeypatch.setattr("harness.commands.run.measure", measure)
    asked = ("--evaluator", "honest", "--launches", "4", "--out", str(tmp_path / "a.csv"))

    _run(*asked)
    _run(*asked, "--memory-launches", "3")

    efforts = [(each.effort.launches, each.effort.memory_launches) for each in settled]
    assert efforts == [(4, 1), (4, 3)]


def test_failures_are_rows_and_stop_nothing(tmp_path: Path) -> None:
    """Subjects that raise, crash, exit, refuse or are wrong have a row each; others go on."""
    out = tmp_path / "a.csv"
    evaluators = ["raising", "crashing", "exiting", "refusing", "wrong", "shapeless", "honest"]

    code = _run("--evaluator", *evaluators, "--mode", "output", "--out", str(out), "--no-memory")

    found = _statuses(out)
    assert code == 0
    assert found["raising"] == {("compile", "error")}
    assert found["crashing"] == {("compile", "crash")}
    assert found["exiting"] == {("compile", "crash")}
    assert found["refusing"] == {("lower", "refused")}
    assert found["wrong"] == {("first_call", "wrong")}
    assert found["shapeless"] == {("first_call", "wrong")}
    assert {status for _, status in found["honest"]} == {"ok"}


def test_a_hanging_subject_costs_its_timeout(tmp_path: Path, soon_given_up: list[float]) -> None:
    """With nothing measured at all, the run says so by its exit code 3."""
    out = tmp_path / "a.csv"
    asked = ("--evaluator", "hanging", "--mode", "output", "--timeout", str(_TIMEOUT_S))

    code = _run(*asked, "--out", str(out))

    assert code == 3
    (left_s,) = soon_given_up
    assert 0 < left_s < _TIMEOUT_S
    assert _statuses(out)["hanging"] == {("compile", "timeout")}


@pytest.fixture(scope="module")
def same_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `a.csv` and `b.csv`: `honest` and `interpreter`, measured under each label."""
    folder = tmp_path_factory.mktemp("same_code")
    for label in "ab":
        out = str(folder / f"{label}.csv")
        asked = ("--evaluator", "honest", "interpreter", "--label", label, "--mode", "output")
        assert _run(*asked, "--no-memory", "--out", out) == 0
    return folder


def _without_interpreter(table: Path, out: Path) -> Path:
    lines = table.read_text().splitlines(keepends=True)
    out.write_text("".join(line for line in lines if ",interpreter," not in line))
    return out


def test_two_tables_are_compared(same_code: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two labels of the same code give rows for every phase, as CSV with the contract's columns."""
    tables = [str(same_code / f"{label}.csv") for label in "ab"]
    capsys.readouterr()

    code = main(["compare", *tables, "--format", "csv", "--threshold", "0.9"])

    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert code in (0, 1)
    assert {"construct", "lower", "compile", "first_call", "evaluate", "teardown"} <= {
        row["phase"] for row in rows
    }
    assert {(row["baseline_label"], row["candidate_label"]) for row in rows} == {("a", "b")}


def test_a_case_that_newly_fails_is_a_regression(same_code: Path, tmp_path: Path) -> None:
    """ok in the baseline and failing in the candidate is exit code 1."""
    table = _without_interpreter(same_code / "a.csv", tmp_path / "a.csv")
    failing = tmp_path / "b.csv"
    _run("--evaluator", "raising", "--label", "b", "--out", str(failing), "--mode", "output")
    failing.write_text(failing.read_text().replace(",raising,", ",honest,"))

    assert ",ok," in table.read_text()
    assert main(["compare", str(table), str(failing)]) == 1


def test_cases_that_the_candidate_lacks_are_never_green(same_code: Path, tmp_path: Path) -> None:
    """A baseline's case without counterpart is exit code 3."""
    one = _without_interpreter(same_code / "b.csv", tmp_path / "one.csv")
    asked = (str(same_code / "a.csv"), str(one), "--threshold", "0.9", "--metric", "nodes")

    assert main(["compare", *asked]) == 3


def test_the_gate_reads_its_settings_from_pyproject(same_code: Path, tmp_path: Path) -> None:
    """`check` takes baseline and metrics from [tool.graphgauge] when not told otherwise."""
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[tool.graphgauge]\nbaseline = "a.csv"\nmetrics = ["nodes"]\n')
    shutil.copy(same_code / "a.csv", tmp_path)

    assert main(["check", str(same_code / "b.csv"), "--settings", str(settings)]) == 0


def test_versions_are_measured_in_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`versus` with two evaluators writes pairs and ends with the comparison."""
    out = tmp_path / "v.csv"

    effort = ["--mode", "output", "--launches", "3", "--no-memory"]
    code = main(
        ["versus", "honest", "interpreter", *_TINY, *effort, "--out", str(out), "--format", "json"]
    )

    frame = read(out)
    timed = frame[frame["metric"] == "time"]
    assert code in (0, 1)
    assert set(timed["pair"]) == {"1", "2", "3"}
    assert set(frame["label"]) == {"honest", "interpreter"}
    told = json.loads(capsys.readouterr().out)
    assert told["rows"]
    assert main(["compare", str(out), "--format", "json"]) == code
    assert json.loads(capsys.readouterr().out) == told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--scenario", "chian"], "did you mean chain"),
        (["run", "--evaluator", "planed", "--scenario", "chain"], "did you mean planned"),
        (["run", "no-such-suite"], "expected one of quick, default, full"),
        (["run", "--plugin", "no-such-file.py"], "there is no such file"),
        (["compare", "no-such-file.csv", "another.csv"], "no-such-file.csv"),
        (["check", "--settings", "no-such.toml"], "--baseline FILE.csv is missing"),
        (["versus", "planned"], "expected a baseline and a candidate"),
    ],
)
def test_what_cannot_be_used_is_one_message_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad arguments and input end with a message on stderr that says what to do, and with 2."""
    code = main(arguments)

    said = capsys.readouterr()
    assert code == 2
    assert words in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize("arguments", [[], ["run", "--launches", "0"], ["run", "--budget", "nan"]])
def test_arguments_that_do_not_parse_exit_with_2(arguments: list[str]) -> None:
    """argparse's own errors have the contract's exit code."""
    with pytest.raises(SystemExit) as raised:
        main(arguments)

    assert raised.value.code == 2


@pytest.mark.usefixtures("soon_given_up")
def test_an_interrupted_run_has_saved_what_it_measured_and_resumes(tmp_path: Path) -> None:
    """Ctrl-C exits with 130, leaves a readable table, and --resume completes it."""
    out = tmp_path / "a.csv"
    arguments = [
        "run",
        *_TINY,
        "--evaluator",
        "honest",
        "hanging",
        "--out",
        str(out),
        "--no-memory",
    ]
    # Should the hanging case be under way already, it is waited for.
    arguments += ["--mode", "output", "--seed", "1", "--timeout", str(_TIMEOUT_S)]
    # Whoever runs the tests in the background may have had this signal ignored.
    listening = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    code = f"{listening}import sys; from harness.cli import main; sys.exit(main(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE)
    # Interrupted once the honest case has a whole launch; the hanging one can have none.
    while process.poll() is None and not (out.exists() and b"teardown" in out.read_bytes()):
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"--resume" in said
    assert "ok" in set(read(out)["status"])
    assert main([*arguments, "--resume"]) == 0
    assert _statuses(out)["hanging"] == {("compile", "timeout")}
    assert not read(out).duplicated(["evaluator", "scenario", "phase", "metric", "launch"]).any()


def test_the_list_shows_every_scenario_with_its_provenance(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`graphgauge list` names scenarios, evaluators and suites."""
    assert main(["list"]) == 0

    said = capsys.readouterr().out
    assert all(name in said for name in ("mlp", "tinygrad#8457", "straightline", "default"))
