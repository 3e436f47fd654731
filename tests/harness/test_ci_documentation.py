"""docs/ci.md: its settings and jobs are read as their tools would, and its commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.cli import _parser, main
from harness.gate import is_table, read_gate
from results.tables import TableWriter
from tests.results.samples import suite

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL)


def _jobs() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is in the extra `tools`")
    return [yaml.safe_load(text) for text in _blocks("yaml")]


def _commands(jobs: Any) -> list[str]:
    """Every line of a shell in the jobs, wherever it stands."""
    if isinstance(jobs, dict):
        jobs = list(jobs.values())
    if isinstance(jobs, str):
        return jobs.splitlines()
    return [line for each in jobs for line in _commands(each)] if isinstance(jobs, list) else []


def _arguments(command: str) -> list[str]:
    """A command's words up to its redirections, variables standing for a branch."""
    words = shlex.split(re.sub(r"\$\w+", "main", command))[1:]
    ends = [place for place, word in enumerate(words) if word in (">", ">>", "||")]
    return words[: ends[0]] if ends else words


def _ours(text: str) -> list[list[str]]:
    return [_arguments(line) for line in text.splitlines() if line.startswith("graphgauge ")]


def test_the_jobs_are_what_their_services_read() -> None:
    """GitHub's have triggers, permissions and steps that do something; GitLab's has a script."""
    *github, gitlab = _jobs()

    assert len(github) == 2
    for workflow in github:
        assert {"name", "permissions", "jobs"} <= workflow.keys()
        assert True in workflow  # YAML 1.1 reads the key `on` so, and GitHub as `on`
        for job in workflow["jobs"].values():
            assert "runs-on" in job
            assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    assert all(isinstance(line, str) for line in gitlab["performance"]["script"])


def _complaints(schema: str, text: str, folder: Path) -> str:
    """What check-jsonschema says against a file by a schema that it carries; empty for nothing."""
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is absent: pip install '.[tools]'")
    path = folder / "file.yml"
    path.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return "" if done.returncode == 0 else done.stdout


@pytest.mark.parametrize(
    ("schema", "number", "key"),
    [
        ("vendor.github-workflows", 0, "runs-on:"),
        ("vendor.github-workflows", 1, "runs-on:"),
        ("vendor.gitlab-ci", 2, "script:"),
    ],
)
def test_the_jobs_keep_their_services_schemas(
    schema: str, number: int, key: str, tmp_path: Path
) -> None:
    """As they stand; and with a key misspelt they do not, so the schemas look at that key."""
    text = _blocks("yaml")[number]

    assert _complaints(schema, text, tmp_path) == ""
    assert "file.yml" in _complaints(schema, text.replace(key, f"x{key}"), tmp_path)


def test_every_command_of_the_page_is_one_of_ours() -> None:
    """In jobs and in the text: the command line takes each as it stands."""
    in_jobs = _ours("\n".join(_commands(_jobs())))
    in_text = _ours("\n".join(re.findall(r"`(graphgauge check [^`|]*)`", _PAGE)))

    assert len(in_jobs) == 5
    assert len(in_text) == 4
    for arguments in (*in_jobs, *in_text):
        _parser().parse_args(arguments)


def test_the_commands_on_tables_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that compare tables, on tables that stand where the jobs put them."""
    monkeypatch.chdir(tmp_path)
    for name, labels in (
        ("runs/check.csv", ("a", "b")),
        ("runs/new.csv", ("new",)),
        ("main/new.csv", ("main",)),
    ):
        with TableWriter(Path(name)) as table:
            for seed, label in enumerate(labels):
                table.write(suite(label, seed=seed))
    ran = 0

    for arguments in _ours("\n".join(_commands(_jobs()))):
        named = [each for each in arguments if is_table(each)]
        if arguments[0] in ("compare", "check") and named:
            assert main(arguments) in (0, 1)
            ran += 1

    assert ran == 2


def test_the_settings_are_read(tmp_path: Path) -> None:
    """The page's example has every key, and all of it is understood."""
    (text,) = _blocks("toml")
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")

    gate = read_gate(path)

    assert gate.thresholds == {"peak_memory": 0.05, "nodes": 0.0}
    assert gate.exceptions[0].up_to == 1.2
    assert str(gate.exceptions[0].expires) == "2027-01-31"
    assert all(getattr(gate, name) for name in ("suites", "plugins", "measure", "out", "fail_on"))


def test_our_own_gate_s_settings_are_read() -> None:
    """The baseline that they name is committed."""
    gate = read_gate(_ROOT / "pyproject.toml")

    assert gate.baseline is not None
    assert Path(gate.baseline).is_file()
