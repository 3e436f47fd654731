"""The report's section on profiles: what a call consists of, or what changed of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from results.formats.wording import mean_text, plain
from results.profiles.difference import LEVEL, Change, Difference, difference
from results.profiles.reading import By, ProfileReading
from results.profiles.summary import RowSummary, summarised
from results.units import MISSING, percent, plain_percent, quantity

_ROWS_SHOWN = 12
_ONE = ("row", "time", "share", "calls", "moved", "allocated", "operations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile table, and what it is called.

    Attributes:
        title: any text.
        readings: all of the table's; the label that comes first is the baseline.
    """

    title: str
    readings: Sequence[ProfileReading]


def section(profiles: Iterable[Profile]) -> str:
    """HTML of all profiles, every text escaped; empty where there is none."""
    parts = [_profile(each) for each in profiles]
    return f"<h2>Profiles</h2>{''.join(parts)}" if parts else ""


def _profile(profile: Profile) -> str:
    kinds: dict[tuple[str, By], None] = dict.fromkeys((r.phase, r.by) for r in profile.readings)
    tables = [
        _tables(profile.readings, phase, by, labels)
        for phase, by in kinds
        if (labels := _labels(profile.readings, phase, by))
    ]
    return f"<h3>{escape(plain(profile.title))}</h3>{''.join(tables)}"


def _labels(readings: Sequence[ProfileReading], phase: str, by: By) -> list[str]:
    return list(dict.fromkeys(r.label for r in readings if (r.phase, r.by) == (phase, by)))


def _tables(readings: Sequence[ProfileReading], phase: str, by: By, labels: Sequence[str]) -> str:
    baseline, *others = labels
    if not others:
        rows = summarised(readings, baseline, by=by, phase=phase, peaks=None, dtype="float32")
        return _one(f"{phase}, by {by}", rows)
    return "".join(
        _between(difference(readings, baseline, label, by=by, phase=phase)) for label in others
    )


def _one(caption: str, rows: Sequence[RowSummary]) -> str:
    body = [
        (
            _named(row.name, row.file, row.line),
            mean_text(row.seconds, row.sd_s, "s")
            if row.seconds > 0
            else quantity(row.seconds, "s"),
            percent(row.share),
            quantity(row.calls, "1"),
            quantity(row.moved_bytes, "B"),
            quantity(row.allocated_bytes, "B"),
            quantity(row.flops, "1"),
        )
        for row in rows[:_ROWS_SHOWN]
    ]
    return _table(caption, _ONE, body, max(0, len(rows) - _ROWS_SHOWN))


def _between(found: Difference) -> str:
    heads = (
        "row",
        found.baseline_label,
        found.candidate_label,
        "change",
        f"{plain_percent(1 - LEVEL)} interval",
        "of all",
    )
    rows = [*found.rows[:_ROWS_SHOWN]]
    rows += [found.remainder] if found.remainder else []
    body = [_change(found, row, _named(row.name, row.file, row.line)) for row in rows]
    body.append(_change(found, found.whole, "the whole"))
    caption = f"{found.phase}, by {found.by}: what changed, in {found.launches} " + (
        "pairs" if found.is_paired else "launches each"
    )
    return _table(caption, heads, body, max(0, len(found.rows) - _ROWS_SHOWN))


def _change(found: Difference, row: Change, name: str) -> tuple[str, ...]:
    marks = [word for word in (row.presence, "*" if row.is_clear else "") if word]
    return (
        " ".join((name, *marks)),
        quantity(row.baseline_s, "s"),
        quantity(row.candidate_s, "s"),
        _signed(row.change_s),
        MISSING
        if row.low_s is None or row.high_s is None
        else f"[{_signed(row.low_s)}, {_signed(row.high_s)}]",
        percent(found.share(row), signed=True),
    )


def _table(caption: str, heads: Sequence[str], body: Sequence[Sequence[str]], hidden: int) -> str:
    head = "".join(f"<th scope='col'>{escape(plain(text))}</th>" for text in heads)
    lines = "".join(f"<tr>{_cells(heads, cells)}</tr>" for cells in body)
    more = f"<p>{hidden:,} smaller rows are not shown.</p>" if hidden > 0 else ""
    return (
        f"<div class='scroll'><table class='rows'><caption>{escape(plain(caption))}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>{more}"
    )


def _cells(heads: Sequence[str], cells: Sequence[str]) -> str:
    first, *others = cells
    rest = "".join(
        f"<td data-label='{escape(plain(head))}'>{escape(plain(text))}</td>"
        for head, text in zip(heads[1:], others, strict=True)
    )
    return f"<th scope='row'>{escape(plain(first))}</th>{rest}"


def _named(name: str, file: str, line: int | None) -> str:
    place = file if line is None else f"{file}:{line}"
    return f"{name} ({place})" if place else name


def _signed(seconds: float) -> str:
    return f"{'+' if seconds >= 0 else ''}{quantity(seconds, 's')}"
