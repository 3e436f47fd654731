"""A comparison for people at a terminal: regressions first, as wide as the window."""

import itertools
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.formats.row_table import STYLES, print_rows
from results.formats.wording import growth_subject, headline, plain, promise, uncompared_text
from results.growth import PREPARE, Growth, order_text
from results.judgement import VERDICTS, Comparison, GeometricMean, Row, tally
from results.schema import PHASES
from results.summary import BREAK_EVEN, CaseSummary
from results.units import percent, quantity

_FILE_WIDTH: Final = 200
_ROWS_SHOWN: Final = 60
_LINES_SHOWN: Final = 10
_CHANGED: Final = ("regressed", "improved")
_HEADLINE: Final = ("evaluate", "time")
_GROWTH_PHASES: Final = (PREPARE, *PHASES)


def console(stream: TextIO | None = None) -> Console:
    """A console on `stream`, or on standard output.

    Coloured and as wide as the window on a terminal; plain and 200 columns wide elsewhere.
    """
    stream = sys.stdout if stream is None else stream
    width = None if stream.isatty() else _FILE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def render(comparison: Comparison, output: Console, *, every_row: bool = False) -> None:
    """Print `comparison`.

    Args:
        comparison: what to print.
        output: where; `console()` makes one.
        every_row: print all rows; else what changed, and of the rest the times per call. Beyond
            60 rows, only regressions.
    """
    rows = [row for verdict in VERDICTS for row in _by_case(comparison.having(verdict))]
    shown = rows if every_row else _worth_showing(rows)
    left_means = len(comparison.geometric_means)
    if shown:
        notes = _footnotes(shown)
        means = _means_of(comparison, shown, every_row=every_row)
        left_means -= len(means)
        print_rows(output, shown, means, comparison, notes)
        for reason, number in notes.items():
            output.print(Text(f"{number}) {reason}"), style="dim")
    if len(shown) < len(rows):
        told = set(map(id, shown))
        left = tally(row for row in rows if id(row) not in told)
        left += f", {left_means} geometric means" if left_means else ""
        _say(output, f"not shown: {left}; --all shows them")
    _print_growth(comparison, output, every_row=every_row)
    _list(output, "missing", map(uncompared_text, comparison.missing), "bold red")
    _list(output, "fails on both sides", map(uncompared_text, comparison.failing), "yellow")
    _list(output, "only in a candidate", map(uncompared_text, comparison.candidate_only))
    _list(output, "note", map(plain, comparison.notes), "yellow")
    _say(output, promise(comparison))
    _say(output, headline(comparison), "bold")


