"""`graphgauge check`: the gate that CI obeys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from evaluators.protocol import MODES
from harness.cases import make_cases, parse_spec
from harness.commands.judging import environments_of, show
from harness.commands.measuring import measured
from harness.commands.options import add_format_options, load_all_plugins
from harness.commands.run import Run
from harness.commands.versus import Versus
from harness.errors import UsageError
from harness.exits import NOTHING, OK
from harness.gate import Gate, is_table, read_gate
from harness.progress import say
from harness.sides import EvaluatorSide, parse_sides
from harness.suites import suite_named
from results.gate import FAILURES, Rules, Wanted, decide
from results.labels import label_by_file, labels_of
from results.schema import METRICS
from results.tables import TableWriter, read, readings

_BASELINE = "baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """The readings that are held against each other."""

    frame: pd.DataFrame
    baseline: str
    candidates: tuple[str, ...]
    environments: Mapping[str, Mapping[str, object]]


class Check:
    """Compare a candidate with a baseline by the project's own settings."""

    name = "check"
    summary = "compare with a baseline as [tool.graphgauge] in pyproject.toml says, for CI"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `check` takes."""
        parser.add_argument(
            "candidate",
            nargs="?",
            metavar="CANDIDATE",
            help="a table, or a side of versus; default: measured here and now",
        )
        parser.add_argument(
            "--baseline",
            metavar="BASELINE",
            help="a table, or a side of versus (git:main, autograd==1.6.2) that is measured anew "
            "beside the candidate",
        )
        parser.add_argument("--settings", type=Path, default=Path("pyproject.toml"), metavar="FILE")
        parser.add_argument(
            "--other-machine", action="store_true", help="the baseline is of another machine"
        )
        parser.add_argument(
            "--renew",
            action="store_true",
            help="make the candidate the new baseline, for a change that is meant",
        )
        add_format_options(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure what has to be, print the comparison; the exit code is the verdict."""
        gate = read_gate(arguments.settings)
        baseline = arguments.baseline or gate.baseline
        candidate = arguments.candidate or gate.candidate
        if baseline is None:
            raise UsageError(
                "check: --baseline FILE.csv is missing; give it, or set it in [tool.graphgauge] of "
                f"{arguments.settings}"
            )
        load_all_plugins(argparse.Namespace(plugin=gate.plugins))
        if arguments.renew:
            return _renew(baseline, candidate, gate, arguments)
        if is_table(baseline):
            sides = _of_tables(baseline, candidate, gate, arguments.settings)
        else:
            sides = _measured_together(baseline, candidate, gate)
        decision = decide(
            sides.frame,
            _rules(gate, arguments),
            baseline=sides.baseline,
            candidates=sides.candidates,
            today=datetime.now(UTC).date(),
            environments=sides.environments,
        )
        show(decision.comparison, arguments.format, everything=arguments.all)
        return decision.exit_code


def _renew(baseline: str, candidate: str | None, gate: Gate, arguments: argparse.Namespace) -> int:
    """Write the candidate's readings, of the metrics that are compared, as the baseline."""
    if not is_table(baseline):
        raise UsageError(f"--renew: the baseline {baseline} is measured anew each time already")
    frame = read(Path(candidate)) if candidate else _candidate_measured(gate, arguments.settings)
    metrics = arguments.metric or gate.metrics or METRICS
    kept = [
        replace(one, label=_BASELINE)
        for one in readings(frame)
        if one.metric in metrics or one.status != "ok"
    ]
    fresh = Path(f"{baseline}.fresh")
    fresh.unlink(missing_ok=True)
    with TableWriter(fresh) as table:
        table.write(kept)
    fresh.replace(baseline)
    say(f"baseline: {baseline}, {len(kept)} readings")
    return OK if kept else NOTHING


def _rules(gate: Gate, arguments: argparse.Namespace) -> Rules:
    """The project's, with what the command line says on top."""
    usual = Rules()
    fail_on = usual.fail_on if gate.fail_on is None else gate.fail_on
    if arguments.fail_on:
        fail_on |= {FAILURES[-1]}
    threshold = gate.threshold if arguments.threshold is None else arguments.threshold
    asked = arguments.metric or gate.metrics
    return Rules(
        threshold=usual.threshold if threshold is None else threshold,
        thresholds={} if arguments.threshold is not None else dict(gate.thresholds or {}),
        metrics=None if asked is None else tuple(asked),
        fail_on=fail_on,
        tolerances=gate.exceptions,
        wanted=_wanted(gate),
        allow_other_machine=arguments.other_machine or gate.other_machine,
    )


