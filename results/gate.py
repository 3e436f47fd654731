"""The gate: a comparison, what of it a project tolerates, and the exit code that CI obeys."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Final, TypeVar

import pandas as pd

from results.circumstances import Environments
from results.comparison import compare
from results.failures import launches_by_case
from results.judgement import Comparison, Row, Uncompared
from results.schema import METRICS
from results.units import percent, plain_percent

FAILURES: Final = ("regressed", "failure", "inconclusive")
"""What a gate can fail on: a metric that got worse, a case that newly fails, a row not settled."""

_SELECTORS: Final = ("evaluator", "scenario", "params", "mode", "phase", "metric")
_LEVEL: Final = 0.01

Thing = TypeVar("Thing", Row, Uncompared)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """A known regression that must not stop others until a day.

    Attributes:
        reason: why it is tolerated.
        expires: the last day on which it is.
        up_to: the highest ratio that is tolerated; None for any.
        evaluator: whose rows are meant; None for any. Likewise the next five.
        scenario: of the case.
        params: of the case.
        mode: of the case.
        phase: of the row.
        metric: of the row.
    """

    reason: str
    expires: date
    up_to: float | None = None
    evaluator: str | None = None
    scenario: str | None = None
    params: str | None = None
    mode: str | None = None
    phase: str | None = None
    metric: str | None = None

    def is_about(self, thing: Row | Uncompared) -> bool:
        """Whether the row, or the gap, is one of those meant, however large its change."""
        return all(getattr(self, name) in (None, getattr(thing, name)) for name in _SELECTORS)

    def covers(self, thing: Row | Uncompared) -> bool:
        """Whether it is, and no worse than is tolerated; the day is not asked for."""
        ratio = thing.ratio if isinstance(thing, Row) else None
        is_small = self.up_to is None or (ratio is not None and ratio <= self.up_to)
        return is_small and self.is_about(thing)

    def __str__(self) -> str:
        named = (getattr(self, name) for name in _SELECTORS)
        return " ".join(filter(None, named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A case that must have been compared; an evaluator of None stands for any."""

    evaluator: str | None
    scenario: str
    params: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a project asks of its gate.

    Attributes:
        threshold: relative changes up to this do not matter.
        thresholds: for some metrics another one, by the metric's name.
        metrics: what is compared; None for everything.
        fail_on: some of FAILURES.
        tolerances: known regressions.
        wanted: cases without which nothing is green.
        allow_other_machine: compare tables of different machines, with a note.
    """

    threshold: float = 0.01
    thresholds: Mapping[str, float] = field(default_factory=dict)
    metrics: tuple[str, ...] | None = None
    fail_on: frozenset[str] = frozenset({"regressed", "failure"})
    tolerances: tuple[Tolerance, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    allow_other_machine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate says.

    Attributes:
        comparison: without what is tolerated, which its notes tell.
        exit_code: of the contract: 0, 1, 3 or 4.
    """

    comparison: Comparison
    exit_code: int


def decide(
    frame: pd.DataFrame,
    rules: Rules,
    *,
    baseline: str,
    candidates: Sequence[str],
    today: date,
    environments: Environments = MappingProxyType({}),
) -> Decision:
    """Compare as the rules say, take out what is tolerated today, and give the exit code.

    Args:
        frame: readings of all versions.
        rules: the project's.
        baseline: the baseline's label.
        candidates: the candidates' labels.
        today: the day that tolerances are held against.
        environments: facts by environment id, for the notes.

    Raises:
        ComparisonError: as `compare` does.
    """
    compared = _compared(frame, rules, baseline, candidates, environments)
    missing = (*compared.missing, *_unmet(frame, rules.wanted, baseline, candidates))
    current = [one for one in rules.tolerances if one.expires >= today]
    kept = [row for row in compared.rows if _tolerance(row, current) is None]
    gaps = tuple(gap for gap in missing if _tolerance(gap, current) is None)
    complete = replace(compared, missing=gaps).is_complete
    comparison = replace(
        compared,
        rows=tuple(kept),
        missing=gaps,
        notes=(*compared.notes, *_notes(compared.rows, missing, rules.tolerances, today)),
    )
    return Decision(
        comparison=comparison, exit_code=_exit_code(comparison, rules.fail_on, complete)
    )


