"""Construction caches: whether making the same node twice gives the same object.

`None` in the place of a cache makes a new node each time. `StrongCache` deduplicates and keeps
every node alive as long as its builder lives. `WeakCache` deduplicates nodes that somebody else
keeps alive, and holds nothing alive itself.

A key is what tells a node from others of its operator: its operands, by identity, and what does not
follow from them. Keys may hold operands: an entry goes when its node goes, and until then the node
holds them as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import TYPE_CHECKING
from weakref import ref

from networks.origins import Origins

if TYPE_CHECKING:
    from networks.node import Node
    from networks.operators import Operator

POLICIES = ("none", "strong", "weak")


class StrongTable(defaultdict["Operator", dict[Hashable, "Node"]]):
    """The nodes that a builder keeps alive. A dict of its own type, since a dict has no weakref."""

    __slots__ = ("__weakref__",)

    def __init__(self) -> None:
        super().__init__(dict)


class StrongCache:
    """Deduplicates against a table that the builder owns.

    Nodes refer to their cache, so the cache refers to the table weakly: otherwise nodes and table
    would be a cycle, and freeing a network would wait for the cyclic collector. When the builder
    is gone, its nodes can still be combined, without a cache.
    """

    __slots__ = ("_table",)

    def __init__(self, table: StrongTable) -> None:
        self._table = ref(table)

    def find(self, operator: Operator, key: Hashable) -> Node | None:
        """Return the node of that key, or None."""
        table = self._table()
        return None if table is None else table[operator].get(key)

    def store(self, operator: Operator, key: Hashable, node: Node) -> None:
        """Keep the node as long as the builder lives."""
        table = self._table()
        if table is not None:
            table[operator][key] = node

    def __len__(self) -> int:
        table = self._table()
        return 0 if table is None else sum(map(len, table.values()))


class _Entry(ref["Node"]):
    """A weak reference that knows where it is kept, so that its own death can remove it."""

    __slots__ = ("entries", "key")
    entries: dict[Hashable, _Entry]
    key: Hashable


def _forget(entry: _Entry) -> None:
    """Remove the entry of a node that died.

    It is still there: an entry that was replaced is no longer alive, and is not called.
    """
    del entry.entries[entry.key]


class WeakCache:
    """Deduplicates against living nodes only; an entry goes when its node goes."""

    __slots__ = ("_table",)

    def __init__(self) -> None:
        self._table: defaultdict[Operator, dict[Hashable, _Entry]] = defaultdict(dict)

    def find(self, operator: Operator, key: Hashable) -> Node | None:
        """Return the living node of that key, or None."""
        entry = self._table[operator].get(key)
        return None if entry is None else entry()

    def store(self, operator: Operator, key: Hashable, node: Node) -> None:
        """Remember the node as long as somebody else keeps it alive."""
        entry = _Entry(node, _forget)
        entry.key = key
        entry.entries = entries = self._table[operator]
        entries[key] = entry

    def __len__(self) -> int:
        return sum(map(len, self._table.values()))


Cache = StrongCache | WeakCache | Origins
