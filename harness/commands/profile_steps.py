"""`graphgauge profile`: what the operators, nodes and lines of a call take, and what changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evaluators import catalog
from harness.cases import make_cases, parse_spec
from harness.commands.explaining import (
    RECORDED_S,
    Wish,
    contenders,
    explain,
    step_effort,
)
from harness.commands.options import natural, positive_float
from harness.errors import UsageError
from harness.exits import NOTHING, OK
from harness.plan import Contender, Version
from harness.profiling.launches import StepEffort
from harness.sides import EvaluatorSide, Side, make_versions, parse_sides

_LAUNCHES = 5


def add_step_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a profile by operator takes, beside --launches."""
    parser.add_argument(
        "--budget",
        type=positive_float,
        metavar="SECONDS",
        help="by operator, node or line: for all launches of a case",
    )
    parser.add_argument("--seed", type=natural, default=1, metavar="N", help="of all that is drawn")


def profile_steps(arguments: argparse.Namespace, plugins: tuple[str, ...]) -> int:
    """Profile every case, of one version or between several."""
    sides = parse_sides(arguments.sides) if arguments.sides else ()
    evaluator = _evaluator(arguments.evaluator, sides)
    catalog.get(evaluator)
    specs = tuple(map(parse_spec, arguments.case))
    wish = Wish(
        by=arguments.by,
        top=arguments.top,
        folder=arguments.out,
        plugins=plugins,
        seed=arguments.seed,
        effort=_effort(arguments),
    )
    versions = make_versions(sides)
    done = 0
    for case in make_cases(specs, (evaluator,), (arguments.mode,)):
        if sides:
            group = contenders(case, sides, versions)
        else:
            current = Version(label="current", interpreter=sys.executable)
            group = [Contender(version=current, case=case)]
        done += explain(group, wish)
    return OK if done else NOTHING


def _evaluator(named: str | None, sides: Sequence[Side]) -> str:
    """The one that was named, or that the sides are."""
    evaluators = [side.evaluator for side in sides if isinstance(side, EvaluatorSide)]
    if named and evaluators:
        raise UsageError("--evaluator: the sides are evaluators already; leave it out")
    if not named and len(evaluators) < max(1, len(sides)):
        raise UsageError("--evaluator is missing; the sides do not tell which one is meant")
    return named or evaluators[0]


def _effort(arguments: argparse.Namespace) -> StepEffort:
    if arguments.sides:
        if len(arguments.sides) < 2:
            raise UsageError("--sides: found one; expected a baseline and a candidate")
        return step_effort(
            launches=arguments.launches,
            budget_s=arguments.budget,
            recorded_s=RECORDED_S,
            timeout_s=arguments.timeout,
        )
    launches = arguments.launches or _LAUNCHES
    return StepEffort(
        launches=launches,
        least_launches=min(2, launches),
        budget_s=arguments.budget,
        recorded_s=RECORDED_S,
        timeout_s=arguments.timeout,
    )
