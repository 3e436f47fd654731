"""What reading the clock after each step costs, told by stretches of steps timed both ways.

A reading takes time, and keeps the processor from working on two steps at once; and steps between
readings are slower in proportion, since what readings leave in the caches is in their way. The two
are told apart by stretches that take longer than others with as many readings. A launch's own
stretches have no part in the cost that is taken from it: what the sum of its steps then misses of
them is unexplained. What readings leave in the caches is in the way of the other stretches as well:
a call in uninstrumented stretches takes longer than one in which the clock is never read, and what
other launches tell of that is taken out of all its times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.profiling.launches import SteppedLaunch
from harness.worker import messages as m

_CLEAR = 2.0
"""A slowness within so many standard errors of 0 is none."""
_BISECTIONS = 50
_MOST_LONGER = 1.25
"""Of a call in stretches: what is beyond it was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingCost:
    """What is taken out of each step.

    Attributes:
        reading_ns: of each reading.
        slower: by what share a step between readings is slower than in an uninstrumented stretch.
        stretched: what a call in uninstrumented stretches takes, over one that is never read.
    """

    reading_ns: float
    slower: float = 0.0
    stretched: float = 1.0

    def without(self, intervals_ns: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Times of what has one reading in it without the cost; none gives more than it has."""
        left = np.maximum(np.asarray(intervals_ns) - self.reading_ns, 0.0)
        taken: NDArray[np.float64] = left / ((1 + self.slower) * self.stretched)
        return taken

    def without_ends_ns(self, stretches_ns: float, readings: int) -> float:
        """Time of uninstrumented stretches, which have so many readings at their ends, likewise."""
        return (stretches_ns - self.reading_ns * readings) / self.stretched


def reading_costs(launches: Sequence[SteppedLaunch]) -> list[ReadingCost]:
    """For each launch the cost, from the other launches that take the same steps.

    Versions that take the same steps in the same order have one cost in common, so that a change is
    not taken for a cost; a pair's own launches have no part in it. Where there is no other launch,
    it is what a reading costs by itself.
    """
    found: dict[tuple[int, tuple[str, ...]], ReadingCost] = {}
    for each in launches:
        key = each.launch, tuple(each.steps.operators)
        if key not in found:
            others = [
                other.steps
                for other in launches
                if other.launch != each.launch and other.steps.operators == each.steps.operators
            ]
            alone = ReadingCost(reading_ns=each.steps.reading_ns)
            found[key] = _common_cost(others) if others else alone
    return [found[each.launch, tuple(each.steps.operators)] for each in launches]


def _common_cost(launches: Sequence[m.StepsRead]) -> ReadingCost:
    slower = slowness(launches)
    reading_ns = float(np.median([reading_cost_ns(each, slower) for each in launches]))
    ends = len(launches[0].stretch_ns) + 1
    longer = np.median([(e.stretched_ns - ends * reading_ns) / e.call_ns for e in launches])
    stretched = min(max(1.0, float(longer)), _MOST_LONGER)
    return ReadingCost(reading_ns=reading_ns, slower=slower, stretched=stretched)


def reading_cost_ns(steps: m.StepsRead, slower: float) -> float:
    """What a reading costs in this launch, so that steps add up to the uninstrumented stretches.

    Where each stretch is one step, both are the same, and it is what a reading costs by itself. It
    is never so much that fewer steps than there are stretches have it: more would add to the sum.
    """
    intervals_ns = np.array(steps.step_ns)
    whole_ns, stretches = sum(steps.stretch_ns), len(steps.stretch_ns)
    most = int(np.ceil(stretches * (1 + slower)))
    if len(intervals_ns) <= most:
        return steps.reading_ns
    if float(ReadingCost(reading_ns=0.0, slower=slower).without(intervals_ns).sum()) <= whole_ns:
        return 0.0
    low, high = 0.0, float(np.sort(intervals_ns)[-most])
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        left = ReadingCost(reading_ns=middle, slower=slower).without(intervals_ns)
        is_enough = float(left.sum()) <= whole_ns - stretches * middle
        low, high = (low, middle) if is_enough else (middle, high)
    return high


def slowness(launches: Sequence[m.StepsRead]) -> float:
    """By what share steps are slower between readings, beside the readings' own cost; 0 or more.

    A straight line through what stretches take longer, by their readings and by their own time,
    each stretch counting by the error of its share.
    """
    lengths = launches[0].steps_per_stretch
    starts = np.arange(0, len(launches[0].step_ns), lengths)
    readings = np.diff([*starts, len(launches[0].step_ns)]) - 1.0
    read = np.add.reduceat(np.mean([each.step_ns for each in launches], axis=0), starts)
    whole = np.mean([each.stretch_ns for each in launches], axis=0)
    causes = np.column_stack([readings / whole, np.ones(len(whole))])
    longer = (read - whole) / whole
    freedom = len(whole) - 2
    if freedom < 1 or np.linalg.matrix_rank(causes) < 2:
        return 0.0
    found = np.linalg.lstsq(causes, longer)[0]
    scatter = float(np.sum((longer - causes @ found) ** 2)) / freedom
    error = float(np.sqrt(scatter * np.linalg.inv(causes.T @ causes)[1, 1]))
    slower = float(found[1])
    return slower if slower > _CLEAR * error else 0.0
