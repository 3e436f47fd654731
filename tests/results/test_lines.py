"""The plain road through a file."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from results import lines
from results.schema import COLUMNS, Reading
from results.writing import encoded
from tests.results.samples import valid_readings

HEADER = ",".join(COLUMNS).encode() + b"\r\n"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(valid_readings(), min_size=1, max_size=4))
def test_every_record_is_found_at_its_line(tmp_path: Path, rows: list[Reading]) -> None:
    """A record starts after all line ends before it, also those within quotes."""
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + encoded(rows))

    for index in range(len(rows)):
        before = (HEADER + encoded(rows[:index])).decode().replace("\r\n", "\n")
        assert lines.line_of(path, index) == before.replace("\r", "\n").count("\n") + 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(valid_readings(), max_size=3))
def test_the_plain_road_takes_what_is_valid(tmp_path: Path, rows: list[Reading]) -> None:
    """It finds nothing wrong in what the writer writes."""
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + encoded(rows))

    lines.refuse_first_problem(path, lines.header(path))


def test_a_record_that_is_not_there_is_an_index_error(tmp_path: Path) -> None:
    """Asking for a line beyond the last is a mistake of the caller."""
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER)

    with pytest.raises(IndexError, match="no reading 0"):
        lines.line_of(path, 0)
