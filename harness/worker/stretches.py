"""Stretches of a call's steps, timed step by step in one call and as a whole in the next.

What else a machine does changes the speed of a core within a call, and interrupts it. So two
doubles of a function take turns: one reads the clock after every step of the even stretches and
once at the end of the odd ones, the other the other way round. Each stretch is then timed both ways
within a turn, and neighbours in a call are timed in different ways: what is slow for a moment is
slow for both. For each stretch, turns that were slow at that stretch are set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators.instrumentation import Reads

Times = NDArray[np.int64]
"""Of a double: a line for each call, a column from each reading to the next."""

_MOST_STEPS = 20
"""Of a stretch: the more, the fewer readings a call has, and the more a moment's slowness tells."""
_LEAST_STRETCHES = 16
"""Where a call has so many steps."""
_QUIET_SHARE = 0.75
"""Of turns. An interruption meets every tenth stretch or so, and takes longer than most steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchTimes:
    """Means in ns over the turns that were quiet, each with one reading of the clock in it.

    Attributes:
        step_ns: of each step, where the clock is read after every one.
        stretch_ns: of each stretch, where it is read at the end alone.
        before_ns: from the call to the first step.
        after_ns: from the last step's end until the function has returned; no reading in it.
        stretched_ns: of each turn, a call whose stretches are all timed as a whole.
    """

    step_ns: list[float]
    stretch_ns: list[float]
    before_ns: float
    after_ns: float
    stretched_ns: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """How the steps of a call are cut.

    Attributes:
        steps: of the call.
        length: steps of each stretch; the last may have fewer.
    """

    steps: int
    length: int

    @classmethod
    def of(cls, steps: int) -> Stretches:
        """As long as is good for so many steps."""
        return cls(steps=steps, length=max(1, min(_MOST_STEPS, steps // _LEAST_STRETCHES)))

    @property
    def sizes(self) -> list[int]:
        """Steps of each stretch."""
        starts = range(0, self.steps, self.length)
        return [min(self.length, self.steps - start) for start in starts]

    def reads(self, double: int) -> Reads:
        """After which steps the double (0 or 1) reads the clock."""

        def is_read(step: int) -> bool:
            stretch, within = divmod(step, self.length)
            return stretch % 2 == double or within == self.length - 1

        return is_read

    def times(self, doubles: tuple[Times, Times]) -> StretchTimes:
        """Means of what both doubles took, call by call."""
        before = [each[:, 0] for each in doubles]
        after = [each[:, -1] for each in doubles]
        stretched_ns: NDArray[np.float64] = np.sum([*before, *after], axis=0) / 2
        step_ns: list[float] = []
        stretch_ns: list[float] = []
        column = [1, 1]
        for stretch, size in enumerate(self.sizes):
            fine = stretch % 2
            steps = doubles[fine][:, column[fine] : column[fine] + size]
            whole = doubles[1 - fine][:, column[1 - fine]]
            column[fine] += size
            column[1 - fine] += 1
            quiet = quieter([steps.sum(axis=1), whole])
            step_ns += steps[quiet].mean(axis=0).tolist()
            stretch_ns.append(float(whole[quiet].mean()))
            stretched_ns = stretched_ns + whole
        return StretchTimes(
            step_ns=step_ns,
            stretch_ns=stretch_ns,
            before_ns=_quiet_mean(before),
            after_ns=_quiet_mean(after),
            stretched_ns=stretched_ns,
        )


def quieter(ways: Sequence[NDArray[Any]]) -> NDArray[np.intp]:
    """The quieter turns by both ways together, each relative to its own middle.

    Absolute times would let the longer one choose.
    """
    relative = sum(way / max(1.0, float(np.median(way))) for way in ways)
    kept = int(np.ceil(len(ways[0]) * _QUIET_SHARE))
    return np.argsort(relative, kind="stable")[:kept]


def _quiet_mean(ways: list[Times]) -> float:
    quiet = quieter(ways)
    return float(np.mean([way[quiet].mean() for way in ways]))
