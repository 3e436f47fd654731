"""The command line: `graphgauge COMMAND`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Protocol

from evaluators.protocol import EvaluatorError
from harness.commands.calibrate import Calibrate
from harness.commands.check import Check
from harness.commands.compare import Compare
from harness.commands.doctor import Doctor
from harness.commands.engines import Engines
from harness.commands.export import Export
from harness.commands.history import HistoryOf
from harness.commands.import_ import Import
from harness.commands.list import List
from harness.commands.profile import Profile
from harness.commands.report import Report
from harness.commands.run import Run
from harness.commands.versus import Versus
from harness.errors import UsageError
from harness.exits import INTERRUPTED, NOTHING, UNUSABLE
from harness.progress import say
from harness.worker.plugins import PluginError
from results.errors import ComparisonError, NothingToCompareError, TableError
from scenarios.scenario import ScenarioError


class Command(Protocol):
    """One subcommand."""

    name: str
    summary: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what it takes."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit code is returned."""
        ...


_COMMANDS: tuple[Command, ...] = (
    Run(),
    Versus(),
    Compare(),
    Report(),
    Check(),
    HistoryOf(),
    Calibrate(),
    Doctor(),
    Export(),
    Import(),
    Engines(),
    Profile(),
    List(),
)
_ERRORS = (UsageError, TableError, ComparisonError, ScenarioError, EvaluatorError, PluginError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; whatever a user can do something about is one message and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks is spelt out
        sys.stdout.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    try:
        code: int = parsed.command.run(parsed)
        sys.stdout.flush()
    except NothingToCompareError as error:
        say(f"graphgauge: {error}")
        return NOTHING
    except _ERRORS as error:
        if parsed.debug:
            raise
        say(f"graphgauge: {error}")
        return UNUSABLE
    except MemoryError:
        if parsed.debug:
            raise
        say("graphgauge: memory is gone; compare fewer or smaller tables at once")
        return UNUSABLE
    except KeyboardInterrupt:
        goes_on = ". --resume goes on from here" if hasattr(parsed, "resume") else ""
        say(f"graphgauge: interrupted; every finished reading is saved{goes_on}")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone, as `head` does; Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNUSABLE
    except OSError as error:
        if parsed.debug:
            raise
        where = f"{error.filename}: " if error.filename else ""
        say(f"graphgauge: {where}{error.strerror or error}")
        return UNUSABLE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graphgauge",
        description="Times, memory and drift of graph evaluators, and what differs by version.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        sub = commands.add_parser(command.name, help=command.summary, description=command.summary)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        sub.set_defaults(command=command)
        command.add_arguments(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
