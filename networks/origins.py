"""Origins: which line of a scenario made each node, recorded where it is asked for.

Recording takes the place of a construction cache, which is told of every node that is made: who
does not ask for it pays nothing, and nodes are no larger.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from types import FrameType

    from networks.node import Node
    from networks.operators import Operator

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class Origin(NamedTuple):
    """A line of a file."""

    file: str
    """Its absolute path."""
    line: int


class _Cache(Protocol):
    def find(self, operator: Operator, key: Hashable) -> Node | None: ...

    def store(self, operator: Operator, key: Hashable, node: Node) -> None: ...

    def __len__(self) -> int: ...


class Origins:
    """The line that made each node: the innermost one outside of this package.

    A node that differentiation, simplification or an evaluator's lowering makes has the line of the
    node that it was made for. Nodes are held as long as this is, which they refer to: the cyclic
    collector frees both.

    Parameters
    ----------
    cache: what deduplicates nodes meanwhile, if anything.
    """

    __slots__ = ("_cache", "_followed", "_lines")

    def __init__(self, cache: _Cache | None = None) -> None:
        self._cache = cache
        self._lines: dict[Node, Origin] = {}
        self._followed: Origin | None = None

    def find(self, operator: Operator, key: Hashable) -> Node | None:
        """Return the cache's node of that key, or None."""
        return None if self._cache is None else self._cache.find(operator, key)

    def store(self, operator: Operator, key: Hashable, node: Node) -> None:
        """Record who is making the node."""
        if self._cache is not None:
            self._cache.store(operator, key, node)
        self.record(node)

    def record(self, node: Node) -> None:
        """Record who is making a node that no cache is told of."""
        self._lines[node] = self._followed or _line(sys._getframe(1))

    def of(self, node: Node) -> Origin | None:
        """The line that made the node; None for one that was made without its builder."""
        return self._lines.get(node)

    def followed(self, nodes: Iterable[Node]) -> Iterator[Node]:
        """The same nodes; what is made during a node's turn has that node's line."""
        try:
            for node in nodes:
                self._followed = self._lines.get(node)
                yield node
        finally:
            self._followed = None

    def inheriting(self, nodes: Iterable[Node], made: Sequence[Node]) -> Iterator[Node]:
        """The same nodes; what is added to `made` during a node's turn has that node's line."""
        for node in nodes:
            before = len(made)
            yield node
            origin = self._lines.get(node)
            if origin is not None:
                for each in made[before:]:
                    self._lines.setdefault(each, origin)

    def __len__(self) -> int:
        return 0 if self._cache is None else len(self._cache)


def followed(nodes: Iterable[Node], cache: object) -> Iterable[Node]:
    """The same nodes, followed where `cache` records origins."""
    return cache.followed(nodes) if isinstance(cache, Origins) else nodes


def inheriting(
    nodes: Iterable[Node], made: Sequence[Node], origins: Origins | None
) -> Iterable[Node]:
    """The same nodes, whose lines what is added to `made` inherits where lines are recorded."""
    return nodes if origins is None else origins.inheriting(nodes, made)


def _line(frame: FrameType | None) -> Origin:
    innermost = frame
    while frame is not None and frame.f_code.co_filename.startswith(_HERE):
        frame = frame.f_back
    found = frame or innermost
    assert found is not None
    return Origin(found.f_code.co_filename, found.f_lineno)
