"""What a user chose for a session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.effort import Effort
from results.pairs import PairRatio


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user chose for a session."""

    out: Path
    effort: Effort
    seed: int
    plugins: tuple[str, ...] = ()
    memory_limit_bytes: int | None = None
    budget_s: float | None = None
    """For the times of each case, all versions together; None for no limit."""
    enough: Callable[[Sequence[PairRatio]], bool] | None = None
    """Whether a candidate's log ratios to its baseline, one a pair, have decided its case."""
    fixed_layout: bool = False
    resume: bool = False
    at_once: int = 1
    """Pairs that are measured at the same time, each on the CPU of a core of its own; fewer where
    there are fewer cores. What is measured alone is measured with nothing of ours beside it."""
