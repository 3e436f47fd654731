"""`graphgauge check`: the gate that CI obeys."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.commands.judging import environments_of, judge, read_sides
from harness.commands.options import add_format_options
from harness.errors import UsageError

_SETTINGS = {
    "baseline": str,
    "candidate": str,
    "threshold": float,
    "metrics": list,
    "fail_on": str,
    "suites": dict,  # harness.suites reads them
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """`[tool.graphgauge]` of a pyproject.toml: what `check` does unless told otherwise."""

    baseline: Path | None = None
    candidate: Path | None = None
    threshold: float | None = None
    metrics: tuple[str, ...] | None = None
    fail_on: str | None = None


class Check:
    """Compare a candidate with a baseline by the project's own settings."""

    name = "check"
    summary = "compare with a baseline as [tool.graphgauge] in pyproject.toml says, for CI"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `check` takes."""
        parser.add_argument("candidate", nargs="?", type=Path, metavar="CANDIDATE.csv")
        parser.add_argument("--baseline", type=Path, metavar="FILE.csv")
        parser.add_argument("--settings", type=Path, default=Path("pyproject.toml"), metavar="FILE")
        parser.add_argument(
            "--other-machine", action="store_true", help="the baseline is of another machine"
        )
        add_format_options(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """Print the comparison; the exit code is the verdict."""
        gate = read_gate(arguments.settings)
        baseline = arguments.baseline or gate.baseline
        candidate = arguments.candidate or gate.candidate
        if baseline is None or candidate is None:
            missing = "--baseline FILE.csv" if baseline is None else "CANDIDATE.csv"
            raise UsageError(
                f"check: {missing} is missing; give it, or set it in [tool.graphgauge] of "
                f"{arguments.settings}"
            )
        if arguments.threshold is None:
            arguments.threshold = gate.threshold
        arguments.metric = arguments.metric or gate.metrics
        arguments.fail_on = arguments.fail_on or gate.fail_on
        tables = (baseline, candidate)
        return judge(
            read_sides(tables),
            arguments,
            environments=environments_of(tables),
            allow_other_machine=arguments.other_machine,
        )


def read_gate(path: Path) -> Gate:
    """The settings of a file; all are absent where there is no such file or table."""
    if not path.is_file():
        return Gate()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}; expected TOML") from None
    found = content.get("tool", {}).get("graphgauge", {})
    _check_settings(found, path)
    return Gate(
        baseline=_beside(path, found.get("baseline")),
        candidate=_beside(path, found.get("candidate")),
        threshold=found.get("threshold"),
        metrics=tuple(found["metrics"]) if "metrics" in found else None,
        fail_on=found.get("fail_on"),
    )


def _check_settings(found: Mapping[str, Any], path: Path) -> None:
    for key, value in found.items():
        expected = _SETTINGS.get(key)
        if expected is None:
            raise UsageError(
                f"{path}: [tool.graphgauge] has {key!r}; expected one of {', '.join(_SETTINGS)}"
            )
        if not isinstance(value, expected):
            raise UsageError(
                f"{path}: [tool.graphgauge] {key} is {value!r}; expected a {expected.__name__}"
            )
    if found.get("fail_on", "inconclusive") != "inconclusive":
        raise UsageError(f"{path}: [tool.graphgauge] fail_on: expected 'inconclusive'")


def _beside(path: Path, name: str | None) -> Path | None:
    """A path as the settings mean it: relative to the file they stand in."""
    return None if name is None else path.parent / name
