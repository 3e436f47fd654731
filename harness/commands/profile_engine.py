"""`graphgauge profile --by engine`: what an engine's own profiler tells of its calls."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from harness.cases import Case, make_cases, parse_spec
from harness.exits import NOTHING, OK
from harness.plan import Version
from harness.profiling.engine import BY, EngineTold, ask_engine
from harness.profiling.pictures import file_stem
from harness.progress import say
from harness.worker import messages as m
from results.formats.profiles import render_difference, render_graphs
from results.formats.terminal import console
from results.profiles.difference import difference
from results.profiles.reading import UNEXPLAINED, ProfileReading
from results.profiles.table import write_profile
from results.units import percent, quantity

_LAUNCHES = 6
"""Of each version, where there are several."""


def profile_engine(
    arguments: argparse.Namespace, versions: Sequence[Version], plugins: tuple[str, ...]
) -> int:
    """Ask each version's engine, print what it told, and what is different between two."""
    done = 0
    specs = tuple(map(parse_spec, arguments.case))
    for case in make_cases(specs, (arguments.evaluator,), (arguments.mode,)):
        told = _asked(case, arguments, versions, plugins)
        if len(told) == len(versions) > 1:
            base, *others = told
            for label in others:
                _show_difference(case, base, label, told, arguments.top)
        else:
            for label, launches in told.items():
                _show(case, label, launches[0], arguments.top)
        for label, launches in told.items():
            _show_remarks(label, launches)
        if any(each.readings for launches in told.values() for each in launches):
            name = file_stem(case.evaluator, case.scenario, case.mode)
            table = arguments.out / f"{name}.engine.csv"
            write_profile(
                table, (r for launches in told.values() for each in launches for r in each.readings)
            )
            say(f"rows: {table}")
            done += 1
    return OK if done else NOTHING


def _asked(
    case: Case, arguments: argparse.Namespace, versions: Sequence[Version], plugins: tuple[str, ...]
) -> dict[str, list[EngineTold]]:
    """What each version's engine told, launch by launch; versions take turns to be first."""
    told: dict[str, list[EngineTold]] = {}
    failed: set[str] = set()
    is_paired = len(versions) > 1
    for number in range(1, (arguments.launches or (_LAUNCHES if is_paired else 1)) + 1):
        for version in versions if number % 2 else versions[::-1]:
            if version.label in failed:
                continue
            answer = ask_engine(
                case,
                version,
                calls=arguments.calls,
                timeout_s=arguments.timeout,
                plugins=plugins,
                launch_number=number,
                pair=number if is_paired else None,
            )
            if isinstance(answer, m.Failure):
                failed.add(version.label)
                say(f"{case} ({version.label}): {answer.status} in {answer.phase}: {answer.detail}")
            else:
                told.setdefault(version.label, []).append(answer)
    return {version.label: told[version.label] for version in versions if version.label in told}


def _show_difference(
    case: Case, base: str, candidate: str, told: dict[str, list[EngineTold]], top: int
) -> None:
    """Its graph first, then how often what runs, then times."""
    to = console()
    before, after = told[base][0], told[candidate][0]
    if before.graph and after.graph:
        render_graphs(
            str(case),
            after.graph_of,
            (base, dict(before.graph)),
            (candidate, dict(after.graph)),
            to,
        )
    both = [r for label in (base, candidate) for each in told[label] for r in each.readings]
    for phase in dict.fromkeys(each.phase for each in both):
        if {each.label for each in both if each.phase == phase} == {base, candidate}:
            between = difference(both, base, candidate, by=BY, phase=phase)
            render_difference(str(case), between, between.counted, to, top=top)


def _show(case: Case, label: str, told: EngineTold, top: int) -> None:
    to = console()
    for phase in dict.fromkeys(each.phase for each in told.readings):
        rows = [each for each in told.readings if each.phase == phase]
        title = f"{label}, {case}: {phase}, by {told.profiler}"
        whole_s = sum(each.seconds for each in rows)
        named = [each for each in rows if each.name != UNEXPLAINED]
        rest = [each for each in rows if each.name == UNEXPLAINED]
        to.print(_table(title, [*named[:top], *rest], whole_s))
        if len(named) > top:
            left_s = sum(each.seconds for each in named[top:])
            to.print(f"{len(named) - top} more rows: {quantity(left_s, 's')}")
    if told.graph:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in told.graph)
        to.print(Text(f"{label}: {told.graph_of} of its graph: {kinds}"))


def _show_remarks(label: str, launches: Sequence[EngineTold]) -> None:
    to = console()
    calls_s, profiled_s = (
        statistics.fmean(getattr(each, name) for each in launches)
        for name in ("call_s", "profiled_s")
    )
    to.print(
        f"{label}: a call takes {quantity(calls_s, 's')} without the profiler; its rows add "
        f"up to {quantity(profiled_s, 's')} with it"
    )
    for remark in launches[0].remarks:
        to.print(f"{label}: {remark}")


def _table(title: str, rows: Sequence[ProfileReading], whole_s: float) -> Table:
    table = Table(title=title, title_justify="left")
    for head in ("time", "share", "calls", "moved", "allocated", "flops"):
        table.add_column(head, justify="right")
    table.add_column("operation")
    for row in rows:
        table.add_row(
            quantity(row.seconds, "s"),
            percent(row.seconds / whole_s if whole_s else None),
            quantity(row.calls, "1"),
            quantity(row.moved_bytes, "B"),
            quantity(row.allocated_bytes, "B"),
            quantity(row.flops, "1"),
            row.name,
        )
    return table
