"""What a profile is taken of: a case of this version, or of the sides that are named."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evaluators import catalog
from harness.cases import make_cases, parse_spec
from harness.commands.explaining import contenders
from harness.errors import UsageError
from harness.plan import Contender, Version
from harness.sides import EvaluatorSide, Side, make_versions, parse_sides


def profiled_groups(
    arguments: argparse.Namespace, beside: Sequence[str] = ()
) -> list[list[Contender]]:
    """For each case, who is profiled; the baseline first where there are sides.

    Args:
        arguments: with `case`, `evaluator`, `mode` and `sides`.
        beside: requirements that releases get as well where that is possible.

    Raises:
        UsageError: where the evaluator is not named, or is named twice.
    """
    sides = parse_sides(arguments.sides) if arguments.sides else ()
    evaluator = _evaluator(arguments.evaluator, sides)
    catalog.get(evaluator)
    specs = tuple(map(parse_spec, arguments.case))
    cases = make_cases(specs, (evaluator,), (arguments.mode,))
    if not sides:
        current = Version(label="current", interpreter=sys.executable)
        return [[Contender(version=current, case=case)] for case in cases]
    versions = make_versions(sides, beside)
    return [contenders(case, sides, versions) for case in cases]


def _evaluator(named: str | None, sides: Sequence[Side]) -> str:
    """The one that was named, or that the sides are."""
    evaluators = [side.evaluator for side in sides if isinstance(side, EvaluatorSide)]
    if named and evaluators:
        raise UsageError("--evaluator: the sides are evaluators already; leave it out")
    if not named and len(evaluators) < max(1, len(sides)):
        raise UsageError("--evaluator is missing; the sides do not tell which one is meant")
    return named or evaluators[0]
