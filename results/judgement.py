"""What a comparison says: rows with verdicts, what could not be compared, and the exit code."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["regressed", "improved", "unchanged", "inconclusive"]

VERDICTS: Final[tuple[Verdict, ...]] = ("regressed", "improved", "inconclusive", "unchanged")
"""In the order people want to read them in."""

CONTRACT_FIELDS: Final = (
    "evaluator",
    "scenario",
    "params",
    "mode",
    "phase",
    "metric",
    "unit",
    "baseline_label",
    "candidate_label",
    "baseline",
    "candidate",
    "ratio",
    "ratio_low",
    "ratio_high",
    "baseline_launches",
    "candidate_launches",
    "smallest_detectable",
    "verdict",
    "reason",
)
"""The fields of a row that outside programs rely on, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One metric of one phase of one case, compared.

    Attributes:
        evaluator: the case's evaluator.
        scenario: the case's scenario.
        params: the case's parameters, `depth=100;width=64`.
        mode: output or gradient.
        phase: what was measured.
        metric: by which metric.
        unit: of `baseline` and `candidate`.
        baseline_label: the version compared against.
        candidate_label: the version compared.
        baseline: mean over launches in `unit`, geometric where the comparison is of logs; None
            where there is none.
        candidate: likewise.
        ratio: candidate / baseline, above 1 is worse; None where one of them is not positive.
        ratio_low: lower end of the ratio's interval at the comparison's level; for times of pairs,
            over all looks (results/sequential.py); None if unknown.
        ratio_high: upper end.
        baseline_launches: launches (or complete pairs) that `baseline` stands on; for a row that
            tells a failure, all the case's launches.
        candidate_launches: likewise.
        smallest_detectable: the smallest true worsening that would have been found with 95 %
            power, at the level that the row has among all rows and at its number of pairs. A share
            of the baseline (0.02 is 2 %) where there is a ratio, in `unit` otherwise; None where
            nothing was estimated.
        verdict: regressed, improved, unchanged or inconclusive.
        reason: why, in words.
        baseline_spread: standard deviation over launches, in `unit`; None for one launch.
        candidate_spread: likewise.
        launches_to_halve: pairs, or launches a side, that would halve what noise adds to the
            threshold in `smallest_detectable`; None where nothing was estimated.
    """

    evaluator: str
    scenario: str
    params: str
    mode: str
    phase: str
    metric: str
    unit: str
    baseline_label: str
    candidate_label: str
    baseline: float | None
    candidate: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None
    baseline_launches: int
    candidate_launches: int
    smallest_detectable: float | None
    verdict: Verdict
    reason: str
    baseline_spread: float | None
    candidate_spread: float | None
    launches_to_halve: int | None = None

    @property
    def case(self) -> str:
        """The case in one line, such as `planned chain depth=100;width=64 gradient`."""
        return case_name(self.evaluator, self.scenario, self.params, self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeometricMean:
    """The typical ratio of one metric in one phase, over the cases of a comparison.

    Attributes:
        candidate_label: the version compared.
        phase: what was measured.
        metric: by which metric.
        cases: rows it is the mean of.
        ratio: geometric mean of their ratios.
        ratio_low: lower end of its interval, at the comparison's level, for these very cases.
        ratio_high: upper end.
    """

    candidate_label: str
    phase: str
    metric: str
    cases: int
    ratio: float
    ratio_low: float
    ratio_high: float

    @property
    def tells_nothing(self) -> bool:
        """Whether the interval holds no change as well as two that are ten times apart."""
        return self.ratio_low < 1 < self.ratio_high and self.ratio_high > 10 * self.ratio_low


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncompared:
    """Something that could not be compared, and why.

    Attributes:
        evaluator: the case's evaluator.
        scenario: the case's scenario.
        params: the case's parameters.
        mode: output or gradient.
        phase: the phase; empty if the whole case is meant.
        metric: the metric; empty if the whole case is meant.
        candidate_label: the version it could not be compared in.
        reason: why, in words.
    """

    evaluator: str
    scenario: str
    params: str
    mode: str
    phase: str
    metric: str
    candidate_label: str
    reason: str

    @property
    def case(self) -> str:
        """The case in one line, such as `planned chain depth=100;width=64 gradient`."""
        return case_name(self.evaluator, self.scenario, self.params, self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthRow:
    """How one metric of one phase grows with a scenario's size, in two versions.

    Attributes:
        evaluator: the sweep's evaluator.
        scenario: the sweep's scenario.
        params: its parameters without the one that grows.
        parameter: the one that grows.
        smallest: the smallest size that both versions have.
        largest: the largest one.
        mode: output or gradient.
        phase: a phase, or `prepare` for construct, differentiate, lower and compile together.
        metric: by which metric.
        baseline_label: the version compared against.
        candidate_label: the version compared.
        baseline: its order with exponent (or base) and interval, such as
            `linear, 1.02 [0.98, 1.06]`.
        candidate: likewise.
        baseline_exponent: of the size, without any fixed cost; None for exponential growth.
        candidate_exponent: likewise.
        baseline_launches: launches that the order stands on, those of all sizes together.
        candidate_launches: likewise.
        verdict: regressed for a worse order, improved for a better one; else unchanged or
            inconclusive.
        reason: why, in words.
    """

    evaluator: str
    scenario: str
    params: str
    parameter: str
    smallest: int
    largest: int
    mode: str
    phase: str
    metric: str
    baseline_label: str
    candidate_label: str
    baseline: str
    candidate: str
    baseline_exponent: float | None
    candidate_exponent: float | None
    baseline_launches: int
    candidate_launches: int
    verdict: Verdict
    reason: str

    @property
    def all_params(self) -> str:
        """The parameters with the range of the one that grows: `depth=10…1000;width=64`."""
        return swept_params(self.params, self.parameter, self.smallest, self.largest)

    @property
    def case(self) -> str:
        """The sweep in one line, such as `planned chain depth=10…1000;width=64 gradient`."""
        return case_name(self.evaluator, self.scenario, self.all_params, self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A baseline against one or more candidates.

    Attributes:
        baseline_label: the version compared against.
        candidate_labels: the versions compared.
        threshold: relative changes up to this do not matter; 0.01 is 1 %.
        level: chance that any row of the comparison is called regressed or improved wrongly, and
            what the intervals of single rows miss.
        rows: what was compared, in the baseline table's order.
        geometric_means: of the rows' ratios, by candidate, phase and metric.
        missing: what the baseline has and a candidate lacks without a failure that explains it.
        candidate_only: what a candidate has and the baseline lacks.
        failing: cases that fail on both sides.
        notes: what a reader should know of the circumstances.
        growth: the orders of sweeps, compared. A worse one decides over single sizes.
    """

    baseline_label: str
    candidate_labels: tuple[str, ...]
    threshold: float
    level: float
    rows: tuple[Row, ...]
    geometric_means: tuple[GeometricMean, ...]
    missing: tuple[Uncompared, ...]
    candidate_only: tuple[Uncompared, ...]
    failing: tuple[Uncompared, ...]
    notes: tuple[str, ...]
    growth: tuple[GrowthRow, ...] = ()

    def having(self, verdict: Verdict) -> tuple[Row, ...]:
        """The rows of one verdict, the largest changes first."""
        return tuple(
            sorted((row for row in self.rows if row.verdict == verdict), key=_by_size_of_change)
        )

    @property
    def verdict(self) -> Verdict:
        """The suite's: regressed if any row or order is, else inconclusive, improved, unchanged."""
        if self.worse_orders:
            return "regressed"
        order: tuple[Verdict, ...] = ("regressed", "inconclusive", "improved")
        present = {row.verdict for row in self.rows}
        return next((verdict for verdict in order if verdict in present), "unchanged")

    @property
    def worse_orders(self) -> tuple[GrowthRow, ...]:
        """The sweeps that grow in a worse order than they did."""
        return tuple(row for row in self.growth if row.verdict == "regressed")

    @property
    def is_complete(self) -> bool:
        """True if something was put to a test, and nothing of the baseline is missing."""
        return not self.missing and any(_was_tested(row) for row in self.rows)


