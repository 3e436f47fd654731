"""Profile tables: written and read back they are the same, and bad lines are told plainly."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings, strategies as st

from results.errors import TableError
from results.profiles.reading import By, ProfileReading
from results.profiles.table import COLUMNS, read_profile, write_profile

text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=20)
number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
readings = st.builds(
    ProfileReading,
    label=text,
    launch=st.integers(0, 99),
    pair=st.none() | st.integers(0, 99),
    phase=text,
    by=st.sampled_from(get_args(By)),
    name=text,
    file=text,
    line=st.none() | st.integers(0, 9999),
    seconds=st.floats(allow_nan=False, allow_infinity=False),
    calls=number,
    moved_bytes=number,
    allocated_bytes=number,
    flops=number,
)


@settings(deadline=None)
@given(st.lists(readings, max_size=5))
def test_reading_what_was_written_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory, given_readings: list[ProfileReading]
) -> None:
    """To the last digit, with texts that spreadsheets would run, quotes and missing values."""
    path = tmp_path_factory.mktemp("profiles") / "a" / "b.csv"

    write_profile(path, given_readings)

    assert read_profile(path) == given_readings


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("seconds", "abc", "b.csv:2: seconds is 'abc'; expected a number"),
        ("seconds", "", "b.csv:2: seconds is ''; expected a number"),
        ("calls", "nan", "b.csv:2: calls is 'nan'; expected a number"),
        ("launch", "1.5", "b.csv:2: launch is '1.5'; expected a number of 0 or more"),
        ("launch", "", "b.csv:2: launch is ''; expected a number"),
        ("by", "magic", "b.csv:2: by is 'magic'; expected one of operator"),
    ],
)
def test_a_bad_cell_is_told_with_its_place(
    tmp_path: Path, column: str, cell: str, message: str
) -> None:
    """File, line, column, what is there, what should be there."""
    good = dict.fromkeys(COLUMNS, "") | {"launch": "1", "by": "node", "seconds": "0.5"}
    path = tmp_path / "b.csv"
    cells = [(good | {column: cell})[name] for name in COLUMNS]
    path.write_text(f"{','.join(COLUMNS)}\r\n{','.join(cells)}\r\n", encoding="utf-8")

    with pytest.raises(TableError) as raised:
        read_profile(path)

    assert message in str(raised.value)
    assert "profile again" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b"a,b\r\n", "'a,b'; expected the header label,launch"),
        (f"{','.join(COLUMNS)}\r\n1,2\r\n".encode(), "2 cells; expected 13"),
        (b"\xff\xfe\x00", "expected CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """By its header, its cells or its bytes."""
    path = tmp_path / "b.csv"
    path.write_bytes(content)

    with pytest.raises(TableError) as raised:
        read_profile(path)

    assert message.removeprefix("found ") in str(raised.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With the file's name, and what to do."""
    with pytest.raises(TableError, match=r"none\.csv.*Name a profile table"):
        read_profile(tmp_path / "none.csv")


def test_a_folder_is_no_file_to_write(tmp_path: Path) -> None:
    """The error names it."""
    with pytest.raises(TableError, match="expected a file that can be written"):
        write_profile(tmp_path, [])
