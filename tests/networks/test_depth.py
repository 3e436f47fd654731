"""Nothing recurses: networks that are far deeper than Python's stack."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from weakref import ref

import pytest

from networks import (
    Builder,
    Network,
    differentiate,
    from_text,
    functions as f,
    simplify,
    to_text,
    validate,
)
from networks.collector import collector_paused

DEEP = 100_000


@pytest.fixture(autouse=True)
def nothing_helps() -> Iterator[None]:
    """The cyclic collector is off, and the recursion limit stays as it was."""
    limit = sys.getrecursionlimit()
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    assert sys.getrecursionlimit() == limit


def _deep(layers: int, cache: str = "none") -> Network:
    net = Builder(cache=cache)
    h, w = net.data("x", (4,)), net.weight("w", (4,))
    for _ in range(layers):
        h = f.tanh(h * w)
    net.loss(f.sum(h))
    return net.network()


@pytest.mark.parametrize("cache", ["none", "strong", "weak"])
def test_deep_networks_are_built_differentiated_and_freed(cache: str) -> None:
    """100,000 nodes deep; dropping the last reference frees all, gradient and caches included."""
    network = _deep(DEEP // 2, cache)
    found = differentiate(network)
    alive = [ref(network.weights[0]), ref(network.outputs[0]), ref(found.outputs[1])]
    assert len(found.nodes) > 3 * DEEP

    del network, found

    assert [each() for each in alive] == [None] * 3


def test_deep_networks_are_simplified_and_validated() -> None:
    """The rewriting and the checks walk 100,000 nodes deep as well."""
    network = _deep(DEEP // 2)

    simple = simplify(network)

    validate(simple)
    assert len(simple.nodes) == len(network.nodes)


def test_deep_networks_are_written_and_read() -> None:
    """The text form of 100,000 nodes comes back as it was."""
    text = to_text(_deep(DEEP // 2))

    assert to_text(from_text(text)) == text


def test_a_million_nodes_are_freed() -> None:
    """Freeing a chain of 1,000,000 nodes overflows no stack and needs no cyclic collector."""
    net = Builder()
    h = x = net.data("x")
    middle = None
    for turn in range(1_000_000):
        h = h + x
        if turn == 500_000:
            middle = ref(h)
    assert middle is not None

    del h, x, net

    assert middle() is None


def test_the_collector_is_put_back_as_it_was() -> None:
    """Off stays off and on comes on again, also after an error."""
    with collector_paused():
        pass
    assert not gc.isenabled()
    gc.enable()
    with pytest.raises(ZeroDivisionError), collector_paused():
        raise ZeroDivisionError
    assert gc.isenabled()
