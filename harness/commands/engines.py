"""`graphgauge engines`: every engine in an environment of its own, in one table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evaluators.engines.table import ENGINES, Engine, normalised
from evaluators.protocol import MODES
from harness.cases import make_cases
from harness.commands.options import (
    add_effort_options,
    add_subject_options,
    chosen_specs,
    chosen_suite,
    load_all_plugins,
    require_out,
    with_memory_launches,
)
from harness.commands.run import measure
from harness.effort import quick_effort, usual_effort
from harness.errors import UsageError
from harness.exits import NOTHING
from harness.installations import InstallationError, installed
from harness.plan import Contender, Version
from harness.progress import say
from harness.settings import Settings

_LAUNCHES, _QUICK_LAUNCHES = 5, 2
_BASELINES = ("interpreter", "straightline")
"""What break-even is told against; measured in the environment that graphgauge runs in."""


class Engines:
    """Install the newest supported release of each engine, measure, and print one table."""

    name = "engines"
    summary = "measure every engine that installs, each in an environment of its own"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `engines` takes."""
        parser.add_argument("suite", nargs="?", metavar="SUITE", help="default: default")
        parser.add_argument(
            "--engine", action="extend", nargs="+", metavar="NAME", help="these only"
        )
        add_subject_options(parser)
        add_effort_options(parser)
        parser.add_argument("--label", default="engines", metavar="TEXT", help="of this version")
        parser.add_argument("--resume", action="store_true", help="only what --out lacks")

    def run(self, arguments: argparse.Namespace) -> int:
        """Install, measure, then print what came of it; 3 where an engine did not install."""
        plugins = load_all_plugins(arguments)
        specs = chosen_specs(arguments, chosen_suite(arguments))
        modes = arguments.mode or MODES
        own = Version(label=arguments.label, interpreter=sys.executable)
        contenders = [
            Contender(version=own, case=case) for case in make_cases(specs, _BASELINES, modes)
        ]
        engines = chosen_engines(arguments.engine or ())
        missing = []
        for engine in engines:
            version = _version(engine, arguments.label)
            if version is None:
                missing.append(engine.distribution)
                continue
            wanted = arguments.evaluator or engine.evaluators
            evaluators = [name for name in engine.evaluators if name in wanted]
            contenders += [
                Contender(version=version, case=case)
                for case in make_cases(specs, evaluators, modes)
            ]
        effort_of = quick_effort if arguments.quick else usual_effort
        effort = effort_of(
            launches=arguments.launches or (_QUICK_LAUNCHES if arguments.quick else _LAUNCHES),
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
        code = measure(settings, contenders)
        if missing:
            say(f"not measured, since they did not install: {', '.join(missing)}")
        return NOTHING if missing else code


def chosen_engines(names: Sequence[str]) -> tuple[Engine, ...]:
    """The engines of those names, distributions or evaluators; all where none is named."""
    found = []
    for name in names:
        engine = next(
            (
                each
                for each in ENGINES
                if normalised(name) == normalised(each.distribution) or name in each.evaluators
            ),
            None,
        )
        if engine is None:
            known = ", ".join(each.distribution for each in ENGINES)
            raise UsageError(f"--engine {name}: found no such engine; expected one of {known}")
        found.append(engine)
    return tuple(dict.fromkeys(found)) if names else ENGINES


def _version(engine: Engine, label: str) -> Version | None:
    """The engine's environment; None, and a line that says why, where it cannot be installed."""
    try:
        interpreter = installed(("numpy", *engine.newest), what=engine.distribution)
    except InstallationError as error:
        say(f"graphgauge: {error}")
        return None
    return Version(label=label, interpreter=str(interpreter))
