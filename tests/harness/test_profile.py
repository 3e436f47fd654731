"""`graphgauge profile --memory`: the line that memory came from is named."""

import subprocess
import sys
from importlib.util import find_spec
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


@pytest.mark.skipif(find_spec("memray") is None, reason="memray is absent: graphgauge[memray]")
def test_what_a_library_keeps_natively_is_traced_to_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """8 MiB that a C library keeps each time, and what it manages them with, are told by memray."""
    asked = ["--native", "--rounds", "1", "--calls", "2"]

    code = main([*_profile("keeps_natively", tmp_path), *asked])

    shown = capsys.readouterr().out
    assert code == 0
    assert "native allocations too" in shown
    stem = "keeps_natively-tiny_planted-gradient-current"
    stacks = (tmp_path / f"{stem}.each.collapsed").read_text().splitlines()
    kept = [line for line in stacks if "planted_defects.py" in line and "sqlite3" in line]
    assert sum(int(line.rpartition(" ")[2]) for line in kept) == pytest.approx(8 * 2**20, rel=0.1)
    assert (tmp_path / f"{stem}.each.svg").stat().st_size > 1_000


def test_two_evaluators_are_set_against_each_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the sides of `versus` are: what one of them keeps is the difference, at its line."""
    sides = ["--sides", "straightline", "keeps_each", "--rounds", "2", "--calls", "2"]

    code = main(
        ["profile", "tiny_planted", "--memory", "--plugin", _PLUGIN, "--out", str(tmp_path), *sides]
    )

    shown = capsys.readouterr().out
    assert code == 0
    assert "+50.00 MiB" in shown
    names = {path.name.partition(".")[0] for path in tmp_path.glob("*.svg")}
    assert names == {f"{one}-tiny_planted-gradient-{one}" for one in ("straightline", "keeps_each")}


def test_native_allocations_need_memray_where_the_subject_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment without it is named, with what to install: unusable input."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    interpreter = bare / "bin" / "python"
    asked = ["--native", "--sides", f"python:{interpreter}", f"python:{interpreter}"]

    code = main([*_profile("keeps_natively", tmp_path), *asked])

    said = capsys.readouterr().err
    assert code == 2
    assert f"{interpreter} has no memray" in said
    assert "pip install memray" in said


def test_a_case_that_cannot_be_traced_gives_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker that answers with a failure is told of, and the exit code is that of nothing."""
    code = main(_profile("jax-absent", tmp_path))

    assert code in {2, 3}
    assert "jax-absent" in capsys.readouterr().err
