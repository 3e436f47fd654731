"""Files of other tools that graphgauge did not write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results.exchange.catalog import FORMATS
from results.schema import first_problem

_CASE = ("label", "evaluator", "scenario", "params", "phase", "metric", "launch")
_TOLD = (*_CASE, "value", "blocks", "calls")


def _imported(name: str, content: object, folder: Path) -> list[tuple[object, ...]]:
    path = folder / "theirs.json"
    path.write_text(json.dumps(content))
    found = FORMATS[name].imported(path, None).readings
    assert all(first_problem(one) is None for one in found)
    return [tuple(getattr(one, name) for name in _TOLD) for one in found]


def test_rounds_of_pytest_benchmark_are_blocks_of_one_launch(tmp_path: Path) -> None:
    """Rounds of one process are no launches; a phase in extra_info and its metrics are read."""
    content = {
        "machine_info": {"node": "here"},
        "datetime": "2026-01-31T12:00:00+00:00",
        "benchmarks": [
            {
                "fullname": "t.py::test[3]",
                "params": {"n": 3},
                "extra_info": {"phase": "compile", "peak_memory": 4096, "other": 1},
                "stats": {"median": 2.0, "iqr": 0.5, "rounds": 5, "iterations": 10},
            }
        ],
    }

    case = ("theirs", "pytest-benchmark", "t.py::test[3]", "n=3", "compile")
    assert _imported("pytest-benchmark", content, tmp_path) == [
        (*case, "time", 1, 2.0, 5, 50),
        (*case, "peak_memory", 1, 4096.0, None, None),
    ]


def test_runs_of_pyperf_are_launches(tmp_path: Path) -> None:
    """A process is a launch; the runs that calibrate have no values and are none."""
    content = {
        "version": "1.0",
        "metadata": {"name": "b", "unit": "second", "loops": 4, "hostname": "here"},
        "benchmarks": [
            {
                "runs": [
                    {"warmups": [[1, 0.5]]},
                    {"values": [1.0, 2.0, 3.0], "metadata": {"date": "2026-01-31 12:00:00.5"}},
                    {"values": [4.0], "metadata": {"loops": 8}},
                ]
            }
        ],
    }

    case = ("theirs", "pyperf", "b", "", "evaluate", "time")
    assert _imported("pyperf", content, tmp_path) == [
        (*case, 1, 2.0, 3, 12),
        (*case, 2, 4.0, 1, 8),
    ]


def test_repetitions_of_google_benchmark_are_one_launch(tmp_path: Path) -> None:
    """Repetitions share a process; aggregates are not read, units are."""
    entry = {"name": "BM/8", "run_name": "BM/8", "run_type": "iteration", "iterations": 100}
    content = {
        "context": {"date": "2026-01-31T12:00:00+01:00", "host_name": "here"},
        "benchmarks": [
            entry | {"real_time": 1.0, "cpu_time": 1.0, "time_unit": "us"},
            entry | {"real_time": 3.0, "cpu_time": 3.0, "time_unit": "us"},
            entry | {"run_type": "aggregate", "real_time": 9.0, "time_unit": "us"},
        ],
    }

    case = ("theirs", "google-benchmark", "BM/8", "", "evaluate", "time", 1)
    assert _imported("google-benchmark", content, tmp_path) == [
        (*case, pytest.approx(2e-6), 2, 200)
    ]


def test_an_error_of_google_benchmark_is_a_row(tmp_path: Path) -> None:
    """A failure is a row, never a gap."""
    content = {
        "context": {},
        "benchmarks": [{"name": "BM", "error_occurred": True, "error_message": "no"}],
    }
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))

    (found,) = FORMATS["google-benchmark"].imported(path, "mine").readings

    assert (found.label, found.status, found.detail, found.value) == ("mine", "error", "no", None)


def test_measures_of_bencher(tmp_path: Path) -> None:
    """Latency is nanoseconds; a measure that is no metric of ours is counted, not guessed."""
    content = {"b": {"latency": {"value": 88.0}, "peak-memory": {"value": 5}, "oh": {"value": 1}}}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))

    found = FORMATS["bencher"].imported(path, None)

    assert [(one.scenario, one.metric, one.value) for one in found.readings] == [
        ("b", "time", pytest.approx(88e-9)),
        ("b", "peak_memory", 5.0),
    ]
    assert found.left_out == {"measure oh has no metric here": 1}


def test_units_of_github_action_benchmark(tmp_path: Path) -> None:
    """Times in any unit become seconds; what is no time and not ours is counted."""
    content = [
        {"name": "a", "unit": "ms", "value": 2},
        {"name": "b", "unit": "ns/iter", "value": 3},
        {"name": "c", "unit": "Percent", "value": 50},
    ]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))

    found = FORMATS["github-action-benchmark"].imported(path, None)

    assert [(one.scenario, one.value) for one in found.readings] == [
        ("a", pytest.approx(2e-3)),
        ("b", pytest.approx(3e-9)),
    ]
    assert found.left_out == {"unit Percent has no metric here": 1}


def test_grids_of_asv(tmp_path: Path) -> None:
    """A value for each combination of parameters; failed ones are counted."""
    folder = tmp_path / "results"
    (folder / "m").mkdir(parents=True)
    (folder / "benchmarks.json").write_text(json.dumps({"t.time_it": {"unit": "seconds"}}))
    content = {
        "commit_hash": "a" * 40,
        "params": {"machine": "m"},
        "result_columns": ["result", "params", "version", "started_at"],
        "results": {"t.time_it": [[1.0, None], [["1", "2"]], "v", 1_700_000_000_000]},
    }
    (folder / "m" / "aaaaaaaa-env.json").write_text(json.dumps(content))

    found = FORMATS["asv"].imported(folder, None)

    (one,) = found.readings
    assert (one.label, one.scenario, one.params, one.value) == (
        "a" * 12,
        "t.time_it",
        "param1=1",
        1.0,
    )
    assert found.left_out == {"asv has no result: it failed or was skipped": 1}
