"""Launches that are started before their step."""

from __future__ import annotations

from collections.abc import Collection

from harness.launch import Launch
from harness.plan import Contender, Step

_Key = tuple[str, int, Contender]


class Ahead:
    """The launches that wait for their step; whoever takes one closes it."""

    def __init__(self) -> None:
        self._launches: dict[_Key, Launch] = {}

    def add(self, step: Step, contender: Contender, launch: Launch) -> None:
        """Keep a launch for that step."""
        self._launches[_key(step, contender)] = launch

    def take(self, step: Step, contender: Contender) -> Launch | None:
        """The launch that waits for that step, if there is one; it is the caller's from now on."""
        return self._launches.pop(_key(step, contender), None)

    def keep_only(self, steps: Collection[Step]) -> None:
        """Close what waits for any other step: it will not come."""
        kept = {_key(step, each) for step in steps for each in step.contenders}
        for key in [key for key in self._launches if key not in kept]:
            self._launches.pop(key).close()

    def close(self) -> None:
        """Close all that wait."""
        self.keep_only(())


def _key(step: Step, contender: Contender) -> _Key:
    return step.kind, step.launch, contender
