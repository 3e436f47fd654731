"""Options that several commands take, each declared and read in one place."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

from evaluators import catalog
from evaluators.protocol import MODES
from harness.cases import Case, Spec, make_cases, parse_specs
from harness.effort import Effort
from harness.errors import UsageError
from harness.suites import Suite, suite_named
from harness.worker.plugins import announce_installed, load_plugins
from results.schema import PHASES

FORMATS = ("table", "markdown", "csv", "json", "junit", "github")
DEFAULT_TIMEOUT_S = 120.0
_PAIRS_AT_ONCE = 2


def add_subject_options(parser: argparse.ArgumentParser) -> None:
    """What is measured."""
    parser.add_argument(
        "--scenario",
        action="extend",
        nargs="+",
        metavar="NAME[:k=v,…]",
        help="a scenario, at the size given or its own (depth=100/1000 for several); "
        "`graphgauge list` shows them",
    )
    parser.add_argument(
        "--sweep",
        action="store_true",
        help="each scenario at all sizes of its own sweep; growth orders are fitted to them",
    )
    parser.add_argument(
        "--evaluator", action="extend", nargs="+", metavar="NAME", help="who evaluates it"
    )
    parser.add_argument("--mode", action="extend", nargs="+", choices=MODES, help="both by default")
    parser.add_argument(
        "--plugin",
        action="extend",
        nargs="+",
        default=[],
        metavar="FILE.py",
        help="a file that registers evaluators or scenarios",
    )


def add_effort_options(parser: argparse.ArgumentParser) -> None:
    """How much is measured, and where it goes."""
    parser.add_argument("--out", type=Path, metavar="FILE.csv", help="the table to append to")
    parser.add_argument(
        "--launches", type=positive_int, metavar="N", help="fresh processes that measure time"
    )
    parser.add_argument(
        "--budget",
        type=positive_float,
        metavar="SECONDS",
        help="for the times of each case (versus: 10 unless --launches is given)",
    )
    parser.add_argument(
        "--timeout",
        type=positive_float,
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="for one launch (default: %(default)g)",
    )
    parser.add_argument(
        "--memory-limit", type=positive_int, metavar="BYTES", help="private memory of a launch"
    )
    parser.add_argument("--seed", type=natural, default=1, metavar="N", help="of all that is drawn")
    memory = parser.add_mutually_exclusive_group()
    memory.add_argument("--no-memory", action="store_true", help="no memory launches")
    memory.add_argument(
        "--memory-launches",
        type=positive_int,
        metavar="N",
        help="fresh processes that measure memory (default: 2, with --quick 1)",
    )
    parser.add_argument("--quick", action="store_true", help="short blocks, few launches")
    parser.add_argument(
        "--fixed-layout", action="store_true", help="leave memory layout as it happens to be"
    )


def add_at_once_option(parser: argparse.ArgumentParser) -> None:
    """How many pairs are measured beside each other."""
    parser.add_argument(
        "--at-once",
        type=positive_int,
        default=_PAIRS_AT_ONCE,
        metavar="N",
        help="pairs measured at the same time, each on a core of its own (default: %(default)d, "
        "or 1 where there is one core)",
    )


def add_format_options(parser: argparse.ArgumentParser) -> None:
    """How a comparison is judged and shown."""
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: %(default)s")
    parser.add_argument("--all", action="store_true", help="unchanged rows too, in a table")
    parser.add_argument(
        "--metric", action="extend", nargs="+", metavar="NAME", help="compare these only"
    )
    parser.add_argument(
        "--phase",
        action="extend",
        nargs="+",
        choices=PHASES,
        help="compare these only; versus measures no other",
    )
    parser.add_argument(
        "--threshold",
        type=share,
        metavar="SHARE",
        help="a change below it does not matter (default: what calibrate found, else 0.01)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("inconclusive",),
        help="exit with 4 when a row is neither changed nor shown to be unchanged",
    )


def with_memory_launches(effort: Effort, arguments: argparse.Namespace) -> Effort:
    """`effort` with as many memory launches as the arguments ask for, if they do."""
    if arguments.memory_launches is None:
        return effort
    return replace(effort, memory_launches=arguments.memory_launches)


def chosen_suite(arguments: argparse.Namespace) -> Suite:
    """The suite that was named, or the default one."""
    return suite_named(arguments.suite or "default")


def chosen_specs(arguments: argparse.Namespace, suite: Suite) -> tuple[Spec, ...]:
    """The scenarios that were named, or the suite's."""
    sweep: bool = arguments.sweep
    if not arguments.scenario:
        return suite.specs(sweep=sweep)
    return tuple(spec for text in arguments.scenario for spec in parse_specs(text, sweep=sweep))


def chosen_cases(
    arguments: argparse.Namespace, suite: Suite, evaluators: tuple[str, ...]
) -> tuple[Case, ...]:
    """Every case that the arguments ask for; plugins must be loaded."""
    known = catalog.names()
    for name in evaluators:
        if name not in known:
            catalog.get(name)  # raises the error that lists close names
    return make_cases(chosen_specs(arguments, suite), evaluators, arguments.mode or MODES)


def load_all_plugins(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Load the files that were named, and know what is installed; absolute paths, for workers."""
    paths = tuple(str(Path(path).absolute()) for path in arguments.plugin)
    load_plugins(paths)
    announce_installed()
    return paths


def positive_int(text: str) -> int:
    """An integer above 0."""
    value = natural(text)
    if value == 0:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected an integer above 0")
    return value


def natural(text: str) -> int:
    """An integer of 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}; expected an integer of 0 or more")
    return int(text)


def positive_float(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a number above 0")
    return value


def share(text: str) -> float:
    """A number from 0 to below 1."""
    value = 0.0 if text.strip("0.") == "" and text else positive_float(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a share such as 0.01 for 1 %")
    return value


def require_out(arguments: argparse.Namespace, default: str) -> Path:
    """Where the table goes; `UsageError` when that exists already and is no file."""
    out: Path = arguments.out or Path("runs") / default
    if out.exists() and not out.is_file():
        raise UsageError(f"--out {out}: found a folder; expected a file name ending in .csv")
    return out
