"""What launches say: measurements, before they become rows of a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.worker import messages as m
from results.pairs import PairRatio

CLOCK = "perf_counter_ns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one launch says of one metric in one phase."""

    phase: str
    metric: str
    source: str
    value: float | None
    spread: float | None = None
    blocks: int | None = None
    calls: int | None = None
    status: str = "ok"
    detail: str = ""
    pair_ratio: PairRatio | None = None
    """To the pair's baseline, where blocks were interleaved; `detail` has it too."""
    yardstick: str = ""
    """The kind of fixed work that was timed in the place of the subject; empty for the subject."""


def failure_row(failure: m.Failure, kind: str) -> Measurement:
    """The row that stands for what was not measured; `kind` is time or memory."""
    if kind == "memory":
        metric = "peak_memory"
    elif failure.status == "wrong" and failure.phase == "first_call":
        metric = "max_relative_error"
    else:
        metric = "time" if failure.phase in ("evaluate", "teardown") else "first_time"
    return Measurement(
        phase=failure.phase,
        metric=metric,
        source=CLOCK if kind == "time" else "VmHWM",
        value=None,
        status=failure.status,
        detail=failure.detail,
    )


def interquartile_range(values: Sequence[float]) -> float | None:
    """The distance between the quartiles; None below two values."""
    if len(values) < 2:
        return None
    lower, _, upper = statistics.quantiles(values, n=4, method="inclusive")
    return upper - lower
