"""`graphgauge profile --by engine`: what an engine's own profiler tells of its calls."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.table import Table

from harness.cases import Case, make_cases, parse_spec
from harness.exits import NOTHING, OK
from harness.plan import Version
from harness.profiling.engine import EngineTold, ask_engine
from harness.profiling.pictures import file_stem
from harness.progress import say
from harness.worker import messages as m
from results.formats.terminal import console
from results.profiles.reading import UNEXPLAINED, ProfileReading
from results.profiles.table import write_profile
from results.units import percent, quantity


def profile_engine(
    arguments: argparse.Namespace, versions: Sequence[Version], plugins: tuple[str, ...]
) -> int:
    """Ask each version's engine, and print what it told."""
    done = 0
    specs = tuple(map(parse_spec, arguments.case))
    for case in make_cases(specs, (arguments.evaluator,), (arguments.mode,)):
        readings: list[ProfileReading] = []
        for version in versions:
            told = ask_engine(
                case, version, calls=arguments.calls, timeout_s=arguments.timeout, plugins=plugins
            )
            if isinstance(told, m.Failure):
                say(f"{case} ({version.label}): {told.status} in {told.phase}: {told.detail}")
            else:
                _show(case, version.label, told, arguments.top)
                readings += told.readings
        if readings:
            name = file_stem(case.evaluator, case.scenario, case.mode)
            table = arguments.out / f"{name}.engine.csv"
            write_profile(table, readings)
            say(f"rows: {table}")
            done += 1
    return OK if done else NOTHING


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
    to.print(
        f"{label}: a call takes {quantity(told.call_s, 's')} without the profiler; its rows add "
        f"up to {quantity(told.profiled_s, 's')} with it"
    )
    for remark in told.remarks:
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
