"""Instrumentation: an evaluator's own function, with the clock read after each of its steps.

A step is what the function does for one node, bookkeeping included. Neighbouring steps share a
reading, so that a step costs one reading more than it did; `empty` and `bare` tell what that is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from evaluators.protocol import Function
from networks import Node

Clock = Callable[[], int]
"""Nanoseconds since some fixed moment."""

Readings = deque[int]

Item = TypeVar("Item")


def room_for(steps: int) -> Readings:
    """Room for the readings of one call, which takes the place of the last call's.

    A list that grew during a call would take memory between the arrays of the subject, and move
    them: malloc then gives pages back to the system, and has to fetch them again, at every call.
    """
    return deque([0] * (steps + 1), steps + 1)


class Step(NamedTuple):
    """What an evaluator's function does for a node."""

    node: Node
    allocates: bool
    """Whether its value takes memory that was not the function's before."""


class Instrumented(NamedTuple):
    """A function, and the readings of the clock that its last call has left."""

    function: Function
    steps: tuple[Step, ...]
    readings: Readings
    """Of the last call: one before the first step, and one after each."""
    empty: Callable[[], None]
    """Takes as many readings as a call, with nothing between them."""
    bare: Callable[[], None]
    """Does what `empty` does, but takes no reading."""


class Ticking(Generic[Item]):
    """A sequence whose iteration reads the clock before the first item and after each one's turn.

    In the place of what a function walks it instruments the walk.
    """

    def __init__(self, items: Sequence[Item], clock: Clock) -> None:
        self._items = items
        self._clock = clock
        self._readings = room_for(len(items))

    def __iter__(self) -> Iterator[Item]:
        clock, keep = self._clock, self._readings.append
        keep(clock())
        for item in self._items:
            yield item
            keep(clock())

    def instrumented(self, function: Function, steps: Sequence[Step]) -> Instrumented:
        """What becomes of a function that walks this."""

        def empty() -> None:
            for _ in self:
                pass

        def bare() -> None:
            for _ in self._items:
                pass

        return Instrumented(function, tuple(steps), self._readings, empty, bare)
