"""Versions brought face to face: of each series the difference, its standard error and its band."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.contrasts import Contrast, Measured, Series, chosen, contrast
from results.probe_noise import with_probe_noise
from results.schema import Case, is_exact_source
from results.sequential import LEAST_LOG_BAND, shares
from results.sessions import BetweenSessions, with_sessions
from results.statistics import Estimate, Floats

MEMORY_FLOOR_BYTES: Final = 512 * 1024
"""Changes of memory read from the kernel below this are not seen: VmHWM lags by up to 0.5 MB,
because the kernel batches its counters."""

MEMORY_DRIFT_FLOOR_BYTES_PER_CALL: Final = 1.0
"""Changes of memory drift up to this do not matter; the kernel's lag over the calls is added."""

TIME_DRIFT_FLOOR_PER_KCALL: Final = 1e-3
"""Changes of time drift up to this, 0.1 % per 1,000 calls, do not matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A candidate against the baseline; every array has an element for each series.

    Attributes:
        candidate: the candidate's label.
        contrast: its values against the baseline's.
        shared: True where both versions have values.
        by_logs: True where logs are compared.
        exactly: True where deterministic counts are compared without a test.
        has_ratio: True where a ratio means something: not of drifts, nor of what is not positive.
        estimate: the difference that is judged; without standard error where no test is made.
        band: differences up to this do not matter.
        in_looks: True where pairs may have ended at any look; elsewhere launches come in a number
            fixed beforehand.
        look_share: the share of a row's level that is spent at its number of pairs; 1 where no
            looks are made.
    """

    candidate: str
    contrast: Contrast
    shared: NDArray[np.bool_]
    by_logs: NDArray[np.bool_]
    exactly: NDArray[np.bool_]
    has_ratio: NDArray[np.bool_]
    estimate: Estimate
    band: Floats
    in_looks: NDArray[np.bool_]
    look_share: Floats

    @property
    def is_tested(self) -> NDArray[np.bool_]:
        """True for the rows of the family: values that never vary are taken at their word."""
        tested: NDArray[np.bool_] = self.estimate.standard_error > 0
        return tested


def trial(
    values: Measured,
    baseline: str,
    candidate: str,
    threshold: float,
    between_sessions: BetweenSessions,
) -> Trial:
    """Bring two versions face to face, and say for each series how it is judged.

    Args:
        values: the values of all versions.
        baseline: the baseline's label.
        candidate: the candidate's label.
        threshold: relative changes up to this do not matter.
        between_sessions: how far times lie apart from session to session.
    """
    found = contrast(values.side(baseline), values.side(candidate), len(values.series))
    kinds = _kinds(values.series)
    shared = (found.baseline.count > 0) & (found.candidate.count > 0)
    by_logs = shared & (kinds == "time") & np.isfinite(found.log_ratio.value)
    is_constant = ~((found.baseline.variance > 0) | (found.candidate.variance > 0))
    exactly = shared & (kinds == "count") & is_constant
    across = with_sessions(
        found.log_ratio, found.session_imbalance, found.by_speed, between_sessions
    )
    difference = with_probe_noise(
        found.difference, found, _is_lagging(values.series), _cases(values.series)
    )
    estimate = chosen(by_logs, across, difference)
    is_testable = shared & ~exactly & np.isfinite(estimate.value + estimate.standard_error)
    sizes = (np.abs(found.baseline.mean) + np.abs(found.candidate.mean)) / 2
    band = np.maximum(np.where(kinds == "drift", 0.0, threshold * sizes), _floors(values.series))
    in_looks = _is_in_looks(values.series, found)
    return Trial(
        candidate=candidate,
        contrast=found,
        shared=shared,
        by_logs=by_logs,
        exactly=exactly,
        has_ratio=shared
        & (kinds != "drift")
        & (found.baseline.mean > 0)
        & (found.candidate.mean > 0),
        estimate=Estimate(
            value=estimate.value,
            standard_error=np.where(is_testable, estimate.standard_error, np.nan),
            degrees=np.where(is_testable, estimate.degrees, np.nan),
        ),
        band=np.where(by_logs, np.log1p(threshold) + LEAST_LOG_BAND, band),
        in_looks=in_looks,
        look_share=np.where(in_looks, shares(found.baseline.count, found.has_ended), 1.0),
    )


def by_time(series: Sequence[Series]) -> NDArray[np.bool_]:
    """True for the series whose values are times."""
    found: NDArray[np.bool_] = _kinds(series) == "time"
    return found


def _kinds(series: Sequence[Series]) -> NDArray[np.object_]:
    return np.array([one.kind for one in series], dtype=object)


def _is_lagging(series: Sequence[Series]) -> NDArray[np.bool_]:
    """True for memory that the kernel's counters tell, which lag."""
    lagging = [one.kind == "memory" and not is_exact_source(one.source) for one in series]
    return np.array(lagging, dtype=bool)


def _cases(series: Sequence[Series]) -> NDArray[np.int64]:
    """A number for each series, equal where they are of one case."""
    numbers: dict[Case, int] = {}
    return np.array([numbers.setdefault(one.case, len(numbers)) for one in series], dtype=np.int64)


def _floors(series: Sequence[Series]) -> Floats:
    """The difference, in each series' unit, below which nothing can be told or nothing matters."""
    floors: Floats = np.array([_floor(one) for one in series], dtype=np.float64)
    return floors


def _floor(one: Series) -> float:
    lag_bytes = 0 if is_exact_source(one.source) else MEMORY_FLOOR_BYTES
    if one.kind == "memory":
        return lag_bytes
    if one.metric == "memory_drift":
        lag_per_call = 0.0 if math.isnan(one.fewest_calls) else lag_bytes / max(one.fewest_calls, 1)
        return MEMORY_DRIFT_FLOOR_BYTES_PER_CALL + lag_per_call
    return TIME_DRIFT_FLOOR_PER_KCALL if one.metric == "time_drift" else 0.0


def _is_in_looks(series: Sequence[Series], found: Contrast) -> NDArray[np.bool_]:
    """Pairs against the clock may end at any look, all else is planned."""
    by_clock = [one.kind == "time" or one.metric == "time_drift" for one in series]
    in_looks: NDArray[np.bool_] = found.is_paired & np.array(by_clock, dtype=bool)
    return in_looks
