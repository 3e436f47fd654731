"""`graphgauge profile --by function`: where the phases before a call spend their time."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from harness.cases import Case, make_cases, parse_spec
from harness.commands.options import positive_float, positive_int
from harness.conversation import PREPARED_PHASES
from harness.exits import NOTHING, OK
from harness.plan import Version
from harness.profiling.functions import OUTSIDE, SIGNAL, Sampled, Wish, sample_functions
from harness.profiling.pictures import file_stem, write_pictures
from harness.progress import say
from results.formats.terminal import console
from results.profiles.difference import LEVEL, Change
from results.profiles.functions import (
    FunctionRow,
    compared,
    rows_by_function,
    sample_count,
    whole_seconds,
)
from results.profiles.stacks import RESOLVED_ERROR, RESOLVED_SHARE, PhaseProfile, share_error
from results.profiles.table import write_profile
from results.units import quantity


def add_function_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a profile by function takes."""
    parser.add_argument(
        "--phase",
        nargs="+",
        choices=PREPARED_PHASES,
        default=list(PREPARED_PHASES),
        help="by function: which; default: all",
    )
    parser.add_argument(
        "--launches", type=positive_int, metavar="N", help="by function: of each version"
    )
    parser.add_argument(
        "--seconds",
        type=positive_float,
        default=10.0,
        metavar="S",
        help="by function: of running, for each launch of each version",
    )
    parser.add_argument(
        "--first", action="store_true", help="by function: the first time in a process alone"
    )
    parser.add_argument(
        "--sampler",
        choices=(OUTSIDE, SIGNAL),
        help="by function: default: py-spy where it can look, signal between two versions",
    )


def profile_functions(
    arguments: argparse.Namespace, versions: Sequence[Version], plugins: tuple[str, ...]
) -> int:
    """Sample, print tables and write flame graphs."""
    launches = arguments.launches or (20 if arguments.first else 6 if len(versions) > 1 else 3)
    wish = Wish(
        phases=tuple(each for each in PREPARED_PHASES if each in arguments.phase),
        launches=launches,
        budget_s=arguments.seconds,
        first=arguments.first,
        sampler=arguments.sampler,
        timeout_s=arguments.timeout,
        plugins=plugins,
    )
    specs = tuple(map(parse_spec, arguments.case))
    done = 0
    for case in make_cases(specs, (arguments.evaluator,), (arguments.mode,)):
        sampled = sample_functions(case, versions, wish)
        for label, failure in sampled.failures.items():
            say(f"{case} ({label}): {failure.status} in {failure.phase}: {failure.detail}")
        if sampled.profiles:
            _show(case, sampled, wish, arguments.top)
            _write(case, sampled, arguments.out)
            done += 1
    return OK if done else NOTHING


def _show(case: Case, sampled: Sampled, wish: Wish, top: int) -> None:
    to = console()
    for phase in wish.phases:
        profiles = [each for each in sampled.profiles if each.phase == phase]
        if not profiles:
            continue
        rows = rows_by_function(profiles)
        labels = list(dict.fromkeys(each.label for each in profiles))
        to.print(_table(f"{case}: {phase}, by function", rows[:top], labels))
        for label in labels:
            to.print(_resolved(profiles, label))
        if len(labels) > 1:
            to.print(_explained(profiles, rows, top))
    for remark in sampled.remarks:
        to.print(remark)


def _table(title: str, rows: Sequence[FunctionRow], labels: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for label in labels:
        table.add_column(label, justify="right")
        table.add_column("share", justify="right")
    if len(labels) > 1:
        table.add_column("difference", justify="right")
        table.add_column("interval", justify="right")
    table.add_column("function")
    table.add_column("file")
    for row in rows:
        cells = []
        for label in labels:
            cells += [_time(row.seconds.get(label)), _share(row, label)]
        if len(labels) > 1:
            change = row.change
            cells += ["", ""] if change is None else [_time(change.change_s), _interval(change)]
        place = row.file if row.line is None else f"{row.file}:{row.line}"
        table.add_row(*cells, row.name, place)
    return table


def _time(seconds: float | None) -> str:
    return "" if seconds is None else quantity(seconds, "s")


def _share(row: FunctionRow, label: str) -> str:
    share, error = row.shares.get(label), row.share_errors.get(label)
    if share is None or error is None:
        return ""
    return f"{share:.1%} ± {error:.1%}"


def _interval(change: Change) -> str:
    if change.low_s is None or change.high_s is None:
        return ""
    return f"[{quantity(change.low_s, 's')}, {quantity(change.high_s, 's')}]"


def _resolved(profiles: Sequence[PhaseProfile], label: str) -> str:
    """How much was seen of a version, by whom, and whether small shares are told apart."""
    own = [each for each in profiles if each.label == label]
    samples = sample_count(own, label)
    error = share_error(RESOLVED_SHARE, samples)
    whole_s = whole_seconds(own, label)
    slower = sum(each.sampled_seconds for each in own) / sum(each.seconds for each in own)
    sources = ", ".join(dict.fromkeys(each.source for each in own))
    told = (
        "nothing was seen"
        if error is None
        else f"a share of {RESOLVED_SHARE:.0%} has a standard error of {error:.2%}"
    )
    if error is not None and error > RESOLVED_ERROR:
        told += f", above the {RESOLVED_ERROR:.1%} that resolves it: give more --seconds"
    return (
        f"{label}: {quantity(whole_s, 's')} a repeat, {slower:.2f} times that while sampled; "
        f"{samples:,} samples of {sum(each.repeats for each in own):,} repeats in {len(own)} "
        f"launches; {told}; {sources}"
    )


def _explained(profiles: Sequence[PhaseProfile], rows: Sequence[FunctionRow], top: int) -> str:
    """The whole difference, and how much of it the rows shown add up to."""
    found = compared(profiles)
    if found is None:
        return ""
    shown = sum(row.change.change_s for row in rows[:top] if row.change is not None)
    everything = sum(row.change_s for row in found.rows)
    return (
        f"difference of the phase: {quantity(found.whole.change_s, 's')} {_interval(found.whole)}; "
        f"the rows shown add up to {quantity(shown, 's')}, all {len(rows)} to "
        f"{quantity(everything, 's')}; intervals miss the truth with a probability of {LEVEL:.0%}"
    )


def _write(case: Case, sampled: Sampled, folder: Path) -> None:
    written = write_pictures(case, sampled.profiles, folder)
    table = folder / f"{file_stem(case.evaluator, case.scenario, case.mode)}.functions.csv"
    write_profile(table, (row for each in sampled.profiles for row in each.readings()))
    say(f"{table}; beside it {len(written)} flame graphs (.svg) and speedscope files (.json)")
