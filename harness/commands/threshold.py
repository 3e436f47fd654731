"""What comparisons promise, and which changes do not matter to them."""

from __future__ import annotations

import argparse

from harness.calibrations import latest_calibration
from harness.environment import machine_id

LEVEL = 0.01
"""The chance that any of a comparison's verdicts is wrong."""
_DEFAULT_THRESHOLD = 0.01


def threshold_of(arguments: argparse.Namespace) -> float:
    """The change that does not matter: as asked for, else this machine's floor, else 1 %."""
    if arguments.threshold is not None:
        return float(arguments.threshold)
    calibration = latest_calibration(machine_id())
    floor = None if calibration is None else calibration.floor
    return _DEFAULT_THRESHOLD if floor is None else floor
