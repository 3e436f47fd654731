"""Judging tables and printing the verdict: what `compare`, `check` and `versus` end with."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness import github as actions
from harness.calibrations import calibrations_of, latest_calibration
from harness.commands.threshold import LEVEL, threshold_of
from harness.environment import machine_id
from harness.printing import write_out
from harness.progress import say
from results.calibration import between_sessions
from results.comparison import Comparison, compare, exit_code, label_by_file
from results.formats import delimited, junit, markdown, structured, terminal
from results.labels import evaluators_as_versions
from results.schema import OK
from results.sessions import BetweenSessions
from results.tables import read, read_environments

_TEXTS = {
    "markdown": markdown.render,
    "csv": delimited.render,
    "json": structured.render,
    "junit": junit.render,
}


def read_sides(paths: Sequence[Path]) -> pd.DataFrame:
    """The tables as one, the first one's labels first; labels in several tables are told apart."""
    return label_by_file({str(path): read(path) for path in paths})


def environments_of(paths: Sequence[Path]) -> Mapping[str, Mapping[str, object]]:
    """The facts that stand beside the tables, by environment id."""
    return {key: facts for path in paths for key, facts in read_environments(path).items()}


def judge(
    frame: pd.DataFrame,
    arguments: argparse.Namespace,
    *,
    environments: Mapping[str, Mapping[str, object]],
    baseline: str | None = None,
    allow_other_machine: bool = False,
) -> int:
    """Compare, print in the format asked for, and return the exit code."""
    comparison = compared(
        frame,
        arguments,
        environments=environments,
        baseline=baseline,
        allow_other_machine=allow_other_machine,
    )
    show(comparison, arguments.format, everything=arguments.all)
    return exit_code(comparison, fail_on_inconclusive=arguments.fail_on == "inconclusive")


def compared(
    frame: pd.DataFrame,
    arguments: argparse.Namespace,
    *,
    environments: Mapping[str, Mapping[str, object]],
    baseline: str | None = None,
    allow_other_machine: bool = False,
) -> Comparison:
    """Compare by the threshold and the metrics asked for, and by this machine's calibrations."""
    frame = evaluators_as_versions(frame)
    threshold, calibration = threshold_of(arguments), latest_calibration(machine_id())
    if arguments.threshold is None and calibration is not None and calibration.floor is not None:
        say(f"threshold: ±{threshold:.2%}, the floor calibrated on {calibration.recorded_at}")
    if arguments.phase:  # failures of other phases still count
        frame = frame[frame["phase"].isin(arguments.phase) | (frame["status"] != OK)]
    return compare(
        frame,
        baseline_label=baseline,
        metrics=arguments.metric,
        allow_other_machine=allow_other_machine,
        environments=environments,
        threshold=threshold,
        level=LEVEL,
        between=between_sessions(calibrations_of(machine_id())) or BetweenSessions(),
    )


def show(comparison: Comparison, form: str, *, everything: bool) -> None:
    """Print the comparison to stdout."""
    if form == "github":
        actions.show(comparison)
    elif form == "table":
        terminal.render(comparison, terminal.console(), every_row=everything)
    else:
        write_out(_TEXTS[form](comparison))
