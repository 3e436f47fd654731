"""`graphgauge history`: how metrics went over versions, and where they changed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from evaluators.protocol import MODES
from harness.commands.bisecting import bisect
from harness.commands.options import load_all_plugins, positive_float, positive_int
from harness.exits import OK
from harness.ordering import ORDERS, ordered
from harness.printing import write_out
from results.formats import history
from results.formats.terminal import console
from results.history import histories
from results.schema import METRICS, PHASES
from results.tables import read_many

_LAUNCHES = 10


class HistoryOf:
    """Many labels in order: a table and a plot for each case, and the changes."""

    name = "history"
    summary = "show metrics over many versions, and where they changed"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `history` takes."""
        parser.add_argument("tables", nargs="+", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--order", choices=ORDERS, default="auto", help="of the versions (default: auto)"
        )
        parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
        parser.add_argument("--all", action="store_true", help="series without a change too")
        parser.add_argument(
            "--metric", action="extend", nargs="+", choices=tuple(METRICS), help="these only"
        )
        for column, choices in (
            ("evaluator", None),
            ("scenario", None),
            ("mode", MODES),
            ("phase", PHASES),
        ):
            parser.add_argument(
                f"--{column}", action="extend", nargs="+", choices=choices, help="these only"
            )
        parser.add_argument("--threshold", type=positive_float, default=0.01, metavar="SHARE")
        parser.add_argument(
            "--bisect",
            action="store_true",
            help="measure commits, or releases, between the two that the largest change is between",
        )
        parser.add_argument(
            "--package",
            action="extend",
            nargs="+",
            default=[],
            metavar="NAME",
            help="whose releases may be installed to bisect, beside those of engines we know",
        )
        parser.add_argument(
            "--plugin", action="extend", nargs="+", default=[], metavar="FILE.py", help="to bisect"
        )
        parser.add_argument(
            "--launches", type=positive_int, default=_LAUNCHES, metavar="N", help="to bisect"
        )
        parser.add_argument(
            "-o",
            "--out",
            type=Path,
            default=Path("runs/bisect.csv"),
            metavar="FILE.csv",
            help="what bisecting measures (default: %(default)s)",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the histories; then narrow down the largest change, if that is asked for."""
        frame = _chosen(read_many(arguments.tables), arguments)
        found = histories(
            frame,
            ordered(frame, arguments.order),
            metrics=arguments.metric,
            threshold=arguments.threshold,
        )
        if arguments.format == "table":
            history.render(found, console(), everything=arguments.all)
        else:
            text = history.rows if arguments.format == "csv" else history.structured
            write_out(text(found))
        if arguments.bisect:
            load_all_plugins(arguments)
            bisect(found, arguments)
        return OK


def _chosen(frame: pd.DataFrame, arguments: argparse.Namespace) -> pd.DataFrame:
    for column in ("evaluator", "scenario", "mode", "phase"):
        wanted = getattr(arguments, column)
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    return frame
