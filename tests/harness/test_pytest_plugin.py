"""The fixture `phases`, in test suites of its users: real runs of pytest."""

from __future__ import annotations

import json
import os
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
from scipy import special

from harness.cli import main
from results.tables import read

pytest_plugins = ["pytester"]

_LOADED_BEFORE = special
"""pytester forgets the modules that a test loads, and NumPy's can be loaded once in a process."""

_SUITE = """
import pytest

def build(steps):
    return list(range(steps))

def compiled(network):
    return lambda weights: sum(network) * weights

def test_rnn(phases):
    network = phases.construct(build, steps=100)
    function = phases.compile(compiled, network)
    assert phases.evaluate(function, 2) == 9900
"""


@pytest.fixture(autouse=True)
def _chosen_plugins_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others that happen to be installed take seconds to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


_QUICK = ("--benchmark-min-rounds=5", "--benchmark-max-time=0.01", "-p", "no:cacheprovider")


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pytest that is started here is no worker, also where these tests are run by some."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)


def _run(
    pytester: pytest.Pytester, *arguments: str, plugins: tuple[str, ...] = ()
) -> pytest.RunResult:
    """Run pytest with pytest-benchmark, ours, and the plugins named."""
    chosen = ("pytest_benchmark.plugin", "harness.pytest_plugin", *plugins)
    loaded = [each for name in chosen for each in ("-p", name)]
    return pytester.runpytest_subprocess(*loaded, *_QUICK, *arguments)


def test_each_phase_is_a_row_of_pytest_benchmark(pytester: pytest.Pytester) -> None:
    """Its table and its JSON have them by name, with memory and drift in extra_info."""
    pytester.makepyfile(_SUITE)

    result = _run(pytester, "--benchmark-json=out.json")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines_random(
        ["test_rnn?construct? *", "test_rnn?compile? *", "test_rnn?first_call? *"]
    )
    result.stdout.no_fnmatch_line("*was not used at all*")
    content = json.loads((pytester.path / "out.json").read_text())
    told = {each["params"]["phase"]: each for each in content["benchmarks"]}
    assert list(told) == ["construct", "compile", "first_call", "evaluate"]
    assert {"peak_memory", "held_memory", "retained_memory", "first_time"} <= set(
        told["compile"]["extra_info"]
    )
    assert {"time_drift", "memory_drift", "peak_memory"} <= set(told["evaluate"]["extra_info"])
    assert told["first_call"]["stats"]["rounds"] == 1
    assert told["evaluate"]["stats"]["rounds"] >= 5


def test_a_run_is_a_launch_of_a_result_table(pytester: pytest.Pytester) -> None:
    """--graphgauge appends a session each time; two tables of them can be compared."""
    pytester.makepyfile(
        _SUITE.replace("def test_rnn", "@pytest.mark.phases(evaluator='mine')\ndef test_rnn")
    )

    for label in ("a", "a", "b", "b"):
        result = _run(pytester, f"--graphgauge={label}.csv", f"--graphgauge-label={label}")
        result.stdout.fnmatch_lines(["graphgauge: * readings appended to *.csv"])

    frame = read(pytester.path / "a.csv")
    assert frame["session"].nunique() == 2
    assert set(frame["evaluator"]) == {"mine"}
    assert set(frame["scenario"]) == {"test_a_run_is_a_launch_of_a_result_table.py::test_rnn"}
    assert set(frame["status"]) == {"ok"}
    assert {"time", "first_time", "peak_memory", "memory_drift"} <= set(frame["metric"])
    tables = [str(pytester.path / name) for name in ("a.csv", "b.csv")]
    assert main(["compare", *tables, "--threshold", "0.99"]) in (0, 1)


def test_a_leak_is_seen(pytester: pytest.Pytester) -> None:
    """A function that keeps 1,000 bytes a call has a memory drift of that; one that does not, none.

    Objects of Python stay out of the C heap, so that tracing sees what mallinfo2 cannot. They are
    kept in a deque, as a list would be moved as it grows, and tracing takes all of it for new then.
    """
    pytester.makepyfile(
        """
        from collections import deque

        kept = deque()

        def test_leaky(phases):
            phases.evaluate(lambda: kept.append(bytearray(1_000)))

        def test_tight(phases):
            phases.evaluate(lambda: bytearray(1_000))
        """
    )

    _run(pytester, "--graphgauge=a.csv").assert_outcomes(passed=2)

    frame = read(pytester.path / "a.csv")
    drifts = frame[(frame["metric"] == "memory_drift") & (frame["source"] == "tracemalloc")]
    by_test = {
        str(name).partition("::")[2]: v
        for name, v in zip(drifts["scenario"], drifts["value"], strict=True)
    }
    assert 1_000 <= by_test["test_leaky"] <= 1_100
    assert abs(by_test["test_tight"]) <= 1


