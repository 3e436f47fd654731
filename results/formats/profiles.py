"""Profiles and their differences for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.formats.wording import mean_text, plain
from results.profiles.difference import LEVEL, Change, Difference
from results.profiles.summary import RowSummary
from results.units import MISSING, percent, plain_percent, quantity

_TEXT_WIDTH = 60
_ROUNDING_S = 1e-12


def render_profile(
    title: str, rows: Sequence[RowSummary], output: Console, *, top: int, has_peaks: bool
) -> None:
    """Print one version's rows, the longest first.

    Args:
        title: above the table.
        rows: all of them.
        output: where.
        top: how many are shown; the others become one line.
        has_peaks: whether the machine's peaks are known.
    """
    table = _table(title)
    for column in ("time", "share", "calls", "moved", "allocated", "operations", "of peak"):
        table.add_column(column, justify="right")
    table.add_column("")
    table.add_column("where")
    shown = rows if len(rows) <= top + 1 else [*rows[:top], *rows[-1:]]
    for row in shown:
        table.add_row(
            mean_text(row.seconds, row.sd_s, "s")
            if row.seconds > _ROUNDING_S
            else _time(row.seconds),
            percent(row.share),
            quantity(row.calls, "1"),
            quantity(row.moved_bytes, "B"),
            quantity(row.allocated_bytes, "B"),
            quantity(row.flops, "1"),
            percent(row.peak_share) if has_peaks else "not calibrated",
            _cut(row.name),
            _place(row.file, row.line),
        )
    output.print(table)
    hidden = [row for row in rows if not any(row is each for each in shown)]
    if hidden:
        share = percent(sum(row.share for row in hidden))
        output.print(Text(f"not shown: {len(hidden)} rows, {share} of the call; --top shows more"))
    if not has_peaks:
        output.print(Text("of peak: not known here; `graphgauge calibrate` measures it"))


def render_difference(
    title: str, found: Difference, counted: Sequence[Change], output: Console, *, top: int
) -> None:
    """Print what changed: first what runs more or less often, then contributions in time.

    Args:
        title: the case.
        found: the rows.
        counted: operators that run more or less often.
        output: where.
        top: how many rows are shown; the others become one line.
    """
    base, cand = plain(found.baseline_label), plain(found.candidate_label)
    if counted:
        kinds = _counts((row.name, row.baseline_calls, row.candidate_calls) for row in counted)
        output.print(Text(f"{title}: runs in a call, {base} → {cand}: {kinds}"))
    elif found.phase == "evaluate":
        output.print(Text(f"{title}: the same operators run equally often in both"))
    whole = "a call" if found.phase == "evaluate" else found.phase
    table = _table(f"{title}: what changed of {whole}, by {found.by}")
    table.add_column(base, justify="right")
    table.add_column(cand, justify="right")
    table.add_column("change", justify="right")
    table.add_column(f"{plain_percent(1 - LEVEL)} interval", justify="right")
    table.add_column("of all", justify="right")
    table.add_column("")
    table.add_column("where")
    shown = found.rows[:top]
    hidden = found.rows[top:]
    for row in shown:
        _add(table, found, row, f"{_cut(row.name)}{_mark(row)}", _place(row.file, row.line))
    if hidden:
        table.add_row(
            *(_sum(getattr(row, name) for row in hidden) for name in ("baseline_s", "candidate_s")),
            _sum((row.change_s for row in hidden), signed=True),
            "",
            percent(_of_all(found, sum(row.change_s for row in hidden)), signed=True),
            f"{len(hidden)} other rows",
            "",
        )
    if found.remainder is not None:
        _add(table, found, found.remainder, found.remainder.name, "")
    table.add_section()
    name = "the whole call" if found.phase == "evaluate" else f"the whole of {whole}"
    _add(table, found, found.whole, name, "")
    output.print(table)
    kind = "pairs" if found.is_paired else "launches each"
    output.print(
        Text(
            f"{found.launches} {kind}; * clear of 0 at {plain_percent(LEVEL)} over all rows "
            "(Holm); intervals are each row's own"
        )
    )


def render_graphs(
    title: str,
    graph_of: str,
    baseline: tuple[str, Mapping[str, int]],
    candidate: tuple[str, Mapping[str, int]],
    output: Console,
) -> None:
    """Print how the graphs that two versions were given differ, kind by kind of node.

    Args:
        title: the case.
        graph_of: what the nodes are, such as "ONNX nodes".
        baseline: label, and nodes by kind.
        candidate: likewise.
        output: where.
    """
    (base, before), (cand, after) = baseline, candidate
    changed = sorted(
        (kind for kind in {*before, *after} if before.get(kind) != after.get(kind)),
        key=lambda kind: (-abs(after.get(kind, 0) - before.get(kind, 0)), kind),
    )
    if not changed:
        text = f"{title}: the same {graph_of} in both, {sum(after.values()):,}"
    else:
        kinds = _counts((kind, before.get(kind, 0), after.get(kind, 0)) for kind in changed)
        text = f"{title}: {graph_of}, {plain(base)} → {plain(cand)}: {kinds}"
    output.print(Text(text))


def _counts(kinds: Iterable[tuple[str, float | None, float | None]]) -> str:
    return ", ".join(
        f"{_cut(kind)} {_count(before)} → {_count(after)}" for kind, before, after in kinds
    )


def _add(table: Table, found: Difference, row: Change, name: str, where: str) -> None:
    table.add_row(
        _time(row.baseline_s),
        _time(row.candidate_s),
        _signed(row.change_s),
        MISSING
        if row.low_s is None or row.high_s is None
        else f"[{_signed(row.low_s)}, {_signed(row.high_s)}]",
        percent(found.share(row), signed=True),
        name,
        where,
    )


def _table(title: str) -> Table:
    return Table(
        title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, expand=False
    )


def _mark(row: Change) -> str:
    words = [word for word in (row.presence, "*" if row.is_clear else "") if word]
    return f" {' '.join(words)}" if words else ""


def _of_all(found: Difference, change_s: float) -> float | None:
    return change_s / found.whole.change_s if found.whole.change_s else None


def _sum(values: Iterable[float | None], *, signed: bool = False) -> str:
    total = sum(value or 0.0 for value in values)
    return _signed(total) if signed else _time(total)


def _time(seconds: float | None) -> str:
    """Below a thousandth of a ns there is nothing but rounding."""
    is_rounding = seconds is not None and abs(seconds) < _ROUNDING_S
    return quantity(0.0 if is_rounding else seconds, "s")


def _signed(seconds: float) -> str:
    return f"{'+' if seconds >= 0 else ''}{_time(seconds)}"


def _count(calls: float | None) -> str:
    return quantity(calls or 0.0, "1")


def _cut(text: str) -> str:
    text = plain(text)
    return text if len(text) <= _TEXT_WIDTH else f"{text[: _TEXT_WIDTH - 1]}…"


def _place(file: str, line: int | None) -> str:
    return plain(file if line is None else f"{file}:{line}")
