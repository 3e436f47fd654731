"""Tables of `graphgauge engines` as Markdown: `python -m benchmarks.engines_table TABLE.csv…`.

For each mode the time per call, evaluators × scenarios; then for each scenario and mode a line for
each evaluator that measured it, the quickest call first, and below them what is lacking, by reason.
Several tables, as of engines that were measured on a core each, are taken as one.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from evaluators.engines.table import ENGINES
from results.frames import readings
from results.schema import OK, Reading
from results.summary import BREAK_EVEN, CaseSummary, summarise
from results.tables import read_many
from results.units import quantity

EVALUATORS = (*BREAK_EVEN, *(name for engine in ENGINES for name in engine.evaluators))
"""All that should be in the table."""
_HEADINGS = ("evaluator", "prepare", "first call", "per call", "peak", "drift")
_LONGEST = 240
"""Characters of a reason."""

Failures = dict[tuple[str, ...], Reading]
"""Of each case that failed, the row that says so."""


def main(paths: Sequence[Path]) -> None:
    """Print the tables."""
    frame = read_many(paths)
    summaries = sorted(summarise(frame), key=_subject)
    failures = failures_of(frame)
    for mode in sorted({each.mode for each in summaries}):
        print(f"### {mode.capitalize()}: time per call\n")
        print(*overview([each for each in summaries if each.mode == mode], failures), sep="\n")
        print()
    print("### Case by case\n")
    for (scenario, params, mode), group in itertools.groupby(summaries, _subject):
        size = params.replace(";", ", ")
        print(f"#### `{scenario}`, {mode}" + (f" ({size})" if size else "") + "\n")
        of_one = list(group)
        print(*measured(of_one), *lacking(of_one, failures), sep="\n")
        print()


def overview(summaries: Sequence[CaseSummary], failures: Failures) -> list[str]:
    """A line for each evaluator: its time per call in each scenario, or why it has none."""
    scenarios = sorted({each.scenario for each in summaries})
    by_case = {(each.evaluator, each.scenario): each for each in summaries}
    lines = [
        f"| | {' | '.join(f'`{scenario}`' for scenario in scenarios)} |",
        f"|---|{'---:|' * len(scenarios)}",
    ]
    for evaluator in _names(summaries):
        found = [by_case.get((evaluator, scenario)) for scenario in scenarios]
        cells = [_per_call(each, failures) for each in found]
        lines.append(f"| `{evaluator}` | {' | '.join(cells)} |")
    return lines


def measured(summaries: Sequence[CaseSummary]) -> list[str]:
    """A line for each evaluator that was measured, the quickest call first."""
    against = [f"pays off against {name}" for name in BREAK_EVEN]
    lines = [
        f"| {' | '.join((*_HEADINGS, *against))} |",
        f"|---|{'---:|' * (len(_HEADINGS) - 1 + len(against))}",
    ]
    called = [each for each in summaries if each.seconds_per_call is not None]
    for each in sorted(called, key=lambda each: each.seconds_per_call or math.inf):
        cells = (
            f"`{each.evaluator}`",
            quantity(each.prepare_s, "s"),
            quantity(each.first_call_s, "s"),
            quantity(each.seconds_per_call, "s"),
            quantity(each.peak_bytes, "B"),
            quantity(each.memory_drift_bytes_per_call, "B/call"),
            *map(_calls, each.break_even_calls),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""] if called else []


def lacking(summaries: Sequence[CaseSummary], failures: Failures) -> list[str]:
    """A line for each reason why a figure is lacking, with all that have it."""
    by_reason: dict[str, list[str]] = {}
    for each in summaries:
        failure = failures.get(_case(each))
        if failure is not None:
            reason = _told(failure)
        elif each.seconds_per_call is None:
            reason = "its launch was cut short"
        elif each.peak_bytes is None or each.memory_drift_bytes_per_call is None:
            reason = "not measured under memory probes"
        else:
            continue
        by_reason.setdefault(reason, []).append(each.evaluator)
    absent = [name for name in EVALUATORS if name not in {each.evaluator for each in summaries}]
    if absent:
        by_reason["not measured"] = absent
    return [
        f"- {', '.join(f'`{name}`' for name in names)}: {reason}"
        for reason, names in sorted(by_reason.items())
    ]


def failures_of(frame: pd.DataFrame) -> Failures:
    """The failures in a table."""
    return {_case(each): each for each in readings(frame[frame["status"] != OK])}


def _told(failure: Reading) -> str:
    """What went wrong, where, and in which kind of launch."""
    where = failure.phase
    if failure.metric == "peak_memory":
        where = f"under memory probes, {where}"
    elif failure.metric == "time" and failure.phase not in ("evaluate", "teardown"):
        where = f"{where}, when repeated,"
    limit = _limit(failure)
    if limit is not None:
        return f"{where} took longer than {limit}"
    detail = re.sub(r"\s+", " ", failure.detail).replace(failure.evaluator, "it")
    detail = detail if len(detail) <= _LONGEST else f"{detail[:_LONGEST]}…"
    return f"{where}: {failure.status}: {detail}"


def _limit(failure: Reading) -> str | None:
    """What was left of the launch's time when the phase began, if that was too little."""
    found = re.search(r"no answer within ([\d.]+ s)", failure.detail)
    return found[1] if failure.status == "timeout" and found else None


def _per_call(summary: CaseSummary | None, failures: Failures) -> str:
    if summary is None:
        return ""
    if summary.seconds_per_call is not None:
        return quantity(summary.seconds_per_call, "s")
    failure = failures.get(_case(summary))
    if failure is None:
        return ""
    limit = _limit(failure)
    return failure.status if limit is None else f"{failure.phase} > {limit}"


def _calls(calls: float | None) -> str:
    if calls is None:
        return "–"
    if math.isinf(calls):
        return "never"
    return "at once" if calls == 0 else f"{calls:,.0f}"


def _names(summaries: Iterable[CaseSummary]) -> list[str]:
    """The evaluators of all cases: ours, then as engines stand in their table, then others."""
    found = {each.evaluator for each in summaries}
    return [*(name for name in EVALUATORS if name in found), *sorted(found - set(EVALUATORS))]


def _subject(summary: CaseSummary) -> tuple[str, str, str]:
    return summary.scenario, summary.params, summary.mode


def _case(of: CaseSummary | Reading) -> tuple[str, ...]:
    return (of.label, of.evaluator, of.scenario, of.params, of.mode)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
