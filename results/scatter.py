"""The noise of a history: how far versions' means lie apart where nothing changes.

Versions measured together, in sessions that all of them share, tell it by their launches; versions
measured apart by the scatter of those next to each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.frames import row_ids
from results.statistics import Floats, quantile

LEAST_APART: Final = 5
"""Versions measured in sessions of their own that a scatter between them can be told from."""

NORMAL_MEDIAN: Final = 0.9538725524
"""Median of |difference| of two standard normal numbers: sqrt(2) · 0.6744897502."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launches:
    """A table's readings, for samples of many series to be taken from.

    Attributes:
        order: the versions, first to last.
        versions: of each reading, by its place in that order.
        values: as in the table.
        blocks: the pair of each value; -1 for none.
        sessions: that each was measured in.
    """

    order: tuple[str, ...]
    versions: NDArray[np.int64]
    values: Floats
    blocks: NDArray[np.int64]
    sessions: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The values of a series as they are compared: times by their logs.

    Attributes:
        labels: the versions that have it, in order.
        values: of each version's launches.
        blocks: the pair of each value; -1 for none.
        sessions: that each version was measured in.
    """

    labels: tuple[str, ...]
    values: tuple[Floats, ...]
    blocks: tuple[NDArray[np.int64], ...]
    sessions: tuple[frozenset[int], ...]

    @property
    def means(self) -> Floats:
        """One for each version."""
        return np.array([each.mean() for each in self.values])


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """Of the versions' means.

    Attributes:
        scale: their standard deviation, but for the number of launches.
        weights: the variance of each version's mean, in units of scale².
        degrees: of freedom of the scale; None where it is told by neighbours' scatter.
        source: as in `History.noise`.
    """

    scale: float
    weights: tuple[float, ...]
    degrees: int | None
    source: str

    def half_widths(self, level: float) -> Floats:
        """What each version's mean is beyond, on either side of the truth, with that chance."""
        degrees = np.array(np.inf if self.degrees is None else self.degrees)
        found: Floats = quantile(degrees, level) * self.scale * np.sqrt(self.weights)
        return found


def launches_of(frame: pd.DataFrame, order: Sequence[str]) -> Launches:
    """The readings of a frame, all of whose labels are in `order`."""
    places = {label: place for place, label in enumerate(order)}
    pairs = row_ids(frame, ("session", "pair"))
    return Launches(
        order=tuple(order),
        versions=np.array([places[label] for label in frame["label"].tolist()], dtype=np.int64),
        values=frame["value"].to_numpy(np.float64),
        blocks=np.where((frame["pair"] != "").to_numpy(), pairs, -1),
        sessions=row_ids(frame, ("session",)),
    )


def sample_of(launches: Launches, rows: NDArray[np.intp], by_logs: bool) -> Sample:
    """The readings of one series, which stand in these rows, by version in order."""
    values, versions = launches.values[rows], launches.versions[rows]
    values = np.log(values) if by_logs else values
    blocks, sessions = launches.blocks[rows], launches.sessions[rows]
    present = np.unique(versions).tolist()
    chosen = [versions == place for place in present]
    return Sample(
        labels=tuple(launches.order[place] for place in present),
        values=tuple(values[mask] for mask in chosen),
        blocks=tuple(blocks[mask] for mask in chosen),
        sessions=tuple(frozenset(sessions[mask].tolist()) for mask in chosen),
    )


def noise_of(sample: Sample, is_count: bool) -> Noise | None:
    """What the scatter of means without any change would be; None where nothing tells it."""
    count = len(sample.values)
    if is_count and all(np.ptp(each) == 0 for each in sample.values):
        return Noise(scale=0.0, weights=(1.0,) * count, degrees=None, source="exact")
    if all(each == sample.sessions[0] for each in sample.sessions):
        return _noise_of_launches(sample)
    if count < LEAST_APART:
        return None
    scale = float(np.median(np.abs(np.diff(sample.means)))) / NORMAL_MEDIAN
    return Noise(scale=scale, weights=(1.0,) * count, degrees=None, source="versions")


def _noise_of_launches(sample: Sample) -> Noise | None:
    """By launches; where every version is in every pair, after what pairs have in common."""
    counts = np.array([len(each) for each in sample.values])
    weights = tuple((1 / counts).tolist())
    blocks = [each.tolist() for each in sample.blocks]
    is_paired = -1 not in blocks[0] and all(sorted(each) == sorted(blocks[0]) for each in blocks)
    if is_paired and len(set(blocks[0])) == len(blocks[0]) > 1:
        rows = np.array(
            [each[np.argsort(of)] for each, of in zip(sample.values, sample.blocks, strict=True)]
        )
        rest = rows - rows.mean(axis=1, keepdims=True) - rows.mean(axis=0) + rows.mean()
        degrees = (rows.shape[0] - 1) * (rows.shape[1] - 1)
    else:
        rest = np.concatenate([each - each.mean() for each in sample.values])
        degrees = int(counts.sum() - len(counts))
    if degrees < 1:
        return None
    scale = float(np.sqrt((rest**2).sum() / degrees))
    return Noise(scale=scale, weights=weights, degrees=degrees, source="launches")
