"""Sweeps: cases alike but for their size, and what is not run once a smaller size has failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
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


def is_larger(case: Case, other: Case) -> bool:
    """Whether both differ in one size only, and this one has more of it."""
    if _family(case) != _family(other):
        return False
    differing = [(a, b) for a, b in zip(_sizes(case), _sizes(other), strict=True) if a != b]
    return len(differing) == 1 and differing[0][0] > differing[0][1]


class Stops:
    """Remembers where sweeps ended, so that larger sizes become rows without being run.

    A key tells apart what has sweeps of its own, such as versions.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[Hashable, Case], Measurement] = {}
        self._passed: set[tuple[Hashable, Case, str]] = set()

    def failed(self, key: Hashable, case: Case, row: Measurement) -> None:
        """Note a row that is not ok."""
        if row.status in _LIMITS:
            self._failures.setdefault((key, case), row)

    def passed(self, key: Hashable, case: Case, kind: str) -> None:
        """Note a launch of that kind that was completed: its case can be run."""
        self._passed.add((key, case, kind))

    def row_for(self, key: Hashable, case: Case, kind: str) -> Measurement | None:
        """What stands for the case where a smaller one has failed; None where it is to be run."""
        if (key, case, kind) in self._passed:
            return None
        smaller = [
            (failed, row)
            for (other, failed), row in self._failures.items()
            if other == key and is_larger(case, failed)
        ]
        if not smaller:
            return None
        failed, row = min(smaller, key=lambda each: _sizes(each[0]))
        name, size = _difference(failed, case)
        detail = row.detail if row.detail.startswith(_NOT_RUN) else (
            f"{_NOT_RUN}: {name}={size} ended with {row.status} in {row.phase}"
        )  # fmt: skip
        return replace(row, status="timeout", detail=detail)


_NOT_RUN = "not run"


def _family(case: Case) -> tuple[object, ...]:
    """What the cases of all sweeps of a scenario have in common."""
    others = tuple((name, value if type(value) is not int else None) for name, value in case.params)
    return case.scenario, case.evaluator, case.mode, case.dtype, others


def _sizes(case: Case) -> tuple[int, ...]:
    return tuple(value for _, value in case.params if type(value) is int)


def _difference(smaller: Case, larger: Case) -> tuple[str, object]:
    """The parameter in which they differ, and its value in the smaller one."""
    theirs = dict(larger.params)
    return next((name, value) for name, value in smaller.params if theirs[name] != value)
