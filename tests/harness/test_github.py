"""A comparison within GitHub Actions."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.github import places, show
from results.formats import markdown
from scenarios import scenario
from tests.results.formats.comparisons import USUAL

ROOT = Path(__file__).parent.parent.parent


def test_annotations_point_to_the_scenario_s_loop() -> None:
    """By file and line, relative to the repository."""
    found = places(["chain", "nobody's"], ROOT)

    assert set(found) == {"chain"}
    lines = (ROOT / found["chain"].file).read_text().splitlines()
    assert lines[found["chain"].line - 1].startswith("@scenario(")
    assert scenario.get("chain").location == f"{found['chain'].file}:{found['chain'].line}"


def test_files_of_other_folders_are_not_pointed_to(tmp_path: Path) -> None:
    """GitHub has none of them."""
    assert places(["chain"], tmp_path) == {}


def test_the_summary_goes_where_github_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After what other steps wrote; annotations alone go to the log."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(ROOT))

    show(USUAL)

    assert summary.read_text() == "before\n" + markdown.render(USUAL) + "\n"
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(USUAL.having("regressed"))
    assert lines[0].startswith("::error file=scenarios/")


def test_without_github_all_goes_to_standard_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Annotations first."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    show(USUAL)

    out = capsys.readouterr().out
    assert out.startswith("::error ")
    assert out.endswith(markdown.render(USUAL))


def test_a_summary_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says where, and what to do."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))

    with pytest.raises(UsageError, match="GITHUB_STEP_SUMMARY"):
        show(USUAL)
