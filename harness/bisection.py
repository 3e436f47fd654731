"""Narrowing down where a change entered, by measuring versions between two that differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Verdict = bool | None
"""Whether a version has the change; None where measuring did not settle it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Where a change entered.

    Attributes:
        before: the last version known to be without it.
        after: the first version known to have it.
        between: versions in between that are not settled, oldest first.
        measured: versions that were measured.
    """

    before: str
    after: str
    between: tuple[str, ...]
    measured: tuple[str, ...]


def narrow(
    before: str, after: str, between: Sequence[str], has_change: Callable[[str], Verdict]
) -> Narrowed:
    """Ask `has_change` of the version in the middle, and go on in the half that is left.

    A version that cannot be settled is set aside for its neighbours; what is left when only such
    are between is the answer.

    Args:
        before: a version without the change.
        after: a version with it.
        between: the versions in between, oldest first.
        has_change: measures one.
    """
    left, unsettled, measured = list(between), set[str](), list[str]()
    while asked := [each for each in left if each not in unsettled]:
        middle = asked[len(asked) // 2]
        measured.append(middle)
        verdict = has_change(middle)
        place = left.index(middle)
        if verdict is None:
            unsettled.add(middle)
        elif verdict:
            after, left = middle, left[:place]
        else:
            before, left = middle, left[place + 1 :]
    return Narrowed(before=before, after=after, between=tuple(left), measured=tuple(measured))
