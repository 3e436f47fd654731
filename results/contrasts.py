"""Readings of two versions brought face to face: series by series, pair by pair."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.frames import row_ids
from results.notes import as_number, parse_notes
from results.pairs import LAST_PAIR_NOTE, LOG_RATIO_ERROR_NOTE, LOG_RATIO_NOTE, weighed
from results.schema import CASE_COLUMNS, METRICS, OK, YARDSTICK, Case, Kind
from results.statistics import Estimate, Floats, Moments, moments, paired, welch
from results.yardsticks import log_speeds, speeds_beside

SERIES_COLUMNS = (*CASE_COLUMNS, "phase", "metric", "unit", "source")
"""What names a series: the values of its launches can be compared with each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesName:
    """What names values that can be compared with each other, one of each launch.

    Attributes:
        evaluator: the case's evaluator.
        scenario: the case's scenario.
        params: the case's parameters.
        mode: output or gradient.
        phase: what was measured.
        metric: by which metric.
        unit: of the values.
        source: the clock or probe.
    """

    evaluator: str
    scenario: str
    params: str
    mode: str
    phase: str
    metric: str
    unit: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series(SeriesName):
    """A series of a comparison.

    Attributes:
        fewest_calls: the fewest calls that a value stands on; NaN if unknown.
    """

    fewest_calls: float

    @property
    def case(self) -> Case:
        """The case it belongs to."""
        return (self.evaluator, self.scenario, self.params, self.mode)

    @property
    def kind(self) -> Kind:
        """The metric's kind."""
        return METRICS[self.metric].kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The values of one version.

    Attributes:
        series: the series that each value belongs to.
        pairs: the pair that each value belongs to; -1 for none.
        sessions: the session that each value belongs to.
        values: the values, one of each launch, in the series' unit.
        log_ratios: the log ratio to the first side of its pair, noted by who measured it; NaN where
            there is no note.
        log_errors: standard errors of these, noted likewise.
        speeds: log of the yardstick's time in each value's session; NaN where it is not known.
        is_last: True for the values of a pair that was declared to be the last one.
    """

    series: NDArray[np.int64]
    pairs: NDArray[np.int64]
    sessions: NDArray[np.int64]
    values: Floats
    log_ratios: Floats
    log_errors: Floats
    speeds: Floats
    is_last: NDArray[np.bool_]

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> "Side":
        """The chosen values, by mask or by index."""
        return Side(
            series=self.series[chosen],
            pairs=self.pairs[chosen],
            sessions=self.sessions[chosen],
            values=self.values[chosen],
            log_ratios=self.log_ratios[chosen],
            log_errors=self.log_errors[chosen],
            speeds=self.speeds[chosen],
            is_last=self.is_last[chosen],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All values that can be compared, arranged by series.

    Attributes:
        series: the series, in order of appearance.
        labels: the label of each value.
        values: the values of all versions.
    """

    series: tuple[Series, ...]
    labels: NDArray[np.object_]
    values: Side

    def side(self, label: str) -> Side:
        """The values of one version."""
        return self.values.only(self.labels == label)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLogs:
    """The log ratio of each pair that is compared, of all series.

    Attributes:
        series: the series that each belongs to.
        pairs: the pair; the same number stands for launches alive at the same time.
        values: log candidate less log baseline; NaN where there is none.
        weights: of each in the mean of its series; those of a series add up to 1.
    """

    series: NDArray[np.int64]
    pairs: NDArray[np.int64]
    values: Floats
    weights: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Two versions, series by series; every field but `pair_logs` has an element for each series.

    Attributes:
        is_paired: True where launches were interleaved and are compared pair by pair.
        set_aside: launches left out because their partner is missing.
        session_imbalance: what the variance between sessions is multiplied by in the difference:
            the sum over sessions of the squared difference of the shares of the two sides' launches
            that were measured in it; 0 for pairs, 2 for two sessions that share nothing.
        baseline: moments of the values compared.
        candidate: likewise.
        log_baseline: moments of their logs; NaN where a value is not positive.
        log_candidate: likewise.
        difference: candidate less baseline.
        log_ratio: log candidate less log baseline.
        pair_logs: the log ratios of pairs, of all paired series.
        by_speed: True where `log_ratio` is corrected for the machine's speed in each session.
        has_ended: True where the last of the pairs was declared to be it.
    """

    is_paired: NDArray[np.bool_]
    set_aside: NDArray[np.int64]
    session_imbalance: Floats
    baseline: Moments
    candidate: Moments
    log_baseline: Moments
    log_candidate: Moments
    difference: Estimate
    log_ratio: Estimate
    pair_logs: PairLogs
    by_speed: NDArray[np.bool_]
    has_ended: NDArray[np.bool_]


def measured(frame: pd.DataFrame, *, same_yardstick: bool = True) -> Measured:
    """The readings of `frame` that are ok and of a kind that is compared; no yardstick's.

    `same_yardstick` says whether yardsticks are the same work in all of them.
    """
    compared = [name for name, metric in METRICS.items() if metric.kind != "error"]
    is_good = (frame["status"] == OK) & frame["metric"].isin(compared)
    good = frame[is_good & (frame["evaluator"] != YARDSTICK)]
    series = row_ids(good, SERIES_COLUMNS)
    first = ~pd.Series(series).duplicated().to_numpy()
    fewest_calls = np.full(int(first.sum()), np.nan)
    np.fmin.at(fewest_calls, series, good["calls"].to_numpy(np.float64, na_value=np.nan))
    names = (good.loc[first, name].astype("str").tolist() for name in SERIES_COLUMNS)
    has_pair = (good["pair"] != "").to_numpy()
    return Measured(
        series=tuple(
            Series(**dict(zip(SERIES_COLUMNS, texts, strict=True)), fewest_calls=calls)
            for *texts, calls in zip(*names, fewest_calls.tolist(), strict=True)
        ),
        labels=good["label"].to_numpy(dtype=object),
        values=Side(
            series=series,
            pairs=np.where(has_pair, row_ids(good, ("session", "pair")), -1),
            sessions=row_ids(good, ("session",)),
            values=good["value"].to_numpy(np.float64),
            log_ratios=noted_numbers(good["detail"], LOG_RATIO_NOTE),
            log_errors=noted_numbers(good["detail"], LOG_RATIO_ERROR_NOTE),
            speeds=speeds_beside(good, log_speeds(frame) if same_yardstick else {}),
            is_last=_has_note(good["detail"], LAST_PAIR_NOTE),
        ),
    )


def noted_numbers(details: "pd.Series[Any]", name: str) -> Floats:
    """The number that each detail notes by this name; NaN where it notes none."""
    texts = details.cat.categories.tolist()
    numbers = np.array([*(_noted(text, name) for text in texts), np.nan], dtype=np.float64)
    found: Floats = numbers[details.cat.codes.to_numpy()]
    return found


def _has_note(details: "pd.Series[Any]", name: str) -> NDArray[np.bool_]:
    """Whether each detail has a note by this name."""
    has = [name in text and name in parse_notes(text) for text in details.cat.categories.tolist()]
    found: NDArray[np.bool_] = np.array([*has, False])[details.cat.codes.to_numpy()]
    return found


def _noted(detail: str, name: str) -> float:
    if name not in detail:
        return np.nan
    number = as_number(parse_notes(detail).get(name))
    return np.nan if number is None else number


def contrast(baseline: Side, candidate: Side, size: int) -> Contrast:
    """Compare two versions in each of `size` series, over pairs where there are pairs.

    A series is paired if every value of it has a pair and at least one pair is whole. A pair's log
    ratio is the one that was noted when it was measured, else that of its two values.
    """
    ours, theirs = _partners(baseline, candidate)
    whole = np.bincount(baseline.series[ours], minlength=size)
    lone = np.bincount(baseline.series[baseline.pairs < 0], minlength=size) + np.bincount(
        candidate.series[candidate.pairs < 0], minlength=size
    )
    is_paired = (whole > 0) & (lone == 0)
    in_pairs = is_paired[baseline.series[ours]]
    ours, theirs = ours[in_pairs], theirs[in_pairs]
    kept = [_kept(baseline, ours, is_paired), _kept(candidate, theirs, is_paired)]
    left, right = baseline.only(ours), candidate.only(theirs)
    raw = [moments(side.values, side.series, size) for side in kept]
    logs = [moments(_log(side.values), side.series, size) for side in kept]
    differences = moments(right.values - left.values, left.series, size)
    pair_ratios, pair_errors = _log_ratios(left, right)
    over_pairs = weighed(pair_ratios, pair_errors, left.series, size)
    imbalance = np.where(is_paired, 0.0, _session_imbalance(baseline, candidate, size))
    slower = _mean_speed(kept[1], size) - _mean_speed(kept[0], size)
    by_speed = (imbalance > 0) & np.isfinite(slower)
    plain = welch(*logs)
    unpaired_logs = replace(plain, value=plain.value - np.where(by_speed, slower, 0.0))
    total = np.bincount(baseline.series, minlength=size) + np.bincount(
        candidate.series, minlength=size
    )
    return Contrast(
        is_paired=is_paired,
        set_aside=total - raw[0].count - raw[1].count,
        session_imbalance=imbalance,
        baseline=raw[0],
        candidate=raw[1],
        log_baseline=logs[0],
        log_candidate=logs[1],
        difference=chosen(is_paired, paired(differences), welch(*raw)),
        log_ratio=chosen(is_paired, over_pairs.estimate, unpaired_logs),
        pair_logs=PairLogs(
            series=left.series,
            pairs=left.pairs,
            values=over_pairs.values,
            weights=over_pairs.weights,
        ),
        by_speed=by_speed,
        has_ended=_has_ended(left, right, size),
    )


def chosen(mask: NDArray[np.bool_], where_true: Estimate, where_false: Estimate) -> Estimate:
    """Element by element one of two estimates."""
    parts = {
        field.name: np.where(
            mask, getattr(where_true, field.name), getattr(where_false, field.name)
        )
        for field in fields(Estimate)
    }
    return Estimate(**parts)


def _partners(baseline: Side, candidate: Side) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices into both sides of the values that share series and pair, in matching order."""
    width = max(baseline.pairs.max(initial=-1), candidate.pairs.max(initial=-1)) + 2
    keys = [
        np.where(side.pairs >= 0, side.series * width + side.pairs, absent)
        for side, absent in ((baseline, -1), (candidate, -2))
    ]
    _, ours, theirs = np.intersect1d(keys[0], keys[1], return_indices=True)
    return ours, theirs


