"""Judging tables and printing the verdict: what `compare`, `check` and `versus` end with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness import github as actions
from results.comparison import Comparison, compare, exit_code, label_by_file
from results.formats import delimited, junit, markdown, structured, terminal
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
    settings = {} if arguments.threshold is None else {"threshold": arguments.threshold}
    comparison = compare(
        frame,
        baseline_label=baseline,
        metrics=arguments.metric,
        allow_other_machine=allow_other_machine,
        environments=environments,
        **settings,
    )
    show(comparison, arguments.format, everything=arguments.all)
    return exit_code(comparison, fail_on_inconclusive=arguments.fail_on == "inconclusive")


def show(comparison: Comparison, form: str, *, everything: bool) -> None:
    """Print the comparison to stdout."""
    if form == "github":
        actions.show(comparison)
    elif form == "table":
        terminal.render(comparison, terminal.console(), every_row=everything)
    else:
        sys.stdout.write(_TEXTS[form](comparison))
