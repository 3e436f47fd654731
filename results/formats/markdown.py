"""A comparison as a pull-request comment: what got worse on top, the rest folded."""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from results.formats.wording import (
    change_text,
    detectable_text,
    geometric_mean_text,
    growth_subject,
    headline,
    launches_text,
    mean_text,
    plain,
    promise,
    uncompared_text,
)
from results.judgement import Comparison, GrowthRow, Row, Verdict

MAX_CHARACTERS: Final = 65_000
"""GitHub refuses comments of 65,536 characters and more."""

_ENTRIES: Final = 500
"""Of each list; no comment holds more rows."""

_FEWEST_FOLDED: Final = 10
_CELL_CHARACTERS: Final = 300
_MARKS: Final[Mapping[Verdict, str]] = {
    "regressed": "🔴",
    "improved": "🟢",
    "inconclusive": "🟡",
    "unchanged": "⚪",
}
_OPEN: Final[tuple[Verdict, ...]] = ("regressed", "improved")
_FOLDED: Final[tuple[Verdict, ...]] = ("inconclusive", "unchanged")
_GROWTH_HEADINGS: Final = ("growth", "order", "verdict")
_HEADINGS: Final = (
    "case",
    "number",
    "baseline",
    "candidate",
    "change",
    "could see",
    "launches",
    "why",
)


def render(comparison: Comparison) -> str:
    """`comparison` as GitHub-flavoured Markdown, always shorter than 65,000 characters.

    What is folded is cut first; what got worse, and what is missing, last.
    """
    folded = open_ = _ENTRIES
    text = _rendered(comparison, open_, folded)
    while len(text) >= MAX_CHARACTERS:
        if folded > _FEWEST_FOLDED:
            folded //= 2
        else:
            open_ //= 2
        text = _rendered(comparison, open_, folded)
    return text


def escaped(text: str) -> str:
    """`text` from a table as Markdown that shows it: no HTML, no markup, no one mentioned."""
    if len(text) > _CELL_CHARACTERS:
        text = text[:_CELL_CHARACTERS] + "…"
    text = html.escape(plain(text), quote=False)
    text = re.sub(r"([\\`*_{}\[\]()#+!|~$])", r"\\\1", text)
    return text.replace("@", "@\u200b").replace("://", ":\u200b//")


def _rendered(comparison: Comparison, most: int, most_folded: int) -> str:
    """The whole text with at most so many entries in each list that is open, or folded."""
    mark = _MARKS[comparison.verdict] if comparison.is_complete else "🔴"
    several = len(comparison.candidate_labels) > 1
    sections = [f"### {mark} {escaped(headline(comparison))}"]
    sections.append(_growth("Growth", comparison.worse_orders, most))
    for verdict in _OPEN:
        rows = comparison.having(verdict)
        sections.append(f"**{_title(verdict, len(rows))}**" if rows else "")
        sections.append(_table(rows, most, several=several))
    sections.append(_bullets("Missing", map(uncompared_text, comparison.missing), most))
    means = [geometric_mean_text(mean) for mean in comparison.geometric_means]
    title = f"{len(means)} geometric means"
    sections.append(_folded(title, _bullets("", means, most_folded)))
    others = [row for row in comparison.growth if row.verdict != "regressed"]
    title = f"{len(others)} other orders of growth"
    sections.append(_folded(title, _growth("", others, most_folded)))
    for verdict in _FOLDED:
        rows = comparison.having(verdict)
        sections.append(
            _folded(_title(verdict, len(rows)), _table(rows, most_folded, several=several))
        )
    for title, things in (
        ("failing on both sides", comparison.failing),
        ("only in a candidate", comparison.candidate_only),
    ):
        body = _bullets("", map(uncompared_text, things), most_folded)
        sections.append(_folded(f"{len(things)} {title}", body))
    sections.append(_bullets("Notes", comparison.notes, most))
    sections.append(f"<sub>{escaped(promise(comparison))}</sub>")
    return "\n\n".join(filter(None, sections)) + "\n"


def _title(verdict: Verdict, count: int) -> str:
    return f"{_MARKS[verdict]} {count} {verdict}"


def _table(rows: Sequence[Row], most: int, *, several: bool) -> str:
    if not rows:
        return ""
    lines = [_line(_HEADINGS), _line("---" for _ in _HEADINGS)]
    lines += [_line(_cells(row, several=several)) for row in rows[:most]]
    return "\n".join(lines) + _rest(len(rows), most)


def _growth(title: str, rows: Sequence[GrowthRow], most: int) -> str:
    if not rows:
        return ""
    lines = [_line(_GROWTH_HEADINGS), _line("---" for _ in _GROWTH_HEADINGS)]
    for row in rows[:most]:
        texts = (growth_subject(row), row.reason, f"{_MARKS[row.verdict]} {row.verdict}")
        lines.append(_line(map(escaped, texts)))
    heading = f"**{title}**\n\n" if title else ""
    return heading + "\n".join(lines) + _rest(len(rows), most)


def _cells(row: Row, *, several: bool) -> list[str]:
    change = change_text(row.ratio, row.ratio_low, row.ratio_high)
    texts = [
        f"{row.case} ({row.candidate_label})" if several else row.case,
        f"{row.phase} {row.metric}",
        mean_text(row.baseline, row.baseline_spread, row.unit),
        mean_text(row.candidate, row.candidate_spread, row.unit),
        change,
        detectable_text(row),
        launches_text(row),
        row.reason,
    ]
    return [escaped(text) for text in texts]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _bullets(title: str, lines: Iterable[str], most: int) -> str:
    everything = list(lines)
    if not everything:
        return ""
    bullets = "\n".join(f"- {escaped(line)}" for line in everything[:most])
    return (f"**{title}**\n\n" if title else "") + bullets + _rest(len(everything), most)


def _rest(count: int, most: int) -> str:
    return f"\n\n… and {count - most} more" if count > most else ""


def _folded(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" if body else ""
