"""The memory of launches along their time, as it stands beside a table."""

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from results.errors import TableError
from results.report.timelines import read_timelines, thinned, timelines_path

LINE = {
    "session": "s1",
    "label": "old",
    "evaluator": "planned",
    "scenario": "chain",
    "params": "",
    "mode": "output",
    "launch": 9,
    "source": "memory_profiler",
    "seconds": [0.0, 0.02],
    "resident_bytes": [100, 200],
}


def written(folder: Path, *lines: object) -> Path:
    """A table's path, with these lines beside it."""
    table = folder / "a.csv"
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    timelines_path(table).write_text(text)
    return table


def test_lines_are_launches(tmp_path: Path) -> None:
    """Each with its samples."""
    (found,) = read_timelines(written(tmp_path, LINE))

    assert (found.label, found.launch) == ("old", 9)
    assert found.case == ("planned", "chain", "", "output")
    assert list(zip(found.seconds, found.resident_bytes, strict=True)) == [(0.0, 100), (0.02, 200)]


def test_a_table_may_have_none(tmp_path: Path) -> None:
    """Time launches alone leave no such file."""
    assert read_timelines(tmp_path / "a.csv") == ()


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", LINE | {"seconds": [0.0]}, LINE | {"launch": None}, {"label": "old"}]
)
def test_a_bad_line_is_named(tmp_path: Path, line: object) -> None:
    """By the file and its number."""
    with pytest.raises(TableError, match=r"a\.timelines\.jsonl:2: ") as error:
        read_timelines(written(tmp_path, LINE, line))

    assert error.value.line == 2


@given(st.lists(st.integers(0, 10**9)), st.integers(1, 20))
def test_thinning_keeps_the_peak(values: list[int], most: int) -> None:
    """At most so many are kept, in order, the highest among them."""
    kept = thinned(values, most)

    assert len(kept) <= max(most, 0)
    assert kept == sorted(set(kept))
    assert max((values[i] for i in kept), default=None) == max(values, default=None)
