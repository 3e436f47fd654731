"""Sweeps in a table: the same case at several sizes, by version."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from results.judgement import VERDICTS, GrowthRow, Verdict, case_name
from results.report.plots import Plot, unit_for
from results.schema import METRICS, OK, PHASES

_KINDS = ("time", "memory", "count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The order that a number grows with, in the baseline and in a candidate.

    Attributes:
        number: phase and metric.
        version: the candidate's label.
        baseline: in words and figures, such as `linear, 1.02 [0.98, 1.06]`.
        candidate: likewise.
        verdict: regressed for a worse order.
        reason: why, in words.
    """

    number: str
    version: str
    baseline: str
    candidate: str
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One case at several sizes.

    Attributes:
        name: the case, with its size left open.
        size: the parameter that tells the size.
        plots: for each number that was measured at several sizes, its medians over launches.
        orders: that these grow with, worse ones first.
    """

    name: str
    size: str
    plots: list[Plot]
    orders: list[Order]


def families(
    frame: pd.DataFrame, versions: Sequence[str], growth: Sequence[GrowthRow]
) -> list[Family]:
    """Cases alike in all but one parameter that is a number, of at least two values."""
    orders = _orders(growth)
    good = frame[(frame["status"] == OK) & (frame["value"] > 0)]
    names = ["evaluator", "scenario", "mode", "params"]
    distinct = good[names].drop_duplicates().astype("str").itertuples(index=False, name=None)
    sweeps: dict[tuple[str, ...], dict[str, float]] = {}
    for evaluator, scenario, mode, params in distinct:
        for key, size, rest in _sizes(params):
            sweeps.setdefault((evaluator, scenario, mode, key, rest), {})[params] = size
    wanted = {sweep: sizes for sweep, sizes in sweeps.items() if len(set(sizes.values())) > 1}
    if not wanted:
        return []
    swept = {(sweep[0], sweep[1], sweep[2], each) for sweep in wanted for each in wanted[sweep]}
    medians = _medians(good, swept)
    return [
        family
        for sweep, sizes in wanted.items()
        if (family := _family(sweep, sizes, medians, versions, orders.get(sweep, []))).plots
    ]


def _sizes(params: str) -> Iterator[tuple[str, float, str]]:
    """Each parameter that is a positive number: its name, its value, and the others."""
    items = [item.partition("=") for item in params.split(";") if item]
    for key, _, value in items:
        try:
            size = float(value)
        except ValueError:
            continue
        if size > 0:
            rest = ";".join("".join(item) for item in items if item[0] != key)
            yield key, size, rest


_Medians = Mapping[tuple[str, str, str, str], Mapping[tuple[str, str, str], tuple[float, int]]]
"""Case -> (phase, metric, label) -> median over launches, and their number."""


def _medians(good: pd.DataFrame, swept: set[tuple[str, str, str, str]]) -> _Medians:
    kinds = [name for name, metric in METRICS.items() if metric.kind in _KINDS]
    columns = ["evaluator", "scenario", "mode", "params", "phase", "metric", "label"]
    grouped = good[good["metric"].isin(kinds)].groupby([*columns, "source"], observed=True)["value"]
    found: dict[tuple[str, str, str, str], dict[tuple[str, str, str], tuple[float, int]]] = {}
    table = grouped.agg(["median", "count"]).reset_index()
    for (
        evaluator,
        scenario,
        mode,
        params,
        phase,
        metric,
        label,
        _,
        median,
        count,
    ) in table.itertuples(index=False, name=None):
        case = (evaluator, scenario, mode, params)
        if case in swept:
            found.setdefault(case, {}).setdefault((phase, metric, label), (median, int(count)))
    return found


def _orders(growth: Sequence[GrowthRow]) -> dict[tuple[str, ...], list[Order]]:
    """By evaluator, scenario, mode, the parameter that grows, and the others."""
    found: dict[tuple[str, ...], list[Order]] = {}
    for row in sorted(growth, key=lambda row: VERDICTS.index(row.verdict)):
        sweep = (row.evaluator, row.scenario, row.mode, row.parameter, row.params)
        found.setdefault(sweep, []).append(
            Order(
                number=f"{row.phase} {row.metric}",
                version=row.candidate_label,
                baseline=row.baseline,
                candidate=row.candidate,
                verdict=row.verdict,
                reason=row.reason,
            )
        )
    return found


def _family(
    sweep: tuple[str, ...],
    sizes: Mapping[str, float],
    medians: _Medians,
    versions: Sequence[str],
    orders: list[Order],
) -> Family:
    evaluator, scenario, mode, key, rest = sweep
    name = case_name(evaluator, scenario, ";".join(filter(None, (f"{key}=…", rest))), mode)
    ordered = sorted(sizes.items(), key=lambda item: item[1])
    by_size = [(size, medians.get((evaluator, scenario, mode, each), {})) for each, size in ordered]
    plots = []
    for metric in METRICS:
        for phase in PHASES:
            records = [
                {
                    "version": version,
                    "size": size,
                    "value": found[phase, metric, version][0],
                    "launches": found[phase, metric, version][1],
                }
                for version in versions
                for size, found in by_size
                if (phase, metric, version) in found
            ]
            if len({record["size"] for record in records}) > 1:
                plots.append(_plot(name, phase, metric, key, records))
    return Family(name=name, size=key, plots=plots, orders=orders)


def _plot(
    name: str, phase: str, metric: str, key: str, records: Sequence[Mapping[str, object]]
) -> Plot:
    base = METRICS[metric].unit
    unit, scale = unit_for(max(float(str(record["value"])) for record in records), base)
    return Plot(
        kind="growth",
        title=f"{phase} {metric} of {name}",
        x=key,
        base=base,
        unit=unit,
        scale=scale,
        values=records,
    )
