"""The subcommands by name, each imported when it is asked for: none waits for the rest."""

# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
from typing import Protocol

NAMES = (
    "run",
    "versus",
    "compare",
    "report",
    "check",
    "history",
    "calibrate",
    "doctor",
    "export",
    "import",
    "engines",
    "profile",
    "list",
)
"""In the order in which help lists them."""


class Command(Protocol):
    """One subcommand."""

    name: str
    summary: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what it takes."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code is returned."""
        ...


def command(name: str) -> Command:
    """The subcommand of one of NAMES.

    Raises:
        KeyError: for any other name.
    """
    match name:
        case "run":
            from harness.commands.run import Run

            return Run()
        case "versus":
            from harness.commands.versus import Versus

            return Versus()
        case "compare":
            from harness.commands.compare import Compare

            return Compare()
        case "report":
            from harness.commands.report import Report

            return Report()
        case "check":
            from harness.commands.check import Check

            return Check()
        case "history":
            from harness.commands.history import HistoryOf

            return HistoryOf()
        case "calibrate":
            from harness.commands.calibrate import Calibrate

            return Calibrate()
        case "doctor":
            from harness.commands.doctor import Doctor

            return Doctor()
        case "export":
            from harness.commands.export import Export

            return Export()
        case "import":
            from harness.commands.import_ import Import

            return Import()
        case "engines":
            from harness.commands.engines import Engines

            return Engines()
        case "profile":
            from harness.commands.profile import Profile

            return Profile()
        case "list":
            from harness.commands.list import List

            return List()
    raise KeyError(name)
