"""`graphgauge versus`: measure versions at once, interleaved, and compare them."""

# ruff: noqa: PLC0415 - what judges and explains is imported while the first processes start

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.cases import Case
from harness.commands.options import (
    add_at_once_option,
    add_effort_options,
    add_format_options,
    add_subject_options,
    chosen_cases,
    chosen_suite,
    load_all_plugins,
    require_out,
    with_memory_launches,
)
from harness.commands.threshold import LEVEL, threshold_of
from harness.effort import Effort, paired_effort, quick_effort
from harness.errors import UsageError
from harness.exits import NOTHING, OK
from harness.interruption import Interrupted
from harness.launch import usable_cpus
from harness.plan import Contender, Version
from harness.progress import say
from harness.session import Session
from harness.settings import Settings
from harness.sides import (
    EvaluatorSide,
    RequirementSide,
    Side,
    make_versions_that_install,
    parse_sides,
)
from results.errors import ComparisonError
from results.family import case_level
from results.pairs import PairRatio
from results.sequential import FIRST_LOOK, decide, is_look

_QUICK_PAIRS = 5
_MOST_PAIRS = 1_000
"""Pairs are made until the case is decided or its budget is spent."""
_BUDGET_S = 10.0
_EXPLAINED_ROWS = 8


class Versus:
    """Measure two versions or more, launches in pairs that are alive together."""

    name = "versus"
    summary = "measure versions side by side and compare them; the first is the baseline"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `versus` takes."""
        parser.add_argument(
            "sides",
            nargs="+",
            metavar="SIDE",
            help="a requirement (autograd==1.6.2), git:REV[#DIR], python:INTERPRETER, or an "
            "evaluator",
        )
        parser.add_argument("--suite", metavar="SUITE", help="default: default")
        add_subject_options(parser)
        add_effort_options(parser)
        add_format_options(parser)
        add_at_once_option(parser)
        parser.add_argument(
            "--resume", action="store_true", help="only what --out lacks, and with a new --budget"
        )
        parser.add_argument(
            "--explain",
            action="store_true",
            help="then profile every case by operator, in pairs, and print what changed",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Measure, then print the comparison; its exit code is returned."""
        plugins = load_all_plugins(arguments)
        sides = parse_sides(arguments.sides)
        cases = chosen_cases(arguments, chosen_suite(arguments), _evaluators(arguments, sides))
        comparisons = len(cases) * (len(sides) - 1)
        settings = Settings(
            out=require_out(arguments, "versus.csv"),
            effort=with_memory_launches(_effort(arguments), arguments),
            seed=arguments.seed,
            plugins=plugins,
            memory_limit_bytes=arguments.memory_limit,
            budget_s=None if _is_fixed(arguments) else arguments.budget or _BUDGET_S,
            enough=None if _is_fixed(arguments) else _enough(arguments, comparisons),
            fixed_layout=arguments.fixed_layout,
            resume=arguments.resume,
            at_once=arguments.at_once,
        )
        if arguments.explain and arguments.format != "table":
            raise UsageError(f"--explain prints tables; leave out --format {arguments.format}")
        versions = make_versions_that_install(sides)
        groups = _groups(sides, versions, cases)
        session = Session(settings)
        try:
            session.run(groups, while_starting=_load_what_judges)
        except Interrupted:
            with contextlib.suppress(ComparisonError):  # nothing to compare so far
                self._judged(arguments, settings, session, sides)
            raise
        code = self._judged(arguments, settings, session, sides)
        if arguments.explain:
            _explain(groups, arguments, plugins)
        missing = [side.label for side, version in zip(sides, versions, strict=True) if not version]
        if missing:
            say(f"not compared, since they did not install: {', '.join(missing)}")
        return NOTHING if missing and code == OK else code

    def _judged(
        self,
        arguments: argparse.Namespace,
        settings: Settings,
        session: Session,
        sides: Sequence[Side],
    ) -> int:
        """Show what came of it; the exit code is returned."""
        from harness.commands.judging import environments_of, judge
        from results.tables import read

        frame = read(settings.out)
        measured = frame[frame["session"] == session.id]
        say(f"table: {settings.out}")
        return judge(
            measured,
            arguments,
            environments=environments_of([settings.out]),
            baseline=sides[0].label,
        )


