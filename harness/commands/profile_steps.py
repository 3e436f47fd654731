"""`graphgauge profile`: what the operators, nodes and lines of a call take, and what changed."""

from __future__ import annotations

import argparse

from harness.commands.explaining import RECORDED_S, Wish, explain, step_effort
from harness.commands.options import natural, positive_float
from harness.commands.profiled import profiled_groups
from harness.errors import UsageError
from harness.exits import NOTHING, OK
from harness.profiling.launches import StepEffort

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
    wish = Wish(
        by=arguments.by,
        top=arguments.top,
        folder=arguments.out,
        plugins=plugins,
        seed=arguments.seed,
        effort=_effort(arguments),
    )
    done = sum(explain(group, wish) for group in profiled_groups(arguments))
    return OK if done else NOTHING


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
