"""What reaches a terminal, and what reaches a file."""

from __future__ import annotations

import csv
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from results.formats.wording import plain, without_controls
from results.tables import TableWriter
from tests.results.samples import version

EVIL = "a\x1b[2J\x9b31m\u202eb"


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Two versions of an evaluator with an evil name."""
    path = tmp_path / "a.csv"
    rows = [
        *version("old", [1.0, 1.1], evaluator=EVIL),
        *version("new", [1.0, 1.2], evaluator=EVIL),
    ]
    with TableWriter(path) as writer:
        writer.write(rows)
    return str(path)


@pytest.mark.parametrize(
    "command", [["compare", "--format", "csv"], ["history", "--format", "csv"]]
)
def test_a_terminal_gets_no_control_characters(table: str, command: list[str]) -> None:
    """Through a real terminal, CSV spells them out."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *command, table],
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65_536):
            said += chunk
    except OSError:  # how Linux tells that the other end is closed
        pass
    process.wait()
    os.close(ours)

    assert b"\\x1b[2J" in said
    controls = (b"\x1b", "\x9b".encode(), "\u202e".encode())
    assert [each for each in controls if each in said] == []


def test_a_file_gets_the_text_itself(table: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read back what the table holds."""
    main(["compare", table, "--format", "csv"])

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert {row["evaluator"] for row in rows} == {EVIL}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1"])
@pytest.mark.parametrize("command", ["compare", "history"])
def test_no_cell_that_a_person_opens_is_a_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    """An apostrophe stands before it, in every CSV that we print."""
    table = tmp_path / "a.csv"
    with TableWriter(table) as writer:
        for label in (f"{name} old", f"{name} new"):
            writer.write(version(label, [1.0, 1.1], evaluator=name, source=name))

    main([command, str(table), "--format", "csv"])

    cells = [
        cell
        for row in csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
        for cell in row
        if cell.lstrip("'") != "" and not _is_number(cell)
    ]
    assert "'" + name in cells
    assert not [cell for cell in cells if cell[0] in "=+-@\t＝"]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_messages_show_control_characters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message repeats names of files and labels, and obeys none of them."""
    code = main(["compare", str(tmp_path / "\x1b[2Jabsent.csv")])

    assert code == 2
    assert "\\x1b[2Jabsent.csv" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["::add-mask::x", "  ::error::x", "x ##[add-mask]y"])
def test_no_line_is_a_command_of_a_ci_runner(text: str) -> None:
    """GitHub's runner obeys lines that start with ::, and ##[ anywhere."""
    told = plain(text)

    assert not told.lstrip().startswith("::")
    assert "##[" not in told
    assert told.replace("\u200b", "") == text


def test_lines_and_printable_text_stay() -> None:
    """Only control characters are spelt out."""
    assert without_controls("a,b\r\n\tü – 🙈\n") == "a,b\n\tü – 🙈\n"
    assert without_controls("\x00\x1b\x7f\x9b\u202e\ud800") == r"\x00\x1b\x7f\x9b\u202e\ud800"
