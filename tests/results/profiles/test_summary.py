"""Summaries of one version, and the roofline."""

from dataclasses import replace
from pathlib import Path

import pytest

from results.calibration import (
    IdenticalPairs,
    append_calibration,
    calibrate,
    read_calibrations,
)
from results.profiles.reading import UNEXPLAINED
from results.profiles.summary import summarised
from results.roofline import Peaks, read_peaks
from tests.results.profiles.test_difference import profile, reading
from tests.results.samples import pair_ratios

PEAKS = Peaks(
    flops_per_s={"float32": 100.0, "float64": 50.0},
    bytes_per_s=((1_000, 10.0), (1_000_000, 2.0)),
)


def test_shares_add_up_to_the_whole_and_the_unexplained_is_last() -> None:
    """Rows by their mean time; a launch without a row has spent nothing in it."""
    launches = [{"a": 1.0, "b": 3.0, UNEXPLAINED: 9.0}, {"a": 1.0, "b": 1.0, "c": 5.0}]

    rows = summarised(
        profile("x", launches), "x", by="operator", phase="evaluate", peaks=None, dtype="float32"
    )

    assert [row.name for row in rows] == ["c", "b", "a", UNEXPLAINED]
    assert sum(row.share for row in rows) == pytest.approx(1.0)
    assert rows[0].seconds == 2.5
    assert rows[0].peak_share is None


def test_the_roof_is_whichever_takes_longer() -> None:
    """Compute for much arithmetic, memory for much data, by where the data fits."""
    assert PEAKS.seconds(flops=1e3, moved_bytes=10, working_set=10, dtype="float32") == 10.0
    assert PEAKS.seconds(flops=1e3, moved_bytes=10, working_set=10, dtype="float64") == 20.0
    assert PEAKS.seconds(flops=1, moved_bytes=100, working_set=900, dtype="float32") == 10.0
    assert PEAKS.seconds(flops=1, moved_bytes=100, working_set=1_001, dtype="float32") == 50.0
    assert PEAKS.seconds(flops=1, moved_bytes=100, working_set=1e9, dtype="float32") == 50.0


def test_a_share_of_the_peak_is_the_least_time_over_the_time() -> None:
    """20 operations at 100 per second in half a second are 40 % of the peak."""
    row = reading("x", "matmul", 0.5)
    known = type(row)(
        **{name: getattr(row, name) for name in row.__slots__} | {"flops": 20.0, "moved_bytes": 1.0}
    )

    (found,) = summarised(
        [known], "x", by="operator", phase="evaluate", peaks=PEAKS, dtype="float32"
    )

    assert found.peak_share == pytest.approx(0.4)


def test_peaks_are_read_as_they_are_written() -> None:
    """From parsed JSON, where tuples are lists; None stays None."""
    content = {"flops_per_s": PEAKS.flops_per_s, "bytes_per_s": [[1_000, 10], [1_000_000, 2]]}

    assert read_peaks(content) == PEAKS
    assert read_peaks(None) is None


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"flops_per_s": {"float32": 1.0}, "bytes_per_s": [[1, 1.0]]},
        {"flops_per_s": PEAKS.flops_per_s, "bytes_per_s": []},
        {"flops_per_s": PEAKS.flops_per_s, "bytes_per_s": [[1, 0.0]]},
        {"flops_per_s": PEAKS.flops_per_s | {"float32": float("nan")}, "bytes_per_s": [[1, 1.0]]},
    ],
)
def test_peaks_that_nothing_can_be_divided_by_are_refused(content: object) -> None:
    """Where they are read, not where they are used."""
    with pytest.raises((ValueError, KeyError)):
        read_peaks(content)


def test_a_calibration_keeps_its_peaks(tmp_path: Path) -> None:
    """And one from before they were measured has none."""
    pairs = IdenticalPairs(
        case="a", pairs=pair_ratios([0.01, -0.01] * 20), seconds=10.0, evaluate_s=1e-3
    )
    found = calibrate(
        [pairs],
        machine="m",
        recorded_at="2026-11-22T00:00:00Z",
        level=0.01,
        comparison_s=5.0,
        troubles=[],
        log_speed=0.0,
    )
    path = tmp_path / "m.jsonl"
    append_calibration(path, found)
    append_calibration(path, replace(found, peaks=PEAKS))

    old, new = read_calibrations(path)

    assert old.peaks is None
    assert new.peaks == PEAKS
