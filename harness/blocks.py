"""Blocks of calls: what a launch's series of them says, and what two interleaved series say.

What a process waited for the CPU while another had it is no part of its blocks: the kernel counts
it to the nanosecond. A block that was disturbed in other ways is set aside, by a rule that sees
all sides' blocks together and does not know whose they are. Estimates come from what is left of
the steady part of the series.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.worker.evidence import Evidence, was_halted
from results.contamination import BlockEvidence, contaminated
from results.pairs import PairRatio
from results.steady import Steady, classify

_LEAST_SPEEDS = 20
"""Readings of the yardstick along a launch; fewer are too noisy to correct by."""
_RUNNING = 5
_MEDIANS_ERROR = math.sqrt(math.pi / 2) / statistics.NormalDist().inv_cdf(0.75)
"""Of a normal sample of n: the standard error of its median, in its median absolute deviations
divided by √n."""


@dataclass(slots=True, kw_only=True)
class Series:
    """The timed blocks of one launch, in order.

    Attributes:
        calls: of each block.
        elapsed_ns: of each whole block.
        evidence: what else went on, for each block.
    """

    calls: int = 1
    elapsed_ns: list[int] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)

    def running_ns(self) -> list[int]:
        """Of each block, less what it waited for the CPU while another process had it.

        Where the counter says that all of it was waiting (a wait that ended between the counter's
        reading and the clock's), the whole block stands.
        """
        waited = [each.waited_ns or 0 for each in self.evidence]
        return [
            ns - wait if wait < ns else ns for ns, wait in zip(self.elapsed_ns, waited, strict=True)
        ]

    def seconds_per_call(self) -> list[float]:
        """Of each block, waiting left out."""
        return [ns * 1e-9 / self.calls for ns in self.running_ns()]

    def calls_filling(self, block_ns: int) -> int:
        """Calls that would fill a block of that length, by what a call took here; at least 1."""
        call_ns = statistics.median(self.elapsed_ns) / self.calls
        return max(1, round(block_ns / call_ns)) if call_ns else self.calls

    def halts(self) -> int:
        """Blocks in which the process was stopped, or its machine suspended."""
        return sum(map(was_halted, self.evidence))

    def share_waited(self) -> float:
        """The share of all blocks' time that was spent waiting for the CPU."""
        whole = sum(self.elapsed_ns)
        return 1 - sum(self.running_ns()) / whole if whole else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast the machine was, as the yardstick told.

    Attributes:
        block: how many blocks had been run.
        log_time: log of the yardstick's time, in any unit.
    """

    block: int
    log_time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A series, and which of its blocks count.

    Attributes:
        series: the series.
        is_set_aside: for each block, whether something else had the CPU.
        steady: what kind of series it is, and which part is steady.
        start: the first block that counts; before it the launch was warming up.
    """

    series: Series
    is_set_aside: tuple[bool, ...]
    steady: Steady
    start: int

    def counts(self, block: int) -> bool:
        """Whether estimates stand on this block."""
        return block >= self.start and not self.is_set_aside[block]

    def counted(self) -> list[int]:
        """The blocks that estimates stand on; where all were set aside, all after the warm-up."""
        length = len(self.series.elapsed_ns)
        return [block for block in range(length) if self.counts(block)] or [
            *range(self.start, length)
        ]

    def seconds_per_call(self) -> list[float]:
        """Of the blocks that count."""
        found = self.series.seconds_per_call()
        return [found[block] for block in self.counted()]


def judge_blocks(
    sides: Sequence[Series], *, warm_up_blocks: int, round_blocks: int
) -> list[Judged]:
    """Which blocks of series that were interleaved count; for all sides from the same round on.

    Args:
        sides: the series, of launches that were alive together.
        warm_up_blocks: so many never count, or half of the series if that is less.
        round_blocks: consecutive blocks of a side that belong to one round.
    """
    blocks = [
        _block_evidence(ns, seen)
        for side in sides
        for ns, seen in zip(side.running_ns(), side.evidence, strict=True)
    ]
    flags = iter(contaminated(blocks).is_set_aside)
    flags_by_side = [tuple(next(flags) for _ in side.elapsed_ns) for side in sides]
    kinds = [classify(_without_halts(side)) for side in sides]
    length = min((len(side.elapsed_ns) for side in sides), default=0)
    start = max([min(warm_up_blocks, length // 2), *(each.start for each in kinds)])
    start = min(-(-start // round_blocks) * round_blocks, length // 2)
    return [
        Judged(series=side, is_set_aside=aside, steady=kind, start=start)
        for side, aside, kind in zip(sides, flags_by_side, kinds, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """What the neighbouring blocks of two sides say.

    Attributes:
        ratio: the median of their log ratios, candidate to baseline, and its standard error, which
            is that of a normal sample's median with their median absolute deviation.
        compared: their number.
    """

    ratio: PairRatio
    compared: int


def compare_neighbours(baseline: Judged, candidate: Judged) -> Neighbours | None:
    """The log ratio of two series by their neighbouring blocks; None where no two of them count.

    The blocks of a place in both series ran next to each other, one side first as often as the
    other. Such a pair is spoilt by a disturbance of two blocks; a whole round, of four.
    """
    base, cand = baseline.series.seconds_per_call(), candidate.series.seconds_per_call()
    found = [
        math.log(cand[block] / base[block])
        for block in range(min(len(base), len(cand)))
        if baseline.counts(block) and candidate.counts(block)
    ]
    if not found:
        return None
    median = statistics.median(found)
    deviation = statistics.median(abs(each - median) for each in found)
    error = _MEDIANS_ERROR * deviation / math.sqrt(len(found))
    return Neighbours(ratio=PairRatio(log_ratio=median, error=error), compared=len(found))


def without_speed(
    blocks: Sequence[int], seconds_per_call: Sequence[float], speeds: Sequence[Speed]
) -> tuple[list[float], bool]:
    """Times along a launch, the machine's own slow spells taken out where that makes them steadier.

    A reading of the yardstick is noisy, so the running median of five of them is taken, and
    interpolated between. Steadier means that the times, each around its own straight line, have a
    smaller median absolute deviation: a rule that does not look at the line's slope.

    Args:
        blocks: the place of each time in the launch's series.
        seconds_per_call: of those blocks.
        speeds: readings along the same series.

    Returns:
        The times, and whether they were corrected.
    """
    times = np.asarray(seconds_per_call, dtype=np.float64)
    if len(speeds) < _LEAST_SPEEDS:
        return times.tolist(), False
    read = np.array([each.log_time for each in speeds])
    padded = np.pad(read, _RUNNING // 2, mode="edge")
    running = np.median(np.lib.stride_tricks.sliding_window_view(padded, _RUNNING), axis=1)
    along = np.interp(blocks, [each.block for each in speeds], running)
    corrected = times / np.exp(along - np.median(along))
    if _unsteadiness(blocks, corrected) < _unsteadiness(blocks, times):
        return corrected.tolist(), True
    return times.tolist(), False


def _unsteadiness(blocks: Sequence[int], times: NDArray[np.float64]) -> float:
    line = np.polynomial.Polynomial.fit(blocks, times, 1)
    return float(np.median(np.abs(times - line(np.asarray(blocks)))) / np.median(times))


def _without_halts(side: Series) -> list[float]:
    """Seconds per call, those of a block that was halted replaced by the median of the others."""
    seconds = side.seconds_per_call()
    halted = [was_halted(each) for each in side.evidence]
    others = [value for value, was in zip(seconds, halted, strict=True) if not was]
    if not others or len(others) == len(seconds):
        return seconds
    usual = statistics.median(others)
    return [usual if was else value for value, was in zip(seconds, halted, strict=True)]


def _block_evidence(elapsed_ns: int, seen: Evidence) -> BlockEvidence:
    # How long it waited is no witness: it has been taken out to the nanosecond.
    return BlockEvidence(
        elapsed_ns=max(1, elapsed_ns),
        steal_ticks=seen.steal_ticks,
        involuntary_switches=seen.involuntary_switches,
        minor_faults=seen.minor_faults,
        major_faults=seen.major_faults,
        cpu_hz=seen.cpu_hz,
        is_halted=was_halted(seen),
    )
