"""What fails, compared."""

import pandas as pd

from results.failures import Extent, compare_failures, launches_by_case
from results.frames import frame_of
from results.schema import Reading
from tests.results.samples import reading, version

CASE = ("planned", "chain", "depth=100;width=64", "output")


def failed(label: str, launch: int | None, detail: str = "") -> Reading:
    """A launch that crashed."""
    return reading(
        label=label, launch=launch, status="crash", value=None, spread=None, detail=detail
    )


def launches(frame: pd.DataFrame) -> dict[str, dict[tuple[str, str, str, str], int]]:
    """The launches of `old` and `new`."""
    return {label: launches_by_case(frame[frame["label"] == label]) for label in ("old", "new")}


def test_launches_are_counted_once() -> None:
    """However many readings a launch gave; other sessions' launches are others."""
    rows = [
        *version("old", [1.0, 2.0]),
        *version("old", [1.0], phase="compile"),
        *version("old", [1.0], session="s2"),
    ]

    assert launches_by_case(frame_of(rows)) == {CASE: 3}


def test_a_failure_before_any_launch_counts_as_one() -> None:
    """A refusal without a process is a failure of the whole case."""
    frame = frame_of([*version("old", [1.0]), failed("new", None)])

    found = compare_failures(frame, "old", "new", launches(frame))

    assert found.cases == {CASE}
    assert found.rows[0].candidate_launches == 1


def test_details_are_told_on_one_line_and_cut() -> None:
    """A traceback does not fill the screen."""
    frame = frame_of([*version("old", [1.0]), failed("new", 0, "a\nb " + "x" * 1_000)])

    reason = compare_failures(frame, "old", "new", launches(frame)).rows[0].reason

    assert ": a b xxx" in reason
    assert len(reason) < 300


def test_cases_of_one_side_are_not_compared() -> None:
    """They are a gap, not a new failure."""
    frame = frame_of([*version("old", [1.0], scenario="mlp"), failed("new", 0)])

    found = compare_failures(frame, "old", "new", launches(frame))

    assert found.rows == found.failing == ()


def test_every_launch_is_worse_than_some() -> None:
    """Extents are ordered."""
    assert Extent.NONE < Extent.SOME_LAUNCHES < Extent.EVERY_LAUNCH
