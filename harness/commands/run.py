"""`graphgauge run`: measure cases and append them to a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from harness.commands.options import (
    add_effort_options,
    add_subject_options,
    chosen_cases,
    chosen_suite,
    load_all_plugins,
    require_out,
    with_memory_launches,
)
from harness.effort import quick_effort, usual_effort
from harness.exits import NOTHING, OK
from harness.interruption import Interrupted
from harness.plan import Contender, Version
from harness.progress import say
from harness.session import Session
from harness.settings import Settings
from results.formats.terminal import console, render_growths, render_summary
from results.growth import growths
from results.summary import summarise
from results.tables import read

_LAUNCHES, _QUICK_LAUNCHES = 5, 2


class Run:
    """Measure cases under the interpreter that graphgauge runs in."""

    name = "run"
    summary = "measure a suite, or the scenarios and evaluators named, and write a table"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `run` takes."""
        parser.add_argument("suite", nargs="?", metavar="SUITE", help="default: default")
        add_subject_options(parser)
        add_effort_options(parser)
        parser.add_argument("--label", default="current", metavar="TEXT", help="of this version")
        parser.add_argument("--resume", action="store_true", help="only what --out lacks")

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure, then print what came of it."""
        plugins = load_all_plugins(arguments)
        suite = chosen_suite(arguments)
        evaluators = tuple(arguments.evaluator or suite.evaluators)
        cases = chosen_cases(arguments, suite, evaluators)
        version = Version(label=arguments.label, interpreter=sys.executable)
        is_quick = arguments.quick or (suite.is_quick and not arguments.scenario)
        effort_of = quick_effort if is_quick else usual_effort
        effort = effort_of(
            launches=arguments.launches or (_QUICK_LAUNCHES if is_quick else _LAUNCHES),
            timeout_s=arguments.timeout,
            memory=not arguments.no_memory,
        )
        settings = Settings(
            out=require_out(arguments, f"{arguments.label}.csv"),
            effort=with_memory_launches(effort, arguments),
            seed=arguments.seed,
            plugins=plugins,
            memory_limit_bytes=arguments.memory_limit,
            budget_s=arguments.budget,
            fixed_layout=arguments.fixed_layout,
            resume=arguments.resume,
        )
        return measure(settings, [Contender(version=version, case=case) for case in cases])


def measure(settings: Settings, contenders: Sequence[Contender]) -> int:
    """Measure each on its own, then print what came of all of them; the exit code is returned."""
    session = Session(settings)
    try:
        session.run([(contender,) for contender in contenders])
    except Interrupted:
        _show(settings, session)
        raise
    return _show(settings, session)


def _show(settings: Settings, session: Session) -> int:
    frame = read(settings.out)
    measured = frame[frame["session"] == session.id]
    if measured.empty:
        say("nothing was measured yet")
        return NOTHING
    output = console()
    render_summary(summarise(measured), output)
    render_growths(growths(measured), output)
    say(f"table: {settings.out}")
    return OK if (measured["status"] == "ok").any() else NOTHING