def _compared(
    frame: pd.DataFrame,
    rules: Rules,
    baseline: str,
    candidates: Sequence[str],
    environments: Environments,
) -> Comparison:
    """One comparison, made of one for each threshold that differs.

    The chance of error is shared out among them evenly, so that the promise holds for all rows.
    """
    groups = _by_threshold(frame, rules)
    parts = [
        compare(
            frame,
            baseline_label=baseline,
            candidate_labels=candidates,
            threshold=threshold,
            level=_LEVEL / len(groups),
            metrics=metrics,
            allow_other_machine=rules.allow_other_machine or _only_counts(rules.metrics),
            environments=environments,
        )
        for threshold, metrics in groups.items()
    ]
    first = parts[0]
    if len(parts) == 1:
        return first
    told = ", ".join(
        f"{', '.join(metrics)} ±{plain_percent(threshold)}" for threshold, metrics in groups.items()
    )
    note = (
        f"thresholds differ: {told}. Each comparison errs with {plain_percent(first.level)}, "
        f"so that all together do with {plain_percent(_LEVEL)}."
    )
    return replace(
        first,
        threshold=rules.threshold,
        level=_LEVEL,
        rows=_joined(part.rows for part in parts),
        geometric_means=tuple(mean for part in parts for mean in part.geometric_means),
        missing=_joined(part.missing for part in parts),
        candidate_only=_joined(part.candidate_only for part in parts),
        failing=_joined(part.failing for part in parts),
        notes=(*first.notes, note),
    )


def _by_threshold(frame: pd.DataFrame, rules: Rules) -> dict[float, list[str]]:
    """The metrics of each threshold, of those that are compared."""
    present = set(frame["metric"])
    metrics = [name for name in rules.metrics or METRICS if name in present or rules.metrics]
    groups: dict[float, list[str]] = {}
    for name in metrics:
        groups.setdefault(rules.thresholds.get(name, rules.threshold), []).append(name)
    return groups or {rules.threshold: list(METRICS)}


def _only_counts(metrics: Collection[str] | None) -> bool:
    """Whether all that is compared are counts, which do not depend on the machine."""
    return bool(metrics) and all(METRICS[one].kind == "count" for one in metrics or ())


def _joined(parts: Iterable[tuple[Thing, ...]]) -> tuple[Thing, ...]:
    """All of them once: failures and missing cases stand in every part."""
    return tuple(dict.fromkeys(thing for part in parts for thing in part))


def _unmet(
    frame: pd.DataFrame, wanted: Sequence[Wanted], baseline: str, candidates: Sequence[str]
) -> list[Uncompared]:
    """The cases that were asked for, and that a side lacks."""
    found = []
    for label in (baseline, *candidates):
        cases = launches_by_case(frame[frame["label"] == label]).keys()
        present = {(name, *rest) for evaluator, *rest in cases for name in (evaluator, None)}
        side = "baseline" if label == baseline else "candidate"
        found += [
            Uncompared(
                evaluator=one.evaluator or "",
                scenario=one.scenario,
                params=one.params,
                mode=one.mode,
                phase="",
                metric="",
                candidate_label=label,
                reason=f"the gate asks for it, and the {side} does not have it",
            )
            for one in wanted
            if (one.evaluator, one.scenario, one.params, one.mode) not in present
        ]
    return found


def _tolerance(thing: Row | Uncompared, tolerances: Iterable[Tolerance]) -> Tolerance | None:
    """The tolerance that excuses a regression or a gap; rows of other verdicts need none."""
    if isinstance(thing, Row) and thing.verdict != "regressed":
        return None
    return next((one for one in tolerances if one.covers(thing)), None)


def _notes(
    rows: Sequence[Row],
    missing: Sequence[Uncompared],
    tolerances: Sequence[Tolerance],
    today: date,
) -> list[str]:
    notes = []
    for one in tolerances:
        regressed = [row for row in rows if row.verdict == "regressed" and one.is_about(row)]
        covered = [row for row in regressed if one.covers(row)]
        gaps = [gap for gap in missing if one.covers(gap)]
        about = f"known exception ({one}; {one.reason})"
        if regressed and not covered:
            told = "; ".join(map(_told, regressed))
            notes.append(f"{about} ends at a ratio of {one.up_to}, which is exceeded: {told}.")
        elif not covered and not gaps:
            notes.append(f"{about} covers nothing any more: delete it.")
        elif one.expires < today:
            notes.append(f"{about} expired on {one.expires}: mend it, or give it another day.")
        else:
            told = "; ".join([*map(_told, covered), *[f"{gap.case} is missing" for gap in gaps]])
            notes.append(f"{about} until {one.expires}: {told}.")
    return notes


def _told(row: Row) -> str:
    """A tolerated regression in a few words."""
    change = row.reason if row.ratio is None else percent(row.ratio - 1, signed=True)
    return f"{row.case} {row.phase} {row.metric} {change}"


def _exit_code(comparison: Comparison, fail_on: Collection[str], complete: bool) -> int:
    worse = {
        "failure" if _is_failure(row) else "regressed" for row in comparison.having("regressed")
    }
    if worse & set(fail_on):
        return 1
    if not complete:
        return 3
    return 4 if "inconclusive" in fail_on and comparison.having("inconclusive") else 0


def _is_failure(row: Row) -> bool:
    """Whether the row tells that a case newly fails; such a row has no values."""
    return row.baseline is None and row.candidate is None
