"""The command line: `graphgauge COMMAND`."""

from __future__ import annotations

import argparse
import atexit
import gc
import io
import os
import sys
from collections.abc import Sequence

from evaluators.protocol import EvaluatorError
from harness.commands.catalog import NAMES, command
from harness.errors import UsageError
from harness.exits import INTERRUPTED, NOTHING, UNUSABLE
from harness.progress import say
from harness.worker.plugins import PluginError
from results.errors import ComparisonError, NothingToCompareError, TableError
from scenarios.scenario import ScenarioError

# At the end there is nothing to collect: all goes with the process, and looking for cycles among
# pandas' objects takes longer than starting Python.
atexit.register(gc.freeze)

_ERRORS = (UsageError, TableError, ComparisonError, ScenarioError, EvaluatorError, PluginError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; whatever a user can do something about is one message and exit code 2."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # what its encoding lacks is spelt out
        sys.stdout.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else list(arguments)
    named = [name for name in given[:1] if name in NAMES]
    parsed = _parser(named or NAMES).parse_args(given)
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


def _parser(names: Sequence[str] = NAMES) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graphgauge",
        description="Times, memory and drift of graph evaluators, and what differs by version.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for each in map(command, names):
        sub = commands.add_parser(each.name, help=each.summary, description=each.summary)
        sub.add_argument("--debug", action="store_true", help="show tracebacks")
        sub.set_defaults(command=each)
        each.add_arguments(sub)
    return parser


if __name__ == "__main__":
    sys.exit(main())
