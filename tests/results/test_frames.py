"""Readings as frames, and back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from results.frames import frame_of, merged, readings, row_ids
from results.schema import Reading
from tests.results.samples import reading, valid_readings


@settings(max_examples=25)
@given(st.lists(valid_readings(), max_size=5))
def test_readings_survive_a_frame(rows: list[Reading]) -> None:
    """A frame holds readings exactly, missing cells as None."""
    assert list(readings(frame_of(rows))) == rows


@settings(max_examples=25)
@given(st.lists(valid_readings(), max_size=3), st.lists(valid_readings(), max_size=3))
def test_merging_appends(first: list[Reading], second: list[Reading]) -> None:
    """The merged frame holds the rows of both, in order."""
    assert list(readings(merged([frame_of(first), frame_of(second)]))) == first + second


def test_a_column_of_one_frame_is_empty_in_the_other() -> None:
    """Columns that the contract does not know are kept and filled with nothing."""
    first = frame_of([reading()]).assign(colour="red")

    assert merged([first, frame_of([reading()])])["colour"].tolist() == ["red", ""]


def test_merging_nothing_is_refused() -> None:
    """There is no frame without frames."""
    with pytest.raises(ValueError, match="at least one"):
        merged([])


def test_rows_alike_have_the_same_id() -> None:
    """Ids count up by first appearance."""
    frame = frame_of([reading(launch=launch) for launch in (5, 3, 5, 7)])

    assert row_ids(frame, ("session", "launch")).tolist() == [0, 1, 0, 2]
    assert row_ids(frame.iloc[:0], ("session", "launch")).dtype == np.int64
