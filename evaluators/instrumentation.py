"""Instrumentation: an evaluator's own function, with the clock read after each of its steps.

A step is what the function does for one node, bookkeeping included. Neighbouring steps share a
reading, so that a step costs one reading more than it did; `empty` and `bare` tell what that is.
Who instruments may ask for fewer readings, so that steps in a row run as they do in the function
itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from evaluators.protocol import Function
from networks import Node

Clock = Callable[[], int]
"""Nanoseconds since some fixed moment."""

Readings = deque[int]

Reads = Callable[[int], bool]
"""Of the number of a step, from 0: whether the clock is read after it."""

Item = TypeVar("Item")


def after_every_step(_step: int) -> bool:
    """The clock is read after each step."""
    return True


def read_after(steps: int, reads: Reads) -> list[bool]:
    """For every step, whether the clock is read after it; after the last one it always is."""
    return [step == steps - 1 or reads(step) for step in range(steps)]


def room_for(readings: int) -> Readings:
    """Room for the readings of one call, which takes the place of the last call's.

    A list that grew during a call would take memory between the arrays of the subject, and move
    them: malloc then gives pages back to the system, and has to fetch them again, at every call.
    """
    return deque([0] * readings, readings)


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
    """Of the last call: one before the first step, and one after each that was asked for."""
    empty: Callable[[], None]
    """Takes as many readings as a call, with nothing between them."""
    bare: Callable[[], None]
    """Does what `empty` does, but takes no reading."""


class Ticking(Generic[Item]):
    """A sequence whose iteration reads the clock before the first item and after items' turns.

    In the place of what a function walks it instruments the walk. Items in a row without a reading
    between them are walked as a tuple is.
    """

    def __init__(
        self, items: Sequence[Item], clock: Clock, reads: Reads = after_every_step
    ) -> None:
        self._clock = clock
        is_read = read_after(len(items), reads)
        self._items = tuple(items)
        self._stretches = _between_readings(self._items, is_read)
        self._readings = room_for(sum(is_read) + 1)

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(self._walk())

    def _walk(self) -> Iterator[Iterable[Item]]:
        clock, keep = self._clock, self._readings.append
        keep(clock())
        for items, is_read in self._stretches:
            if is_read:
                yield self._read(items)
            else:
                yield items
                keep(clock())

    def _read(self, items: Iterable[Item]) -> Iterator[Item]:
        clock, keep = self._clock, self._readings.append
        for item in items:
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


def _between_readings(
    items: Sequence[Item], is_read: Sequence[bool]
) -> list[tuple[tuple[Item, ...], bool]]:
    """Stretches of items: read after each, or after the last alone."""
    stretches: list[tuple[tuple[Item, ...], bool]] = []
    each: list[Item] = []
    unread: list[Item] = []
    for item, ends in zip(items, is_read, strict=True):
        if ends and not unread:
            each.append(item)
            continue
        if each:
            stretches.append((tuple(each), True))
            each = []
        unread.append(item)
        if ends:
            stretches.append((tuple(unread), False))
            unread = []
    return [*stretches, (tuple(each), True)] if each else stretches
