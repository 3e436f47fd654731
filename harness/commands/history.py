"""`graphgauge history`: how metrics went over versions, and where they changed."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from evaluators.protocol import MODES
from harness.bisection import Narrowed, Verdict, narrow
from harness.commands.measuring import measured
from harness.commands.options import load_all_plugins, positive_float, positive_int
from harness.commands.versus import Versus
from harness.commits import commit_of, commits_between
from harness.errors import UsageError
from harness.exits import OK
from harness.ordering import ORDERS, ordered
from harness.printing import write_out
from harness.progress import say
from harness.sides import is_within_repository
from results.formats import history
from results.formats.terminal import console
from results.history import Change, Histories, History, histories
from results.schema import METRICS, PHASES
from results.tables import read_many

_LAUNCHES = 10
_DOUBLINGS = 2
"""A version that so many launches do not settle is measured with twice as many, so often."""


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
            help="measure commits between the two that the largest change lies between",
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
            _bisect(found, arguments)
        return OK


def _chosen(frame: pd.DataFrame, arguments: argparse.Namespace) -> pd.DataFrame:
    for column in ("evaluator", "scenario", "mode", "phase"):
        wanted = getattr(arguments, column)
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    return frame


def _bisect(found: Histories, arguments: argparse.Namespace) -> None:
    """Tell which commit the largest change for the worse entered with."""
    changes = [(one, change) for one in found.histories for change in one.changes]
    if not changes:
        raise UsageError("--bisect: nothing changed; there is no change to narrow down")
    one, change = max(changes, key=lambda pair: (pair[1].is_worse, pair[1].ratio or 1.0))
    directory = _directory(change)
    before, after = (_commit(label) for label in (change.before, change.enters_at))
    between = commits_between(before, after)[:-1]
    say(f"bisecting {one.case}, {one.phase} {one.metric}: {len(between)} commits in between")

    def has_change(revision: str) -> Verdict:
        sides = [f"git:{each}{directory}" for each in (before, revision, after)]
        launches = arguments.launches
        for _ in range(1 + _DOUBLINGS):
            verdict = _has_change(one, sides, launches, arguments)
            if verdict is not None:
                break
            launches *= 2
        words = {True: "has it", False: "has it not", None: "is not settled"}
        say(f"{revision[:12]} {words[verdict]}")
        return verdict

    say(_told(narrow(before, after, between, has_change)))


def _directory(change: Change) -> str:
    """The package's folder in the repository, as the labels have it.

    A label is a table's text: a folder outside of the repository is not followed.
    """
    _, mark, folder = change.enters_at.partition("#")
    if not is_within_repository(folder):
        raise UsageError(
            f"--bisect: label {change.enters_at!r} names a folder outside of the repository; "
            "expected one within it, as in git:REV#python"
        )
    return f"{mark}{folder}"


def _commit(label: str) -> str:
    """The commit that a label of `versus` means."""
    revision = label.partition("#")[0]
    try:
        return commit_of(revision.removeprefix("git:")).revision
    except UsageError as error:
        raise UsageError(
            f"--bisect: {label} names no commit of the repository we are in ({error}); expected "
            "versions that were measured as git:REV"
        ) from None


def _has_change(
    one: History, sides: list[str], launches: int, arguments: argparse.Namespace
) -> Verdict:
    """Whether the version in the middle is like the last or like the first, measured at once."""
    params = one.params.replace(";", ",")
    # With "=", a name in a table that looks like an option is a name all the same.
    asked = [f"--scenario={one.scenario}:{params}" if params else f"--scenario={one.scenario}"]
    asked += [f"--evaluator={one.evaluator}", f"--mode={one.mode}", f"--launches={launches}"]
    if arguments.plugin:
        asked += ["--plugin", *arguments.plugin]
    frame = measured(Versus(), [*sides, *asked], arguments.out)
    again = histories(
        frame[(frame["phase"] == one.phase) & (frame["source"] == one.source)],
        sides,
        metrics=[one.metric],
        threshold=arguments.threshold,
    )
    entries = [change.enters_at for each in again.histories for change in each.changes]
    if len(entries) != 1:
        return None
    return entries[0] == sides[1]


def _told(found: Narrowed) -> str:
    if not found.between:
        return f"enters with {found.after} (after {found.before})"
    return (
        f"enters after {found.before}, with {found.after} at the latest; not settled: "
        f"{', '.join(found.between)}. More --launches may settle them"
    )
