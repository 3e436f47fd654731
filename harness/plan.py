"""The plan of a session: which launches are made, in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

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
    """What will probably be run next, so that its processes can start before."""

    @property
    def pair(self) -> str:
        """The id of the pair, empty for a launch of its own."""
        return str(self.launch) if len(self.contenders) > 1 else ""


def plan_steps(
    groups: Sequence[Group],
    effort: Effort,
    seed: int,
    is_finished: Callable[[Group], bool] = lambda _: False,
) -> Iterator[Step]:
    """Every launch of the session: rounds over all groups, each round in an order of its own.

    So the launches of a case lie minutes apart, and what the machine does for a while cannot fall
    on one case alone. Time comes before memory, and goes on for a group until `is_finished`.
    """
    rng = random.Random(seed)
    for number in range(1, effort.launches + 1):
        unfinished = [group for group in groups if not is_finished(group)]
        if not unfinished:
            break
        order = _shuffled(unfinished, rng, is_first=number == 1)
        steps = [Step(kind=TIME, launch=number, contenders=group) for group in order]
        last = replace(steps[-1], launch=number + 1)
        is_alone = len(groups) == 1 and number < effort.launches
        following = [*steps[1:], last if is_alone else None]
        for step, after in zip(steps, following, strict=True):
            yield replace(step, following=after)
    for number in range(effort.launches + 1, effort.launches + effort.memory_launches + 1):
        for group in _shuffled(groups, rng, is_first=number == effort.launches + 1):
            yield Step(kind=MEMORY, launch=number, contenders=group)


def _shuffled(groups: Sequence[Group], rng: random.Random, *, is_first: bool) -> list[Group]:
    """In random order; in a first round sweeps ascend, and later ones know where they end."""
    shuffled = rng.sample(list(groups), len(groups))
    return ascending(shuffled, lambda group: group[0].case) if is_first else shuffled
