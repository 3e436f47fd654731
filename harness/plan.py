"""The plan of a session: which launches are made, in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from harness.cases import Case
from harness.effort import Effort
from harness.sweeps import ascending

TIME, MEMORY = "time", "memory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What is compared: a label, and the interpreter that its subjects run under."""

    label: str
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One side of a step: a case under a version."""

    version: Version
    case: Case


Group = tuple[Contender, ...]
"""What is alive together: one contender alone, or a baseline and its candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Launches that are alive together: one contender alone, or a pair (or more)."""

    kind: str
    launch: int
    contenders: Group
    following: Step | None = None
    """What will probably be run next in its place, so that its processes can start before."""

    @property
    def pair(self) -> str:
        """The id of the pair, empty for a launch of its own."""
        return str(self.launch) if len(self.contenders) > 1 else ""


Turn = tuple[Step, ...]
"""Steps of one group that are run at the same time, each on a CPU of its own."""


def plan_turns(
    groups: Sequence[Group],
    effort: Effort,
    seed: int,
    is_finished: Callable[[Group], bool] = lambda _: False,
    *,
    at_once: int = 1,
) -> Iterator[Turn]:
    """Every launch of the session: rounds over all groups, each round in an order of its own.

    So the launches of a case lie minutes apart, and what the machine does for a while cannot fall
    on one case alone. Time comes before memory, and goes on for a group until `is_finished`.

    Args:
        groups: what is alive together.
        effort: how many launches there are.
        seed: of the order.
        is_finished: whether a group's times need no more launches.
        at_once: steps that measure time in a turn; those that measure memory are alone.
    """
    rng = random.Random(seed)
    for number in range(1, effort.launches + 1, at_once):
        unfinished = [group for group in groups if not is_finished(group)]
        if not unfinished:
            break
        order = _shuffled(unfinished, rng, is_first=number == 1)
        turns = [_turn(group, number, at_once, effort) for group in order]
        is_alone = len(groups) == 1
        again = _turn(order[-1], number + at_once, at_once, effort) if is_alone else ()
        for turn, after in zip(turns, [*turns[1:], again], strict=True):
            yield tuple(
                replace(step, following=following)
                for step, following in zip_longest(turn, after)
                if step is not None
            )
    for number in range(effort.launches + 1, effort.launches + effort.memory_launches + 1):
        for group in _shuffled(groups, rng, is_first=number == effort.launches + 1):
            yield (Step(kind=MEMORY, launch=number, contenders=group),)


def _turn(group: Group, first: int, at_once: int, effort: Effort) -> Turn:
    """As many launches of the group as there are left, from that number on."""
    numbers = range(first, min(first + at_once, effort.launches + 1))
    return tuple(Step(kind=TIME, launch=number, contenders=group) for number in numbers)


def _shuffled(groups: Sequence[Group], rng: random.Random, *, is_first: bool) -> list[Group]:
    """In random order; in a first round sweeps ascend, and later ones know where they end."""
    shuffled = rng.sample(list(groups), len(groups))
    return ascending(shuffled, lambda group: group[0].case) if is_first else shuffled
