"""Exports read by the tools that they are meant for."""

from __future__ import annotations

import json
import os
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


def test_google_benchmark_compares_two_exports(tmp_path: Path) -> None:
    """Its compare.py finds the factor of every repetition, and tests their difference."""
    tools = os.environ.get("GOOGLE_BENCHMARK_TOOLS", "/usr/share/benchmark")
    script = Path(tools) / "compare.py"
    if not script.is_file():
        pytest.skip(f"{script} is absent: apt-get install libbenchmark-tools")
    old, new = _exported(tmp_path, "google-benchmark")
    found = tmp_path / "found.json"

    options = ("--no-color", "--dump_to_json", str(found))
    said = _run(sys.executable, str(script), *options, "benchmarks", old, new, cwd=tmp_path)

    name = "planned/chain/depth=100;width=64/output/evaluate/time"
    by_name = {each["name"]: each for each in json.loads(found.read_text())}
    assert f"{name}_pvalue" in said
    assert {"planned/mlp/depth=100;width=64/output/evaluate/time", name} <= by_name.keys()
    changes = [each["time"] for each in by_name[name]["measurements"]]
    assert len(changes) == 8
    assert all(0.9 < change < 1.1 for change in changes)
    assert by_name[name]["utest"]["time_pvalue"] < 0.01
