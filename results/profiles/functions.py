"""Functions of a phase: what each has in each version, and what it adds to the difference."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.special import stdtrit

from results.profiles.stacks import PhaseProfile, share_error

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What the last version has more than the first, in seconds of one repeat.

    Attributes:
        seconds: in the mean over pairs of launches.
        low: of the 95 % interval (Student's t over pairs); None for fewer than two pairs.
        high: likewise.
    """

    seconds: float
    low: float | None
    high: float | None

    @property
    def is_seen(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRow:
    """A function, by version label where it has something.

    Attributes:
        name: qualified name, or a native function's.
        file: where it stands.
        line: where it begins in the last version that has it, None where not known.
        seconds: of its own in one repeat, in the mean over launches.
        shares: of its phase.
        share_errors: their standard errors, from how often it was seen.
        change: None for one version.
    """

    name: str
    file: str
    line: int | None
    seconds: Mapping[str, float]
    shares: Mapping[str, float]
    share_errors: Mapping[str, float]
    change: Change | None


def rows_by_function(profiles: Sequence[PhaseProfile]) -> list[FunctionRow]:
    """The functions of one phase: the largest first, of several versions the largest change.

    A function that a version does not have takes it no time.
    """
    labels = list(dict.fromkeys(each.label for each in profiles))
    own: dict[tuple[str, str], dict[tuple[str, int], float]] = defaultdict(dict)
    lines: dict[tuple[str, str], int | None] = {}
    for profile in profiles:
        for each in profile.readings():
            own[each.name, each.file][profile.label, profile.launch] = each.seconds
            lines[each.name, each.file] = each.line
    rows = []
    for (name, file), found in own.items():
        seconds = _means(found, profiles)
        shares = {
            label: value / whole_seconds(profiles, label)
            for label, value in seconds.items()
            if whole_seconds(profiles, label)
        }
        errors = {
            label: error
            for label, share in shares.items()
            if (error := share_error(min(share, 1.0), sample_count(profiles, label))) is not None
        }
        rows.append(
            FunctionRow(
                name=name,
                file=file,
                line=lines[name, file],
                seconds=seconds,
                shares=shares,
                share_errors=errors,
                change=_change(found, profiles, labels[0], labels[-1]) if len(labels) > 1 else None,
            )
        )
    return sorted(rows, key=_size, reverse=True)


def whole_change(profiles: Sequence[PhaseProfile]) -> Change:
    """What the whole phase has more in the last version than in the first."""
    labels = list(dict.fromkeys(each.label for each in profiles))
    found = {(each.label, each.launch): each.seconds for each in profiles}
    return _change(found, profiles, labels[0], labels[-1])


def whole_seconds(profiles: Sequence[PhaseProfile], label: str) -> float:
    """One repeat of the phase, in the mean over launches."""
    return fmean(each.seconds for each in profiles if each.label == label)


def sample_count(profiles: Sequence[PhaseProfile], label: str) -> int:
    """How many samples all launches of a version have."""
    return sum(each.samples for each in profiles if each.label == label)


def _means(
    found: Mapping[tuple[str, int], float], profiles: Sequence[PhaseProfile]
) -> dict[str, float]:
    values: dict[str, list[float]] = defaultdict(list)
    for each in profiles:
        values[each.label].append(found.get((each.label, each.launch), 0.0))
    return {label: fmean(each) for label, each in values.items() if any(each)}


def _change(
    found: Mapping[tuple[str, int], float],
    profiles: Sequence[PhaseProfile],
    base: str,
    candidate: str,
) -> Change:
    launches: dict[str, set[int]] = defaultdict(set)
    for each in profiles:
        launches[each.label].add(each.launch)
    pairs = sorted(launches[base] & launches[candidate])
    differences = [
        found.get((candidate, number), 0.0) - found.get((base, number), 0.0) for number in pairs
    ]
    mean = fmean(differences) if differences else 0.0
    if len(differences) < 2:
        return Change(seconds=mean, low=None, high=None)
    error = stdev(differences) / math.sqrt(len(differences))
    half = float(stdtrit(len(differences) - 1, (1 + _LEVEL) / 2)) * error
    return Change(seconds=mean, low=mean - half, high=mean + half)


def _size(row: FunctionRow) -> float:
    return max(row.seconds.values(), default=0.0) if row.change is None else abs(row.change.seconds)
