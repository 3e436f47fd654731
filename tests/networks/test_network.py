"""Builders, networks, and the checks on them."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from networks import (
    Builder,
    Network,
    NetworkError,
    differentiate,
    functions as f,
    operators as op,
    topological_order,
    validate,
)
from networks.inference import FLOAT32
from networks.node import new_node
from networks.operators import Reduced
from tests.networks.drawing import LAW, random_network


def test_inputs_and_outputs_keep_their_order() -> None:
    """Weights, data and outputs are in the order of their declaration, used or not."""
    net = Builder(dtype="float64")
    b, a = net.weight("b"), net.weight("a", (2,))
    x, y = net.data("x", dtype="bool"), net.data("y", dtype="float32")
    net.output(a)
    net.output(b)
    network = net.network()

    assert (network.weights, network.data, network.outputs) == ((b, a), (x, y), (a, b))
    assert network.names == ("b", "a", "x", "y")
    assert [node.dtype.name for node in network.nodes] == ["float64", "float64", "bool", "float32"]
    assert repr(network) == "<network: 4 nodes, 2 weights, 2 data, 2 outputs>"


@pytest.mark.parametrize("kind", [str, np.str_])
def test_equal_names_of_inputs_are_one_object(kind: type[str]) -> None:
    """What generated source calls an input is the key it finds it by, not a copy elsewhere."""
    name = kind("".join(["w", "0"]))
    net = Builder()

    weight = net.weight(name)
    net.output(weight)

    assert weight.attributes is eval(compile("'w0'", "", "eval"))
    assert net.network().names[0] is weight.attributes


def test_the_loss_is_the_output_where_there_is_no_other() -> None:
    """A network with a loss alone returns it."""
    net = Builder()
    loss = net.loss(net.weight("w") * 2.0)

    assert net.network().outputs == (loss,)


@pytest.mark.parametrize("shape", [(2, 3), [2, 3], (np.int64(2), 3), np.array([2, 3])])
def test_a_shape_is_any_sequence_of_integers(shape: Any) -> None:
    """Lists and numpy's integers become a tuple of plain ones."""
    found = Builder().data("x", shape).shape

    assert found == (2, 3)
    assert [type(size) for size in found] == [int, int]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda net: net.network(), "has no output; call net.output"),
        (lambda net: (net.data("x"), net.weight("x")), "weight: there is an input 'x' already"),
        (lambda net: net.data(""), "data: found name ''; expected a text"),
        (lambda net: net.data(["x"]), "data: found name .'x'.; expected a text"),
        (lambda net: net.data("x", (2, -1)), r"data 'x': found shape \(2, -1\); expected"),
        (lambda net: net.data("x", 3), "data 'x': found shape 3; expected"),
        (lambda net: net.data("x", (2.0,)), "data 'x': found shape"),
        (lambda net: net.data("x", ([2],)), "data 'x': found shape"),
        (lambda net: net.data("x", dtype="int8"), "found dtype 'int8'; expected one of float32"),
        (lambda net: net.weight("w", dtype="bool"), "weight 'w': bool has no derivative"),
        (lambda net: net.constant("a"), "constant: 'a' is no float32 array"),
        (lambda net: net.constant([[1], [2, 3]]), "constant: .* is no float32 array"),
        (lambda net: net.constant(np.ones(2) * 1j), "constant: .*complex numbers have no place"),
        (lambda net: net.constant(net.data("x")), "is a node already"),
        (lambda net: net.output(1.0), "output: found float; expected a node"),
        (lambda net: net.loss(net.data("x", (2,))), "loss: .* expected a floating-point scalar"),
        (lambda net: net.loss(net.data("x") > 0), "loss: .* expected a floating-point scalar"),
        (lambda net: [net.loss(net.data(n)) for n in "xy"], "loss: the network has one already"),
        (lambda net: Builder(dtype="int8"), "found dtype 'int8'"),
    ],
)
def test_misuse_of_a_builder_says_what_was_expected(wrong: Any, message: str) -> None:
    """Each is a NetworkError that starts with the caller's own line."""
    with pytest.raises(NetworkError, match=message) as caught:
        wrong(Builder())

    assert str(caught.value).startswith(f"{__file__}:{wrong.__code__.co_firstlineno}: ")


@LAW
@given(st.randoms(use_true_random=False))
def test_operands_come_before_their_users(rng: Random) -> None:
    """`nodes` lists each node once, after all of its operands."""
    network = differentiate(random_network(rng))
    positions = network.positions

    assert len(set(network.nodes)) == len(network.nodes)
    assert all(
        positions[operand] < positions[node] for node in network.nodes for operand in node.operands
    )


def test_first_operands_are_listed_first() -> None:
    """A left fold is listed term by term, as an evaluator with few buffers would have it."""
    net = Builder()
    a, b, c = (net.data(name) for name in "abc")
    left, right = f.sin(a), f.sin(b)
    both = left + right

    assert topological_order([both, c, a]) == (a, left, b, right, both, c)


@LAW
@given(st.randoms(use_true_random=False))
def test_what_builders_make_is_valid(rng: Random) -> None:
    """`validate` has nothing against a network that was built by operations."""
    validate(random_network(rng))


def _single(node: Any, **others: Any) -> Network:
    return Network(**{"weights": (), "data": (), "outputs": [node], **others})


def test_a_node_that_is_not_as_inferred_is_found() -> None:
    """A shape or dtype that does not follow from the operands is named with what does."""
    x = Builder().data("x", (2, 3))
    wrong = new_node(op.SUM, (x,), Reduced((0,), False), (2,), FLOAT32, None)

    with pytest.raises(NetworkError, match=r"<sum float32\[2\]> should be float32\[3\]"):
        validate(_single(wrong, data=[x]))


def test_an_input_of_another_builder_is_found() -> None:
    """A node of another builder brings inputs that nobody declares."""
    net, other = Builder(), Builder()
    net.output(net.data("x") + other.data("y"))

    with pytest.raises(NetworkError, match=r"<data 'y' .*> is not declared"):
        validate(net.network())


def test_inputs_of_one_name_are_found() -> None:
    """Values are given by name, so a name stands for one input."""
    inputs = [Builder().data("x"), Builder().data("x")]

    with pytest.raises(NetworkError, match="two inputs share a name"):
        validate(_single(inputs[0] + inputs[1], data=inputs))


def test_a_network_without_outputs_is_found() -> None:
    """There must be something to return."""
    with pytest.raises(NetworkError, match="has no output"):
        validate(_single(None, outputs=[]))


def test_a_loss_that_is_no_scalar_is_found() -> None:
    """The loss is a floating-point scalar, or nothing."""
    x = Builder().data("x", (2,))

    with pytest.raises(NetworkError, match=r"the loss is .* expected a floating-point scalar"):
        validate(_single(x, data=[x], loss=x))
