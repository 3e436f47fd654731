"""Histories for people and programs: a table with a plot for each case, CSV, and JSON."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from results.cells import protected
from results.formats.wording import change_text, plain
from results.history import Change, Histories, History
from results.units import percent, plain_percent, quantity

_PLOT_CHARACTERS: Final = 40
_COLUMNS: Final = (
    "evaluator",
    "scenario",
    "params",
    "mode",
    "phase",
    "metric",
    "unit",
    "source",
)


def render(found: Histories, console: Console, *, everything: bool) -> None:
    """Print the histories that change, worst first, or all of them."""
    changed = [one for one in found.histories if one.changes]
    shown = sorted(changed, key=worst, reverse=True)
    if everything:
        shown += [one for one in found.histories if not one.changes]
    for one in shown:
        console.print(_heading(one))
        console.print(_table(one))
        for change in one.changes:
            console.print(_sentence(change, one.unit), highlight=False)
        console.print()
    untold = sum(not one.noise for one in found.histories)
    if untold:
        console.print(
            f"{untold} of {len(found.histories)} series have too few versions to tell noise from "
            "change: measure five or more, or several at once with `graphgauge versus`.",
            highlight=False,
        )
    console.print(
        f"{len(found.labels)} versions, {len(found.histories)} series, {len(changed)} of them "
        f"change. Changes beyond ±{plain_percent(found.threshold)} are told; the chance that any "
        f"is told where there is none is {plain_percent(found.level)} over all series, the search "
        "for the place included.",
        highlight=False,
    )


def rows(found: Histories) -> str:
    """A line for each version of each series, as CSV; a change stands at the version it enters."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        [
            *_COLUMNS,
            *("label", "mean", "mean_low", "mean_high", "launches"),
            *("change", "change_low", "change_high"),
        ]
    )
    for one in found.histories:
        entering = {change.enters_at: change for change in one.changes}
        for point in one.points:
            change = entering.get(point.label)
            writer.writerow(
                [
                    *(protected(getattr(one, name)) for name in _COLUMNS),
                    protected(point.label),
                    *_written((point.mean, point.low, point.high)),
                    point.launches,
                    *_written(_ends(change)),
                ]
            )
    return text.getvalue()


def structured(found: Histories) -> str:
    """All of it as JSON."""
    return json.dumps(asdict(found), indent=2, allow_nan=False) + "\n"


def _written(numbers: Sequence[float | None]) -> list[str]:
    return ["" if each is None else repr(each) for each in numbers]


def _ends(change: Change | None) -> Sequence[float | None]:
    """The ratio and its interval, or the difference's where there is no ratio."""
    if change is None:
        return (None, None, None)
    if change.ratio is None:
        return (change.difference, change.difference_low, change.difference_high)
    return (change.ratio, change.ratio_low, change.ratio_high)


def worst(one: History) -> tuple[bool, float]:
    """A key to sort by: worse before better, then by the size of the change."""
    ratios = [change.ratio or 1.0 for change in one.changes]
    return any(change.is_worse for change in one.changes), max(ratios)


def _heading(one: History) -> Text:
    told = f"{plain(one.case)}, {one.phase} {one.metric}"
    source = {"launches": "launches measured together", "versions": "scatter between versions"}
    noise = source.get(one.noise, one.noise)
    seen = one.smallest_detectable
    if noise and seen is not None:
        size = quantity(seen, one.unit) if _is_drift(one) else percent(seen, digits=2)
        told += f"  (noise by {noise}; could see {size} in the middle)"
    return Text(told, style="bold")


def _is_drift(one: History) -> bool:
    return one.metric.endswith("_drift")


def _table(one: History) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, side in (("version", "left"), ("mean", "right"), ("launches", "right")):
        table.add_column(name, justify=side)  # type: ignore[arg-type]  # left or right it is
    table.add_column(_scale(one))
    table.add_column("")
    entering = {change.enters_at: change for change in one.changes}
    for point, position in zip(one.points, _positions(one), strict=True):
        change = entering.get(point.label)
        style = "" if change is None else "red" if change.is_worse else "green"
        table.add_row(
            Text(plain(point.label)),
            quantity(point.mean, one.unit),
            str(point.launches),
            Text("·" * position + "●", style=style),
            Text("" if change is None else size_text(change, one.unit), style=style),
        )
    return table


def _scale(one: History) -> str:
    """The ends of the plot."""
    means = [point.mean for point in one.points]
    low, high = quantity(min(means), one.unit), quantity(max(means), one.unit)
    return f"{low}{high:>{max(1, _PLOT_CHARACTERS - len(low))}}"


def _positions(one: History) -> Iterable[int]:
    means = [point.mean for point in one.points]
    width = max(means) - min(means)
    for mean in means:
        yield round((mean - min(means)) / width * (_PLOT_CHARACTERS - 1)) if width else 0


def size_text(change: Change, unit: str) -> str:
    """A change with its interval: a share where it has a ratio, else a difference."""
    if change.ratio is not None:
        return change_text(change.ratio, change.ratio_low, change.ratio_high)
    ends = (change.difference_low, change.difference_high)
    low, high = (quantity(end, unit) for end in ends)
    return f"{quantity(change.difference, unit)} [{low}, {high}]"


def _sentence(change: Change, unit: str) -> str:
    kind = "worse" if change.is_worse else "better"
    return f"{kind} from {plain(change.enters_at)} on: {size_text(change, unit)}"
