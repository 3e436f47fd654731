"""Measuring on behalf of another command: `run` or `versus`, without what they print to stdout."""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.commands.run import Run
from harness.commands.versus import Versus
from results.tables import read


def measured(command: Run | Versus, arguments: Sequence[str], out: Path) -> pd.DataFrame:
    """The readings of a command that was run as a user would; progress goes to stderr."""
    parser = argparse.ArgumentParser(prog=f"graphgauge {command.name}")
    command.add_arguments(parser)
    with contextlib.redirect_stdout(io.StringIO()):
        command.run(parser.parse_args([*arguments, "--out", str(out)]))
    frame = read(out)
    # The table may hold older sessions; sessions are appended, so ours is the last.
    ours: pd.DataFrame = frame[frame["session"] == frame["session"].iloc[-1]]
    return ours
