"""What `doctor` says of a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.cli import main
from harness.diagnosis import Finding, diagnose, steadiness_of_speed


def test_a_few_slow_moments_are_no_uneven_speed() -> None:
    """One in twenty may be interrupted."""
    found = steadiness_of_speed([100] * 95 + [1_000] * 5)
    assert (found.topic, found.advice, found.is_fatal) == ("speed", "", False)
    assert "1.00 ×" in found.found


def test_two_speeds_are_told_with_what_to_do() -> None:
    """As on a core whose other thread is busy three quarters of the time."""
    found = steadiness_of_speed([100] * 25 + [190] * 75)
    assert "1.90 ×" in found.found
    assert "shares the core" in found.advice
    assert not found.is_fatal


@pytest.mark.parametrize(("slow", "is_told"), [(119, False), (121, True)])
def test_a_fifth_is_what_counts(slow: int, is_told: bool) -> None:
    """Less than that is what any machine does."""
    found = steadiness_of_speed([100] * 50 + [slow] * 50)
    assert bool(found.advice) == is_told


def test_every_topic_is_looked_at_once(tmp_path: Path) -> None:
    """Really, on this machine."""
    topics = [each.topic for each in diagnose(tmp_path)]
    assert len(set(topics)) == len(topics)
    assert {"CPUs", "load", "steal", "speed", "clock", "memory", "layout", "tables"} <= {*topics}


def test_the_doctor_leaves_the_process_where_it_may_run(tmp_path: Path) -> None:
    """It goes to one CPU for a while."""
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no notion of CPUs that a process may run on")
    before = os.sched_getaffinity(0)
    diagnose(tmp_path)
    assert os.sched_getaffinity(0) == before


def test_the_doctor_prints_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty cache there is no calibration."""
    monkeypatch.setenv("GRAPHGAUGE_CACHE", str(tmp_path / "cache"))
    assert main(["doctor", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "graphgauge calibrate" in printed
    assert "GiB free" in printed


def test_a_folder_that_cannot_be_written_is_fatal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing could be kept."""
    fatal = Finding(topic="tables", found="/x is read-only", advice="choose", is_fatal=True)
    monkeypatch.setattr("harness.commands.doctor.diagnose", lambda _: [fatal])
    assert main(["doctor", "--out", str(tmp_path)]) == 2
    assert "✗" in capsys.readouterr().out
