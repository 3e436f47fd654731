"""What changed between two versions, row by row of their profiles: contributions to the change.

A row's contribution is what it takes more in the candidate than in the baseline, in seconds. The
rows of a profile add up to a whole call, so contributions add up to the change of the whole call;
what no row explains is the remainder, and is told. Rows are ordered by what they contribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from results.errors import ComparisonError
from results.profiles.reading import UNEXPLAINED, By, ProfileReading
from results.statistics import (
    Estimate,
    Moments,
    holm,
    interval,
    moments,
    p_beyond,
    paired,
    welch,
)

LEVEL: Final = 0.01
"""An interval misses the truth with this probability; so does any of the marks, all together."""

Key = tuple[str, str, str]
_Launch = tuple[int, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a row takes in both versions, in seconds a call or repeat, means over launches.

    Attributes:
        name: of the row.
        file: where it stands; may be empty.
        line: there, in the candidate if it has the row.
        baseline_s: None where the baseline has no such row.
        candidate_s: None where the candidate has none.
        change_s: what the candidate takes more.
        low_s: the change's interval at LEVEL, this row's own; None where it cannot be told.
        high_s: likewise.
        is_clear: whether the change is not 0, after Holm's correction over all rows.
        baseline_calls: how often it ran; None where that is not known.
        candidate_calls: likewise.
    """

    name: str
    file: str
    line: int | None
    baseline_s: float | None
    candidate_s: float | None
    change_s: float
    low_s: float | None
    high_s: float | None
    is_clear: bool
    baseline_calls: float | None
    candidate_calls: float | None

    @property
    def presence(self) -> str:
        """Of which version the row is: "new", "vanished", or empty for a row of both."""
        if self.baseline_s is None:
            return "new"
        return "vanished" if self.candidate_s is None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The profiles of two versions, compared.

    Attributes:
        by: what a row is.
        phase: that was profiled.
        baseline_label: the version that is compared with.
        candidate_label: the version that is compared.
        launches: pairs, or launches of the version that has fewer.
        is_paired: whether launches were interleaved.
        whole: the change of the whole call.
        rows: the largest contribution first, the remainder left out.
        remainder: what no row explains of the change; None where the profiles tell none.
    """

    by: By
    phase: str
    baseline_label: str
    candidate_label: str
    launches: int
    is_paired: bool
    whole: Change
    rows: tuple[Change, ...]
    remainder: Change | None

    @property
    def counted(self) -> tuple[Change, ...]:
        """The rows that run more or less often: a deterministic difference, by its size."""
        changed = [row for row in self.rows if _more_calls(row)]
        return tuple(sorted(changed, key=lambda row: (-abs(_more_calls(row)), row.name)))

    def share(self, row: Change) -> float | None:
        """Of the whole change; None where that is 0."""
        return row.change_s / self.whole.change_s if self.whole.change_s else None


def difference(
    readings: Iterable[ProfileReading], baseline: str, candidate: str, *, by: By, phase: str
) -> Difference:
    """Compare the profiles of two labels.

    Args:
        readings: of both versions, and perhaps of others; all rows of every launch.
        baseline: label of the version that is compared with.
        candidate: label of the version that is compared.
        by: which rows.
        phase: of which phase.

    Raises:
        ComparisonError: when a label has no such reading.
    """
    wanted = [each for each in readings if each.by == by and each.phase == phase]
    sides = [
        _Side([each for each in wanted if each.label == label]) for label in (baseline, candidate)
    ]
    for label, side in zip((baseline, candidate), sides, strict=True):
        if not side.launches:
            known = ", ".join(sorted({each.label for each in wanted})) or "nothing"
            raise ComparisonError(f"no profile of {phase} by {by} of {label!r}; there is {known}")
    base, cand = sides
    keys = list(dict.fromkeys((*base.first, *cand.first)))
    estimate, launches, is_paired = _estimate(base, cand, keys)
    low, high = interval(estimate, LEVEL)
    # The whole is a row like others; the remainder and the whole are no discoveries.
    is_row = np.array([key[1] != UNEXPLAINED for key in keys] + [False])
    p = holm(np.where(is_row, p_beyond(estimate, 0.0), np.nan))
    changes = [
        _change(
            key,
            base,
            cand,
            float(estimate.value[at]),
            _known(low[at]),
            _known(high[at]),
            is_clear=bool(p[at] < LEVEL),
        )
        for at, key in enumerate([*keys, None])
    ]
    whole = changes.pop()
    rows = [each for each in changes if each.name != UNEXPLAINED]
    remainder = next((each for each in changes if each.name == UNEXPLAINED), None)
    return Difference(
        by=by,
        phase=phase,
        baseline_label=baseline,
        candidate_label=candidate,
        launches=launches,
        is_paired=is_paired,
        whole=whole,
        rows=tuple(sorted(rows, key=lambda row: -abs(row.change_s))),
        remainder=remainder,
    )


class _Side:
    """The launches of a version."""

    def __init__(self, readings: Sequence[ProfileReading]) -> None:
        self.launches: dict[_Launch, dict[Key, float]] = {}
        self.first: dict[Key, ProfileReading] = {}
        for each in readings:
            row = self.launches.setdefault((each.launch, each.pair), {})
            row[each.key] = row.get(each.key, 0.0) + each.seconds
            self.first.setdefault(each.key, each)

    def seconds(self, launches: Sequence[_Launch], keys: Sequence[Key]) -> NDArray[np.float64]:
        """A line for each launch, a column for each row; a row that was not seen took nothing."""
        return np.array([[self.launches[each].get(key, 0.0) for key in keys] for each in launches])

    def mean(self, key: Key | None) -> float | None:
        """Of a row, or of the whole; None where no launch has the row."""
        if key is None:
            totals = [sum(each.values()) for each in self.launches.values()]
        elif key in self.first:
            totals = [each.get(key, 0.0) for each in self.launches.values()]
        else:
            return None
        return sum(totals) / len(totals)


def _estimate(base: _Side, cand: _Side, keys: Sequence[Key]) -> tuple[Estimate, int, bool]:
    """The change of every row, and last of the whole; on how many launches; whether of pairs."""
    pairs = [each for each in base.launches if each[1] is not None and each in cand.launches]
    if pairs:
        found = _with_whole(cand.seconds(pairs, keys)) - _with_whole(base.seconds(pairs, keys))
        return paired(_moments(found)), len(pairs), True
    sides = [_with_whole(side.seconds(list(side.launches), keys)) for side in (base, cand)]
    return welch(*map(_moments, sides)), min(map(len, sides)), False


def _with_whole(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([seconds, seconds.sum(axis=1)])


def _moments(seconds: NDArray[np.float64]) -> Moments:
    """Of each column."""
    columns = np.tile(np.arange(seconds.shape[1]), seconds.shape[0])
    return moments(seconds.ravel(), columns, seconds.shape[1])


def _change(
    key: Key | None,
    base: _Side,
    cand: _Side,
    change_s: float,
    low_s: float | None,
    high_s: float | None,
    *,
    is_clear: bool,
) -> Change:
    before = None if key is None else base.first.get(key)
    after = None if key is None else cand.first.get(key)
    known = after or before
    return Change(
        name="" if known is None else known.name,
        file="" if known is None else known.file,
        line=None if known is None else known.line,
        baseline_s=base.mean(key),
        candidate_s=cand.mean(key),
        change_s=change_s,
        low_s=low_s,
        high_s=high_s,
        is_clear=is_clear,
        baseline_calls=None if before is None else before.calls,
        candidate_calls=None if after is None else after.calls,
    )


def _more_calls(row: Change) -> float:
    """How much more often it runs in the candidate; 0 where that is not known."""
    if row.baseline_calls is None and row.candidate_calls is None:
        return 0.0
    if row.presence == "" and None in (row.baseline_calls, row.candidate_calls):
        return 0.0
    return (row.candidate_calls or 0.0) - (row.baseline_calls or 0.0)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
