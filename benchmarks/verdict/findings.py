"""What a tool said of two versions."""

from __future__ import annotations

from dataclasses import dataclass

REGRESSED, IMPROVED, UNCHANGED, INCONCLUSIVE = VERDICTS = (
    "regressed",
    "improved",
    "unchanged",
    "inconclusive",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict by one rule of a tool, and the ratio that it saw.

    Attributes
    ----------
    rule: the tool, and how its output is read as a verdict.
    verdict: one of `VERDICTS`; a peer that does not call the pair changed says "unchanged".
    ratio: candidate / baseline.
    low, high: the interval of the ratio, where the tool tells one.
    """

    rule: str
    verdict: str
    ratio: float
    low: float | None = None
    high: float | None = None

    @property
    def is_call(self) -> bool:
        """Whether the pair was called changed."""
        return self.verdict in {REGRESSED, IMPROVED}


def beyond(ratio: float, factor: float) -> str:
    """The verdict of the rule that a ratio beyond a factor, either way, is a change."""
    if ratio > factor:
        return REGRESSED
    return IMPROVED if ratio < 1 / factor else UNCHANGED
