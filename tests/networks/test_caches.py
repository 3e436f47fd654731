"""Construction caches: what is the same node, and what keeps nodes alive."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from random import Random
from typing import Any
from weakref import ref

import numpy as np
import pytest
from hypothesis import given, strategies as st

from networks import Builder, NetworkError, Node, differentiate, functions as f
from tests.networks.drawing import LAW, random_inputs, random_network
from tests.networks.walker import evaluate

CACHES = ("strong", "weak")


@pytest.fixture
def collector_off() -> Iterator[None]:
    """What is freed in such a test is freed by counting references alone."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _twice(cache: str, make: Any) -> tuple[Node, Node]:
    """What making the same twice gives, both alive."""
    net = Builder(cache=cache)
    x, y = net.data("x", (2, 3)), net.data("y", (2, 3))
    first = make(net, x, y)
    # The builder must outlive the second: a strong cache goes with it.
    return first, make(net, x, y)


EXPRESSIONS = [
    lambda net, x, y: x + y, lambda net, x, y: x * 2.0, lambda net, x, y: -x,
    lambda net, x, y: f.tanh(x), lambda net, x, y: x + y[0], lambda net, x, y: x < y,
    lambda net, x, y: f.where(x < y, x, 0.0), lambda net, x, y: x @ y.T,
    lambda net, x, y: f.sum(x, axis=1), lambda net, x, y: f.max(x, axis=0, keepdims=True),
    lambda net, x, y: f.reshape(x, (3, 2)), lambda net, x, y: f.concat([x, y]),
    lambda net, x, y: x[0, 1:], lambda net, x, y: f.take(x, [0, 0]),
    lambda net, x, y: f.astype(x, "float64"), lambda net, x, y: net.constant([1.0, 2.0]),
    lambda net, x, y: f.softmax(x), lambda net, x, y: f.broadcast_to(x, (2, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("make", EXPRESSIONS)
@pytest.mark.parametrize("cache", CACHES)
def test_the_same_operation_on_the_same_nodes_is_the_same_node(cache: str, make: Any) -> None:
    """With a cache, what is made twice is one object, whatever the operator."""
    first, second = _twice(cache, make)

    assert first is second


@pytest.mark.parametrize("make", EXPRESSIONS)
def test_without_a_cache_every_node_is_new(make: Any) -> None:
    """With "none", what is made twice is two objects."""
    first, second = _twice("none", make)

    assert first is not second


DIFFERENT = [
    lambda x, y: (x + y, y + x), lambda x, y: (x - y, y - x), lambda x, y: (x - y, x + y),
    lambda x, y: (x * y, -x * y), lambda x, y: (x * 2.0, x * -2.0),
    lambda x, y: (x * 0.0, x * -0.0),
    lambda x, y: (f.sum(x, axis=0), f.sum(x, axis=1)),
    lambda x, y: (f.max(x, axis=0), f.max(x, axis=0, keepdims=True)),
    lambda x, y: (x[0], x[1]), lambda x, y: (x[:, ::-1], x[::-1]),
    lambda x, y: (f.reshape(x, (3, 2)), f.reshape(x, (6,))), lambda x, y: (f.sin(x), f.cos(x)),
    lambda x, y: (f.concat([x, y]), f.concat([x, y], axis=1)),
    lambda x, y: (f.take(x, [0]), f.take(x, [0], axis=1)),
    lambda x, y: (x.T, f.reshape(x, (3, 2))),
    lambda x, y: (f.astype(x, "float64"), f.astype(x, "bool")),
    lambda x, y: (x + np.zeros(3), x + np.zeros((1, 3))),
]  # fmt: skip


@pytest.mark.parametrize("make", DIFFERENT)
@pytest.mark.parametrize("cache", CACHES)
def test_what_differs_in_anything_is_another_node(cache: str, make: Any) -> None:
    """Order, signs, attributes, shapes and dtypes tell nodes apart; so does the sign of a zero."""
    net = Builder(cache=cache)

    first, second = make(net.data("x", (2, 3)), net.data("y", (2, 3)))

    assert first is not second


@pytest.mark.parametrize("cache", CACHES)
def test_constants_are_told_apart_by_their_bits(cache: str) -> None:
    """0.0 and -0.0 are two constants, NaN is one, and shape and dtype count."""
    net = Builder(cache=cache)
    alive = [
        net.constant(0.0), net.constant(-0.0), net.constant([0.0]), net.constant(np.nan),
        net.constant(0.0, dtype="float64"), net.constant(False),
    ]  # fmt: skip

    assert len(set(alive)) == 6
    assert net.constant(np.nan) is alive[3]
    assert net.cache_entries == 6


def test_the_array_of_a_constant_is_a_copy_that_nobody_can_change() -> None:
    """Changing the array that was given changes no node, and the node's own is read-only."""
    given = np.ones(2, "float32")
    node = Builder().constant(given)
    given[:] = 5

    assert node.attributes.tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        node.attributes[0] = 3


@pytest.mark.parametrize("cache", CACHES)
@LAW
@given(st.randoms(use_true_random=False))
def test_a_cache_changes_no_value(cache: str, rng: Random) -> None:
    """A network built with a cache has the values it has without, bit for bit."""
    state = rng.getstate()
    plain = random_network(rng)
    rng.setstate(state)
    shared = random_network(rng, cache=cache)

    inputs = random_inputs(plain)

    for one, other in zip(evaluate(plain, inputs), evaluate(shared, inputs), strict=True):
        assert one.tobytes() == other.tobytes()


@LAW
@given(st.randoms(use_true_random=False))
def test_weak_and_strong_share_alike(rng: Random) -> None:
    """As long as all nodes are alive, both caches make the same number of them."""
    state = rng.getstate()
    weak = random_network(rng, cache="weak")
    rng.setstate(state)
    strong = random_network(rng, cache="strong")

    assert len(weak.nodes) == len(strong.nodes)


@pytest.mark.usefixtures("collector_off")
def test_a_weak_cache_keeps_nothing() -> None:
    """Once the nodes are dropped they are gone, and their entries with them."""
    net = Builder(cache="weak")
    x = net.data("x", (3,))
    h = x
    for _ in range(1000):
        h = f.tanh(h * x + 0.5)
    loss = f.sum(h)
    first = ref(h)
    assert net.cache_entries == 1000 * 3 + 2  # and the constant, and the sum

    del h, loss

    assert first() is None
    assert net.cache_entries == 0


@pytest.mark.usefixtures("collector_off")
def test_a_strong_cache_keeps_nodes_until_its_builder_goes() -> None:
    """Dropped nodes stay, and are found again; without the builder they go at once."""
    net = Builder(cache="strong")
    x = net.data("x", (3,))
    found = ref(f.tanh(x * 2.0))
    assert found() is f.tanh(x * 2.0)
    assert net.cache_entries == 3

    del net

    assert found() is None


@pytest.mark.usefixtures("collector_off")
def test_nodes_outlive_the_builder_of_a_strong_cache() -> None:
    """They can still be combined; only that nothing is shared any more."""
    x = Builder(cache="strong").data("x", (3,))

    assert x + x is not x + x


@pytest.mark.parametrize("cache", ["none", *CACHES])
@pytest.mark.usefixtures("collector_off")
def test_a_network_and_its_gradient_are_freed_by_counting(cache: str) -> None:
    """Dropping builder, network and gradient frees every node without the cyclic collector."""
    net = Builder(cache=cache)
    w = net.weight("w", (3,))
    net.loss(f.sum(f.tanh(w * w) @ np.ones((3, 3))))
    network = net.network()
    found = differentiate(network)
    alive = [ref(node) for node in (*network.nodes, *found.nodes)]

    del net, w, network, found

    assert [each() for each in alive if each() is not None] == []


@pytest.mark.usefixtures("collector_off")
def test_the_identity_of_a_freed_node_is_safe_to_use_again() -> None:
    """A weak cache never takes a new node for a dead one that had its place in memory."""
    net = Builder(cache="weak")
    x = net.data("x", (3,))
    alive: list[Node] = []
    for turn in range(3000):
        operand = x * float(turn % 7)
        node = f.exp(operand) if turn % 2 else f.tanh(operand)
        assert node.operands[0] is operand
        alive.append(node)
        if turn % 3:
            alive.pop(turn % len(alive))
    del alive, operand, node

    assert net.cache_entries == 0


@pytest.mark.usefixtures("collector_off")
def test_a_weak_entry_is_replaced_while_its_node_dies() -> None:
    """Making a node again, after it was dropped, gives a living one, and one entry."""
    net = Builder(cache="weak")
    x = net.data("x", (3,))
    for _ in range(3):
        node = x + 1.0
        assert net.cache_entries == 2
        del node
        assert net.cache_entries == 0


def test_nodes_of_two_builders_meet_in_the_first_ones_cache() -> None:
    """An operation on nodes of two caches is cached where its first operand is."""
    one, other = Builder(cache="weak"), Builder(cache="weak")
    x, y = one.data("x"), other.data("y")

    node = x + y

    assert node is x + y
    assert (one.cache_entries, other.cache_entries) == (1, 0)


def test_an_unknown_cache_is_refused() -> None:
    """The message lists the three there are."""
    with pytest.raises(NetworkError, match="expected one of none, strong, weak"):
        Builder(cache="lru")