def render_growths(found: Sequence[Growth], output: Console) -> None:
    """Print the orders that sweeps grow in: a line for each, times before memory."""
    if not found:
        return
    several = len({growth.sweep.label for growth in found}) > 1
    table = Table("", "order of growth", box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[0].overflow = table.columns[1].overflow = "fold"
    for case, of_case in itertools.groupby(sorted(found, key=_growth_key), lambda one: one.case):
        table.add_row(Text(plain(case), style="bold"))
        for growth in of_case:
            name = f"  {growth.phase} {growth.metric}"
            name += f", {plain(growth.sweep.label)}" if several else ""
            stopped = f"; {growth.stopped}" if growth.stopped else ""
            table.add_row(Text(name), Text(plain(order_text(growth.fit) + stopped)))
    output.print(table)


def _growth_key(growth: Growth) -> tuple[str, bool, int, str, str]:
    place = _GROWTH_PHASES.index(growth.phase)
    is_memory = growth.metric == "peak_memory"
    return growth.case, is_memory, place, growth.metric, growth.sweep.label


def render_summary(summaries: Sequence[CaseSummary], output: Console) -> None:
    """Print what a run measured: for each scenario, size and mode, a line for each evaluator."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", overflow="fold")
    compared = [
        place
        for place in range(len(BREAK_EVEN))
        if any(each.break_even_calls[place] is not None for each in summaries)
    ]
    headings = ["prepare", "first call", "per call", "peak", "held", "drift"]
    headings += [f"pays off against {BREAK_EVEN[place]}" for place in compared]
    for heading in (*headings, "launches"):
        table.add_column(heading, justify="right", no_wrap=" " not in heading)
    table.add_column("blocks run", overflow="fold")
    table.add_column("status", overflow="fold")
    several = len({summary.label for summary in summaries}) > 1
    for what, of_one in itertools.groupby(_by_subject(summaries), _subject):
        table.add_row(Text(plain(" ".join(filter(None, what))), style="bold"))
        for summary in of_one:
            name = f"{summary.evaluator}, {summary.label}" if several else summary.evaluator
            table.add_row(Text(f"  {plain(name)}"), *_summary_cells(summary, compared))
    output.print(table)


def _by_subject(summaries: Sequence[CaseSummary]) -> list[CaseSummary]:
    return sorted(summaries, key=lambda each: (_subject(each), each.evaluator, each.label))


def _subject(summary: CaseSummary) -> tuple[str, str, str]:
    return summary.scenario, summary.params, summary.mode


def _break_even_text(calls: float | None) -> str:
    if calls is None:
        return "–"
    if math.isinf(calls):
        return "never"
    return "at once" if calls == 0 else f"{calls:,.0f} calls"


def _summary_cells(summary: CaseSummary, compared: Sequence[int]) -> list[Text]:
    per_call = quantity(summary.seconds_per_call, "s")
    if summary.seconds_per_call and summary.seconds_per_call_spread is not None:
        per_call += f" ± {percent(summary.seconds_per_call_spread / summary.seconds_per_call)}"
    texts = (
        quantity(summary.prepare_s, "s"),
        quantity(summary.first_call_s, "s"),
        per_call,
        quantity(summary.peak_bytes, "B"),
        quantity(summary.held_bytes, "B"),
        quantity(summary.memory_drift_bytes_per_call, "B/call"),
        *[_break_even_text(summary.break_even_calls[place]) for place in compared],
        str(summary.launches),
    )
    status = summary.status if not summary.detail else f"{summary.status}: {summary.detail}"
    style = "" if summary.status == "ok" else "bold red"
    return [*map(Text, texts), Text(summary.steady or "–"), Text(plain(status), style=style)]


def _print_growth(comparison: Comparison, output: Console, *, every_row: bool) -> None:
    """The orders that changed; all of them with `every_row`."""
    rows = [row for verdict in VERDICTS for row in comparison.growth if row.verdict == verdict]
    shown = [row for row in rows if every_row or row.verdict in _CHANGED]
    if shown:
        table = Table("growth", "", "verdict", box=box.SIMPLE_HEAD, pad_edge=False)
        table.columns[0].overflow = table.columns[1].overflow = "fold"
        for row in shown:
            what = growth_subject(row, several=len(comparison.candidate_labels) > 1)
            verdict = Text(row.verdict, style=STYLES[row.verdict])
            table.add_row(Text(what), Text(plain(row.reason)), verdict)
        output.print(table)
    if len(shown) < len(rows):
        left = tally(row for row in rows if row not in shown)
        _say(output, f"orders of growth not shown: {left}; --all shows them")


def _means_of(
    comparison: Comparison, shown: Sequence[Row], *, every_row: bool
) -> list[GeometricMean]:
    """The geometric means of what is shown."""
    numbers = {(row.phase, row.metric) for row in shown}
    return [
        mean
        for mean in comparison.geometric_means
        if every_row or (mean.phase, mean.metric) in numbers
    ]


def _worth_showing(rows: Sequence[Row]) -> list[Row]:
    worth = [row for row in rows if row.verdict in _CHANGED or (row.phase, row.metric) == _HEADLINE]
    regressions = sum(row.verdict == "regressed" for row in rows)
    return worth[: max(_ROWS_SHOWN, regressions)]


def _by_case(rows: Sequence[Row]) -> list[Row]:
    """The rows of one case together, the case with the first row first."""
    order = {key: place for place, key in reversed(list(enumerate(map(_case_key, rows))))}
    return sorted(rows, key=lambda row: order[_case_key(row)])


def _case_key(row: Row) -> tuple[str, str]:
    return row.case, row.candidate_label


def _footnotes(rows: Iterable[Row]) -> dict[str, int]:
    """The reasons of rows that are not unchanged, numbered; as many as a screen bears."""
    reasons = dict.fromkeys(plain(row.reason) for row in rows if row.verdict != "unchanged")
    return {reason: number for number, reason in enumerate(list(reasons)[:_LINES_SHOWN], start=1)}


def _list(output: Console, heading: str, lines: Iterable[str], style: str = "") -> None:
    everything = list(lines)
    prefix = f"{heading}: " if heading else ""
    for line in everything[:_LINES_SHOWN]:
        _say(output, prefix + line, style)
    if len(everything) > _LINES_SHOWN:
        _say(output, f"{prefix}and {len(everything) - _LINES_SHOWN} more", style)


def _say(output: Console, line: str, style: str = "") -> None:
    output.print(Text(line), style=style)
