"""The builder: what a scenario's loop is given."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from sys import intern
from typing import Any

import numpy as np

from networks import inference
from networks.caches import POLICIES, Cache, StrongCache, StrongTable, WeakCache
from networks.errors import NetworkError
from networks.inference import BOOL, DTYPES, Shape
from networks.network import Network
from networks.node import Node, constant, new_node
from networks.operators import DATA, WEIGHT, Operator
from networks.origins import Origins


class Builder:
    """Declares inputs and collects outputs; the nodes themselves do the rest.

    Parameters
    ----------
    dtype: of inputs and constants unless they say otherwise, "float32" or "float64".
    cache: what is done about nodes that are made twice. "none": a new node each time. "strong":
        the same node, which then lives as long as the builder. "weak": the same node as long as
        somebody else keeps it alive; the cache itself holds nothing.
    origins: whether the line that makes a node is recorded (see `networks.origins`).
    """

    def __init__(
        self, *, dtype: str = "float32", cache: str = "none", origins: bool = False
    ) -> None:
        self.dtype = _dtype(dtype)
        self._table = StrongTable()
        self._cache = _make_cache(cache, self._table)
        self._origins = Origins(self._cache) if origins else None
        if self._origins is not None:
            self._cache = self._origins
        self._inputs: dict[str, Node] = {}
        self._outputs: list[Node] = []
        self._loss: Node | None = None
        self._shapes: dict[Sequence[int], Shape] = {}

    def weight(self, name: str, shape: Sequence[int] = (), *, dtype: str | None = None) -> Node:
        """An input that training changes, and that gradients are taken by; float."""
        node = self._input(WEIGHT, name, shape, dtype)
        if node.dtype is BOOL:
            raise NetworkError(f"weight {name!r}: bool has no derivative; declare it as data")
        self._inputs[node.attributes] = node
        return node

    def data(self, name: str, shape: Sequence[int] = (), *, dtype: str | None = None) -> Node:
        """An input that every call may give anew; float or bool."""
        node = self._input(DATA, name, shape, dtype)
        self._inputs[node.attributes] = node
        return node

    def constant(self, value: Any, *, dtype: str | None = None) -> Node:
        """A fixed array; of the builder's dtype unless told otherwise; bool stays bool."""
        if isinstance(value, Node):
            raise NetworkError(f"constant: {value!r} is a node already")
        kind = self.dtype if dtype is None else _dtype(dtype)
        if dtype is None and _is_bool(value):
            kind = BOOL
        return constant(value, kind, self._cache)

    def output(self, node: Node) -> Node:
        """Mark a result; outputs keep the order of these calls."""
        self._outputs.append(_expect_node(node, "output"))
        return node

    def loss(self, node: Node) -> Node:
        """Mark the scalar that gradients are taken of."""
        _expect_node(node, "loss")
        if self._loss is not None:
            raise NetworkError("loss: the network has one already; a network has a single loss")
        if node.shape != () or node.dtype is BOOL:
            raise NetworkError(f"loss: found {node!r}; expected a floating-point scalar; sum() it")
        self._loss = node
        return node

    def network(self) -> Network:
        """What was built. Without an output, the loss is the output.

        No node is walked here: shapes and dtypes were checked as nodes were made, and `validate`
        checks the whole.
        """
        outputs = self._outputs or ([] if self._loss is None else [self._loss])
        if not outputs:
            raise NetworkError("the network has no output; call net.output(y)")
        inputs = self._inputs.values()
        return Network(
            weights=[node for node in inputs if node.operator is WEIGHT],
            data=[node for node in inputs if node.operator is DATA],
            outputs=outputs,
            loss=self._loss,
            origins=self._origins,
        )

    @property
    def cache_entries(self) -> int:
        """How many nodes the construction cache knows now."""
        return 0 if self._cache is None else len(self._cache)

    def _input(
        self, operator: Operator, name: str, shape: Sequence[int], dtype: str | None
    ) -> Node:
        if not isinstance(name, str) or not name:
            raise NetworkError(f"{operator.name}: found name {name!r}; expected a text")
        if name in self._inputs:
            raise NetworkError(f"{operator.name}: there is an input {name!r} already")
        try:
            # Most inputs have the shape of another one: known to be right, and the same object.
            sizes = self._shapes[shape]
        except (KeyError, TypeError):
            sizes = self._checked(operator, name, shape)
        kind = self.dtype if dtype is None else _dtype(dtype)
        # One object for a name, the same that generated source has for it: its functions find an
        # input without comparing texts, wherever compiling would have laid a copy.
        node = new_node(operator, (), intern(str(name)), sizes, kind, self._cache)
        if self._origins is not None:
            self._origins.record(node)
        return node

    def _checked(self, operator: Operator, name: str, shape: Sequence[int]) -> Shape:
        """The shape as a tuple of plain ints."""
        try:
            sizes = tuple(map(index, shape))
        except TypeError:
            sizes = (-1,)
        if min(sizes, default=0) < 0:
            raise NetworkError(
                f"{operator.name} {name!r}: found shape {shape!r}; expected a tuple of sizes of 0 "
                "or more"
            )
        return self._shapes.setdefault(sizes, sizes)


def _make_cache(policy: str, table: StrongTable) -> Cache | None:
    if policy == "none":
        return None
    if policy == "strong":
        return StrongCache(table)
    if policy == "weak":
        return WeakCache()
    raise NetworkError(f"found cache {policy!r}; expected one of {', '.join(POLICIES)}")


def _dtype(name: str) -> np.dtype:
    found = DTYPES.get(str(name))
    if found is None:
        raise NetworkError(f"found dtype {name!r}; expected one of {', '.join(inference.DTYPES)}")
    return found


def _is_bool(value: Any) -> bool:
    try:
        return np.asarray(value).dtype == BOOL
    except ValueError:  # no array at all, which `constant` will say
        return False


def _expect_node(node: object, what: str) -> Node:
    if not isinstance(node, Node):
        raise NetworkError(f"{what}: found {type(node).__name__}; expected a node of this network")
    return node
