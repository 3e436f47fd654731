"""The memory of launches along their time, as it stands beside a table."""

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from results.errors import TableError
from results.report.timelines import beside, read_blocks, read_timelines, thinned

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
    for name in ("timelines", "blocks"):
        beside(table, name).write_text(text)
    return table


def test_lines_are_launches(tmp_path: Path) -> None:
    """Each with its samples."""
    (found,) = read_timelines(written(tmp_path, LINE))

    assert (found.label, found.launch) == ("old", 9)
    assert found.case == ("planned", "chain", "", "output")
    assert list(zip(found.seconds, found.values, strict=True)) == [(0.0, 100), (0.02, 200)]


def test_a_table_may_have_none(tmp_path: Path) -> None:
    """Time launches alone leave no such file."""
    assert read_timelines(tmp_path / "a.csv") == ()
    assert read_blocks(tmp_path / "a.csv") == ()


def test_blocks_have_the_time_of_their_calls(tmp_path: Path) -> None:
    """Each starts where the one before it ended; its time is shared by its calls."""
    blocks = LINE | {"calls": 100, "elapsed_ns": [2_000_000_000, 1_000_000_000, 3_000_000_000]}

    (found,) = read_blocks(written(tmp_path, blocks))

    assert found.seconds == (0.0, 2.0, 3.0)
    assert found.values == (0.02, 0.01, 0.03)


def test_waiting_for_the_cpu_is_left_out(tmp_path: Path) -> None:
    """Where it is known, and less than the block."""
    blocks = LINE | {
        "calls": 1,
        "elapsed_ns": [3_000_000_000, 1_000_000_000, 1_000_000_000],
        "evidence": [[7, 1_000_000_000], [7, None], [7, 2_000_000_000]],
        "evidence_fields": ["faults", "waited_ns"],
    }

    (found,) = read_blocks(written(tmp_path, blocks))

    assert found.seconds == (0.0, 3.0, 4.0)
    assert found.values == (2.0, 1.0, 1.0)


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", LINE | {"seconds": [0.0]}, LINE | {"launch": None}, {"label": "old"}]
)
def test_a_bad_line_is_named(tmp_path: Path, line: object) -> None:
    """By the file and its number."""
    with pytest.raises(TableError, match=r"a\.timelines\.jsonl:2: ") as error:
        read_timelines(written(tmp_path, LINE, line))

    assert error.value.line == 2


def test_the_middle_can_be_kept_instead() -> None:
    """So that single blocks that were disturbed do not stand for their stretch."""
    assert thinned([1.0, 9.0, 2.0, 8.0, 3.0, 1.0], 2, rank=0.5) == [2, 4]


@pytest.mark.parametrize("line", [LINE, LINE | {"calls": 0, "elapsed_ns": [1]}])
def test_a_line_without_blocks_is_named(tmp_path: Path, line: object) -> None:
    """By the file and its number."""
    with pytest.raises(TableError, match=r"a\.blocks\.jsonl:1: "):
        read_blocks(written(tmp_path, line))


@given(st.lists(st.integers(0, 10**9)), st.integers(1, 20))
def test_thinning_keeps_the_peak(values: list[int], most: int) -> None:
    """At most so many are kept, in order, the highest among them."""
    kept = thinned(values, most, rank=1.0)

    assert len(kept) <= most
    assert kept == sorted(set(kept))
    assert max((values[i] for i in kept), default=None) == max(values, default=None)