def _kept(side: Side, partnered: NDArray[np.int64], is_paired: NDArray[np.bool_]) -> Side:
    """The values of unpaired series, and of paired series those that have a partner."""
    keep = ~is_paired[side.series]
    keep[partnered] = True
    return side.only(keep)


def _has_ended(baseline: Side, candidate: Side, size: int) -> NDArray[np.bool_]:
    """Of each series, whether its last pair was declared so; pairs are numbered as they came."""
    last = np.full(size, -1, dtype=np.int64)
    np.maximum.at(last, baseline.series, baseline.pairs)
    is_declared = (baseline.is_last & candidate.is_last) & (baseline.pairs == last[baseline.series])
    ended: NDArray[np.bool_] = np.bincount(baseline.series[is_declared], minlength=size) > 0
    return ended


def _log_ratios(baseline: Side, candidate: Side) -> tuple[Floats, Floats]:
    """Of each pair, and its standard error; NaN where the pair's launches do not note it.

    A pair's first side has no note, for it is what the others are noted to.
    """
    sides = (baseline, candidate)
    is_noted = ~(np.isnan(baseline.log_ratios) & np.isnan(candidate.log_ratios))
    noted = np.nan_to_num(candidate.log_ratios) - np.nan_to_num(baseline.log_ratios)
    variances = (np.where(np.isnan(one.log_ratios), 0.0, one.log_errors**2) for one in sides)
    errors: Floats = np.where(is_noted, np.sqrt(sum(variances)), np.nan)
    found: Floats = np.where(is_noted, noted, _log(candidate.values) - _log(baseline.values))
    return found, errors


