"""What one version lacks."""

from results.comparison import compare
from results.frames import frame_of
from tests.results.samples import reading, version


def test_a_failure_explains_what_is_missing() -> None:
    """A case that fails has fewer readings, and is told once, as a failure."""
    old = version("old", [1.0, 1.1]) + version("old", [1.0, 1.1], phase="compile")
    new = [reading(label="new", phase="compile", status="error", value=None)]

    comparison = compare(frame_of(old + new))

    assert comparison.missing == ()
    assert [row.verdict for row in comparison.rows] == ["regressed"]


def test_a_missing_case_is_told_once() -> None:
    """Not again for each of its phases and metrics."""
    old = version("old", [1.0]) + version("old", [1.0], phase="compile")

    comparison = compare(frame_of(old + version("new", [1.0], scenario="mlp")))

    assert len(comparison.missing) == len(comparison.candidate_only) == 1


def test_a_baseline_that_only_failed_can_be_missing_too() -> None:
    """A case that was asked for and is not there is a gap, whatever came of it before."""
    failed = reading(label="old", scenario="mlp", status="refused", value=None)

    comparison = compare(frame_of([*version("old", [1.0]), failed, *version("new", [1.0])]))

    assert [gap.scenario for gap in comparison.missing] == ["mlp"]
