"""`graphgauge check` run for real: tables, settings, and versions measured anew."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import main
from harness.errors import UsageError
from harness.gate import read_gate
from results.tables import TableWriter, read, readings
from tests.results.samples import suite, version

_PLUGIN = Path(__file__).parent / "subjects" / "misbehaving.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder to work in, with a baseline of two cases."""
    monkeypatch.chdir(tmp_path)
    _table("base.csv", "old", seed=1)
    return tmp_path


def _table(name: str, label: str, seed: int, slower: float = 1.0) -> None:
    with TableWriter(Path(name)) as table:
        table.write(suite(label, seed=seed, slower=slower))


def _settings(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.graphgauge]\n{text}\n", encoding="utf-8")


def test_settings_decide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Baseline and threshold are the project's; the command line's word comes before them."""
    _table("new.csv", "new", seed=2, slower=1.2)
    _settings('baseline = "base.csv"\nthresholds = { time = 0.5 }')

    assert main(["check", "new.csv"]) == 0
    assert main(["check", "new.csv", "--threshold", "0.01"]) == 1
    assert folder.name
    assert "regressed" in capsys.readouterr().out


def test_machine_readable_output_is_not_mixed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Known exceptions stand in the notes of JSON, and nothing but JSON goes to stdout."""
    _table("new.csv", "new", seed=2, slower=1.2)
    _settings(
        'baseline = "base.csv"\n'
        'exceptions = [{ metric = "time", reason = "issue 12", expires = 9999-12-31 }]'
    )

    assert main(["check", "new.csv", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert folder.name
    assert any("issue 12" in note for note in told["notes"])


def test_the_same_label_on_both_sides(folder: Path) -> None:
    """Two tables that both call their version `old` are told apart."""
    _table("new.csv", "old", seed=2, slower=1.2)

    assert folder.name
    assert main(["check", "new.csv", "--baseline", "base.csv"]) == 1


def test_a_baseline_of_two_versions_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which of them is meant is not guessed."""
    with TableWriter(Path("two.csv")) as table:
        table.write([*version("a", [1.0]), *version("b", [1.0])])

    assert main(["check", str(folder / "base.csv"), "--baseline", "two.csv"]) == 2
    assert "has labels a, b" in capsys.readouterr().err


def test_a_suite_that_the_candidate_lacks_is_never_green(folder: Path) -> None:
    """Fewer cases than the settings ask for is exit code 3, though all of these are unchanged."""
    _settings('baseline = "base.csv"\nscenarios = ["rnn"]\nmetrics = ["nodes"]')

    assert folder.name
    assert main(["check", "base.csv"]) == 3


def test_the_candidate_is_measured_where_none_is_given(folder: Path) -> None:
    """`check` alone measures what the settings ask for and holds it against the committed table."""
    settings = (
        f'plugins = ["{_PLUGIN}"]\nscenarios = ["tiny"]\nevaluators = ["honest"]\n'
        'modes = ["output"]\nmeasure = ["--quick", "--launches", "1", "--no-memory"]\n'
        'metrics = ["nodes", "gradient_nodes"]\n'
    )
    run = ["run", "--scenario", "tiny", "--plugin", str(_PLUGIN), "--evaluator", "honest"]
    effort = ["--mode", "output", "--quick", "--launches", "1", "--no-memory"]
    assert main([*run, *effort, "--label", "base", "--out", "counts.csv"]) == 0
    _settings(f'baseline = "counts.csv"\n{settings}')

    assert main(["check"]) == 0
    _with_fewer_nodes("counts.csv")
    assert main(["check"]) == 1
    assert read(folder / "runs" / "check.csv")["session"].nunique() == 1
    assert main(["check", "runs/check.csv", "--renew"]) == 0
    assert main(["check", "runs/check.csv"]) == 0
    assert set(read(folder / "counts.csv")["metric"]) == {"nodes"}


def _with_fewer_nodes(name: str) -> None:
    """The baseline as if the network had been a node smaller."""
    rows = [
        replace(one, value=one.value - 1) if one.metric == "nodes" and one.value else one
        for one in readings(read(Path(name)))
    ]
    Path(name).unlink()
    with TableWriter(Path(name)) as table:
        table.write(rows)


def test_a_baseline_is_measured_anew_beside_the_candidate(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A side of `versus` as baseline: both in one session, in pairs; the default is this Python."""
    _settings(
        f'baseline = "python:{sys.executable}"\nplugins = ["{_PLUGIN}"]\nscenarios = ["tiny"]\n'
        'evaluators = ["honest"]\nmodes = ["output"]\nthreshold = 0.99\n'
        'measure = ["--quick", "--launches", "3", "--no-memory"]'
    )

    code = main(["check", "--format", "json"])

    frame = read(folder / "runs" / "check.csv")
    told = json.loads(capsys.readouterr().out)
    assert code in (0, 1)  # a machine under load may take twice as long once
    assert told["is_complete"]
    assert frame["session"].nunique() == 1
    assert {"1", "2", "3"} <= set(frame["pair"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["git:HEAD", "--baseline", "base.csv"], "is a table, and the candidate"),
        (["base.csv", "--baseline", "git:HEAD"], "name a version as candidate"),
        (["--baseline", "base.csv"], "which suites or scenarios to measure"),
        (["interpreter", "--baseline", "planned"], "compares versions of one evaluator"),
    ],
)
def test_sides_that_do_not_go_together(
    arguments: list[str], words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table is compared with a table, a version with a version; the message says what to do."""
    assert folder.name
    assert main(["check", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("thresold = 0.1", "has 'thresold'"),
        ('threshold = "1 %"', "a share such as 0.01"),
        ("threshold = true", "a share such as 0.01"),
        ("thresholds = { tme = 0.1 }", "some of first_time, time"),
        ('fail_on = ["worse"]', "some of regressed, failure, inconclusive"),
        ("suites = 3", "a list of texts"),
        ('exceptions = [{ metric = "time", expires = 2027-01-31 }]', "a reason"),
        ('exceptions = [{ metric = "time", reason = "x" }]', "the last day it holds"),
        ('exceptions = [{ reason = "x", expires = 2027-01-31 }]', "what it is about"),
        (
            'exceptions = [{ metric = "time", reason = "x", expires = 2027-01-31, up_to = 0.9 }]',
            "a ratio above 1",
        ),
        ("other_machine = 1", "true or false"),
        ("baseline = [", "expected TOML"),
    ],
)
def test_settings_that_cannot_be_used(settings: str, words: str, folder: Path) -> None:
    """The file, the key, what was found and what was expected."""
    _settings(settings)

    with pytest.raises(UsageError, match=words.replace("(", r"\(")):
        read_gate(folder / "pyproject.toml")


def test_the_old_word_for_inconclusive_still_means_all(folder: Path) -> None:
    """`fail_on = "inconclusive"` comes on top of regressions and failures."""
    _settings('fail_on = "inconclusive"')

    assert read_gate(folder / "pyproject.toml").fail_on == {"regressed", "failure", "inconclusive"}