def exit_code(comparison: Comparison, fail_on_inconclusive: bool = False) -> int:
    """What a gate returns: the contract's exit codes 0, 1, 3 and 4.

    1 if a row or an order regressed; else 3 if a part of the baseline is missing, nothing was
    compared, or no row had the launches that a test needs; else 4, if asked for, where a row is
    inconclusive.
    """
    if comparison.verdict == "regressed":
        return 1
    if not comparison.is_complete:
        return 3
    return 4 if fail_on_inconclusive and comparison.verdict == "inconclusive" else 0


def case_name(*parts: str) -> str:
    """Evaluator, scenario, params and mode in one line."""
    return " ".join(filter(None, parts))


def swept_params(others: str, parameter: str, smallest: int, largest: int) -> str:
    """Parameters of which one goes through a range: `depth=10…1000;width=64`."""
    return ";".join(sorted(filter(None, (f"{parameter}={smallest}…{largest}", *others.split(";")))))


def tally(rows: Iterable[Row | GrowthRow]) -> str:
    """How many rows each verdict has, such as `1 regressed, 4 unchanged`."""
    verdicts = [row.verdict for row in rows]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in VERDICTS if verdict in verdicts]
    return ", ".join(counts) or "nothing compared"


def _was_tested(row: Row) -> bool:
    return row.verdict != "inconclusive" or row.smallest_detectable is not None


def _by_size_of_change(row: Row) -> tuple[bool, float]:
    """Failures first, then changes without a ratio, then by how far the ratio is from 1."""
    has_values = row.baseline is not None or row.candidate is not None
    size = math.inf if row.ratio is None else max(row.ratio, 1 / row.ratio)
    return has_values, -size
