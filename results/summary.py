"""What a run measured, one row for each version and case: for the end of `graphgauge run`."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.frames import first_appearance, readings, row_ids
from results.judgement import case_name
from results.schema import (
    CASE_COLUMNS,
    OK,
    PHASES,
    PREPARE_PHASES,
    YARDSTICK,
    Reading,
    is_exact_source,
)
from results.steadiness import steadiness, told

BREAK_EVEN: Final = ("interpreter", "straightline")
"""The evaluators that cost little to prepare: what a longer preparation has to pay off against."""


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
        steady: how the blocks of its launches ran, such as `flat` or `flat 7, warm-up 3`; None
            where it was not told.
        break_even_calls: by evaluator in `BREAK_EVEN`, how many calls it takes until this one's
            prepare and first call have paid for themselves; 0 where it is never behind, infinite
            where it is not ahead in the long run, None where either was not measured.
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
    steady: str | None
    status: str
    detail: str
    break_even_calls: tuple[float | None, ...] = (None,) * len(BREAK_EVEN)

    @property
    def case(self) -> str:
        """The case in one line, such as `planned chain depth=100;width=64 gradient`."""
        return case_name(self.evaluator, self.scenario, self.params, self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quartiles:
    """Of the launches' values of one metric, in its unit."""

    low: float
    median: float
    high: float
    count: int


_Found = Mapping[tuple[str, str], Mapping[str, _Quartiles]]
"""What a case's launches gave: (metric, phase) -> source -> quartiles."""


def summarise(frame: pd.DataFrame) -> tuple[CaseSummary, ...]:
    """One row for each version and case of `frame`, in order of appearance; yardsticks are none."""
    frame = frame[frame["evaluator"] != YARDSTICK]
    groups = row_ids(frame, ("label", *CASE_COLUMNS))
    distinct = ~pd.Series(
        row_ids(frame, ("label", *CASE_COLUMNS, "session", "launch"))
    ).duplicated()
    launches = np.bincount(groups[distinct.to_numpy()])
    firsts = readings(frame[~pd.Series(groups).duplicated().to_numpy()])
    failures = _first_failures(frame, groups)
    found = _quartiles(frame, groups)
    kinds = steadiness(frame)
    return _with_break_even(
        [
            _summary(
                first,
                found.get(group, {}),
                failures.get(group),
                int(launches[group]),
                kinds.get(
                    (first.label, (first.evaluator, first.scenario, first.params, first.mode))
                ),
            )
            for group, first in enumerate(firsts)
        ]
    )


def break_even_calls(candidate: CaseSummary, baseline: CaseSummary) -> float | None:
    """The number of calls from which on the candidate has cost less time in all.

    Of n calls each costs prepare + first call + (n - 1) calls. 0 where the candidate is never
    behind, infinite where it is not ahead in the long run, None where a figure is missing.
    """
    if candidate.seconds_per_call is None or baseline.seconds_per_call is None:
        return None
    before = _before_second_call(candidate), _before_second_call(baseline)
    if before[0] is None or before[1] is None:
        return None
    behind_s = before[0] - before[1]
    gained_s = baseline.seconds_per_call - candidate.seconds_per_call
    if behind_s <= 0 and gained_s >= 0:
        return 0.0
    if gained_s <= 0:
        return math.inf
    return max(0.0, float(math.ceil(1 + behind_s / gained_s)))


def _before_second_call(summary: CaseSummary) -> float | None:
    if summary.prepare_s is None or summary.first_call_s is None:
        return None
    return summary.prepare_s + summary.first_call_s


