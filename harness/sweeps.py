"""Sweeps: cases alike but for their size, and what is not run once a smaller size has failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.cases import Case
from harness.measurement import Measurement

_LIMITS = frozenset({"timeout", "out_of_memory", "recursion", "crash", "error"})
"""What a larger size would meet as well; a refusal or a wrong value says nothing of sizes."""

Thing = TypeVar("Thing")


def ascending(things: Sequence[Thing], case_of: Callable[[Thing], Case]) -> list[Thing]:
    """The things with those of one sweep in ascending order, in the places that they hold.

    So a plan that is shuffled meets the smaller sizes of every sweep first.
    """
    places = defaultdict(list)
    for place, thing in enumerate(things):
        places[_family(case_of(thing))].append(place)
    ordered = list(things)
    for held in places.values():
        members = sorted((things[place] for place in held), key=lambda each: _sizes(case_of(each)))
        for place, thing in zip(held, members, strict=True):
            ordered[place] = thing
    return ordered


class Stops:
    """Remembers where sweeps ended, so that larger sizes become rows without being run.

    A key tells apart what has sweeps of its own, such as versions.
    """

    def __init__(self) -> None:
        self._ends: dict[tuple[Hashable, _Line], _End] = {}
        self._passed: set[tuple[Hashable, Case, str]] = set()

    def failed(self, key: Hashable, case: Case, row: Measurement) -> None:
        """Note a row that is not ok."""
        if row.status not in _LIMITS:
            return
        for line in _lines(case):
            known = self._ends.get((key, line))
            if known is None or line.size_of(case) < line.size_of(known.case):
                self._ends[key, line] = _End(line=line, case=case, row=row)

    def passed(self, key: Hashable, case: Case, kind: str) -> None:
        """Note a launch of that kind that was completed: its case can be run."""
        self._passed.add((key, case, kind))

    def row_for(self, key: Hashable, case: Case, kind: str) -> Measurement | None:
        """What stands for the case where a smaller one has failed; None where it is to be run.

        Smaller is what differs in one size only, and has less of it.
        """
        if (key, case, kind) in self._passed:
            return None
        ends = [self._ends[key, line] for line in _lines(case) if (key, line) in self._ends]
        smaller = [end for end in ends if end.line.size_of(end.case) < end.line.size_of(case)]
        if not smaller:
            return None
        end = min(smaller, key=lambda each: _sizes(each.case))
        row, line = end.row, end.line
        detail = row.detail if row.detail.startswith(_NOT_RUN) else (
            f"{_NOT_RUN}: {line.name}={line.size_of(end.case)} ended with {row.status} "
            f"in {row.phase}"
        )  # fmt: skip
        return replace(row, status="timeout", detail=detail)


_NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Cases that differ in one size only."""

    name: str
    """Of the parameter that they differ in."""
    others: tuple[object, ...]
    """What they have in common."""

    def size_of(self, case: Case) -> int:
        """Where the case lies on it."""
        return next(
            value for name, value in case.params if name == self.name and type(value) is int
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """The smallest case of a line that failed, and its row."""

    line: _Line
    case: Case
    row: Measurement


def _lines(case: Case) -> list[_Line]:
    """One for each size that the case has."""
    return [
        _Line(
            name=name,
            others=(
                *(case.scenario, case.evaluator, case.mode, case.dtype),
                *((other, of) for other, of in case.params if other != name),
            ),
        )
        for name, value in case.params
        if type(value) is int
    ]


def _family(case: Case) -> tuple[object, ...]:
    """What the cases of all sweeps of a scenario have in common."""
    others = tuple((name, value if type(value) is not int else None) for name, value in case.params)
    return case.scenario, case.evaluator, case.mode, case.dtype, others


def _sizes(case: Case) -> tuple[int, ...]:
    return tuple(value for _, value in case.params if type(value) is int)