def _load_what_judges() -> None:
    """Import it while processes start, which takes them as long: pandas is large."""
    import harness.commands.judging  # noqa: F401


def _explain(
    groups: Sequence[Sequence[Contender]], arguments: argparse.Namespace, plugins: tuple[str, ...]
) -> None:
    """Explain each group; with the verdict's budget again, where one was given, or its own."""
    from harness.commands.explaining import RECORDED_S, Wish, explain, step_effort

    wish = Wish(
        by="operator",
        top=_EXPLAINED_ROWS,
        folder=require_out(arguments, "versus.csv").parent,
        plugins=plugins,
        seed=arguments.seed,
        effort=step_effort(
            launches=arguments.launches,
            budget_s=arguments.budget,
            recorded_s=RECORDED_S,
            timeout_s=arguments.timeout,
        ),
    )
    for group in groups:
        explain(group, wish)


def _evaluators(arguments: argparse.Namespace, sides: Sequence[Side]) -> tuple[str, ...]:
    """Those that were named, or what the sides make plain."""
    if all(isinstance(side, EvaluatorSide) for side in sides):
        if arguments.evaluator:
            raise UsageError("--evaluator: the sides are evaluators already; leave it out")
        return tuple(each.evaluator for each in sides[:1] if isinstance(each, EvaluatorSide))
    if arguments.evaluator:
        return tuple(arguments.evaluator)
    engines = [side.engine for side in sides if isinstance(side, RequirementSide)]
    found = {each.evaluators[0] for each in engines if each is not None}
    if len(found) != 1:
        raise UsageError("--evaluator is missing; the sides do not tell which one is meant")
    return tuple(found)


def _is_fixed(arguments: argparse.Namespace) -> bool:
    """Whether the number of pairs was settled beforehand."""
    return arguments.launches is not None or arguments.quick


def _enough(
    arguments: argparse.Namespace, comparisons: int
) -> Callable[[Sequence[PairRatio]], bool]:
    """Whether pairs have decided a case, at its part of the level that the suite promises."""
    threshold, level = threshold_of(arguments), case_level(LEVEL, comparisons)
    at_once = max(1, len(usable_cpus(arguments.at_once)))

    def is_decided(pairs: Sequence[PairRatio]) -> bool:
        if not is_look(len(pairs), at_once):
            return False
        return decide(pairs, threshold=threshold, level=level).is_final

    return is_decided


def _effort(arguments: argparse.Namespace) -> Effort:
    memory = not arguments.no_memory
    if arguments.quick:
        return quick_effort(
            launches=arguments.launches or _QUICK_PAIRS, timeout_s=arguments.timeout, memory=memory
        )
    effort = paired_effort(
        launches=arguments.launches or _MOST_PAIRS,
        least_launches=FIRST_LOOK,
        timeout_s=arguments.timeout,
        memory=memory,
    )
    return replace(effort, phases=frozenset(arguments.phase) if arguments.phase else None)


def _groups(
    sides: Sequence[Side], versions: Sequence[Version | None], cases: Sequence[Case]
) -> list[tuple[Contender, ...]]:
    """For each case, what is alive together; a side that is an evaluator puts itself there."""
    groups = []
    for case in cases:
        group = []
        for side, version in zip(sides, versions, strict=True):
            if version is None:
                continue
            own = (
                replace(case, evaluator=side.evaluator) if isinstance(side, EvaluatorSide) else case
            )
            group.append(Contender(version=version, case=own))
        groups.append(tuple(group))
    return groups