def _with_break_even(summaries: Sequence[CaseSummary]) -> tuple[CaseSummary, ...]:
    """The same, each against the baselines of its own label, scenario, size and mode."""
    baselines = {
        (each.label, each.scenario, each.params, each.mode, each.evaluator): each
        for each in summaries
        if each.evaluator in BREAK_EVEN
    }

    def of_one(summary: CaseSummary, name: str) -> float | None:
        key = (summary.label, summary.scenario, summary.params, summary.mode, name)
        baseline = baselines.get(key)
        if baseline is None or name == summary.evaluator:
            return None
        return break_even_calls(summary, baseline)

    return tuple(
        replace(each, break_even_calls=tuple(of_one(each, name) for name in BREAK_EVEN))
        for each in summaries
    )


def _first_failures(frame: pd.DataFrame, groups: NDArray[np.int64]) -> dict[int, Reading]:
    is_bad = (frame["status"] != OK).to_numpy()
    bad_groups = groups[is_bad]
    is_first = ~pd.Series(bad_groups).duplicated().to_numpy()
    failures = readings(frame[is_bad][is_first])
    return dict(zip(bad_groups[is_first].tolist(), failures, strict=True))


def _quartiles(frame: pd.DataFrame, groups: NDArray[np.int64]) -> dict[int, _Found]:
    columns = ("metric", "phase", "source")
    good = (frame["status"] == OK).to_numpy()
    values = frame.loc[good, [*columns, "value"]]
    series = first_appearance(groups[good] * len(frame) + row_ids(values, columns))
    by_series = values["value"].groupby(series)
    first = ~pd.Series(series).duplicated().to_numpy()
    names = (values.loc[first, name].astype("str").tolist() for name in columns)
    figures = (
        *(by_series.quantile(share).tolist() for share in (0.25, 0.5, 0.75)),
        by_series.count().tolist(),
    )
    found: dict[int, dict[tuple[str, str], dict[str, _Quartiles]]] = {}
    for group, metric, phase, source, low, median, high, count in zip(
        groups[good][first].tolist(), *names, *figures, strict=True
    ):
        by_source = found.setdefault(group, {}).setdefault((metric, phase), {})
        by_source[source] = _Quartiles(low=low, median=median, high=high, count=count)
    return dict(found)


def _summary(
    first: Reading,
    found: _Found,
    failure: Reading | None,
    launches: int,
    kinds: "Counter[str] | None",
) -> CaseSummary:
    prepare = [_median(found, "first_time", phase) for phase in PREPARE_PHASES]
    peaks = [_median(found, "peak_memory", phase) for phase in PHASES]
    per_call = _chosen(found, "time", "evaluate")
    return CaseSummary(
        label=first.label,
        evaluator=first.evaluator,
        scenario=first.scenario,
        params=first.params,
        mode=first.mode,
        launches=launches,
        prepare_s=None if prepare[-1] is None else sum(filter(None, prepare)),
        first_call_s=_median(found, "first_time", "first_call"),
        seconds_per_call=None if per_call is None else per_call.median,
        seconds_per_call_spread=(
            None if per_call is None or per_call.count < 2 else per_call.high - per_call.low
        ),
        peak_bytes=max((peak for peak in peaks if peak is not None), default=None),
        held_bytes=_median(found, "held_memory", "evaluate", prefers_exact=False),
        memory_drift_bytes_per_call=_median(found, "memory_drift", "evaluate", prefers_exact=True),
        time_drift_per_kcall=_median(found, "time_drift", "evaluate"),
        steady=None if kinds is None else told(kinds),
        status=OK if failure is None else failure.status,
        detail="" if failure is None else failure.detail,
    )


def _median(
    found: _Found, metric: str, phase: str, *, prefers_exact: bool | None = None
) -> float | None:
    chosen = _chosen(found, metric, phase, prefers_exact=prefers_exact)
    return None if chosen is None else chosen.median


def _chosen(
    found: _Found, metric: str, phase: str, *, prefers_exact: bool | None = None
) -> _Quartiles | None:
    """The quartiles by one source: the first of the preferred kind, else the first."""
    by_source = found.get((metric, phase), {})
    preferred = [name for name in by_source if is_exact_source(name) == prefers_exact]
    return next((by_source[name] for name in (*preferred, *by_source)), None)