def _mean_speed(side: Side, size: int) -> Floats:
    """Of each series' values, the mean log speed of their sessions; NaN where one is not known."""
    total = np.bincount(side.series, weights=side.speeds, minlength=size)
    with np.errstate(all="ignore"):
        mean: Floats = total / np.bincount(side.series, minlength=size)
    return mean


def _session_imbalance(baseline: Side, candidate: Side, size: int) -> Floats:
    """How far the shares of sessions lie apart, summed over the sessions that a series has."""
    width = max(baseline.sessions.max(initial=-1), candidate.sessions.max(initial=-1)) + 1
    keys = [side.series * width + side.sessions for side in (baseline, candidate)]
    cells, places = np.unique(np.concatenate(keys), return_inverse=True)
    series = cells // max(width, 1)
    shares: list[Floats] = []
    for found in np.split(places, [len(keys[0])]):
        launches = np.bincount(found, minlength=len(cells)).astype(np.float64)
        whole = np.bincount(series, weights=launches, minlength=size)
        shares.append(launches / np.maximum(whole[series], 1.0))
    imbalance: Floats = np.bincount(
        series, weights=(shares[0] - shares[1]) ** 2, minlength=size
    ).astype(np.float64)
    return imbalance


def _log(values: Floats) -> Floats:
    """Natural logs; NaN where there is none, which spreads to all of the series."""
    logs: Floats = np.log(values, out=np.full(values.shape, np.nan), where=values > 0)
    return logs
