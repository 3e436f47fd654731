"""Exports read by the tools that they are meant for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from results.tables import TableWriter
from tests.results.samples import suite


def _table(folder: Path, label: str, slower: float = 1.0) -> Path:
    path = folder / f"{re.sub('[^a-z0-9]', '_', label)}.csv"
    with TableWriter(path) as table:
        table.write(suite(label, seed=len(label), slower=slower))
    return path


def _run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _exported(folder: Path, form: str) -> tuple[str, str]:
    """A version, and one that takes twice the time, as files."""
    found = []
    for label, slower in (("old", 1.0), ("new", 2.0)):
        out = folder / f"{label}.json"
        assert (
            main(["export", str(_table(folder, label, slower)), "--to", form, "-o", str(out)]) == 0
        )
        found.append(str(out))
    return found[0], found[1]


def test_pytest_benchmark_compares_two_exports(tmp_path: Path) -> None:
    """`pytest-benchmark compare` lists both versions of both cases, and the factor between them."""
    old, new = _exported(tmp_path, "pytest-benchmark")
    script = "from pytest_benchmark.cli import main; main()"

    said = _run(sys.executable, "-c", script, "compare", old, new, "--sort=name", cwd=tmp_path)

    assert said.count("planned/chain/depth=100;width=64/output/evaluate/time") == 2
    assert said.count("planned/mlp/depth=100;width=64/output/evaluate/time") == 2
    assert re.search(r"\((1\.9\d|2\.0\d?)\)", said)


def test_pyperf_compares_two_exports(tmp_path: Path) -> None:
    """`pyperf compare_to` calls the version that takes twice the time two times slower."""
    pytest.importorskip("pyperf", reason="pyperf is in the extra `tools`")
    old, new = _exported(tmp_path, "pyperf")

    said = _run(sys.executable, "-m", "pyperf", "compare_to", old, new, cwd=tmp_path)
    checked = _run(sys.executable, "-m", "pyperf", "stats", new, cwd=tmp_path)

    assert re.search(r"evaluate/time: .*: (1\.9\d|2\.0\d)x slower", said)
    assert re.search(r"Total number of runs?: 8\b", checked)


def test_asv_publishes_two_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`asv publish` makes a graph whose two points are the two commits' medians."""
    pytest.importorskip("asv", reason="asv is in the extra `tools`")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    commits = _two_commits(project)
    for label, slower in zip(commits, (1.0, 2.0), strict=True):
        table = _table(tmp_path, label, slower)
        assert main(["export", str(table), "--to", "asv", "-o", "results"]) == 0
    settings = {
        "version": 1,
        "project": "p",
        "project_url": "",
        "repo": ".",
        "branches": ["main"],
        "results_dir": "results",
        "html_dir": "html",
    }
    Path("asv.conf.json").write_text(json.dumps(settings))

    said = _run(sys.executable, "-m", "asv", "publish", "--no-pull", cwd=project)

    graphs = {
        each.name: json.loads(each.read_text()) for each in Path("html/graphs").rglob("*.json")
    }
    points = graphs["planned.chain.output.evaluate.time.json"]
    assert "Couldn't find" not in said
    assert len(points) == 2
    (_, (before,)), (_, (after,)) = points
    assert after == pytest.approx(2 * before, rel=0.1)


def _two_commits(project: Path) -> list[str]:
    git = shutil.which("git")
    assert git is not None
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    _run(git, "init", "--quiet", "--initial-branch=main", cwd=project)
    commits = []
    for number in range(2):
        _run(git, *who, "commit", "--quiet", "--allow-empty", "-m", str(number), cwd=project)
        commits.append(_run(git, "rev-parse", "HEAD", cwd=project).strip())
    return commits


def test_google_benchmark_s_fields_are_those_its_reader_takes(tmp_path: Path) -> None:
    """Every entry has the fields that compare.py reads: names, both times, their unit, the kind."""
    old, _ = _exported(tmp_path, "google-benchmark")

    for entry in json.loads(Path(old).read_text())["benchmarks"]:
        if entry.get("error_occurred"):
            continue
        assert entry["run_type"] == "iteration"
        assert entry["time_unit"] == "ns"
        assert entry["name"] == entry["run_name"]
        assert isinstance(entry["real_time"], float)
        assert isinstance(entry["cpu_time"], float)
        assert isinstance(entry["iterations"], int)
        assert 0 <= entry["repetition_index"] < entry["repetitions"]


def test_bencher_s_schema_holds(tmp_path: Path) -> None:
    """Benchmark -> measure -> numbers, `value` required and no other key, as its schema says."""
    old, _ = _exported(tmp_path, "bencher")

    for name, measures in json.loads(Path(old).read_text()).items():
        assert 0 < len(name) <= 1024
        for measure, found in measures.items():
            assert 0 < len(measure) <= 64
            assert found["lower_value"] <= found["value"] <= found["upper_value"]
            assert found.keys() == {"value", "lower_value", "upper_value"}


def test_github_action_benchmark_s_entries_are_complete(tmp_path: Path) -> None:
    """Name, unit and value are required; range and extra are texts."""
    old, _ = _exported(tmp_path, "github-action-benchmark")

    for entry in json.loads(Path(old).read_text()):
        assert isinstance(entry["name"], str)
        assert isinstance(entry["unit"], str)
        assert isinstance(entry["value"], float)
        assert isinstance(entry.get("range", ""), str)
        assert isinstance(entry["extra"], str)
