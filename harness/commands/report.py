"""`graphgauge report`: what differs between tables, as a page to look at or one picture."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from harness.commands.judging import compared, environments_of
from harness.commands.options import positive_float
from harness.errors import UsageError
from harness.exits import OK
from harness.ordering import ORDERS, ordered
from harness.progress import say
from results.errors import NothingToCompareError
from results.formats.wording import headline
from results.history import Histories, histories
from results.judgement import Comparison
from results.labels import (
    evaluators_as_versions,
    evaluators_compared,
    label_by_file,
    names_by_file,
)
from results.profiles.table import read_profile
from results.report import page, pictures
from results.report.content import Content, content
from results.report.histories import LEAST_VERSIONS
from results.report.plots import KINDS
from results.report.profiles import Profile
from results.report.timelines import Timeline, read_blocks, read_timelines, renamed
from results.schema import OK as GOOD, PHASES, YARDSTICK
from results.tables import read


class Report:
    """Write a report on versions that were measured before."""

    name = "report"
    summary = "write an HTML page on one table or several, or one plot as a picture"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `report` takes."""
        parser.add_argument("tables", nargs="+", type=Path, metavar="FILE.csv")
        parser.add_argument("-o", "--out", type=Path, metavar="FILE", help="default: report.html")
        parser.add_argument(
            "--profile",
            action="extend",
            nargs="+",
            default=[],
            type=Path,
            metavar="FILE.profile.csv",
            help="profile tables that stand in the page",
        )
        parser.add_argument("--title", metavar="TEXT", help="default: the versions' labels")
        parser.add_argument("--baseline", metavar="LABEL", help="default: the first to appear")
        parser.add_argument(
            "--other-machine", action="store_true", help="compare tables of different machines"
        )
        parser.add_argument(
            "--threshold",
            type=positive_float,
            metavar="SHARE",
            help="a change below it does not matter (default: what this machine is calibrated to, "
            "else 0.01)",
        )
        parser.add_argument(
            "--order",
            choices=ORDERS,
            default="auto",
            help="of three versions and more, whose history is drawn (default: auto)",
        )
        parser.add_argument(
            "--metric", action="extend", nargs="+", metavar="NAME", help="compare these only"
        )
        parser.add_argument(
            "--phase", action="extend", nargs="+", choices=PHASES, help="compare these only"
        )
        parser.add_argument(
            "--format",
            choices=("html", "svg", "png"),
            help="svg and png draw one plot (default: by the file's name, else html)",
        )
        parser.add_argument(
            "--plot", choices=KINDS, help="which plot a picture shows (default: launches)"
        )
        parser.add_argument("--case", metavar="WORDS", help="whose plot: words of a case's name")
        parser.add_argument(
            "--number", metavar="TEXT", help="of which number (default: 'evaluate time')"
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Write the file; 0 is returned whatever the comparison says."""
        form = _picture_format(arguments)
        out = arguments.out or Path(f"report.{form or 'html'}")
        told, comparison = _content(arguments)
        if form is None:
            title = arguments.title or " → ".join(told.versions)
            profiles = [
                Profile(title=path.name.removesuffix(".profile.csv"), readings=read_profile(path))
                for path in arguments.profile
            ]
            written = page.render(told, comparison, title=title, profiles=profiles).encode()
        else:
            plot = pictures.chosen_plot(
                told,
                case=arguments.case,
                kind=arguments.plot or "launches",
                number=arguments.number,
            )
            written = pictures.render(plot, told.versions, form)
        _write(out, written)
        if comparison is not None:
            say(headline(comparison))
        say(f"report: {out}, {len(written) / 1e6:.2f} MB")
        return OK


def _picture_format(arguments: argparse.Namespace) -> pictures.PictureFormat | None:
    """What kind of picture is asked for; None for a page."""
    suffix = "" if arguments.out is None else arguments.out.suffix.lower()
    asked = arguments.format or suffix.removeprefix(".")
    if asked == "svg":
        return "svg"
    if asked == "png":
        return "png"
    if arguments.case or arguments.plot or arguments.number:
        raise UsageError(
            "--case, --plot and --number choose a picture; give --format svg or --format png, or "
            "leave them out: the page has every plot"
        )
    return None


def _content(arguments: argparse.Namespace) -> tuple[Content, Comparison | None]:
    frames = {str(path): read(path) for path in arguments.tables}
    together = label_by_file(frames)
    frame = evaluators_as_versions(together)
    environments = environments_of(arguments.tables)
    comparison = None
    try:
        comparison = compared(
            frame,
            arguments,
            environments=environments,
            baseline=arguments.baseline,
            allow_other_machine=arguments.other_machine,
        )
    except NothingToCompareError:
        if frame.empty:
            raise
    names = names_by_file(frames)
    memory = [renamed(read_timelines(path), names[str(path)]) for path in arguments.tables]
    blocks = [renamed(read_blocks(path), names[str(path)]) for path in arguments.tables]
    told = content(
        frame,
        comparison,
        environments=environments,
        memory=_under(evaluators_compared(together), itertools.chain(*memory)),
        blocks=_under(evaluators_compared(together), itertools.chain(*blocks)),
        histories=_histories(together, comparison, arguments),
    )
    return told, comparison


def _histories(
    frame: pd.DataFrame, comparison: Comparison | None, arguments: argparse.Namespace
) -> Histories | None:
    """How numbers went over three versions or more; evaluators are no versions of each other."""
    frame = frame[(frame["evaluator"] != YARDSTICK) & (frame["status"] == GOOD)]
    if frame["label"].nunique() < LEAST_VERSIONS or evaluators_compared(frame) is not None:
        return None
    threshold = 0.01 if comparison is None else comparison.threshold
    return histories(frame, ordered(frame, arguments.order), threshold=threshold)


def _under(evaluators: str | None, timelines: Iterable[Timeline]) -> tuple[Timeline, ...]:
    """The timelines with their evaluator called as it is in the frame."""
    if evaluators is None:
        return tuple(timelines)
    return tuple(replace(each, case=(evaluators, *each.case[1:])) for each in timelines)


def _write(out: Path, content: bytes) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"{out}: {error.strerror or error}; expected a file that can be written to. "
            "Name another one with -o"
        ) from error
