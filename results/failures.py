"""Cases that fail: new failures, cases that work again, and those that fail on both sides."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

import pandas as pd

from results.frames import readings, row_ids
from results.judgement import Row, Uncompared, Verdict
from results.schema import CASE_COLUMNS, OK, Case, Reading

_DETAIL_CHARACTERS = 200


class Extent(IntEnum):
    """How much of a case fails; more is worse."""

    NONE = 0
    SOME_LAUNCHES = 1
    EVERY_LAUNCH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a case fails in one version.

    Attributes:
        first: the first reading that is not ok.
        failing_launches: launches with such a reading.
        launches: all launches of the case.
    """

    first: Reading
    failing_launches: int
    launches: int

    @property
    def extent(self) -> Extent:
        """Whether every launch fails or only some."""
        every = self.failing_launches >= self.launches
        return Extent.EVERY_LAUNCH if every else Extent.SOME_LAUNCHES

    def told(self) -> str:
        """The failure in words: `timeout in evaluate, 3 of 5 launches: no answer in 60 s`."""
        head = (
            f"{self.first.status} in {self.first.phase}, "
            f"{self.failing_launches} of {self.launches} launches"
        )
        detail = " ".join(self.first.detail.split())[:_DETAIL_CHARACTERS]
        return f"{head}: {detail}" if detail else head


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """What failures say about two versions.

    Attributes:
        rows: cases that fail newly, or more than before (regressed), or less (improved).
        failing: cases that fail as much on both sides.
        cases: every case that fails on either side.
    """

    rows: tuple[Row, ...]
    failing: tuple[Uncompared, ...]
    cases: frozenset[Case]


def compare_failures(
    frame: pd.DataFrame, baseline: str, candidate: str, launches: Mapping[str, Mapping[Case, int]]
) -> Failures:
    """Compare what fails in two versions, over the cases that both have.

    Args:
        frame: readings, failures among them.
        baseline: the baseline's label.
        candidate: the candidate's label.
        launches: by label, what `launches_by_case` gives.
    """
    bad = frame[frame["status"] != OK]
    before = _failures(bad[bad["label"] == baseline], launches[baseline])
    after = _failures(bad[bad["label"] == candidate], launches[candidate])
    shared = launches[baseline].keys() & launches[candidate].keys()
    rows, failing = [], []
    for case in [case for case in {**before, **after} if case in shared]:
        old, new = before.get(case), after.get(case)
        if _extent(old) == _extent(new):
            failing.append(_failing(case, candidate, f"{_told(old)} → {_told(new)}"))
        else:
            counts = (launches[baseline][case], launches[candidate][case])
            rows.append(_row(case, old, new, (baseline, candidate), counts))
    return Failures(
        rows=tuple(rows), failing=tuple(failing), cases=frozenset({*before, *after} & shared)
    )


def launches_by_case(version: pd.DataFrame) -> dict[Case, int]:
    """How many launches each case has, failing ones too, in order of appearance.

    Readings of a case that belong to no launch count as one launch of their session.
    """
    columns = [*CASE_COLUMNS, "session", "launch"]
    distinct = version[~pd.Series(row_ids(version, columns)).duplicated().to_numpy()]
    counts: dict[Case, int] = {}
    for case in _cases(distinct):
        counts[case] = counts.get(case, 0) + 1
    return counts


def _cases(frame: pd.DataFrame) -> Iterator[Case]:
    """The case of each row."""
    return zip(*(frame[name].astype("str").tolist() for name in CASE_COLUMNS), strict=True)


def _failures(bad: pd.DataFrame, launches: Mapping[Case, int]) -> dict[Case, Failure]:
    """The cases that `bad`, the failures of one version, stand for."""
    failing_launches = launches_by_case(bad)
    found: dict[Case, Failure] = {}
    for case, reading in zip(_cases(bad), readings(bad), strict=True):
        if case not in found:
            found[case] = Failure(
                first=reading, failing_launches=failing_launches[case], launches=launches[case]
            )
    return found


def _extent(failure: Failure | None) -> Extent:
    return Extent.NONE if failure is None else failure.extent


def _told(failure: Failure | None) -> str:
    return "ok" if failure is None else failure.told()


def _row(
    case: Case,
    old: Failure | None,
    new: Failure | None,
    labels: tuple[str, str],
    launches: tuple[int, int],
) -> Row:
    """The row of a case that fails more than before, or less."""
    verdict: Verdict = "regressed" if _extent(new) > _extent(old) else "improved"
    worse = new if verdict == "regressed" else old
    first = cast("Failure", worse).first
    if old is None or new is None:
        what = "new failure" if new else "works again"
    else:
        what = "fails more often" if verdict == "regressed" else "fails less often"
    evaluator, scenario, params, mode = case
    return Row(
        evaluator=evaluator,
        scenario=scenario,
        params=params,
        mode=mode,
        phase=first.phase,
        metric=first.metric,
        unit=first.unit,
        baseline_label=labels[0],
        candidate_label=labels[1],
        baseline=None,
        candidate=None,
        ratio=None,
        ratio_low=None,
        ratio_high=None,
        baseline_launches=launches[0],
        candidate_launches=launches[1],
        smallest_detectable=None,
        verdict=verdict,
        reason=f"{what}: {_told(old)} → {_told(new)}",
        baseline_spread=None,
        candidate_spread=None,
    )


def _failing(case: Case, candidate: str, reason: str) -> Uncompared:
    evaluator, scenario, params, mode = case
    return Uncompared(
        evaluator=evaluator,
        scenario=scenario,
        params=params,
        mode=mode,
        phase="",
        metric="",
        candidate_label=candidate,
        reason=reason,
    )
