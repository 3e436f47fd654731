"""What a caller may do with inputs and results."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evaluators.protocol import Evaluator, Function
from networks import Builder, Node, functions as f

Build = Callable[[Builder, Node, Node], list[Node]]

SHARED: dict[str, Build] = {
    "an input": lambda _, w, x: [x, w],
    "a constant": lambda net, w, x: [net.constant(np.ones((2, 3))), w * x],
    "the same twice": lambda _, w, x: _twice(w * x),
    "a view of an input": lambda _, w, x: [x.T, f.reshape(w, (6,)), x[:, 1:]],
    "a view of an output": lambda _, w, x: _with_views(w * x),
    "two views": lambda _, w, x: _two_views(w * x),
    "part of a value": lambda _, w, x: [(w * x)[0]],
    "a broadcast": lambda _, w, x: [f.broadcast_to(w, (2, 2, 3)), f.broadcast_to(x[0], (2, 3))],
    "a scalar input": lambda net, w, x: [net.weight("s") * 1.0, net.data("t"), f.sum(w * x)],
    "an output used on": lambda _, w, x: _used_on(w * x),
    "nothing but a weight's ones": lambda _, w, x: [w * 1.0, x - 0.0],
}


def _twice(h: Node) -> list[Node]:
    return [h, h]


def _with_views(h: Node) -> list[Node]:
    return [h, h.T, h[1]]


def _two_views(h: Node) -> list[Node]:
    return [h.T, f.reshape(h, (6,))]


def _used_on(h: Node) -> list[Node]:
    return [h, f.tanh(h + 1.0), h * h]


def build(shared: str) -> Builder:
    """A network with those outputs, of a weight and a data input of shape (2, 3)."""
    net = Builder()
    w, x = net.weight("w", (2, 3)), net.data("x", (2, 3))
    for node in SHARED[shared](net, w, x):
        net.output(node)
    return net


def inputs(net: Builder, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Weights and data for that network."""
    rng = np.random.default_rng(seed)
    network = net.network()
    weights, data = (
        {node.attributes: np.array(rng.standard_normal(node.shape), node.dtype) for node in nodes}
        for nodes in (network.weights, network.data)
    )
    return weights, data


def compiled(evaluator: Evaluator, net: Builder) -> Function:
    """The network's output function."""
    return evaluator.compile(evaluator.lower(net.network(), "output"))


@pytest.mark.parametrize("shared", SHARED)
def test_results_share_no_memory(own: Evaluator, shared: str) -> None:
    """A result is a writable array that neither another result nor an input lies in."""
    net = build(shared)
    weights, data = inputs(net, 0)

    arrays = compiled(own, net)(weights, data)

    others = [*weights.values(), *data.values()]
    for number, array in enumerate(arrays):
        assert type(array) is np.ndarray
        assert array.flags.writeable
        assert not any(np.shares_memory(array, other) for other in (*others, *arrays[:number]))


@pytest.mark.parametrize("shared", SHARED)
def test_a_later_call_leaves_results_alone(own: Evaluator, shared: str) -> None:
    """Neither another call, nor a caller's changes to a result, show in what was returned."""
    net = build(shared)
    function = compiled(own, net)
    arrays = function(*inputs(net, 0))
    kept = [array.copy() for array in arrays]
    others = function(*inputs(net, 1))

    for array in others:
        np.add(array, 1, out=array)

    for array, copy in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, copy)
    for array, again in zip(kept, function(*inputs(net, 0)), strict=True):
        np.testing.assert_array_equal(array, again)


def test_inputs_stay_as_they_were(own: Evaluator) -> None:
    """Inputs are never written to, not even where their last user could."""
    net = Builder()
    w, x = net.weight("w", (4,)), net.data("x", (4,))
    net.output(f.exp(-(x + w)) * w)
    weights, data = inputs(net, 0)
    before = [weights["w"].copy(), data["x"].copy()]

    compiled(own, net)(weights, data)

    np.testing.assert_array_equal([weights["w"], data["x"]], before)


def test_inputs_may_be_read_only_and_strided(own: Evaluator) -> None:
    """Any array of the right shape and dtype is an input, whatever its memory is like."""
    net = Builder()
    w, x = net.weight("w", (2, 3)), net.data("x", (2, 3))
    net.output(f.reshape(w * x, (3, 2)))
    weights, data = inputs(net, 0)
    (expected,) = compiled(own, net)(weights, data)
    strided = np.asfortranarray(np.repeat(weights["w"], 2, axis=1))[:, ::2]
    strided.flags.writeable = False

    (found,) = compiled(own, net)({"w": strided}, data)

    np.testing.assert_array_equal(found, expected)


def test_nothing_is_held_after_a_call(own: Evaluator) -> None:
    """Once a caller drops inputs and results, the function does not keep them alive."""
    net = Builder()
    w, x = net.weight("w", (64,)), net.data("x", (64,))
    net.output(f.tanh(w * x))
    function = compiled(own, net)
    before = Watched.alive
    weights = {"w": np.ones(64, np.float32).view(Watched)}

    function(weights, {"x": np.ones(64, np.float32)})
    del weights

    assert Watched.alive == before


class Watched(np.ndarray):
    """An array that is counted while it lives."""

    alive = 0

    def __array_finalize__(self, _source: object) -> None:
        Watched.alive += 1

    def __del__(self) -> None:
        Watched.alive -= 1
