"""Networks deeper than any recursion limit."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators.protocol import Evaluator
from networks import Builder, Network, differentiate, functions as f, simplify

DEPTH = 100_000


@pytest.fixture(scope="module")
def deep() -> Network:
    """A chain of additions, 100,000 deep."""
    net = Builder()
    h, x = net.weight("h", (2,)), net.data("x", (2,))
    for _ in range(DEPTH):
        h = h + x
    net.output(h)
    net.loss(f.sum(h))
    return net.network()


@pytest.fixture(scope="module")
def deep_gradient() -> Network:
    """The gradient of a chain of products, whose cotangents are as deep; 2 × 30,000 nodes."""
    net = Builder()
    h, x = net.weight("h", (2,)), net.data("x", (2,))
    for _ in range(30_000):
        h = h * x
    net.loss(f.sum(h))
    return simplify(differentiate(net.network()))


def test_deep_output(own: Evaluator, deep: Network) -> None:
    """A chain 100,000 deep is lowered, compiled, evaluated and freed."""
    function = own.compile(own.lower(deep, "output"))

    (found,) = function({"h": np.zeros(2, np.float32)}, {"x": np.array([1, 0.5], np.float32)})

    np.testing.assert_array_equal(found, [DEPTH, DEPTH / 2])


def test_deep_gradient(own: Evaluator, deep_gradient: Network) -> None:
    """Values that are alive across the whole of a long network reach their users."""
    function = own.compile(own.lower(deep_gradient, "gradient"))

    loss, derivative = function(
        {"h": np.array([3, 2], np.float32)}, {"x": np.array([1, -1], np.float32)}
    )

    assert loss == 5
    np.testing.assert_array_equal(derivative, [1, 1])
