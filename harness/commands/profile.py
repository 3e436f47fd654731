"""`graphgauge profile`: where time goes, and memory, of one version or between two."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.commands.options import (
    DEFAULT_TIMEOUT_S,
    load_all_plugins,
    positive_float,
    positive_int,
)
from harness.commands.profile_engine import profile_engine
from harness.commands.profile_functions import add_function_options, profile_functions
from harness.commands.profile_memory import add_memory_options, profile_memory
from harness.commands.profile_steps import add_step_options, profile_steps
from harness.commands.profile_timeline import write_timelines
from harness.errors import UsageError
from harness.plan import Version
from harness.sides import EvaluatorSide, make_versions, parse_sides


class Profile:
    """Profile a case, of one version or of two."""

    name = "profile"
    summary = "where time and memory go, of one version or between two"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `profile` takes."""
        parser.add_argument("case", nargs="+", metavar="CASE", help="NAME[:k=v,…], as --scenario")
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--by",
            choices=("operator", "node", "line", "function", "engine"),
            default="operator",
            help="of a call: operator (the default), node, or line of the scenario, or what the "
            "engine's own profiler calls its rows; of the phases before it: function",
        )
        what.add_argument("--memory", action="store_true", help="allocations")
        what.add_argument(
            "--timeline", action="store_true", help="what happens along a launch, for Perfetto"
        )
        parser.add_argument("--evaluator", metavar="NAME")
        parser.add_argument("--mode", choices=("output", "gradient"), default="gradient")
        parser.add_argument(
            "--sides", nargs="+", metavar="SIDE", help="two versions to compare, as in `versus`"
        )
        parser.add_argument("--top", type=positive_int, default=12, metavar="N", help="lines shown")
        parser.add_argument("--out", type=Path, default=Path("runs/profile"), metavar="FOLDER")
        parser.add_argument("--plugin", action="extend", nargs="+", default=[], metavar="FILE.py")
        parser.add_argument(
            "--timeout", type=positive_float, default=DEFAULT_TIMEOUT_S, metavar="SECONDS"
        )
        add_step_options(parser)
        add_function_options(parser)
        add_memory_options(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """Profile, print tables and write files."""
        plugins = load_all_plugins(arguments)
        if arguments.native and not arguments.memory:
            raise UsageError("--native is about allocations; expected --memory with it")
        other = arguments.memory or arguments.timeline
        if not other and arguments.by in ("operator", "node", "line"):
            return profile_steps(arguments, plugins)
        if arguments.memory:
            return profile_memory(arguments, plugins)
        if arguments.evaluator is None:
            raise UsageError("--evaluator is missing")
        versions = _versions(arguments.sides)
        if arguments.timeline:
            return write_timelines(arguments, versions, plugins)
        if arguments.by == "engine":
            return profile_engine(arguments, versions, plugins)
        return profile_functions(arguments, versions, plugins)


def _versions(sides: Sequence[str] | None) -> tuple[Version, ...]:
    if not sides:
        return (Version(label="current", interpreter=sys.executable),)
    parsed = parse_sides(sides)
    if any(isinstance(side, EvaluatorSide) for side in parsed):
        raise UsageError("--sides: expected versions (autograd==1.6.2, git:REV, python:PATH)")
    return make_versions(parsed)
