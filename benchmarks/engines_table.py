"""A table of `graphgauge engines` as Markdown: `python -m benchmarks.engines_table TABLE.csv`.

For each scenario and mode a line for each evaluator that measured it, the quickest call first;
below them, who did not, by reason.
"""

from __future__ import annotations

import itertools
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from results.summary import BREAK_EVEN, CaseSummary, summarise
from results.tables import read
from results.units import quantity

_HEADINGS = ("evaluator", "prepare", "first call", "per call", "peak", "drift")
_LONGEST = 240
"""Characters of a reason."""


def main(path: Path) -> None:
    """Print a table for each scenario and mode."""
    summaries = sorted(summarise(read(path)), key=_subject)
    for what, group in itertools.groupby(summaries, _subject):
        scenario, params, mode = what
        of_one = list(group)
        size = params.replace(";", ", ")
        print(f"#### `{scenario}`, {mode}" + (f" ({size})" if size else "") + "\n")
        measured = [each for each in of_one if each.seconds_per_call is not None]
        if measured:
            _print_measured(measured)
        for line in _reasons([each for each in of_one if each.status != "ok"]):
            print(line)
        print()


def _subject(summary: CaseSummary) -> tuple[str, str, str]:
    return summary.scenario, summary.params, summary.mode


def _print_measured(summaries: Sequence[CaseSummary]) -> None:
    against = [f"pays off against {name}" for name in BREAK_EVEN]
    print(f"| {' | '.join((*_HEADINGS, *against))} |")
    print(f"|---|{'---:|' * (len(_HEADINGS) - 1 + len(against))}")
    for each in sorted(summaries, key=lambda each: each.seconds_per_call or math.inf):
        cells = (
            f"`{each.evaluator}`",
            quantity(each.prepare_s, "s"),
            quantity(each.first_call_s, "s"),
            quantity(each.seconds_per_call, "s"),
            quantity(each.peak_bytes, "B"),
            quantity(each.memory_drift_bytes_per_call, "B/call"),
            *map(_calls, each.break_even_calls),
        )
        print(f"| {' | '.join(cells)} |")
    print()


def _calls(calls: float | None) -> str:
    if calls is None:
        return "–"
    if math.isinf(calls):
        return "never"
    return "at once" if calls == 0 else f"{calls:,.0f}"


def _reasons(summaries: Sequence[CaseSummary]) -> list[str]:
    """A line for each reason, with all that gave it."""
    by_reason: dict[str, list[str]] = {}
    for each in summaries:
        detail = re.sub(r"\s+", " ", each.detail).replace(each.evaluator, "it")
        if each.status == "timeout":  # what was left of the launch's time tells nothing
            detail = (
                "after it had called" if each.seconds_per_call is not None else "before it called"
            )
        detail = detail if len(detail) <= _LONGEST else f"{detail[:_LONGEST]}…"
        by_reason.setdefault(f"{each.status}: {detail}", []).append(f"`{each.evaluator}`")
    return [f"- {', '.join(names)}: {reason}" for reason, names in sorted(by_reason.items())]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
