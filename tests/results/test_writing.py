"""Writing tables: whole lines, one writer, nothing lost."""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from results.errors import TableError
from results.frames import readings
from results.schema import Reading
from results.tables import read
from results.writing import TableWriter, append_json_lines, encoded
from tests.results.samples import reading, valid_readings

ROWS = [reading(launch=launch, detail="two\nlines") for launch in range(3)]


def write(path: Path, rows: list[Reading]) -> TableWriter:
    """Append `rows` to `path`."""
    with TableWriter(path) as table:
        table.write(rows)
    return table


def test_a_table_is_made_with_its_folders(tmp_path: Path) -> None:
    """A new table has a header, and its lock is gone after."""
    path = tmp_path / "runs" / "deep" / "a.csv"

    write(path, ROWS)

    assert list(readings(read(path))) == ROWS
    assert [found.name for found in path.parent.iterdir()] == ["a.csv"]


def test_a_table_is_appended_to(tmp_path: Path) -> None:
    """Opening again adds lines and no second header."""
    write(tmp_path / "a.csv", ROWS[:1])
    write(tmp_path / "a.csv", ROWS[1:])

    assert list(readings(read(tmp_path / "a.csv"))) == ROWS


def test_lines_are_on_the_disk_when_write_returns(tmp_path: Path) -> None:
    """A reader sees every reading that was written, while the writer goes on."""
    with TableWriter(tmp_path / "a.csv") as table:
        table.write(ROWS[:2])
        assert len(read(tmp_path / "a.csv")) == 2


def test_a_write_reads_nothing_of_what_stands_in_the_table(tmp_path: Path) -> None:
    """However long the table is, appending to it costs the same."""
    path = tmp_path / "a.csv"
    write(path, [])
    with path.open("ab") as stream:
        stream.write(encoded(ROWS) * 20_000)

    with TableWriter(path) as table:
        before = _bytes_read()
        table.write(ROWS)
        taken = _bytes_read() - before

    assert taken < 10_000


def _bytes_read() -> int:
    """By this process, from files and pipes, since it started."""
    try:
        first, *_ = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        pytest.skip("this system does not tell what a process has read")
    return int(first.removeprefix("rchar: "))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=valid_readings(), share=st.floats(0, 1, exclude_max=True))
def test_a_line_cut_by_a_kill_is_cut_off(tmp_path: Path, row: Reading, share: float) -> None:
    """Whatever is left of the last line, opening again takes it off and says how much it was."""
    path = tmp_path / "a.csv"
    path.unlink(missing_ok=True)
    write(path, ROWS)
    line = encoded([row])
    part = line[: int(len(line) * share)]
    path.write_bytes(path.read_bytes() + part)

    table = write(path, [reading(launch=9)])

    assert table.cut_bytes == len(part)
    assert list(readings(read(path))) == [*ROWS, reading(launch=9)]


