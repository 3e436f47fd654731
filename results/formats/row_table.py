"""The rows of a comparison as a table that fits the window: figures before their evidence.

A case's name has a line of its own, as long as the window is wide; below it stands a line for each
number. What does not fit is left out column by column, and no figure is ever cut short.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from results.formats.wording import (
    change_text,
    detectable_text,
    launches_text,
    mean_change_text,
    mean_text,
    plain,
)
from results.judgement import Comparison, GeometricMean, Row

STYLES: Final = {
    "regressed": "bold red",
    "improved": "green",
    "inconclusive": "yellow",
    "unchanged": "dim",
}
_INDENT: Final = "  "
_BREAK: Final = re.compile(r"(?<=[=:/@#,_ -])(?![=:/@#,_ -])")
_WIDEST_PART: Final = 20
"""Of a label, such as `onnxruntime==`; a longer part is torn apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Which columns there are.

    Attributes:
        evidence: the smallest change that could have been seen, and launches.
        spread: beside each mean.
        interval: beside each change.
        means: of baseline and candidate.
        gap: blanks between columns.
        heading_width: of a column that its figures would make narrower; longer labels take
            several lines.
    """

    evidence: bool = False
    spread: bool = False
    interval: bool = False
    means: bool = True
    gap: int = 3
    heading_width: int = 16


_LAYOUTS: Final = (
    _Layout(evidence=True, spread=True, interval=True),
    _Layout(spread=True, interval=True),
    _Layout(interval=True, gap=2, heading_width=10),
    _Layout(gap=2, heading_width=10),
    _Layout(means=False, gap=2),
)
"""From the widest to the narrowest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """A heading, and the lines below it: cells of name, figures, verdict and evidence."""

    heading: str
    lines: list[list[Text]]


def print_rows(
    output: Console,
    rows: Sequence[Row],
    means: Sequence[GeometricMean],
    comparison: Comparison,
    notes: Mapping[str, int],
) -> None:
    """Print rows, in order, under a heading for each run of rows of one case, then the means.

    Args:
        output: where.
        rows: of `comparison`.
        means: likewise.
        comparison: whose labels the columns have.
        notes: the number of each reason that is a footnote.
    """
    several = len(comparison.candidate_labels) > 1
    for layout in _LAYOUTS:
        headings = _headings(comparison, layout)
        sections = [*_of_cases(rows, notes, layout, several), *_of_means(means, layout, several)]
        widths = _widths(headings, sections, layout)
        total = sum(widths) + layout.gap * (len(widths) - 1)
        if total <= output.width:
            break
    widths[0] = max(1, widths[0] - max(0, total - output.width))
    output.print(_table(headings, widths, layout, show_header=True))
    output.print(Text("─" * min(output.width, total), style="dim"))
    for section in sections:
        output.print(Text(section.heading, style="bold", overflow="fold"))
        table = _table(headings, widths, layout, show_header=False)
        for line in section.lines:
            table.add_row(*line)
        output.print(table)
    output.print()


def _headings(comparison: Comparison, layout: _Layout) -> list[str]:
    labels = ["baseline", "candidate"]
    if len(comparison.candidate_labels) == 1:
        labels = [comparison.baseline_label, comparison.candidate_labels[0]]
    means = map(plain, labels) if layout.means else ()
    evidence = ("could see", "launches") if layout.evidence else ()
    return ["", *means, "change", "verdict", *evidence]


def _of_cases(
    rows: Sequence[Row], notes: Mapping[str, int], layout: _Layout, several: bool
) -> Iterable[_Section]:
    def heading(row: Row) -> str:
        return plain(f"{row.case}, {row.candidate_label}" if several else row.case)

    for name, of_case in itertools.groupby(rows, heading):
        yield _Section(heading=name, lines=[_cells(row, notes, layout) for row in of_case])


def _cells(row: Row, notes: Mapping[str, int], layout: _Layout) -> list[Text]:
    texts = [f"{_INDENT}{row.phase} {row.metric}"]
    if layout.means:
        for mean, spread in (
            (row.baseline, row.baseline_spread),
            (row.candidate, row.candidate_spread),
        ):
            texts.append(mean_text(mean, spread if layout.spread else None, row.unit))
    texts.append(_change(row, layout))
    number = notes.get(plain(row.reason))
    verdict = row.verdict if number is None else f"{row.verdict} {number})"
    cells = [*map(Text, texts), Text(verdict, style=STYLES[row.verdict])]
    if layout.evidence:
        cells += [Text(detectable_text(row)), Text(launches_text(row))]
    return cells


def _of_means(means: Sequence[GeometricMean], layout: _Layout, several: bool) -> Iterable[_Section]:
    if not means:
        return
    lines = []
    for mean in means:
        version = f", {mean.candidate_label}" if several else ""
        name = plain(f"{_INDENT}{mean.phase} {mean.metric}, {mean.cases} cases{version}")
        empty = [Text(), Text()] if layout.means else []
        change = mean_change_text(mean, with_interval=layout.interval)
        lines.append([Text(name), *empty, Text(change)])
    yield _Section(heading="\ngeometric mean", lines=lines)


def _change(row: Row, layout: _Layout) -> str:
    return change_text(row.ratio, row.ratio_low, row.ratio_high, with_interval=layout.interval)


def _widths(headings: Sequence[str], sections: Iterable[_Section], layout: _Layout) -> list[int]:
    widths = [_heading_width(heading, layout.heading_width) for heading in headings]
    for section in sections:
        for line in section.lines:
            for place, cell in enumerate(line):
                widths[place] = max(widths[place], cell.cell_len)
    return widths


def _heading_width(heading: str, wanted: int) -> int:
    """Of a column: as wanted, or as wide as the longest part that is not to be torn apart."""
    longest = max(map(cell_len, _parts(heading)))
    return min(cell_len(heading), max(wanted, min(longest, _WIDEST_PART)))


def _parts(label: str) -> list[str]:
    """Where a label may be broken: behind `==` and other signs, never within a version."""
    return _BREAK.split(label)


def _lines(label: str, width: int) -> str:
    """The label in lines that hold whole parts, as many as fit."""
    lines = [""]
    for part in _parts(label):
        if lines[-1] and cell_len((lines[-1] + part).rstrip()) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _table(
    headings: Sequence[str], widths: Sequence[int], layout: _Layout, *, show_header: bool
) -> Table:
    padding = (0, layout.gap, 0, 0)
    table = Table(box=None, show_header=show_header, pad_edge=False, padding=padding)
    for heading, width in zip(headings, widths, strict=True):
        justify: JustifyMethod = "left" if heading in {"", "verdict"} else "right"
        table.add_column(
            Text(_lines(heading, width)), justify=justify, width=width, overflow="fold"
        )
    return table
