"""Functions of a phase: what each has in each version, and what it adds to the difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from results.profiles.difference import Change, Difference, difference
from results.profiles.stacks import PhaseProfile, share_error


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

    What counts of a change is what is sure of it (`sure_s`). A function that a version does not
    have takes it no time. The first profile's version is the baseline, the last one's is what it is
    compared with.
    """
    found_difference = compared(profiles)
    changes = {
        (row.name, row.file): row for row in (found_difference.rows if found_difference else ())
    }
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
                change=changes.get((name, file)),
            )
        )
    return sorted(rows, key=_size, reverse=True)


def compared(profiles: Sequence[PhaseProfile]) -> Difference | None:
    """The first profile's version compared with the last one's; None where it is the same one."""
    base, candidate = profiles[0], profiles[-1]
    if base.label == candidate.label:
        return None
    readings = [reading for each in profiles for reading in each.readings()]
    return difference(readings, base.label, candidate.label, by="function", phase=base.phase)


def sure_s(change: Change) -> float:
    """What a row has at least contributed, give or take: its change less half its interval's arm.

    About two standard errors of six pairs: a large row that differs from pair to pair for no reason
    does not stand before a small one that always differs alike.
    """
    if change.low_s is None or change.high_s is None:
        return 0.0
    return max(0.0, abs(change.change_s) - (change.high_s - change.low_s) / 4)


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


def _size(row: FunctionRow) -> tuple[float, float]:
    if row.change is None:
        return 0.0, max(row.seconds.values(), default=0.0)
    return sure_s(row.change), abs(row.change.change_s)