def _wanted(gate: Gate) -> tuple[Wanted, ...]:
    """Every case of the settings: a gate that compares fewer is not green."""
    specs = tuple(map(parse_spec, _scenarios(gate)))
    cases = make_cases(specs, gate.evaluators or ("",), gate.modes or MODES)
    return tuple(
        Wanted(
            evaluator=case.evaluator or None,
            scenario=case.scenario,
            params=case.params_text,
            mode=case.mode,
        )
        for case in cases
    )


def _scenarios(gate: Gate) -> tuple[str, ...]:
    names = (*gate.suites, *gate.suite)
    of_suites = (each for name in names for each in suite_named(name).scenarios)
    return (*of_suites, *gate.scenarios)


def _of_tables(baseline: str, candidate: str | None, gate: Gate, settings: Path) -> _Sides:
    """A committed table, and a table that is given or measured now."""
    if candidate is not None and not is_table(candidate):
        raise UsageError(
            f"check: the baseline {baseline} is a table, and the candidate {candidate} is none; "
            "name a table, or as baseline a version that can be measured beside the candidate"
        )
    read_now = read(Path(candidate)) if candidate else _candidate_measured(gate, settings)
    of_baseline = read(Path(baseline))
    own = labels_of(of_baseline)
    if len(own) != 1:
        raise UsageError(
            f"check: {baseline} has labels {', '.join(own) or '(none)'}; expected a table of one "
            "version as baseline"
        )
    path = candidate or _out(gate)
    frame = label_by_file({baseline: of_baseline, path: read_now})
    labels = labels_of(frame)
    return _Sides(
        frame=frame,
        baseline=labels[0],
        candidates=tuple(labels[1:]),
        environments=environments_of([Path(baseline), Path(path)]),
    )


def _candidate_measured(gate: Gate, settings: Path) -> pd.DataFrame:
    """What the settings ask for, measured in the environment that we run in."""
    if not _scenarios(gate):
        raise UsageError(
            "check: CANDIDATE.csv is missing; give it, or say in [tool.graphgauge] of "
            f"{settings} which suites or scenarios to measure"
        )
    first = ["--label", "candidate"]
    of_suites = dict.fromkeys(each for name in gate.suites for each in suite_named(name).evaluators)
    if of_suites and not gate.evaluators:
        first += ["--evaluator", *of_suites]
    return _measured(Run(), first, gate)


def _measured_together(baseline: str, candidate: str | None, gate: Gate) -> _Sides:
    """Two versions measured now, interleaved, on this machine."""
    if candidate is not None and is_table(candidate):
        raise UsageError(
            f"check: the baseline {baseline} is measured anew, beside the candidate; name a "
            f"version as candidate, not the table {candidate}"
        )
    sides = [baseline, candidate or f"python:{sys.executable}"]
    parsed = parse_sides(sides)
    if any(isinstance(side, EvaluatorSide) for side in parsed):
        raise UsageError(
            f"check: {' and '.join(sides)}; a gate compares versions of one evaluator: use "
            "`graphgauge versus` for evaluators"
        )
    frame = _measured(Versus(), sides, gate)
    return _Sides(
        frame=frame,
        baseline=parsed[0].label,
        candidates=tuple(side.label for side in parsed[1:]),
        environments=environments_of([Path(_out(gate))]),
    )


def _out(gate: Gate) -> str:
    return gate.out or "runs/check.csv"


def _measured(command: Run | Versus, first: Sequence[str], gate: Gate) -> pd.DataFrame:
    """The readings of what the settings ask for."""
    asked = list(first)
    for option, values in (
        ("--scenario", _scenarios(gate)),
        ("--evaluator", gate.evaluators),
        ("--mode", gate.modes),
        ("--plugin", gate.plugins),
    ):
        if values:
            asked += [option, *values]
    return measured(command, [*asked, *gate.measure], Path(_out(gate)))
