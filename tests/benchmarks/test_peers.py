"""The peers' output, as they really print it, is read for what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.verdict.findings import IMPROVED, REGRESSED, UNCHANGED, beyond
from benchmarks.verdict.peers import (
    asv_finding,
    hyperfine_finding,
    pyperf_verdict,
    pytest_benchmark_ratios,
    timeit_us,
)

OUTPUTS = Path(__file__).parent / "outputs"


def printed(name: str) -> str:
    """What the tool printed."""
    return (OUTPUTS / f"{name}.txt").read_text(encoding="utf-8")


def test_pytest_benchmark_tells_mean_and_median() -> None:
    """Both are candidate to baseline, whichever of the two is the faster."""
    mean, median = pytest_benchmark_ratios(printed("pytest-benchmark-compare"))

    assert mean == pytest.approx(1342.6185 / 1217.1316)
    assert median == pytest.approx(250.9500 / 385.1320)


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("slower", REGRESSED), ("faster", IMPROVED), ("not-significant", UNCHANGED)],
)
def test_pyperf_tells_its_test(name: str, verdict: str) -> None:
    """A pair that it hides as not significant is unchanged."""
    assert pyperf_verdict(printed(f"pyperf-{name}")) == verdict


@pytest.mark.parametrize(
    ("name", "verdict", "ratio"),
    [("slower", REGRESSED, 16.86), ("faster", IMPROVED, 1 / 21.40), ("alike", UNCHANGED, 1 / 1.07)],
)
def test_hyperfine_tells_who_ran_faster(name: str, verdict: str, ratio: float) -> None:
    """1.07 ± 0.46 does not exclude 1."""
    finding = hyperfine_finding(printed(f"hyperfine-{name}"))

    assert finding.verdict == verdict
    assert finding.ratio == pytest.approx(ratio)


@pytest.mark.parametrize(
    ("name", "verdict", "ratio"),
    [("slower", REGRESSED, 11.4), ("faster", IMPROVED, 0.09), ("alike", UNCHANGED, 0.94)],
)
def test_asv_marks_what_has_changed(name: str, verdict: str, ratio: float) -> None:
    """A ratio that its own test does not trust is written with a tilde."""
    finding = asv_finding(printed(f"asv-{name}"))

    assert finding.verdict == verdict
    assert finding.ratio == ratio


def test_timeit_tells_the_best() -> None:
    """In µs, as it was asked to."""
    assert timeit_us(printed("timeit")) == 2.42


@pytest.mark.parametrize(
    "read", [pytest_benchmark_ratios, pyperf_verdict, hyperfine_finding, asv_finding, timeit_us]
)
def test_other_output_is_an_error_that_shows_it(read: object) -> None:
    """A release that prints something else is not read as no change."""
    assert callable(read)
    with pytest.raises(ValueError, match=r"expected .*'who knows'"):
        read("who knows")


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [(1.06, REGRESSED), (1.04, UNCHANGED), (0.96, UNCHANGED), (1 / 1.06, IMPROVED)],
)
def test_a_factor_is_the_same_both_ways(ratio: float, verdict: str) -> None:
    """Faster by the factor is improved where slower by the factor is regressed."""
    assert beyond(ratio, 1.05) == verdict
