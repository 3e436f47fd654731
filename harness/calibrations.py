"""Where calibrations are kept: a file for each machine, beside other things made for this user."""

from __future__ import annotations

from pathlib import Path

from harness.payload import cache_directory
from results.calibration import Calibration, read_calibrations


def calibrations_path(machine: str) -> Path:
    """The file of a machine's calibrations."""
    return cache_directory() / "calibrations" / f"{machine}.jsonl"


def calibrations_of(machine: str) -> list[Calibration]:
    """All of a machine, the last one last."""
    return read_calibrations(calibrations_path(machine))


def latest_calibration(machine: str) -> Calibration | None:
    """The last one of a machine, or None."""
    found = calibrations_of(machine)
    return found[-1] if found else None
