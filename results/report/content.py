"""What a report tells, put together from a comparison and the readings it stands on.

The fields of these classes are the keys of the JSON in the page: `assets/report.js` reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from results.formats.wording import (
    change_text,
    detectable_text,
    launches_text,
    mean_change_text,
    mean_text,
)
from results.history import Histories
from results.judgement import CONTRACT_FIELDS, Comparison, Row, Uncompared, case_name
from results.labels import labels_of
from results.report.cases import Case, cases
from results.report.facts import Fact, facts
from results.report.growth import Family, families
from results.report.histories import Entry, entries, history_plots
from results.report.plots import SPECIFICATIONS, Kind
from results.report.timelines import Timeline
from results.schema import YARDSTICK

Environments = Mapping[str, Mapping[str, object]]

_ROW_FIELDS: Final = (*CONTRACT_FIELDS[4:7], *CONTRACT_FIELDS[8:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Something that was not compared, or fails.

    Attributes:
        case: the case's name.
        what: phase and metric; empty for the whole case.
        version: the candidate's label.
        reason: why.
    """

    case: str
    what: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that the page's script needs.

    Attributes:
        versions: every label, the baseline first.
        cases: every case.
        reasons: why rows have their verdicts, each once.
        rows: the comparison's rows by column: the contract's fields from `phase` on, with
            `case` as an index of `cases`, `reason` as one of `reasons`, and what people read as
            `baseline_text`, `candidate_text`, `change`, `could_see`, `launches`.
        means: the geometric means, as columns as well.
        families: sweeps over sizes.
        order: the versions first to last, where there is a history of them.
        changes: of the histories, with the version that each enters with.
        gaps: what was not compared, and what fails on both sides, by title.
        facts: of the versions' environments.
        plots: Vega-Lite specifications by kind.
    """

    versions: list[str]
    cases: list[Case]
    reasons: list[str]
    rows: dict[str, list[object]]
    means: dict[str, list[object]]
    families: list[Family]
    order: list[str]
    changes: list[Entry]
    gaps: dict[str, list[Gap]]
    facts: list[Fact]
    plots: Mapping[Kind, object]


def content(
    frame: pd.DataFrame,
    comparison: Comparison | None,
    *,
    environments: Environments,
    memory: Sequence[Timeline] = (),
    blocks: Sequence[Timeline] = (),
    histories: Histories | None = None,
) -> Content:
    """Put together what a report tells.

    Args:
        frame: the readings.
        comparison: of its versions; None where there is only one.
        environments: facts by environment id.
        memory: along memory launches, with the frame's labels.
        blocks: the time per call along time launches, likewise.
        histories: of three versions or more, in order.
    """
    frame = frame[frame["evaluator"] != YARDSTICK]
    versions = labels_of(frame)
    if comparison is not None:
        versions = [comparison.baseline_label, *comparison.candidate_labels]
        frame = frame[frame["label"].isin(versions)]
    plots = {} if histories is None else history_plots(histories)
    found = cases(frame, versions, memory=memory, blocks=blocks, histories=plots)
    numbers = {case.name: number for number, case in enumerate(found)}
    rows = () if comparison is None else comparison.rows
    reasons = {reason: at for at, reason in enumerate(dict.fromkeys(row.reason for row in rows))}
    return Content(
        versions=versions,
        cases=found,
        reasons=list(reasons),
        rows=_columns(rows, numbers, reasons),
        means=_means(comparison),
        families=families(frame, versions, () if comparison is None else comparison.growth),
        order=[] if histories is None else list(histories.labels),
        changes=[] if histories is None else entries(histories),
        gaps=_gaps(comparison),
        facts=facts(frame, versions, environments),
        plots=SPECIFICATIONS,
    )


def _columns(
    rows: Sequence[Row], numbers: Mapping[str, int], reasons: Mapping[str, int]
) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: [getattr(row, name) for row in rows] for name in _ROW_FIELDS
    }
    columns["case"] = [numbers[row.case] for row in rows]
    columns["reason"] = [reasons[row.reason] for row in rows]
    columns["baseline_text"] = [
        mean_text(row.baseline, row.baseline_spread, row.unit) for row in rows
    ]
    columns["candidate_text"] = [
        mean_text(row.candidate, row.candidate_spread, row.unit) for row in rows
    ]
    columns["change"] = [change_text(row.ratio, row.ratio_low, row.ratio_high) for row in rows]
    columns["could_see"] = [detectable_text(row) for row in rows]
    columns["launches"] = [launches_text(row) for row in rows]
    return columns


def _means(comparison: Comparison | None) -> dict[str, list[object]]:
    means = () if comparison is None else comparison.geometric_means
    return {
        "version": [mean.candidate_label for mean in means],
        "what": [f"{mean.phase} {mean.metric}" for mean in means],
        "cases": [mean.cases for mean in means],
        "ratio": [mean.ratio for mean in means],
        "change": [mean_change_text(mean) for mean in means],
    }


def _gaps(comparison: Comparison | None) -> dict[str, list[Gap]]:
    if comparison is None:
        return {}
    return {
        title: [_gap(thing) for thing in things]
        for title, things in (
            ("missing in a candidate", comparison.missing),
            ("failing on both sides", comparison.failing),
            ("only in a candidate", comparison.candidate_only),
        )
        if things
    }


def _gap(thing: Uncompared) -> Gap:
    return Gap(
        case=case_name(thing.evaluator, thing.scenario, thing.params, thing.mode),
        what=" ".join(filter(None, (thing.phase, thing.metric))),
        version=thing.candidate_label,
        reason=thing.reason,
    )
