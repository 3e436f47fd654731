"""A plugin: an evaluator whose compile is spent in functions that are known."""

from __future__ import annotations

from collections.abc import Callable

from evaluators import catalog
from evaluators.strategies.interpreter import Interpreter
from networks import Network


class Spending(Interpreter):
    """The interpreter, with work in `compile`: three parts in one function, one in another."""

    name = "spending"

    def compile(self, lowered: Network) -> Callable[..., object]:
        """Work, then what the interpreter does."""
        spend_much()
        spend_little()
        return super().compile(lowered)


def spend_much() -> None:
    """Three parts."""
    for _ in range(300_000):
        pass


def spend_little() -> None:
    """One part."""
    for _ in range(100_000):
        pass


catalog.register(Spending())
