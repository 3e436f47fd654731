"""What weighing pairs by their own errors does to false alarms and to power.

    python -m benchmarks.weights [BLOCKS...]

Without arguments, pairs are drawn: one in ten meets a slow spell, in which blocks differ six times
as much, and a share of a usual pair's variance is the launches' own, of which blocks do not tell.
Then one pair in a hundred lies a quarter off as well, though its blocks agree. In the last lines
the errors that blocks tell have nothing to do with how far a pair is off, which is the worst that
can be.

With files of recorded blocks (`*.blocks.jsonl`, beside a table of `versus`), the noise is a
machine's: the pairs of a comparison, around their mean, their signs drawn, with the errors that
their blocks tell. Weighed and plain see the same pairs, and look at them as `versus` does.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from harness.blocks import Series, compare_neighbours, judge_blocks
from harness.conduct_time import ROUND_BLOCKS
from harness.effort import paired_effort
from harness.worker.evidence import Evidence
from results.family import case_level
from results.pairs import PairRatio, weighed
from results.sequential import level_at, looks
from results.statistics import Floats, p_beyond

RUNS: Final = 20_000
COUNTS: Final = (7, 8, 10, 14, 24)
SHIFTS: Final = (0.0, 0.01, 0.02)
LEVEL: Final = case_level(0.01, 1)
_SPELL: Final = 6.0
_FAR: Final = 0.25
_USUAL_SD: Final = 0.0085
"""Of a pair, as `python -m benchmarks.pairs` prints it with nothing beside it."""

Draw = Callable[[np.random.Generator, int, int], tuple[Floats, Floats]]
"""So many runs of so many pairs each: their log ratios around 0, and their errors."""


def main(paths: Sequence[str]) -> None:
    """Print the tables."""
    if paths:
        recorded = [each for each in map(_pairs, map(Path, paths)) if len(each) >= min(COUNTS)]
        print(f"{len(recorded)} recorded comparisons, {sum(map(len, recorded))} pairs")
        _print_lines([("recorded", _Recorded(recorded))])
        return
    simulated = [
        (f"launches' own share {share:.0%}", _Simulated(share)) for share in (0, 0.3, 0.6, 0.9)
    ]
    far = ("one pair in a hundred far", _Simulated(0.3, far_share=0.01))
    _print_lines([*simulated, far, ("errors without meaning", _Simulated(0.0, is_linked=False))])


def _print_lines(draws: Sequence[tuple[str, Draw]]) -> None:
    wanted = " | ".join(f"{shift:.0%}: plain | weighed" if shift else "A/A: plain | weighed"
                        for shift in SHIFTS)  # fmt: skip
    print(f"Called or found at {LEVEL:.1%} over all looks, {RUNS:,} runs a line")
    print(f"| noise | pairs | {wanted} |")
    print(f"|{'---|' * (2 + 2 * len(SHIFTS))}")
    for name, draw in draws:
        for count in COUNTS:
            rng = np.random.default_rng(count)
            noise, errors = draw(rng, RUNS, count)
            cells = [
                f"{share:.2%}" if shift == 0 else f"{share:.1%}"
                for shift in SHIFTS
                for share in _called(noise + math.log1p(shift), errors, shift > 0)
            ]
            print(f"| {name} | {count} | {' | '.join(cells)} |", flush=True)


def _called(pairs: Floats, errors: Floats, only_worse: bool) -> tuple[float, float]:
    """The share of runs that are called changed at some look, plain and weighed."""
    runs, most = pairs.shape
    shares = []
    for known in (np.full(pairs.shape, np.nan), errors):
        is_called = np.zeros(runs, dtype=bool)
        for count in looks(most):
            groups = np.repeat(np.arange(runs), count)
            found = weighed(
                pairs[:, :count].ravel(), known[:, :count].ravel(), groups, runs
            ).estimate
            level = level_at(count, LEVEL, is_last=count == most)
            is_beyond = p_beyond(found, 0.0) < level
            is_called |= is_beyond & (found.value > 0) if only_worse else is_beyond
        shares.append(float(is_called.mean()))
    return shares[0], shares[1]


@dataclass(frozen=True, slots=True)
class _Simulated:
    share: float
    """Of a usual pair's variance: the launches' own."""
    is_linked: bool = True
    """Whether a pair whose blocks differ more is further off."""
    far_share: float = 0.0
    """Of pairs: a launch was slow from its first block to its last."""

    def __call__(self, rng: np.random.Generator, runs: int, count: int) -> tuple[Floats, Floats]:
        spells = np.where(rng.random((runs, count)) < 0.1, _SPELL, 1.0)
        blocks = math.sqrt(1 - self.share)
        scale = np.sqrt(self.share + (blocks * spells) ** 2) if self.is_linked else 1.0
        noise = _USUAL_SD * scale * rng.standard_normal((runs, count))
        if self.far_share:
            is_far = rng.random(noise.shape) < self.far_share
            noise += is_far * rng.choice([-_FAR, _FAR], noise.shape)
        known = np.exp(0.25 * rng.standard_normal((runs, count)))  # of 44 blocks, to a quarter
        return noise, _USUAL_SD * blocks * spells * known


@dataclass(frozen=True, slots=True)
class _Recorded:
    comparisons: Sequence[Sequence[PairRatio]]

    def __call__(self, rng: np.random.Generator, runs: int, count: int) -> tuple[Floats, Floats]:
        long_enough = [_centred(each) for each in self.comparisons if len(each) >= count]
        if not long_enough:
            raise SystemExit(f"no recorded comparison has {count} pairs")
        noise, errors = np.empty((runs, count)), np.empty((runs, count))
        for run, which in enumerate(rng.integers(len(long_enough), size=runs).tolist()):
            deviations, own = long_enough[which]
            chosen = rng.permutation(len(own))[:count]
            noise[run] = deviations[chosen] * rng.choice([-1.0, 1.0], count)
            errors[run] = own[chosen]
        return noise, errors


def _centred(pairs: Sequence[PairRatio]) -> tuple[Floats, Floats]:
    """Deviations from the mean, as large as those from the truth are, and errors."""
    logs = np.array([each.log_ratio for each in pairs])
    errors = np.array([each.error for each in pairs], dtype=np.float64)
    return (logs - logs.mean()) * math.sqrt(len(logs) / (len(logs) - 1)), errors


def _pairs(path: Path) -> list[PairRatio]:
    """What the recorded blocks of each pair say."""
    sides = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        series = Series(
            calls=found["calls"],
            elapsed_ns=found["elapsed_ns"],
            evidence=[Evidence(*each) for each in found["evidence"]],
        )
        sides[found["pair"]].append(series)
    warm_up = paired_effort(launches=1, least_launches=1, timeout_s=1, memory=False).warm_up_blocks
    judged = [
        judge_blocks(each, warm_up_blocks=warm_up, round_blocks=ROUND_BLOCKS)
        for each in sides.values()
        if len(each) == 2
    ]
    compared = [compare_neighbours(one, other) for one, other in judged]
    return [each.ratio for each in compared if each is not None]


if __name__ == "__main__":
    main(sys.argv[1:])
