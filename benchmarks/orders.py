"""Whether planted orders of growth are recognised in noise that machines made.

    python -m benchmarks.orders                    work of each order, done and timed here and now
    python -m benchmarks.orders TABLE.csv…         exact costs, and recorded launches' deviations

The fit's settings were chosen with simulated noise (tests/results/test_orders.py); neither of
these is simulated. In the first, each size of each run is a loop of that many steps beside a fixed
cost, timed as a launch times a call: the median of a few blocks, which last alike for all sizes, so
that what interrupts a block meets no size more than another. Rounds go over all sizes in random
order. In the second, the noise is what the launches of a table deviate from the others of their
case, in the order in which they were recorded: a slow spell falls on neighbouring launches, as it
did.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from results.orders import Fit, profile
from results.tables import read

POWERS = (10, 30, 100, 300, 1_000, 3_000)
LIMIT = 0.95
"""Of the runs of each order, that must be recognised."""

_BLOCKS = 3
_BLOCK_STEPS = 160_000
"""About 4 ms, as the harness's blocks; the largest size takes all of them in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """An order, as what grows with n, and the sizes that it is seen at."""

    order: str
    growing: Callable[[float], float]
    sizes: tuple[int, ...]

    def cost(self, n: int) -> float:
        """What size n costs; the largest costs 1, beside a fixed cost of 1/200."""
        return 0.005 + self.growing(n) / self.growing(self.sizes[-1])


PLANTED = (
    Planted(order="linear", growing=lambda n: n, sizes=POWERS),
    Planted(order="n log n", growing=lambda n: n * math.log(n), sizes=POWERS),
    Planted(order="quadratic", growing=lambda n: n**2, sizes=POWERS),
    Planted(order="exponential", growing=lambda n: 1.9**n, sizes=(3, 5, 7, 9, 11, 13)),
)

Measure = Callable[[Planted, int, np.random.Generator], list[list[float]]]
"""(what is planted, launches a size, chance) -> of each size the launches' seconds."""


def main() -> int:
    """Print a line for each order; 1 where one is recognised in fewer runs than the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", type=Path, metavar="TABLE.csv")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--launches", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    measure: Measure = worked
    if arguments.tables:
        deviations = recorded(arguments.tables)
        shares = np.percentile(np.abs(deviations), (50, 90, 99))
        told = ", ".join(f"{math.expm1(each):.1%}" for each in shares)
        print(
            f"{len(deviations)} launches; 50, 90 and 99 % of them are within {told} of the others"
        )
        measure = _disturbed(deviations)
    worst = 1.0
    for planted in PLANTED:
        fits = _fits(planted, measure, arguments.runs, arguments.launches, arguments.seed)
        found = Counter(fit.order for fit in fits)
        share = found[planted.order] / len(fits)
        told = ", ".join(f"{order} {count}" for order, count in found.most_common())
        print(
            f"{planted.order:12} recognised in {share:.0%} of {len(fits)} runs ({told})", flush=True
        )
        worst = min(worst, share)
    return 0 if worst >= LIMIT else 1


def _fits(planted: Planted, measure: Measure, runs: int, launches: int, seed: int) -> list[Fit]:
    rng = np.random.default_rng(seed)
    return [profile(planted.sizes, measure(planted, launches, rng)).fit() for _ in range(runs)]


# Work that is done


def worked(planted: Planted, launches: int, rng: np.random.Generator) -> list[list[float]]:
    """Seconds of each launch of each size, by doing as many steps as its cost says."""
    seconds: list[list[float]] = [[] for _ in planted.sizes]
    for _ in range(launches):
        for place in rng.permutation(len(planted.sizes)).tolist():
            share = planted.cost(planted.sizes[place]) / planted.cost(planted.sizes[-1])
            steps = round(_BLOCK_STEPS * share)
            seconds[place].append(_seconds_per_call(steps))
    return seconds


def _seconds_per_call(steps: int) -> float:
    """The median of a few blocks."""
    calls = max(1, round(_BLOCK_STEPS / steps))
    elapsed_s = []
    for _ in range(_BLOCKS):
        start = perf_counter()
        for _ in range(calls):
            _stepped(steps)
        elapsed_s.append(perf_counter() - start)
    return float(np.median(elapsed_s)) / calls


def _stepped(steps: int) -> None:
    for _ in range(steps):
        pass


# Deviations that were recorded


def recorded(tables: Sequence[Path]) -> np.ndarray:
    """How far each launch's log is from the median of its case's other launches, as recorded.

    Leaving the launch itself out makes deviations a little larger than they are, never smaller.
    """
    found = []
    for path in tables:
        frame = read(path)
        wanted = (frame["metric"] == "time") & (frame["phase"] == "evaluate")
        frame = frame[wanted & (frame["status"] == "ok")].reset_index(drop=True)
        logs = np.log(frame["value"].to_numpy(dtype=np.float64))
        deviations = np.full(len(frame), np.nan)
        keys = ["session", "label", "evaluator", "scenario", "params", "mode"]
        for places in frame.groupby(keys, observed=True).indices.values():
            if len(places) > 2:
                for place in places:
                    others = places[places != place]
                    deviations[place] = logs[place] - np.median(logs[others])
        found.append(deviations[np.isfinite(deviations)])
    return np.concatenate(found)


def _disturbed(deviations: np.ndarray) -> Measure:
    """Exact costs, each round over the sizes disturbed by a stretch of the recorded deviations."""

    def disturbed(planted: Planted, launches: int, rng: np.random.Generator) -> list[list[float]]:
        sizes = len(planted.sizes)
        seconds: list[list[float]] = [[] for _ in planted.sizes]
        for _ in range(launches):
            start = int(rng.integers(len(deviations) - sizes + 1))
            stretch = deviations[start : start + sizes]
            for place, deviation in zip(rng.permutation(sizes).tolist(), stretch, strict=True):
                cost = planted.cost(planted.sizes[place])
                seconds[place].append(cost * math.exp(float(deviation)))
        return seconds

    return disturbed


if __name__ == "__main__":
    sys.exit(main())
