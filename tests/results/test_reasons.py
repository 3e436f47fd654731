"""Reasons in words."""

from dataclasses import replace

import pytest

from results.reasons import Evidence, Scale, reason, verdict

SCALE = Scale(threshold=0.01, level=0.01, family=20)
EVIDENCE = Evidence(
    kind="time",
    unit="s",
    difference=0.05,
    band=0.00995,
    by_logs=True,
    exactly=False,
    is_paired=True,
    baseline_launches=12,
    candidate_launches=12,
    set_aside=0,
    p_beyond=0.001,
    p_within=1.0,
    p_beyond_alone=0.00005,
    p_within_alone=1.0,
    source="",
    by_speed=False,
    launches_to_halve=40,
)


def told(evidence: Evidence, scale: Scale = SCALE) -> str:
    """Verdict and reason."""
    found = verdict(evidence, scale.level)
    return f"{found}: {reason(evidence, found, scale)}"


def test_a_change_says_how_sure_it_is() -> None:
    """Interval, band, correction and evidence."""
    assert told(EVIDENCE) == (
        "regressed: the 99 % interval lies beyond ±1 %, also after Holm's correction over 20 rows; "
        "40 pairs would halve the smallest detectable change; 12 pairs"
    )


def test_a_single_row_needs_no_correction() -> None:
    """Nor does its reason speak of one."""
    assert "Holm" not in told(EVIDENCE, replace(SCALE, family=1))


def test_bands_are_told_in_their_unit() -> None:
    """What is not compared by logs has a band in bytes."""
    evidence = replace(EVIDENCE, kind="memory", unit="B", by_logs=False, band=512 * 1024.0)

    assert "beyond ±512 KiB" in told(evidence)


@pytest.mark.parametrize(
    ("alone", "words"),
    [
        ({"p_beyond_alone": 0.005}, "lies beyond ±1 %, but not after"),
        ({"p_within_alone": 0.005}, "lies within ±1 %, but not after"),
        ({}, "reaches across ±1 %"),
    ],
)
def test_what_is_inconclusive_says_what_would_tell(alone: dict[str, float], words: str) -> None:
    """Why it is not enough, and how many launches halve what can be seen."""
    nothing = replace(EVIDENCE, p_beyond=0.1, p_beyond_alone=0.1)

    found = told(replace(nothing, **alone))  # type: ignore[arg-type]

    assert found.startswith("inconclusive: ")
    assert words in found
    assert "40 pairs would halve" in found


def test_values_too_far_apart_are_told() -> None:
    """There can be launches enough and still no interval."""
    evidence = replace(EVIDENCE, p_beyond=float("nan"), p_within=float("nan"))

    assert "too far apart" in told(evidence)
