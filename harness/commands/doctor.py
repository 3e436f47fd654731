"""`graphgauge doctor`: what makes times unsure here, without measuring any subject."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from harness.calibrations import latest_calibration
from harness.diagnosis import Finding, diagnose
from harness.environment import machine_id
from harness.exits import OK, UNUSABLE
from results.formats.terminal import console


class Doctor:
    """Look at the machine."""

    name = "doctor"
    summary = "say what on this machine makes times unsure, and what to do about it"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `doctor` takes."""
        parser.add_argument(
            "--out", type=Path, default=Path("runs"), metavar="FOLDER", help="where tables will go"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Print every finding; 2 where nothing can be measured."""
        findings = [*diagnose(arguments.out), _calibrated()]
        table = Table(box=None, pad_edge=False)
        for heading in ("", "looked at", "found", "what to do"):
            table.add_column(heading)
        for each in findings:
            mark = "✗" if each.is_fatal else "!" if each.advice else "✓"
            table.add_row(mark, each.topic, each.found, each.advice)
        console().print(table)
        return UNUSABLE if any(each.is_fatal for each in findings) else OK


def _calibrated() -> Finding:
    found = latest_calibration(machine_id())
    if found is None:
        return Finding(
            topic="calibration",
            found="none of this machine: changes below 1 % do not count",
            advice="`graphgauge calibrate` finds what this machine can show (two minutes)",
        )
    return Finding(
        topic="calibration",
        found=f"of {found.recorded_at}: "
        + ("" if found.floor is None else f"floor {found.floor:.2%}, ")
        + f"{found.false_alarms} false alarms in {found.comparisons} comparisons",
    )
