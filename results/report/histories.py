"""Histories in a report: a plot of each number over the versions, and where it changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from results.formats.history import size_text, worst
from results.history import Change, Histories, History, Point
from results.judgement import Verdict
from results.report.plots import Plot, unit_for
from results.schema import METRICS
from results.units import percent, quantity

LEAST_VERSIONS: Final = 3
"""Two versions are a comparison; from three on there is a history to draw."""

SeriesKey = tuple[str, str, str, str, str, str, str]
"""Evaluator, scenario, params, mode, phase, metric and source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change, and the version that it enters with.

    Attributes:
        case: the case's name.
        number: phase, metric and source.
        before: the last version without it.
        enters_at: the first version with it.
        old: mean of the versions before it, in words.
        new: mean of those from it on.
        change: its size with an interval.
        verdict: regressed where there is more of it now, else improved.
    """

    case: str
    number: str
    before: str
    enters_at: str
    old: str
    new: str
    change: str
    verdict: Verdict


def entries(found: Histories) -> list[Entry]:
    """Every change, the series with the worst ones first."""
    changed = sorted((one for one in found.histories if one.changes), key=worst, reverse=True)
    return [
        Entry(
            case=one.case,
            number=f"{one.phase} {one.metric} ({one.source})",
            before=change.before,
            enters_at=change.enters_at,
            old=quantity(change.old, one.unit),
            new=quantity(change.new, one.unit),
            change=size_text(change, one.unit),
            verdict=_verdict(change),
        )
        for one in changed
        for change in one.changes
    ]


def history_plots(found: Histories) -> dict[SeriesKey, Plot]:
    """A plot of each series that enough versions have."""
    return {_key(one): _plot(one) for one in found.histories if len(one.points) >= LEAST_VERSIONS}


def _key(one: History) -> SeriesKey:
    return (
        one.evaluator,
        one.scenario,
        one.params,
        one.mode,
        one.phase,
        one.metric,
        one.source,
    )


def _plot(one: History) -> Plot:
    unit, scale = unit_for(max(abs(point.mean) for point in one.points), one.unit)
    entering = {change.enters_at: change for change in one.changes}
    records: list[Mapping[str, object]] = []
    for part in _parts(one):
        level = _level(part, one.metric) if one.noise else None
        for point in part:
            change = entering.get(point.label)
            records.append(
                {
                    "version": point.label,
                    "value": point.mean,
                    "low": point.low,
                    "high": point.high,
                    "launches": point.launches,
                    "level": level,
                    "size": None if change is None else _sized(change, one.unit),
                    "change": None if change is None else _told(change, one.unit),
                    "verdict": None if change is None else _verdict(change),
                }
            )
    return Plot(
        kind="history",
        title=f"{one.phase} {one.metric} of {one.case}, by version",
        x=_reading_aid(one),
        base=one.unit,
        unit=unit,
        scale=scale,
        values=records,
    )


def _reading_aid(one: History) -> str:
    """How to read the plot, and how small a change it would have found."""
    if not one.noise:
        return "means over launches, in order; too few versions to tell noise from change"
    told = "means over launches, in order; lines are the levels between changes"
    seen = one.smallest_detectable
    if one.noise == "exact" or seen is None:
        return told
    size = quantity(seen, one.unit) if METRICS[one.metric].kind == "drift" else percent(seen)
    return f"{told}; 99 % intervals; a change of {size} in the middle could have been seen"


def _parts(one: History) -> list[list[Point]]:
    """The points between changes."""
    entering = {change.enters_at for change in one.changes}
    parts: list[list[Point]] = [[]]
    for point in one.points:
        if point.label in entering:
            parts.append([])
        parts[-1].append(point)
    return parts


def _level(points: Sequence[Point], metric: str) -> float:
    """The mean of these versions; of times the geometric one, as everywhere."""
    means = np.array([point.mean for point in points])
    if METRICS[metric].kind == "time" and bool((means > 0).all()):
        return float(np.exp(np.log(means).mean()))
    return float(means.mean())


def _sized(change: Change, unit: str) -> str:
    sign = "▲" if change.is_worse else "▼"
    return f"{sign} {size_text(change, unit).partition(' [')[0]}"


def _told(change: Change, unit: str) -> str:
    kind = "worse" if change.is_worse else "better"
    return f"{kind} from {change.enters_at} on: {size_text(change, unit)}"


def _verdict(change: Change) -> Verdict:
    return "regressed" if change.is_worse else "improved"