@pytest.mark.parametrize("options", [(), ("--graphgauge=a.csv",)])
def test_disabled_benchmarks_are_plain_tests(
    pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    """Each phase runs once, nothing is measured, and no table pretends otherwise."""
    pytester.makepyfile(
        """
        calls = []

        def test_once(phases):
            assert phases.construct(calls.append, 1) is None
            assert phases.evaluate(lambda x: x, 3) == 3
            assert phases.teardown(lambda: 4) == 4
            assert calls == [1]
        """
    )

    result = _run(pytester, "--benchmark-disable", *options)

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*was not used at all*")
    if options:
        result.stdout.fnmatch_lines(["graphgauge: nothing written to a.csv: benchmarks are*"])
    assert not (pytester.path / "a.csv").exists()


def test_xdist_is_refused(pytester: pytest.Pytester) -> None:
    """Workers disturb each other: the message says what to do; --benchmark-disable works."""
    pytest.importorskip("xdist", reason="pytest-xdist is in the extra `tools`")
    pytester.makepyfile(_SUITE)

    xdist = ("xdist.plugin",)

    refused = _run(pytester, "-n", "1", plugins=xdist)
    table = _run(pytester, "-n", "1", "--graphgauge=a.csv", plugins=xdist)

    refused.assert_outcomes(errors=1)
    refused.stdout.fnmatch_lines(["*workers would disturb each other*"])
    assert table.ret == pytest.ExitCode.USAGE_ERROR
    table.stderr.fnmatch_lines(["*--graphgauge: graphgauge measures time and memory*"])
    disabled = _run(pytester, "-n", "1", "--benchmark-disable", plugins=xdist)
    disabled.assert_outcomes(passed=1)
    _run(pytester, "-n", "0", plugins=xdist).assert_outcomes(passed=1)


def test_a_table_that_cannot_be_written_fails_the_session(pytester: pytest.Pytester) -> None:
    """Its tests passed, and what was asked for is not there: that is not green."""
    pytester.makepyfile("def test_it(phases):\n    phases.construct(int)\n")
    (pytester.path / "other.csv").write_text("a,b\r\n1,2\r\n")

    result = _run(pytester, "--graphgauge=other.csv")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["graphgauge: other.csv:1: another header*"])


def test_a_phase_that_fails_is_a_row(pytester: pytest.Pytester) -> None:
    """The test fails as it should; the table has what was measured before, and the failure."""
    pytester.makepyfile(
        """
        def test_it(phases):
            phases.construct(int)
            phases.evaluate(lambda: 1 / 0)
        """
    )

    result = _run(pytester, "--graphgauge=a.csv")

    result.assert_outcomes(failed=1)
    frame = read(pytester.path / "a.csv")
    failed = frame[frame["status"] != "ok"]
    assert list(zip(failed["phase"], failed["status"], strict=True)) == [("first_call", "error")]
    assert failed["detail"].iloc[0] == "ZeroDivisionError: division by zero"
    assert (frame["phase"] == "construct").any()


def test_parameters_and_marks_name_the_case(pytester: pytest.Pytester) -> None:
    """A test's parameters are the scenario's; the mark tells evaluator, mode and version."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.phases(evaluator="mine", version="1.2", scenario="rnn", mode="gradient")
        @pytest.mark.parametrize("steps", [10, 20])
        def test_it(phases, steps):
            phases.construct(range, steps)
        """
    )

    _run(pytester, "--graphgauge=a.csv", "--benchmark-json=o.json").assert_outcomes(passed=2)

    frame = read(pytester.path / "a.csv")
    cases = frame[["evaluator", "evaluator_version", "scenario", "params", "mode"]]
    assert sorted(cases.drop_duplicates().itertuples(index=False, name=None)) == [
        ("mine", "1.2", "rnn", "steps=10", "gradient"),
        ("mine", "1.2", "rnn", "steps=20", "gradient"),
    ]
    names = [
        each["name"] for each in json.loads((pytester.path / "o.json").read_text())["benchmarks"]
    ]
    assert names == ["test_it[10-construct]", "test_it[20-construct]"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("phases.construct(int); phases.construct(int)", "*phases.construct was called twice*"),
    ],
)
def test_misuse_is_told(pytester: pytest.Pytester, body: str, words: str) -> None:
    """A phase is one row, and a mark has known keys."""
    pytester.makepyfile(f"def test_it(phases):\n    {body}\n")

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([words])


def test_unused_it_is_inactive(pytester: pytest.Pytester) -> None:
    """A suite without the fixture sees nothing of it and imports nothing heavy for it."""
    pytester.makepyfile(
        """
        import sys

        def test_it():
            assert "harness.pytest_plugin" in sys.modules
            assert not {"pandas", "scipy", "rich", "harness.pytest_phases"} & sys.modules.keys()
        """
    )

    result = _run(pytester)

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*graphgauge:*")


def test_pytest_finds_it() -> None:
    """The package says under `pytest11` where the plugin is."""
    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    (plugin,) = settings["project"]["entry-points"]["pytest11"].values()

    assert plugin == "harness.pytest_plugin"
    assert callable(import_module(plugin).phases)


def test_pytest_benchmark_s_json_can_be_imported(pytester: pytest.Pytester) -> None:
    """`graphgauge import` of what --benchmark-json wrote has the phases and their memory."""
    pytester.makepyfile(_SUITE)
    _run(pytester, "--benchmark-json=out.json").assert_outcomes(passed=1)
    out = pytester.path / "imported.csv"

    assert main(["import", str(pytester.path / "out.json"), "-o", str(out)]) == 0

    frame = read(out)
    assert {"construct", "compile", "first_call", "evaluate"} == set(frame["phase"])
    assert {"time", "first_time", "peak_memory", "memory_drift"} <= set(frame["metric"])
    assert Path(out).exists()
