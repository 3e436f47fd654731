"""Simplification: fewer nodes, the same values."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from networks import (
    Builder,
    Network,
    Node,
    differentiate,
    functions as f,
    operators as op,
    simplify,
    to_text,
    validate,
)
from tests.networks.drawing import LAW, random_inputs, random_network
from tests.networks.walker import evaluate


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@LAW
@given(rng=st.randoms(use_true_random=False), gradient=st.booleans())
def test_values_are_kept_bit_for_bit(dtype: str, rng: Random, gradient: bool) -> None:
    """Outputs, their order, inputs and loss of any network stay, with no more nodes than before."""
    network = random_network(rng, dtype=dtype)
    if gradient:
        network = differentiate(network)

    simple = simplify(network)

    validate(simple)
    assert len(simple.nodes) <= len(network.nodes)
    assert (simple.weights, simple.data) == (network.weights, network.data)
    assert simple.is_gradient == network.is_gradient
    inputs = random_inputs(network)
    for one, other in zip(evaluate(network, inputs), evaluate(simple, inputs), strict=True):
        assert one.tobytes() == other.tobytes()


@LAW
@given(st.randoms(use_true_random=False))
def test_there_is_nothing_left_to_simplify(rng: Random) -> None:
    """Simplifying twice gives what simplifying once gives."""
    once = simplify(differentiate(random_network(rng)))

    assert to_text(simplify(once)) == to_text(once)


def _simplified(make: Callable[[Node, Node], Node]) -> tuple[Node, Node, Node]:
    net = Builder()
    x, y = net.data("x", (2, 3)), net.data("y", (2, 3))
    net.output(make(x, y))
    return simplify(net.network()).outputs[0], x, y


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: x * 1.0,
        lambda x, y: 1.0 * x,
        lambda x, y: x / 1.0,
        lambda x, y: x - 0.0,
        lambda x, y: f.negative(-x),
        lambda x, y: x * np.ones((2, 3)),
        lambda x, y: x.T.T,
        lambda x, y: f.reshape(f.reshape(f.reshape(x, (6,)), (3, 2)), (2, 3)),
    ],
)
def test_what_changes_no_bit_is_taken_out(make: Callable[[Node, Node], Node]) -> None:
    """An operation whose result has its operand's bits is replaced by the operand."""
    result, x, _ = _simplified(make)

    assert result is x


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: x + 0.0,
        lambda x, y: x * 0.0,
        lambda x, y: x - -0.0,
        lambda x, y: x - x,
        lambda x, y: x / x,
        lambda x, y: x * -1.0,
        lambda x, y: x[0] * np.ones((2, 3)),
        lambda x, y: f.sum(x, axis=()),
    ],
)
def test_what_may_change_a_bit_stays(make: Callable[[Node, Node], Node]) -> None:
    """x + 0 turns -0 into 0, x - x is NaN for infinity: such operations are kept."""
    result, x, _ = _simplified(make)

    assert result is not x
    assert result.operator is not op.CONSTANT


def test_constants_are_folded() -> None:
    """An operation on constants alone is computed at once, in the network's own dtype."""
    result, x, _ = _simplified(lambda x, y: x * f.exp(Builder().constant(1.0) + 1.0))

    assert result.operands[0] is x
    assert result.operands[1].attributes == np.exp(np.float32(2))


def test_large_constants_are_not_made() -> None:
    """Folding never makes an array of more than a thousand elements or so."""
    net = Builder()
    net.output(net.constant(np.ones((100, 1))) * net.constant(np.ones((1, 100))))

    assert simplify(net.network()).outputs[0].operator is op.MULTIPLY


@pytest.mark.parametrize(
    "make",
    [
        lambda x, y: (f.tanh(x * y), f.tanh(x * y)),
        lambda x, y: (f.sum(x, axis=0), f.sum(x, axis=0)),
        lambda x, y: (x + 2.0, x + 2.0),
        lambda x, y: (x[:, 0], x[:, 0]),
        lambda x, y: (
            f.reshape(f.reshape(x, (6,)), (3, 2)),
            f.reshape(f.reshape(x, (6, 1)), (3, 2)),
        ),
        lambda x, y: (f.permute_dims(x, (1, 0)), x.T.T.T),
        lambda x, y: (f.negative(f.negative(-x)), -x),
    ],
)
def test_common_subexpressions_become_one(
    make: Callable[[Node, Node], tuple[Node, Node]],
) -> None:
    """What is computed twice is computed once afterwards, also where it only became alike."""
    net = Builder()
    for result in make(net.data("x", (2, 3)), net.data("y", (2, 3))):
        net.output(result)

    first, second = simplify(net.network()).outputs

    assert first is second


def test_zeros_of_different_signs_are_not_common() -> None:
    """x · 0 and x · -0 stay two nodes."""
    net = Builder()
    x = net.data("x")
    net.output(x * 0.0)
    net.output(x * -0.0)

    first, second = simplify(net.network()).outputs

    assert first is not second


def test_constants_of_different_shapes_are_not_common() -> None:
    """0.5 and [0.5] have the same bytes, and are two outputs."""
    net = Builder()
    net.output(net.constant(0.5))
    net.output(net.constant([0.5]))

    assert [node.shape for node in simplify(net.network()).outputs] == [(), (1,)]


def test_dead_nodes_are_gone() -> None:
    """What no output needs is not in the network; inputs stay, used or not."""
    net = Builder()
    x, unused = net.data("x"), net.weight("w")
    f.exp(x)
    net.output(x + 1.0)

    simple = simplify(net.network())

    assert simple.weights == (unused,)
    assert [node.operator for node in simple.nodes] == [op.WEIGHT, op.DATA, op.CONSTANT, op.ADD]


def test_the_network_that_was_simplified_stays_as_it_was() -> None:
    """Simplification makes new nodes and changes none."""
    network = random_network(Random(1))
    before = to_text(network)

    simplify(network)

    fresh = Network(
        weights=network.weights, data=network.data, outputs=network.outputs, loss=network.loss
    )
    assert to_text(fresh) == before
