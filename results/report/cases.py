"""Each case of a report: its numbers by version and launch, and the plots of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from results.failures import Failure
from results.formats.wording import mean_text
from results.frames import readings, row_ids
from results.judgement import case_name
from results.report.histories import SeriesKey
from results.report.plots import Kind, Plot, unit_for
from results.report.timelines import Timeline, thinned
from results.schema import CASE_COLUMNS, METRICS, OK, PHASES

_ALL_SAMPLES: Final = 200_000
_MOST_SAMPLES: Final = 240
_FEWEST_SAMPLES: Final = 12
"""Samples along launches that a page holds: in all where it can, at most and at least of each."""

_SERIES_COLUMNS: Final = ("phase", "metric", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One metric of one phase of one case, by one source.

    Attributes:
        phase: what was measured.
        metric: by which metric.
        source: by which clock or probe.
        told: for each version the median over launches ± the standard deviation; – for none.
        plot: a dot for each launch.
        history: over the versions in order; None for fewer than three.
    """

    phase: str
    metric: str
    source: str
    told: list[str]
    plot: Plot
    history: Plot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a report.

    Attributes:
        name: evaluator, scenario, params and mode in one line.
        evaluator: the evaluator's name.
        scenario: the scenario's name.
        params: its parameters.
        mode: output or gradient.
        evaluator_versions: what the evaluator says of itself, for each version of the report.
        failures: for each version, how it fails; empty where it does not.
        numbers: what was measured.
        phases: the time of each phase, stacked; None where no time was measured.
        memory: along memory launches; None where there is none.
        time: per call along time launches; None where there is none.
    """

    name: str
    evaluator: str
    scenario: str
    params: str
    mode: str
    evaluator_versions: list[str]
    failures: list[str]
    numbers: list[Number]
    phases: Plot | None
    memory: Plot | None
    time: Plot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """The launches' values of one number, by version.

    Attributes:
        phase: as in a table.
        metric: likewise.
        source: likewise.
        unit: likewise.
        values: a record for each version that has any: version, launch, value, spread.
        medians: by version.
        deviations: standard deviations over launches, by version; NaN for one launch.
    """

    phase: str
    metric: str
    source: str
    unit: str
    values: list[Mapping[str, object]]
    medians: dict[str, float]
    deviations: dict[str, float]


def cases(
    frame: pd.DataFrame,
    versions: Sequence[str],
    *,
    memory: Sequence[Timeline],
    blocks: Sequence[Timeline],
    histories: Mapping[SeriesKey, Plot],
) -> list[Case]:
    """Every case of `frame`, in order of appearance, with what went on along its launches."""
    ids = row_ids(frame, CASE_COLUMNS)
    first = ~pd.Series(ids).duplicated().to_numpy()
    series = _series_by_case(frame, ids)
    failures = _failures(frame, ids)
    evaluator_versions = _evaluator_versions(frame, ids)
    memory_by_case, blocks_by_case = _by_case(memory), _by_case(blocks)
    most = _samples_of_each((*memory, *blocks))
    found = []
    for number, reading in enumerate(readings(frame[first])):
        case = (reading.evaluator, reading.scenario, reading.params, reading.mode)
        name = case_name(*case)
        of_case = series.get(number, [])
        found.append(
            Case(
                name=name,
                evaluator=reading.evaluator,
                scenario=reading.scenario,
                params=reading.params,
                mode=reading.mode,
                evaluator_versions=[
                    evaluator_versions.get((number, version), "") for version in versions
                ],
                failures=[failures.get((number, version), "") for version in versions],
                numbers=[
                    _number(
                        name,
                        each,
                        versions,
                        histories.get((*case, each.phase, each.metric, each.source)),
                    )
                    for each in of_case
                ],
                phases=_phases(name, of_case, versions),
                memory=_memory(name, memory_by_case.get(case, ()), versions, most),
                time=_blocks(name, blocks_by_case.get(case, ()), versions, most),
            )
        )
    return found


def _series_by_case(frame: pd.DataFrame, ids: NDArray[np.int64]) -> dict[int, list[_Series]]:
    """The series of each case, in order of appearance."""
    good = (frame["status"] == OK).to_numpy()
    values = frame[good].assign(_case=ids[good])
    values["_series"] = row_ids(values, ("_case", *_SERIES_COLUMNS))
    groups = row_ids(values, ("_series", "label"))
    order = np.argsort(groups, kind="stable")
    values, groups = values.iloc[order], groups[order]
    starts = np.flatnonzero(np.r_[len(groups) > 0, groups[1:] != groups[:-1]][: len(groups)])
    heads = values.iloc[starts]
    names = [heads[name].astype("str").tolist() for name in (*_SERIES_COLUMNS, "unit", "label")]
    numbers = values["value"].to_numpy(np.float64)
    launches = values["launch"].tolist()
    spreads = values["spread"].astype("object").where(values["spread"].notna(), None).tolist()
    ends = [*starts[1:], len(values)]
    made: dict[int, _Series] = {}
    by_case: dict[int, list[_Series]] = {}
    for at, (start, end, case, series) in enumerate(
        zip(starts, ends, heads["_case"].tolist(), heads["_series"].tolist(), strict=True)
    ):
        phase, metric, source, unit, label = (column[at] for column in names)
        if series not in made:
            made[series] = _Series(
                phase=phase,
                metric=metric,
                source=source,
                unit=unit,
                values=[],
                medians={},
                deviations={},
            )
            by_case.setdefault(case, []).append(made[series])
        one, part = made[series], numbers[start:end]
        one.values.append(
            {
                "version": label,
                "launch": launches[start:end],
                "value": part.tolist(),
                "spread": spreads[start:end],
            }
        )
        one.medians[label] = float(np.median(part))
        one.deviations[label] = float(np.std(part, ddof=1)) if len(part) > 1 else np.nan
    return by_case


def _number(case: str, series: _Series, versions: Sequence[str], history: Plot | None) -> Number:
    largest = max(map(abs, series.medians.values()))
    unit, scale = unit_for(largest, series.unit)
    kind: Kind = "drift" if METRICS[series.metric].kind == "drift" else "launches"
    return Number(
        phase=series.phase,
        metric=series.metric,
        source=series.source,
        told=[_told(series, version) for version in versions],
        plot=Plot(
            kind=kind,
            title=f"{series.phase} {series.metric} of {case}, a dot for each launch",
            x="",
            base=series.unit,
            unit=unit,
            scale=scale,
            values=series.values,
        ),
        history=history,
    )


def _told(series: _Series, version: str) -> str:
    deviation = series.deviations.get(version, np.nan)
    return mean_text(
        series.medians.get(version), None if np.isnan(deviation) else deviation, series.unit
    )


def _phases(case: str, series: Sequence[_Series], versions: Sequence[str]) -> Plot | None:
    """The time of each phase: the first in its process, and one call of evaluate."""
    records: list[Mapping[str, object]] = []
    for rank, phase in enumerate(PHASES):
        metric = "time" if phase in {"evaluate", "teardown"} else "first_time"
        medians = next(
            (each.medians for each in series if (each.phase, each.metric) == (phase, metric)), {}
        )
        records += [
            {"version": version, "phase": phase, "rank": rank, "value": medians[version]}
            for version in versions
            if version in medians
        ]
    if not records:
        return None
    totals: dict[str, float] = {}
    for record in records:
        label = str(record["version"])
        totals[label] = totals.get(label, 0.0) + float(str(record["value"]))
    unit, scale = unit_for(max(totals.values()), "s")
    return Plot(
        kind="phases",
        title=f"Phases of {case}",
        x="the first of each phase in its process, and one call of evaluate",
        base="s",
        unit=unit,
        scale=scale,
        values=records,
    )


def _by_case(timelines: Sequence[Timeline]) -> Mapping[tuple[str, ...], list[Timeline]]:
    found: dict[tuple[str, ...], list[Timeline]] = {}
    for timeline in timelines:
        found.setdefault(timeline.case, []).append(timeline)
    return found


def _samples_of_each(timelines: Sequence[Timeline]) -> int:
    """How many samples of each launch are drawn, so that the page stays small."""
    share = _ALL_SAMPLES // max(len(timelines), 1)
    return max(_FEWEST_SAMPLES, min(_MOST_SAMPLES, share))


def _memory(
    case: str, timelines: Sequence[Timeline], versions: Sequence[str], most: int
) -> Plot | None:
    """Memory along launches; of many samples, the highest of each stretch."""
    title = f"Resident memory along memory launches of {case}"
    return _along("memory", title, "B", timelines, versions, most, rank=1.0)


def _blocks(
    case: str, timelines: Sequence[Timeline], versions: Sequence[str], most: int
) -> Plot | None:
    """The time of calls along launches; of many blocks, the middle one of each stretch."""
    title = f"Time per call along time launches of {case}"
    return _along("time", title, "s", timelines, versions, most, rank=0.5)


def _along(
    kind: Kind,
    title: str,
    base: str,
    timelines: Sequence[Timeline],
    versions: Sequence[str],
    most: int,
    *,
    rank: float,
) -> Plot | None:
    shown = [each for each in timelines if each.label in versions and each.seconds]
    if not shown:
        return None
    values: list[Mapping[str, object]] = []
    for timeline in shown:
        kept = thinned(timeline.values, most, rank=rank)
        values.append(
            {
                "version": timeline.label,
                "launch": timeline.launch,
                "seconds": [timeline.seconds[i] for i in kept],
                "value": [timeline.values[i] for i in kept],
            }
        )
    unit, scale = unit_for(max(float(np.median(each.values)) for each in shown), base)
    return Plot(
        kind=kind,
        title=title,
        x="s since the launch began" if kind == "memory" else "s since its first block",
        base=base,
        unit=unit,
        scale=scale,
        values=values,
    )


def _failures(frame: pd.DataFrame, ids: NDArray[np.int64]) -> dict[tuple[int, str], str]:
    """How each case fails in each version, in words."""
    launches = _launches(frame, ids)
    bad = (frame["status"] != OK).to_numpy()
    failing = _launches(frame[bad], ids[bad])
    found: dict[tuple[int, str], str] = {}
    for case, reading in zip(ids[bad].tolist(), readings(frame[bad]), strict=True):
        key = (case, reading.label)
        if key not in found:
            found[key] = Failure(
                first=reading, failing_launches=failing[key], launches=launches[key]
            ).told()
    return found


def _launches(frame: pd.DataFrame, ids: NDArray[np.int64]) -> dict[tuple[int, str], int]:
    keyed = frame[["label", "session", "launch"]].assign(_case=ids).drop_duplicates()
    counts: dict[tuple[int, str], int] = {}
    for case, label in zip(keyed["_case"].tolist(), keyed["label"].astype("str"), strict=True):
        counts[case, label] = counts.get((case, label), 0) + 1
    return counts


def _evaluator_versions(frame: pd.DataFrame, ids: NDArray[np.int64]) -> dict[tuple[int, str], str]:
    keyed = frame[["label", "evaluator_version"]].assign(_case=ids).drop_duplicates()
    found: dict[tuple[int, str], str] = {}
    for case, label, told in zip(
        keyed["_case"].tolist(),
        keyed["label"].astype("str"),
        keyed["evaluator_version"].astype("str"),
        strict=True,
    ):
        if told:
            known = found.get((case, label))
            found[case, label] = told if known is None else f"{known}, {told}"
    return found
