"""`graphgauge compare`: what differs between tables, or between the labels of one."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.commands.judging import environments_of, judge, read_sides
from harness.commands.options import add_format_options


class Compare:
    """Compare versions that were measured before."""

    name = "compare"
    summary = "compare tables, or the labels of one table; the first is the baseline"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `compare` takes."""
        parser.add_argument("tables", nargs="+", type=Path, metavar="FILE.csv")
        parser.add_argument("--baseline", metavar="LABEL", help="default: the first to appear")
        parser.add_argument(
            "--other-machine", action="store_true", help="compare tables of different machines"
        )
        add_format_options(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the comparison."""
        return judge(
            read_sides(arguments.tables),
            arguments,
            environments=environments_of(arguments.tables),
            baseline=arguments.baseline,
            allow_other_machine=arguments.other_machine,
        )
