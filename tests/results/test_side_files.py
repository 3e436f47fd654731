"""What stands beside tables may be as hostile as they."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from results.calibration import Calibration, read_calibrations
from results.errors import TableError
from results.report.timelines import read_blocks, read_timelines
from results.tables import read_environments

BESIDE = Path(__file__).parent / "tables"
BLOCKS = json.loads((BESIDE / "versus.blocks.jsonl").read_text().splitlines()[0])
TIMELINE = json.loads((BESIDE / "versus.timelines.jsonl").read_text().splitlines()[0])
CALIBRATION = asdict(
    Calibration(
        machine="m1",
        recorded_at="2026-01-31T12:00:00Z",
        level=0.01,
        comparisons=10,
        false_alarms=0,
        floor=0.02,
        pair_sd=0.01,
        detectable=(),
        case_times={"chain": 0.001},
    )
)


@pytest.mark.parametrize(
    "change",
    [
        {"elapsed_ns": [1, 10**400]},
        {"elapsed_ns": "abc"},
        {"elapsed_ns": None},
        {"elapsed_ns": [-1] * len(BLOCKS["elapsed_ns"])},
        {"calls": 0},
        {"calls": True},
        {"calls": 1e308},
        {"calls": {}},
        {"launch": "x"},
        {"launch": 1e308},
        {"evidence": [[]]},
        {"evidence_fields": 3},
        {"label": "\ud800"},
    ],
)
def test_blocks_that_are_none_are_told_by_their_line(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """As a TableError and nothing else, before a page is made of them."""
    path = tmp_path / "a.blocks.jsonl"
    path.write_text(f"{json.dumps(BLOCKS)}\n{json.dumps(BLOCKS | change)}\n")

    with pytest.raises(TableError) as caught:
        read_blocks(tmp_path / "a.csv")

    assert (caught.value.path, caught.value.line) == (path, 2)


@pytest.mark.parametrize(
    "line", ["", "[]", "null", "{}", "{", "NaN", "\ufeff{}", "[" * 10_000, '{"a": 1e999}', "\x00"]
)
@pytest.mark.parametrize("name", ["blocks", "timelines"])
def test_lines_that_are_no_objects_are_told(tmp_path: Path, name: str, line: str) -> None:
    """With the number that the line has for an editor, whatever ends of lines stand within it."""
    good = json.dumps(BLOCKS if name == "blocks" else TIMELINE)
    path = tmp_path / f"a.{name}.jsonl"
    path.write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")

    with pytest.raises(TableError) as caught:
        (read_blocks if name == "blocks" else read_timelines)(tmp_path / "a.csv")

    assert (caught.value.path, caught.value.line) == (path, 2)


@pytest.mark.parametrize(
    "content", [b"[]", b"{", b'{"e": 1}', b'{"e": {"a": NaN}}', b'{"e": {"a": "\\ud800"}}', b"\xff"]
)
def test_facts_that_are_none_are_refused(tmp_path: Path, content: bytes) -> None:
    """The message says that the table can be used without them."""
    (tmp_path / "a.environment.json").write_bytes(content)

    with pytest.raises(TableError, match="do without the facts"):
        read_environments(tmp_path / "a.csv")


@pytest.mark.parametrize(
    "change",
    [
        {"case_times": {"chain": 0.0}},
        {"case_times": {"chain": -1.0}},
        {"case_times": {"chain": "x"}},
        {"case_times": []},
        {"pair_sd": None},
        {"floor": "x"},
        {"floor": -1},
        {"recorded_at": 7},
        {"unknown": 1},
    ],
)
def test_calibrations_that_are_none_are_told_by_their_line(
    tmp_path: Path, change: dict[str, object]
) -> None:
    """Before a comparison stands on them."""
    path = tmp_path / "m1.jsonl"
    path.write_text(f"{json.dumps(CALIBRATION)}\n{json.dumps(CALIBRATION | change)}\n")

    with pytest.raises(TableError, match="calibrate anew") as caught:
        read_calibrations(path)

    assert caught.value.line == 2


def test_calibrations_are_read_as_they_were_written(tmp_path: Path) -> None:
    """A good line is no hostile one."""
    path = tmp_path / "m1.jsonl"
    path.write_text(f"{json.dumps(CALIBRATION)}\n")

    assert [asdict(each) for each in read_calibrations(path)] == [CALIBRATION]


def test_calibrations_in_another_encoding_are_refused(tmp_path: Path) -> None:
    """As a message, not as a traceback."""
    path = tmp_path / "m1.jsonl"
    path.write_bytes(b"\xff\xfe{\x00}\x00")

    with pytest.raises(TableError, match="calibrate anew"):
        read_calibrations(path)
