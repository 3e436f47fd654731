"""Why a row has its verdict, in words, and what would tell more."""

import math
from dataclasses import dataclass
from typing import Final

from results.judgement import Verdict
from results.units import plain_percent, quantity

_ENOUGH_LAUNCHES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a comparison judges by.

    Attributes:
        threshold: relative changes up to this do not matter.
        level: chance of error of the whole family.
        family: how many tests it has.
    """

    threshold: float
    level: float
    family: int

    @property
    def confidence(self) -> str:
        """What the intervals of single rows promise, such as 99 %."""
        return plain_percent(1 - self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a row's verdict stands on.

    Attributes:
        kind: of the metric.
        unit: of the metric.
        difference: candidate less baseline, of logs if `by_logs`, else in `unit`.
        band: differences up to this do not matter.
        by_logs: True where logs are compared.
        exactly: True where deterministic counts are compared without a test.
        is_paired: True where pairs are compared.
        baseline_launches: values on the baseline's side.
        candidate_launches: likewise.
        set_aside: launches left out because their partner is missing.
        p_beyond: that the change lies within the band, after Holm; NaN if not tested.
        p_within: that it lies beyond, after Holm.
        p_beyond_alone: before Holm.
        p_within_alone: before Holm.
        source: the probe, where several measured the metric; else empty.
        by_speed: True where sessions' times are corrected for the machine's speed.
        launches_to_halve: pairs, or launches a side, that would halve what noise adds to the
            threshold in the smallest detectable change; None if unknown.
    """

    kind: str
    unit: str
    difference: float
    band: float
    by_logs: bool
    exactly: bool
    is_paired: bool
    baseline_launches: int
    candidate_launches: int
    set_aside: int
    p_beyond: float
    p_within: float
    p_beyond_alone: float
    p_within_alone: float
    source: str
    by_speed: bool
    launches_to_halve: int | None


def verdict(evidence: Evidence, level: float) -> Verdict:
    """What the evidence says at a family-wise `level`."""
    worse: Verdict = "regressed" if evidence.difference > 0 else "improved"
    if evidence.exactly:
        return worse if evidence.difference != 0 else "unchanged"
    if evidence.p_beyond < level:
        return worse
    return "unchanged" if evidence.p_within < level else "inconclusive"


def reason(evidence: Evidence, found: Verdict, scale: Scale) -> str:
    """Why the verdict is `found`, and what would tell more."""
    parts = [_main(evidence, found, scale)]
    if not evidence.exactly:
        if evidence.launches_to_halve is not None:
            parts.append(_halving(evidence.launches_to_halve, evidence))
        parts.append(_launches(evidence))
    if evidence.kind == "count" and not evidence.exactly:
        parts.append("the count varies from launch to launch")
    if evidence.by_speed:
        parts.append("corrected for the machine's speed in each session")
    if evidence.set_aside:
        parts.append(f"{_counted(evidence.set_aside, 'launch')} without a partner set aside")
    if evidence.source:
        parts.append(f"source {evidence.source}")
    return "; ".join(parts)


def _main(evidence: Evidence, found: Verdict, scale: Scale) -> str:
    if evidence.exactly:
        words = {"regressed": "more than before", "improved": "fewer than before"}
        return f"deterministic count, {words.get(found, 'the same')}"
    if math.isnan(evidence.p_beyond):
        return _untestable(evidence)
    band = _band(evidence, scale)
    interval = f"the {scale.confidence} interval"
    holm = f"Holm's correction over {scale.family} rows"
    beyond_alone = evidence.p_beyond_alone < scale.level
    if found == "inconclusive" and (beyond_alone or evidence.p_within_alone < scale.level):
        where = "beyond" if beyond_alone else "within"
        return f"{interval} lies {where} {band}, but not after {holm}"
    if found == "inconclusive":
        return f"{interval} reaches across {band}"
    where = "within" if found == "unchanged" else "beyond"
    return f"{interval} lies {where} {band}" + (f", also after {holm}" if scale.family > 1 else "")


def _untestable(evidence: Evidence) -> str:
    if min(evidence.baseline_launches, evidence.candidate_launches) > 1:
        return "the values are too far apart for an interval"
    what = "pairs" if evidence.is_paired else "launches a side"
    return f"one launch gives no interval; measure at least {_ENOUGH_LAUNCHES} {what}"


def _band(evidence: Evidence, scale: Scale) -> str:
    if evidence.by_logs:
        return f"±{plain_percent(scale.threshold)}"
    return f"±{quantity(evidence.band, evidence.unit)}"


def _halving(launches: int, evidence: Evidence) -> str:
    what = "pairs" if evidence.is_paired else "launches a side"
    return f"{launches} {what} would halve the smallest detectable change"


def _launches(evidence: Evidence) -> str:
    if evidence.is_paired:
        return _counted(evidence.baseline_launches, "pair")
    baseline, candidate = evidence.baseline_launches, evidence.candidate_launches
    return f"unpaired, {baseline} and {_counted(candidate, 'launch')}"


def _counted(count: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{count} {noun if count == 1 else plural}"