@pytest.mark.parametrize("size", [0, 1, 50])
def test_a_header_cut_by_a_kill_is_written_anew(tmp_path: Path, size: int) -> None:
    """A file that never got past its header is as good as new."""
    path = tmp_path / "a.csv"
    write(path, [])
    path.write_bytes(path.read_bytes()[:size])

    assert write(path, ROWS).cut_bytes == size
    assert list(readings(read(path))) == ROWS


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"notes", b"schema,session\n"])
def test_another_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A file with other columns is refused and stays as it was."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)

    with pytest.raises(TableError, match="another header"):
        write(path, ROWS)

    assert path.read_bytes() == content


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second run is told so, and can write when the first is done."""
    path = tmp_path / "a.csv"
    with TableWriter(path), pytest.raises(TableError, match="another run writes this table"):
        write(path, ROWS)

    write(path, ROWS)

    assert len(read(path)) == 3


def test_another_process_is_kept_out_too(tmp_path: Path) -> None:
    """The lock holds between processes."""
    code = "import sys, results.writing as w; w.TableWriter(sys.argv[1]).__enter__()"
    command = [sys.executable, "-c", code, str(tmp_path / "a.csv")]
    with TableWriter(tmp_path / "a.csv"):
        other = subprocess.run(command, capture_output=True, text=True, check=False)

    assert other.returncode == 1
    assert "another run writes this table" in other.stderr


def test_an_invalid_reading_is_not_written(tmp_path: Path) -> None:
    """None of the readings given together is written if one is not valid."""
    with TableWriter(tmp_path / "a.csv") as table:
        with pytest.raises(TableError, match="unit is 'ms'"):
            table.write([ROWS[0], reading(unit="ms")])
        table.write(ROWS[1:])

    assert list(readings(read(tmp_path / "a.csv"))) == ROWS[1:]


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    """Where the system takes no more bytes, the table ends with the last whole reading."""
    path = tmp_path / "a.csv"
    write(path, ROWS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size
    with TableWriter(path) as table:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
        try:
            with pytest.raises(TableError, match="File too large"):
                table.write([reading(launch=9)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(readings(read(path))) == ROWS


def test_an_interrupted_write_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Ctrl-C comes between two halves of a line, the first half is taken back."""
    real_write = os.write

    def interrupted(descriptor: int, content: bytes) -> int:
        if len(content) < 100:
            raise KeyboardInterrupt
        return real_write(descriptor, content[:-50])

    with TableWriter(tmp_path / "a.csv") as table:
        table.write(ROWS)
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                table.write([reading(launch=9)])

    assert list(readings(read(tmp_path / "a.csv"))) == ROWS


def test_a_table_that_was_deleted_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings do not vanish into a file that nobody can find: the message says where they are."""
    path, saved = tmp_path / "a.csv", tmp_path / "saved"
    saved.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(saved))
    with TableWriter(path) as table:
        table.write(ROWS[:1])
        path.unlink()
        with pytest.raises(TableError, match=f"deleted while.*saved in {saved}"):
            table.write(ROWS[1:])

    (found,) = saved.iterdir()
    assert list(readings(read(found))) == ROWS


def test_a_table_that_goes_after_the_last_write_is_missed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is closed, it is looked for once more."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(TableError, match="moved or deleted"), TableWriter(tmp_path / "a.csv"):
        (tmp_path / "a.csv").unlink()


def test_a_compressed_table_is_not_appended_to(tmp_path: Path) -> None:
    """Compressed tables are read only."""
    with pytest.raises(TableError, match="compressed"):
        write(tmp_path / "a.csv.gz", ROWS)


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    """The system's own words are passed on."""
    with pytest.raises(TableError, match="Is a directory"):
        write(tmp_path, ROWS)


def test_a_writer_writes_inside_its_block_only(tmp_path: Path) -> None:
    """Outside there is no lock, and so no writing."""
    table = write(tmp_path / "a.csv", ROWS)

    with pytest.raises(ValueError, match="inside its with block"):
        table.write(ROWS)


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    """Opening and refusing leave no file open."""
    (tmp_path / "b.csv").write_bytes(b"notes\n")
    before = len(os.listdir("/proc/self/fd"))

    for _ in range(3):
        write(tmp_path / "a.csv", [])
        with pytest.raises(TableError):
            write(tmp_path / "b.csv", ROWS)

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """Where a file stands in the way of the folder."""
    (tmp_path / "runs").write_text("not a folder")

    with pytest.raises(TableError, match=r"runs/a\.csv: (File exists|Not a directory)"):
        write(tmp_path / "runs" / "a.csv", ROWS)


@pytest.mark.parametrize("cut", ["", '{"a', '{"a": "' + "x" * 200_000])
def test_objects_beside_a_table_follow_whole_lines(tmp_path: Path, cut: str) -> None:
    """A last line that a kill cut short is cut off, however long it is."""
    path = tmp_path / "a.blocks.jsonl"
    path.write_text('{"a": 1}\n' + cut)

    append_json_lines(path, [{"a": 2}, {"a": 3}])
    append_json_lines(path, [])

    assert path.read_text() == '{"a": 1}\n{"a": 2}\n{"a": 3}\n'


def test_objects_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    """A folder that is gone is a message with the file's name."""
    with pytest.raises(TableError, match=r"a\.blocks\.jsonl: No such file"):
        append_json_lines(tmp_path / "gone" / "a.blocks.jsonl", [{"a": 1}])
