"""What a run measured, one row for each version and case: for the end of `graphgauge run`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from results.frames import readings, row_ids
from results.judgement import case_name
from results.schema import (
    CASE_COLUMNS,
    OK,
    PREPARE_PHASES,
    is_exact_source,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """One case of one version. What was not measured is None.

    Attributes:
        label: the version.
        evaluator: the case's evaluator.
        scenario: the case's scenario.
        params: the case's parameters.
        mode: output or gradient.
        launches: launches that it was measured in.
        prepare_s: construct + differentiate + lower + compile, the first time in a process:
            the sum of the phases' medians over launches, in seconds; None until compile is done.
        first_call_s: median over launches, in seconds.
        seconds_per_call: of evaluate, median over launches.
        seconds_per_call_spread: interquartile range over launches; None for one launch.
        peak_bytes: of the phase with the highest peak, median over launches.
        held_bytes: at the end of evaluate, median over launches.
        memory_drift_bytes_per_call: of evaluate, median over launches; by an exact counter where
            there is one.
        time_drift_per_kcall: relative change of time per 1,000 calls, median over launches.
        status: ok, or the first failure's.
        detail: the first failure's.
    """

    label: str
    evaluator: str
    scenario: str
    params: str
    mode: str
    launches: int
    prepare_s: float | None
    first_call_s: float | None
    seconds_per_call: float | None
    seconds_per_call_spread: float | None
    peak_bytes: float | None
    held_bytes: float | None
    memory_drift_bytes_per_call: float | None
    time_drift_per_kcall: float | None
    status: str
    detail: str

    @property
    def case(self) -> str:
        """The case in one line, such as `planned chain depth=100;width=64 gradient`."""
        return case_name(self.evaluator, self.scenario, self.params, self.mode)


def summarise(frame: pd.DataFrame) -> tuple[CaseSummary, ...]:
    """One row for each version and case of `frame`, in order of appearance."""
    groups = row_ids(frame, ("label", *CASE_COLUMNS))
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return tuple(_summary(frame.iloc[rows]) for rows in np.split(order, starts[1:]) if len(rows))


def _summary(rows: pd.DataFrame) -> CaseSummary:
    first = next(readings(rows.iloc[:1]))
    failure = next(readings(rows[rows["status"] != OK].iloc[:1]), None)
    prepare = [_median(_values(rows, "first_time", phase)) for phase in PREPARE_PHASES]
    per_call = _values(rows, "time", "evaluate")
    peaks = [_median(_values(rows, "peak_memory", phase)) for phase in rows["phase"].unique()]
    return CaseSummary(
        label=first.label,
        evaluator=first.evaluator,
        scenario=first.scenario,
        params=first.params,
        mode=first.mode,
        launches=len(rows[["session", "launch"]].drop_duplicates()),
        prepare_s=None if prepare[-1] is None else sum(filter(None, prepare)),
        first_call_s=_median(_values(rows, "first_time", "first_call")),
        seconds_per_call=_median(per_call),
        seconds_per_call_spread=_interquartile_range(per_call),
        peak_bytes=max((peak for peak in peaks if peak is not None), default=None),
        held_bytes=_median(_values(rows, "held_memory", "evaluate", exact=False)),
        memory_drift_bytes_per_call=_median(_values(rows, "memory_drift", "evaluate", exact=True)),
        time_drift_per_kcall=_median(_values(rows, "time_drift", "evaluate")),
        status=OK if failure is None else failure.status,
        detail="" if failure is None else failure.detail,
    )


def _values(
    rows: pd.DataFrame, metric: str, phase: str, *, exact: bool | None = None
) -> Sequence[float]:
    """The values of a metric in a phase, of one source: the first to appear.

    Args:
        rows: readings of one version and case.
        metric: the metric.
        phase: the phase.
        exact: prefer sources that count exactly, or those that do not; None for any.
    """
    chosen = rows[(rows["metric"] == metric) & (rows["phase"] == phase) & (rows["status"] == OK)]
    if chosen.empty:
        return []
    sources = [str(source) for source in chosen["source"].unique()]
    preferred = [source for source in sources if is_exact_source(source) == exact]
    return chosen.loc[chosen["source"] == (preferred or sources)[0], "value"].tolist()


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def _interquartile_range(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return None
    low, high = np.quantile(values, [0.25, 0.75])
    return float(high - low)
