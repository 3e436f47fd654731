"""New leaks: drifts whose class says more than their mean over launches can.

Whether memory leaks is decided within each launch, over hundreds of calls; two launches that both
leak are proof enough, while a test over two launches has hardly any power. So a drift that is a
leak (or a slowing) in every launch of one version, and in no launch of the other, is judged by
that. An inconclusive launch decides nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.drift import class_of, interval_of
from results.frames import readings, row_ids
from results.judgement import Row, Verdict
from results.notes import parse_notes
from results.schema import CASE_COLUMNS, METRICS, OK, Reading
from results.units import quantity

_GROWING: Final = ("leak", "slowing")
_SETTLED: Final = ("flat", "plateau")
_LEAST_LAUNCHES: Final = {"memory_drift": 1, "time_drift": 3}
"""Bytes are counted exactly; a machine that slows for a while makes every call slow."""

_SERIES_COLUMNS: Final = (*CASE_COLUMNS, "phase", "metric")

_Key = tuple[str, ...]


def with_leaks(rows: Iterable[Row], frame: pd.DataFrame) -> list[Row]:
    """`rows` with the verdicts of new leaks, and of leaks that are gone.

    Args:
        rows: of a comparison.
        frame: the readings that they were made from.
    """
    drifts = _drifts(frame)
    if not drifts:
        return list(rows)
    return [_judged(row, drifts) if row.metric in _LEAST_LAUNCHES else row for row in rows]


def _drifts(frame: pd.DataFrame) -> Mapping[_Key, list[Reading]]:
    """The drifts of each version of each series in which some version grows in every launch."""
    found: dict[_Key, list[Reading]] = defaultdict(list)
    chosen = frame[frame["metric"].isin(list(_LEAST_LAUNCHES)) & (frame["status"] == OK)]
    for reading in readings(chosen[_has_growing_version(chosen)]):
        key = (reading.label, reading.evaluator, reading.scenario, reading.params)
        found[*key, reading.mode, reading.phase, reading.metric].append(reading)
    return found


def _has_growing_version(drifts: pd.DataFrame) -> NDArray[np.bool_]:
    """True for the rows of each series that a version of has growing launches only."""
    details = drifts["detail"].cat
    grows = np.array([class_of(text) in _GROWING for text in details.categories], dtype=bool)
    versions = row_ids(drifts, ("label", *_SERIES_COLUMNS))
    others = np.bincount(versions, weights=~grows[details.codes.to_numpy()])
    series = row_ids(drifts, _SERIES_COLUMNS)
    chosen: NDArray[np.bool_] = np.isin(series, series[others[versions] == 0])
    return chosen


def _judged(row: Row, drifts: Mapping[_Key, list[Reading]]) -> Row:
    case = (row.evaluator, row.scenario, row.params, row.mode, row.phase, row.metric)
    before = drifts.get((row.baseline_label, *case), [])
    after = drifts.get((row.candidate_label, *case), [])
    for grown, settled, verdict in ((after, before, "regressed"), (before, after, "improved")):
        if _all(grown, _GROWING, row.metric) and _all(settled, _SETTLED, row.metric):
            return _decided(row, verdict, grown, settled)  # type: ignore[arg-type]
    return row


def _all(drifts: Sequence[Reading], classes: Sequence[str], metric: str) -> bool:
    """Whether every launch has one of those classes, and there are enough of them."""
    enough = len(drifts) >= _LEAST_LAUNCHES[metric]
    return enough and all(class_of(each.detail) in classes for each in drifts)


def _decided(
    row: Row, verdict: Verdict, grown: Sequence[Reading], settled: Sequence[Reading]
) -> Row:
    kind = class_of(grown[0].detail)
    what = f"new {kind}" if verdict == "regressed" else f"the {kind} is gone"
    other = " or ".join(sorted({class_of(each.detail) for each in settled}))
    side = "before" if verdict == "regressed" else "now"
    launches = f"{len(grown)} of {len(grown)} launches"
    reason = f"{what}: {_told(grown[0])} in {launches}; {other} {side}"
    return replace(row, verdict=verdict, reason=reason)


def _told(drift: Reading) -> str:
    """The drift and its interval within its launch."""
    unit = METRICS[drift.metric].unit
    notes = parse_notes(drift.detail)
    text = quantity(drift.value or 0.0, unit)
    interval = interval_of(notes)
    if interval is not None:
        text += f" [{quantity(interval[0], unit)}, {quantity(interval[1], unit)}]"
    return text + (f", per {notes['per']}" if "per" in notes else "")
