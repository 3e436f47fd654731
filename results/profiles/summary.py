"""One version's profile: each row over its launches, and its share of the machine's peak."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from results.profiles.reading import UNEXPLAINED, By, ProfileReading
from results.roofline import Peaks


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSummary:
    """A row of one version's profile, of one phase.

    Attributes:
        name: of the row.
        file: where it stands; may be empty.
        line: there.
        seconds: of one call, mean over launches.
        sd_s: standard deviation over launches; None below two.
        share: of the whole call.
        calls: how often it runs; None where that is not known.
        moved_bytes: in one call.
        allocated_bytes: likewise.
        flops: likewise.
        peak_share: the least time that the machine allows over the time taken; None where that is
            not known.
    """

    name: str
    file: str
    line: int | None
    seconds: float
    sd_s: float | None
    share: float
    calls: float | None
    moved_bytes: float | None
    allocated_bytes: float | None
    flops: float | None
    peak_share: float | None


def summarised(
    readings: Iterable[ProfileReading],
    label: str,
    *,
    by: By,
    phase: str,
    peaks: Peaks | None,
    dtype: str,
) -> tuple[RowSummary, ...]:
    """The rows of a version, the longest first; what is unexplained comes last."""
    rows: dict[tuple[str, str, str], list[ProfileReading]] = {}
    launches = set()
    for each in readings:
        if (each.label, each.by, each.phase) == (label, by, phase):
            rows.setdefault(each.key, []).append(each)
            launches.add(each.launch)
    whole = sum(each.seconds for row in rows.values() for each in row) / max(1, len(launches))
    found = [_summary(row, len(launches), whole, peaks, dtype) for row in rows.values()]
    return tuple(sorted(found, key=lambda row: (row.name == UNEXPLAINED, -row.seconds)))


def _summary(
    row: Sequence[ProfileReading], launches: int, whole_s: float, peaks: Peaks | None, dtype: str
) -> RowSummary:
    first = row[0]
    # A launch that has not seen the row has spent nothing in it.
    seconds = [each.seconds for each in row] + [0.0] * (launches - len(row))
    mean = statistics.fmean(seconds)
    return RowSummary(
        name=first.name,
        file=first.file,
        line=first.line,
        seconds=mean,
        sd_s=statistics.stdev(seconds) if launches > 1 else None,
        share=mean / whole_s if whole_s else 0.0,
        calls=first.calls,
        moved_bytes=first.moved_bytes,
        allocated_bytes=first.allocated_bytes,
        flops=first.flops,
        peak_share=_peak_share(first, mean, peaks, dtype),
    )


def _peak_share(
    row: ProfileReading, seconds: float, peaks: Peaks | None, dtype: str
) -> float | None:
    if peaks is None or row.flops is None or not row.moved_bytes or not row.calls or seconds <= 0:
        return None
    least = peaks.seconds(
        flops=row.flops,
        moved_bytes=row.moved_bytes,
        working_set=row.moved_bytes / row.calls,
        dtype=dtype,
    )
    return least / seconds
