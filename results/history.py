"""A metric over many versions: where it changed, by how much, and how sure that is.

A series is the mean of each version in order, taken to be constant but for a few changes. A change
is looked for by the contrast of the versions just before a place with those just after it, at every
place and over windows of many lengths. The largest of so many contrasts is large by chance too, so
it is held against what the largest of the very same contrasts reaches where nothing changes, which
is simulated. Intervals of sizes use that same bound: they hold for all contrasts at once, and so
also for the one that was picked because it is the largest.

What the noise is told by depends on how versions were measured:

- together, in sessions that all of them share: by their launches (or pairs), after what a pair's
  launches have in common is taken out. Two versions are enough.
- apart: by the scatter of versions next to each other, since a machine is not the same from session
  to session, and launches within a session do not know. Five versions are the least.

The scatter is the median of absolute differences between neighbours, which a few changes hardly
move. Scanning for the largest contrast with a simulated bound: D. Siegmund, "Boundary crossing
probabilities and statistical applications", Annals of Statistics 14, 1986; windows around each
place, and intervals that hold for all of them: K. Frick, A. Munk, H. Sieling, "Multiscale change
point inference", JRSS B 76, 2014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.changepoints import bound_of, deviation, places_of
from results.contrasts import SERIES_COLUMNS, SeriesName
from results.errors import ComparisonError
from results.frames import row_ids
from results.judgement import case_name
from results.scatter import LEAST_APART, Launches, Noise, Sample, launches_of, noise_of, sample_of
from results.schema import METRICS, OK, is_exact_source
from results.statistics import Floats
from results.trials import (
    MEMORY_DRIFT_FLOOR_BYTES_PER_CALL,
    MEMORY_FLOOR_BYTES,
    TIME_DRIFT_FLOOR_PER_KCALL,
)

__all__ = ["LEAST_APART", "Change", "Histories", "History", "Point", "histories"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A version in a series.

    Attributes:
        label: the version.
        mean: over launches, in the series' unit; geometric for times.
        low: lower end of the mean's own interval, by the noise that changes are told from; None
            where nothing tells the noise.
        high: upper end.
        launches: how many it is the mean of.
    """

    label: str
    mean: float
    low: float | None
    high: float | None
    launches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of a series.

    Attributes:
        before: the last version without it.
        enters_at: the first version with it.
        old: mean of the versions from the change before to this one, in the series' unit.
        new: mean of the versions from this change to the next.
        difference: new - old.
        difference_low: lower end of its interval.
        difference_high: upper end.
        ratio: new / old; None where that means nothing.
        ratio_low: lower end of its interval.
        ratio_high: upper end.
    """

    before: str
    enters_at: str
    old: float
    new: float
    difference: float
    difference_low: float
    difference_high: float
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None

    @property
    def is_worse(self) -> bool:
        """Whether there is more of it now."""
        return self.difference > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class History(SeriesName):
    """One metric of one phase of one case over versions.

    Attributes:
        points: the versions that have it, in order.
        changes: in order.
        noise: what the noise was told by: "launches", "versions", "exact" (counts that are the
            same in every launch), or "" where nothing tells it.
        smallest_detectable: a change between the two halves would have been found above this
            share (or difference, where the metric has no ratio); None where nothing was looked for.
    """

    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    noise: str
    smallest_detectable: float | None

    @property
    def case(self) -> str:
        """The case in one line."""
        return case_name(self.evaluator, self.scenario, self.params, self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histories:
    """What a table says over its versions.

    Attributes:
        labels: the versions, in order.
        histories: one for each series that two versions have at least.
        threshold: changes up to this share do not matter.
        level: the chance that any change is told where there is none, over all series.
    """

    labels: tuple[str, ...]
    histories: tuple[History, ...]
    threshold: float
    level: float


def histories(
    frame: pd.DataFrame,
    order: Sequence[str],
    *,
    metrics: Sequence[str] | None = None,
    threshold: float = 0.01,
    level: float = 0.01,
) -> Histories:
    """Look for changes in every series of `frame`.

    Args:
        frame: readings as `tables.read` gives them.
        order: the labels, first to last; versions that are not named are left out.
        metrics: names of the metrics to look at; None for all that are compared.
        threshold: changes up to this share do not matter.
        level: the chance that any change is told where there is none, over all series.

    Raises:
        ComparisonError: if fewer than two of the labels have readings, or a setting is out of
            range.
    """
    if not 0 < level < 0.5 or not 0 <= threshold < 1:
        message = f"level is {level} and threshold {threshold}; expected shares such as 0.01"
        raise ComparisonError(message)
    frame = frame[(frame["status"] == OK) & frame["label"].isin(order)]
    present = tuple(label for label in order if label in set(frame["label"]))
    if len(present) < 2:
        message = (
            f"found versions {', '.join(present) or '(none)'}; a history needs two at least. "
            "Measure others with another --label."
        )
        raise ComparisonError(message)
    compared = [name for name, one in METRICS.items() if one.kind != "error"]
    frame = frame[frame["metric"].isin(compared if metrics is None else metrics)]
    launches = launches_of(frame, present)
    ids = row_ids(frame, SERIES_COLUMNS)
    by_series = np.argsort(ids, kind="stable")
    groups = np.split(by_series, np.flatnonzero(np.diff(ids[by_series])) + 1)
    groups = [rows for rows in groups if np.unique(launches.versions[rows]).size > 1]
    names = [frame[name].astype("str").to_numpy() for name in SERIES_COLUMNS]
    settings = (threshold, level / max(len(groups), 1), level)
    found = [
        _history(
            dict(zip(SERIES_COLUMNS, (str(each[rows[0]]) for each in names), strict=True)),
            launches,
            rows,
            *settings,
        )
        for rows in groups
    ]
    return Histories(labels=present, histories=tuple(found), threshold=threshold, level=level)


def _history(
    first: Mapping[str, str],
    launches: Launches,
    rows: NDArray[np.intp],
    threshold: float,
    level: float,
    point_level: float,
) -> History:
    metric = METRICS[first["metric"]]
    is_positive = bool((launches.values[rows] > 0).all())
    by_logs = metric.kind == "time" and is_positive
    sample = sample_of(launches, rows, by_logs)
    noise = noise_of(sample, metric.kind == "count")
    means = sample.means
    places: list[int] = []
    bound = 0.0
    if noise is not None:
        bound = 0.0 if noise.source == "exact" else bound_of(noise.weights, noise.degrees, level)
        places = places_of(means, noise, bound)
    has_ratio = metric.kind != "drift" and is_positive
    band = _band(first, means, threshold, by_logs)
    changes = () if noise is None else _changes(sample, places, noise, bound, by_logs, has_ratio)
    return History(
        **first,
        points=_points(sample, noise, point_level, by_logs),
        changes=tuple(each for each in changes if _is_beyond(each, band, by_logs)),
        noise="" if noise is None else noise.source,
        smallest_detectable=_detectable(means, noise, bound, by_logs, has_ratio),
    )


def _points(sample: Sample, noise: Noise | None, level: float, by_logs: bool) -> tuple[Point, ...]:
    """Each version's mean, with the interval that misses it with probability `level`."""
    means = sample.means
    halves = np.full(len(means), np.nan) if noise is None else noise.half_widths(level)

    def told(value: float) -> float:
        return float(np.exp(value) if by_logs else value)

    return tuple(
        Point(
            label=label,
            mean=told(mean),
            low=None if noise is None else told(mean - half),
            high=None if noise is None else told(mean + half),
            launches=len(values),
        )
        for label, mean, half, values in zip(
            sample.labels, means, halves, sample.values, strict=True
        )
    )


