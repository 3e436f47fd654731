"""Tables whose disk fills up, goes away or may not be written, in real runs on a real tmpfs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from results.tables import TableWriter, read

_PLUGIN = str(Path(__file__).parent / "subjects" / "misbehaving.py")
_RUN = (
    *("run", "--scenario", "tiny", "--plugin", _PLUGIN, "--evaluator", "honest", "interpreter"),
    *("--quick", "--no-memory", "--launches", "3", "--mode", "output"),
)
_UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def _may_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False)
    return tried.returncode == 0


needs_mount = pytest.mark.skipif(
    not _may_mount(), reason="needs a mount namespace of its own; this system grants none"
)


def _with_tmpfs(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script in which `folder` is a tmpfs that nobody else sees.

    `graphgauge` stands for a run that writes a.csv there.
    """
    folder.mkdir()
    command = f'"{sys.executable}" -m harness.cli {" ".join(_RUN)} --out "{folder}/a.csv"'
    whole = f'graphgauge() {{ {command} "$@"; }}\ncd "{folder}/.."\n{script}'
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [*_UNSHARE, "sh", "-c", whole], env=environment, capture_output=True, text=True, check=False
    )


@needs_mount
def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    """What was measured before is in the table; with more space, --resume completes it."""
    done = _with_tmpfs(
        tmp_path / "small",
        """
        mount -t tmpfs -o size=20k tmpfs small
        graphgauge; echo "code $?"
        cp small/a.csv full.csv
        mount -o remount,size=10M small
        graphgauge --resume; echo "code $?"
        cp small/a.csv whole.csv
        ls -A small
        """,
    )

    assert "code 2\n" in done.stdout, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert "code 0\n" in done.stdout
    full, whole = read(tmp_path / "full.csv"), read(tmp_path / "whole.csv")
    assert 0 < len(full) < len(whole)
    assert whole.head(len(full)).equals(full.astype(whole.dtypes))
    assert set(whole["launch"]) == {1, 2, 3}
    assert not whole.duplicated(
        ["evaluator", "scenario", "params", "phase", "metric", "launch"]
    ).any()


@needs_mount
def test_a_table_on_a_read_only_disk_is_a_clear_error(tmp_path: Path) -> None:
    """Nothing is measured that could not be written."""
    done = _with_tmpfs(
        tmp_path / "still",
        """
        mount -t tmpfs tmpfs still
        touch still/a.csv
        mount -o remount,ro still
        graphgauge; echo "code $?"
        """,
    )

    assert done.stdout == "code 2\n", done.stderr
    assert "a.csv: Read-only file system; expected a table that can be written" in done.stderr


def _start(out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *_RUN, "--launches", "50", "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not (out.exists() and out.read_bytes().count(b"\n") > 1):
        os.sched_yield()
    return process


def test_a_folder_that_is_removed_meanwhile_loses_nothing(tmp_path: Path) -> None:
    """The run ends with a message that says where the table was saved, and it is there."""
    folder = tmp_path / "gone"
    process = _start(folder / "a.csv")

    while folder.exists():  # what is written meanwhile may be in the way
        shutil.rmtree(folder, ignore_errors=True)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "the table was moved or deleted while the run was writing it" in said
    saved = Path(said.partition("was saved in ")[2].partition(";")[0])
    try:
        assert set(read(saved)["status"]) == {"ok"}
    finally:
        saved.unlink()


def test_a_table_that_is_moved_meanwhile_has_its_last_reading(tmp_path: Path) -> None:
    """What is written when it is found missing is in it all the same."""
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    process = _start(before)

    before.rename(after)
    _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "every reading is in it" in said
    assert set(read(after)["status"]) == {"ok"}
    assert not before.exists()


def test_a_table_that_another_run_writes_is_refused_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the process that holds it; that one is not disturbed."""
    out = tmp_path / "a.csv"
    with TableWriter(out):
        code = main([*_RUN, "--out", str(out)])
        again = main([*_RUN, "--out", str(out)])

    assert (code, again) == (2, 2)
    said = capsys.readouterr().err
    assert said.count(f"another run writes this table (process {os.getpid()} on ") == 2
    assert list(tmp_path.iterdir()) == [out]
