"""Deciding while pairs come in: when to look, and how much error each look may spend.

A measurement that stops as soon as it has seen enough would err more often than it says, since it
gives chance several chances. So the error level is spent over a fixed schedule of looks at the
number of pairs n: 6, 8, then 10, 14, 20, 28, 40, … (5 and 7, doubled again and again), to which
belong slots of n: up to 6, 7 to 8, 9 to 10 and so on. All are even, as pairs come two at a time on
two cores. A spending function F, which rises from 0 to 1, says what share of the level is spent by
each look (K. K. G. Lan and D. L. DeMets, "Discrete sequential boundaries for clinical trials",
Biometrika 70, 1983); ours is

    F(n) = 0.1 + 0.9 n³ / (n³ + 17³)

so that two thirds are spent from 8 to 28 pairs, and a tenth is kept for the first look: some
launches are so long that there are six pairs and no more. A look within a slot is taken at the
slot's own part of the level, F(this look) - F(the one before). The intervals of all looks together
miss the truth with at most the level, by Bonferroni's inequality, whatever the reason for stopping
and however the looks depend on each other: they are repeated confidence intervals (C. Jennison and
B. W. Turnbull, "Interim analyses: the repeated confidence interval approach", JRSS B 51, 1989).

What a look may spend depends on n alone and not on what was seen. A run that is not decided ends
where its time is gone, and a pair that is declared the last one, by the clock and before its result
is known, may spend all that the looks before it have left: 1 - F(the look before). The table tells
which pairs were declared so, and is judged exactly as it was while it was measured. A look at 24
pairs that were not declared to be all takes the slot of 28. The promise holds for one look in each
slot, in order, and for one last look.

Alternatives that were simulated stand in docs/decisions/0006-looks.md.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.errors import ComparisonError
from results.judgement import Verdict
from results.pairs import PairRatio, mean_over
from results.statistics import (
    Estimate,
    Floats,
    interval,
    p_beyond,
    p_within,
    smallest_detectable,
)

FIRST_LOOK: Final = 6
"""Pairs before which nothing is decided, unless there are no more of them."""

LEAST_LOG_BAND: Final = 1e-9
"""Ratios nearer to 1 than this are rounding, whatever the threshold."""

_SECOND_LOOK: Final = 8
_DOUBLED: Final = (5, 7)
"""Later looks are these, doubled again and again."""

_FIRST_SHARE: Final = 0.1
"""Of the level: kept for the first look."""

_MIDDLE_PAIRS: Final = 17
"""Pairs by which half of the rest of the level is spent."""

_MOST_DOUBLINGS: Final = 40
_LONGER: Final = np.arange(1.0, 12.5, 0.5)
"""Times as many launches: the last halve the noise for certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the pairs of one case say at a look.

    Attributes:
        verdict: regressed, improved, unchanged, or inconclusive: measure on.
        ratio: geometric mean of candidate / baseline; None without a pair.
        low: lower end of the ratio's repeated confidence interval; None for fewer than two pairs.
        high: its upper end.
        smallest_detectable: the smallest worsening, as a share of the baseline, that a look like
            this one finds with 95 % probability; None for fewer than two pairs.
        pairs_to_halve: pairs that would halve what noise adds to the threshold in it.
    """

    verdict: Verdict
    ratio: float | None
    low: float | None
    high: float | None
    smallest_detectable: float | None
    pairs_to_halve: int | None

    @property
    def is_final(self) -> bool:
        """True where more pairs are not needed."""
        return self.verdict != "inconclusive"


def schedule() -> Iterator[int]:
    """All looks, in order: 6, 8, 10, 14, 20, 28, …."""
    yield from (FIRST_LOOK, _SECOND_LOOK)
    for doubling in range(1, _MOST_DOUBLINGS):
        for pairs in _DOUBLED:
            yield pairs << doubling


def _slot_shares(ends: NDArray[np.int64]) -> Floats:
    """F(end) - F(end of the slot before), arranged so that no digits are lost for large ends."""
    rising = 1 - _FIRST_SHARE
    cubes = ends.astype(np.float64) ** 3
    before = np.concatenate([[0.0], cubes[:-1]])
    middle = float(_MIDDLE_PAIRS) ** 3
    found: Floats = rising * middle * (cubes - before) / ((cubes + middle) * (before + middle))
    found[0] += _FIRST_SHARE
    return found


_SCHEDULE: Final = np.fromiter(schedule(), dtype=np.int64)
_SHARES: Final = _slot_shares(_SCHEDULE)
_SHARES_LEFT: Final = 1 - np.concatenate([[0.0], np.cumsum(_SHARES)[:-1]])
"""What a last look finds: all that the slots before its own have not spent."""


def looks(most: int) -> list[int]:
    """The looks of a run of at most `most` pairs; the last is at `most` itself.

    Raises:
        ValueError: if `most` is not positive.
    """
    if most < 1:
        message = f"most is {most}; expected at least 1 pair"
        raise ValueError(message)
    return [*_SCHEDULE[most > _SCHEDULE].tolist(), most]


def is_look(pairs: int, at_once: int = 1) -> bool:
    """True if a look is due at this number of pairs.

    Args:
        pairs: so far.
        at_once: pairs that come together. A look that would lie between two numbers of pairs is
            taken before it, within its own slot, but not before the first look.
    """
    is_next = (pairs <= _SCHEDULE) & (pairs + at_once > _SCHEDULE)
    return pairs >= FIRST_LOOK and bool(is_next.any())


def level_at(pairs: int, level: float, *, is_last: bool = False) -> float:
    """The part of `level` that a look at `pairs` may spend.

    Args:
        pairs: at least 1.
        level: chance of error of all looks together.
        is_last: True where the last of the pairs was declared to be it beforehand.
    """
    return level * float(shares(np.array([pairs]), np.array([is_last]))[0])


def shares(pairs: NDArray[np.int64], is_last: NDArray[np.bool_]) -> Floats:
    """The share of the level that a look at each number of pairs may spend."""
    slots = np.searchsorted(_SCHEDULE, pairs)
    found: Floats = np.where(is_last, _SHARES_LEFT[slots], _SHARES[slots])
    return found


def decide(
    pairs: Sequence[PairRatio], *, threshold: float, level: float, is_last: bool = False
) -> Decision:
    """Judge the pairs of one case, to know whether more are needed.

    Args:
        pairs: what each pair so far says.
        threshold: relative changes up to this do not matter; 0.01 is 1 %.
        level: chance of error over all looks at this case. For a suite that promises `level` for
            all its m cases together it is `family.case_level(level, m)`.
        is_last: True where the last pair was declared to be it before it was measured.

    Raises:
        ComparisonError: for a threshold or level out of range, or a log ratio that is not finite.
    """
    check_settings(threshold, level)
    if not all(math.isfinite(each.log_ratio) for each in pairs):
        message = "a pair's log ratio is not finite; leave such pairs out"
        raise ComparisonError(message)
    count = len(pairs)
    if count < 2:
        ratio = math.exp(pairs[0].log_ratio) if count else None
        return Decision(
            verdict="inconclusive",
            ratio=ratio,
            low=None,
            high=None,
            smallest_detectable=None,
            pairs_to_halve=None,
        )
    estimate = mean_over(pairs)
    band = math.log1p(threshold) + LEAST_LOG_BAND
    at_look = level_at(count, level, is_last=is_last)
    low, high = interval(estimate, at_look)
    needed = _needed(count, round(float(estimate.degrees[0]), 1), level, is_last)
    noise = needed.standard_errors * float(estimate.standard_error[0])
    return Decision(
        verdict=_verdict(estimate, band, at_look),
        ratio=float(np.exp(estimate.value[0])),
        low=float(np.exp(low[0])),
        high=float(np.exp(high[0])),
        smallest_detectable=math.expm1(band + noise),
        pairs_to_halve=needed.pairs_to_halve,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needed:
    """What a look needs, whatever the pairs say.

    Attributes:
        standard_errors: beyond the band, of a change found with 95 % probability.
        pairs_to_halve: pairs that halve that.
    """

    standard_errors: float
    pairs_to_halve: int


@lru_cache(maxsize=1_000)
def _needed(count: int, degrees: float, level: float, is_last: bool) -> _Needed:
    unit = Estimate(value=np.zeros(1), standard_error=np.ones(1), degrees=np.array([degrees]))
    counts, at_look = np.array([count]), level_at(count, level, is_last=is_last)
    more = launches_to_halve(
        unit.degrees, counts, np.array([True]), np.array([level]), np.array([at_look])
    )
    errors = smallest_detectable(unit, 0.0, at_look)
    return _Needed(standard_errors=float(errors[0]), pairs_to_halve=int(more[0]))


def launches_to_halve(
    degrees: Floats,
    counts: NDArray[np.int64],
    in_looks: NDArray[np.bool_],
    levels: Floats,
    levels_at_look: Floats,
) -> Floats:
    """How many launches (or pairs) halve what noise adds to a smallest detectable change.

    The spread between launches is taken to stay as it is. Where looks are made, the answer is where
    a run is to end undecided, at its last look.

    Args:
        degrees: of freedom of each row's standard error; they grow as the launches do.
        counts: launches a side, or pairs, that each row stands on.
        in_looks: True for rows whose level is spent over looks.
        levels: of each row, before it is spent over looks.
        levels_at_look: what each row was judged at.

    Returns:
        The launches for each row; NaN where the degrees of freedom are not known.
    """
    kinds = np.stack([np.floor(degrees), counts, in_looks, levels, levels_at_look])
    distinct, places = np.unique(kinds.astype(np.float64), axis=1, return_inverse=True)
    freedom, count, looking, level, at_look = (row[:, np.newaxis] for row in distinct)
    more = np.ceil(count * _LONGER)
    at_end = level * shares(more.astype(np.int64), np.ones(more.shape, dtype=bool))
    noise = smallest_detectable(
        Estimate(
            value=np.zeros_like(more),
            standard_error=np.sqrt(count / more),
            degrees=freedom * more / count,
        ),
        0.0,
        np.where(more == count, at_look, np.where(looking == 1, at_end, level)),
    )
    is_enough = noise <= noise[:, :1] / 2
    first = np.argmax(is_enough, axis=1)
    found = np.take_along_axis(more, first[:, np.newaxis], axis=1)[:, 0]
    halved: Floats = np.where(is_enough.any(axis=1), found, np.nan)[places.reshape(degrees.shape)]
    return halved


def check_settings(threshold: float, level: float) -> None:
    """Refuse a threshold or a level that nothing can be judged by.

    Raises:
        ComparisonError: with what was expected.
    """
    if not 0 <= threshold < 1:
        message = f"threshold is {threshold}; expected a share such as 0.01 for 1 %"
        raise ComparisonError(message)
    if not 0 < level < 0.5:
        message = f"level is {level}; expected a chance of error such as 0.01 for 1 %"
        raise ComparisonError(message)


def _verdict(estimate: Estimate, band: float, level: float) -> Verdict:
    if p_beyond(estimate, band)[0] < level:
        return "regressed" if estimate.value[0] > 0 else "improved"
    return "unchanged" if p_within(estimate, band)[0] < level else "inconclusive"