def _band(series: Mapping[str, str], means: Floats, threshold: float, by_logs: bool) -> float:
    """Changes up to this do not matter, or cannot be told; the floors are those of `compare`."""
    if by_logs:
        return float(np.log1p(threshold))
    if METRICS[series["metric"]].kind == "drift":
        is_memory = series["metric"] == "memory_drift"
        return MEMORY_DRIFT_FLOOR_BYTES_PER_CALL if is_memory else TIME_DRIFT_FLOOR_PER_KCALL
    lags = METRICS[series["metric"]].kind == "memory" and not is_exact_source(series["source"])
    return max(threshold * float(np.abs(means).mean()), MEMORY_FLOOR_BYTES if lags else 0.0)


def _changes(
    sample: Sample,
    places: Sequence[int],
    noise: Noise,
    bound: float,
    by_logs: bool,
    has_ratio: bool,
) -> tuple[Change, ...]:
    means = sample.means
    edges = [0, *places, len(means)]
    found = []
    for number, place in enumerate(places):
        start, end = edges[number], edges[number + 2]
        old, new = float(means[start:place].mean()), float(means[place:end].mean())
        half = bound * noise.scale * deviation(noise.weights, (start, place, end))
        found.append(
            _change(
                (sample.labels[place - 1], sample.labels[place]),
                (old, new),
                half,
                by_logs,
                has_ratio,
            )
        )
    return tuple(found)


def _change(
    labels: tuple[str, str],
    means: tuple[float, float],
    half: float,
    by_logs: bool,
    has_ratio: bool,
) -> Change:
    old, new = np.exp(means) if by_logs else means
    step = means[1] - means[0]
    if by_logs:
        ratios = tuple(float(np.exp(each)) for each in (step, step - half, step + half))
        ends = (old * (ratios[1] - 1), old * (ratios[2] - 1))
    else:
        ratios = tuple(1 + each / old if old else 1.0 for each in (step, step - half, step + half))
        ends = (step - half, step + half)
    told = ratios if has_ratio else (None, None, None)
    return Change(
        before=labels[0],
        enters_at=labels[1],
        old=float(old),
        new=float(new),
        difference=float(new - old),
        difference_low=float(ends[0]),
        difference_high=float(ends[1]),
        ratio=told[0],
        ratio_low=told[1],
        ratio_high=told[2],
    )


def _is_beyond(change: Change, band: float, by_logs: bool) -> bool:
    """Whether the whole interval is beyond what does not matter."""
    if by_logs and change.ratio_low is not None and change.ratio_high is not None:
        ends = (np.log(change.ratio_low), np.log(change.ratio_high))
    else:
        ends = (change.difference_low, change.difference_high)
    return bool(min(ends) > band or max(ends) < -band)


def _detectable(
    means: Floats, noise: Noise | None, bound: float, by_logs: bool, has_ratio: bool
) -> float | None:
    """The change in the middle that would lie at the bound."""
    if noise is None:
        return None
    middle = len(means) // 2
    half = bound * noise.scale * deviation(noise.weights, (0, middle, len(means)))
    if by_logs:
        return float(np.expm1(half))
    if not has_ratio:
        return half
    return half / float(np.abs(means).mean())
