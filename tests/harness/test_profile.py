"""`graphgauge profile --memory`: the line that memory came from is named."""

from pathlib import Path

import pytest

from harness.cli import main

_PLUGIN = str(Path(__file__).parents[2] / "benchmarks" / "planted_defects.py")


def _profile(evaluator: str, out: Path) -> list[str]:
    chosen = ["--memory", "--evaluator", evaluator, "--plugin", _PLUGIN, "--out", str(out)]
    return ["profile", "tiny_planted", *chosen]


def test_what_never_comes_back_is_traced_to_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """50 MiB that compile keeps each time are told with the line that allocates them."""
    code = main([*_profile("keeps_each", tmp_path), "--rounds", "2", "--calls", "2"])

    shown = capsys.readouterr().out
    assert code == 0
    assert "planted_defects.py" in shown
    assert "50.00 MiB" in shown
    stacks = (tmp_path / "keeps_each-tiny_planted-gradient-current.each.collapsed").read_text()
    largest = max(stacks.splitlines(), key=lambda line: int(line.rpartition(" ")[2]))
    assert "planted_defects.py" in largest
    assert int(largest.rpartition(" ")[2]) == pytest.approx(50 * 2**20, rel=0.01)
    assert len(list(tmp_path.glob("*.svg"))) == 3


def test_a_case_that_cannot_be_traced_gives_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that answers with a failure is told of, and the exit code is that of nothing."""
    code = main(_profile("jax-absent", tmp_path))

    assert code in {2, 3}
    assert "jax-absent" in capsys.readouterr().err
