"""Construction caches: whether making the same node twice gives the same object.

`None` in the place of a cache makes a new node each time. `StrongCache` deduplicates and keeps
every node alive as long as its builder lives. `WeakCache` deduplicates nodes that somebody else
keeps alive, and holds nothing alive itself.

A key names operands by identity. That is safe because a node keeps its operands alive, and its
entry leaves the table before the node's own identity can be used again.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from networks.node import Node

POLICIES = ("none", "strong", "weak")


class StrongTable(dict[Hashable, "Node"]):
    """The nodes that a builder keeps alive. A dict of its own type, since a dict has no weakref."""

    __slots__ = ("__weakref__",)


class StrongCache:
    """Deduplicates against a table that the builder owns.

    Nodes refer to their cache, so the cache refers to the table weakly: otherwise nodes and table
    would be a cycle, and freeing a network would wait for the cyclic collector. When the builder
    is gone, its nodes can still be combined, without a cache.
    """

    __slots__ = ("_table",)

    def __init__(self, table: StrongTable) -> None:
        self._table = ref(table)

    def find(self, key: Hashable) -> Node | None:
        """Return the node of that key, or None."""
        table = self._table()
        return None if table is None else table.get(key)

    def store(self, key: Hashable, node: Node) -> Node:
        """Keep the node as long as the builder lives."""
        table = self._table()
        if table is not None:
            table[key] = node
        return node

    def __len__(self) -> int:
        table = self._table()
        return 0 if table is None else len(table)


class _Entry(ref["Node"]):
    """A weak reference that knows its key, so that its own death can remove it."""

    __slots__ = ("key",)
    key: Hashable


class WeakCache:
    """Deduplicates against living nodes only; an entry goes when its node goes."""

    __slots__ = ("_forget", "_table")

    def __init__(self) -> None:
        table: dict[Hashable, _Entry] = {}

        def forget(entry: ref[Node]) -> None:
            # The table is reached through the closure: a bound method would be a cycle.
            key = entry.key  # type: ignore[attr-defined]
            if table.get(key) is entry:
                del table[key]

        self._table = table
        self._forget = forget

    def find(self, key: Hashable) -> Node | None:
        """Return the living node of that key, or None."""
        entry = self._table.get(key)
        return None if entry is None else entry()

    def store(self, key: Hashable, node: Node) -> Node:
        """Remember the node as long as somebody else keeps it alive."""
        entry = _Entry(node, self._forget)
        entry.key = key
        self._table[key] = entry
        return node

    def __len__(self) -> int:
        return len(self._table)


Cache = StrongCache | WeakCache
