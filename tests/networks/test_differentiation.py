"""Derivatives of every operator, against finite differences."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from networks import (
    Builder,
    Network,
    NetworkError,
    Node,
    differentiate,
    functions as f,
    gradient,
    operators as op,
    validate,
)
from tests.networks.drawing import CASES, LAW, Case, drawn_values, random_inputs, random_network
from tests.networks.walker import Array, evaluate

SEEDS = st.integers(0, 2**32 - 1)


def _built(case: Case, rng: np.random.Generator) -> tuple[Network, list[Node]]:
    """The case's weights, and its result times fixed numbers, summed to a loss."""
    net = Builder(dtype="float64")
    weights = [net.weight(f"w{i}", shape) for i, shape in enumerate(case.shapes)]
    result = case.apply(*weights)
    net.loss(f.sum(result * rng.uniform(0.5, 1.5, result.shape)))
    return net.network(), weights


def _derivative_along(
    network: Network, weights: list[Node], values: list[Array], direction: list[Array], step: float
) -> tuple[float, float]:
    """The derivative of the loss along a direction: by `gradient`, and by finite differences.

    Five points (Fornberg 1988): the error is of the fourth order in the step.
    """
    names = [weight.attributes for weight in weights]

    def loss_at(distance: float) -> float:
        moved = [v + distance * d for v, d in zip(values, direction, strict=True)]
        return float(evaluate(network, dict(zip(names, moved, strict=True)))[0])

    differences = 8 * (loss_at(step) - loss_at(-step)) - (loss_at(2 * step) - loss_at(-2 * step))
    gradients = Network(weights=weights, data=(), outputs=gradient(network.outputs[0], weights))
    validate(gradients)
    exact = evaluate(gradients, dict(zip(names, values, strict=True)))
    along = sum(float(np.sum(g * d)) for g, d in zip(exact, direction, strict=True))
    return along, differences / (12 * step)


def _check(case: Case, network: Network, weights: list[Node], rng: np.random.Generator) -> None:
    values = drawn_values(rng, case.shapes, signed=case.signed)
    direction = [rng.uniform(-1, 1, shape) for shape in case.shapes]
    along, expected = _derivative_along(network, weights, values, direction, case.step)
    assert along == pytest.approx(expected, rel=case.tolerance, abs=case.tolerance)


def test_every_operator_has_a_case() -> None:
    """An operator that is added to the table must be added to these laws."""
    assert set(CASES) == {each for each in op.operators() if each.kind != op.INPUT}


@pytest.mark.parametrize("operator", CASES, ids=repr)
@LAW
@given(data=st.data(), seed=SEEDS)
def test_first_derivatives_are_those_of_finite_differences(
    operator: op.Operator, data: st.DataObject, seed: int
) -> None:
    """The gradient network of an operator gives the slope that its values have."""
    case, rng = data.draw(CASES[operator]), np.random.default_rng(seed)
    network, weights = _built(case, rng)
    _check(case, network, weights, rng)


@pytest.mark.parametrize("operator", CASES, ids=repr)
@LAW
@given(data=st.data(), seed=SEEDS)
def test_second_derivatives_are_those_of_finite_differences(
    operator: op.Operator, data: st.DataObject, seed: int
) -> None:
    """The gradient of a gradient network gives the slope that the gradient's values have."""
    case, rng = data.draw(CASES[operator]), np.random.default_rng(seed)
    first, weights = _built(case, rng)
    derivatives = gradient(first.outputs[0], weights)
    total = sum(
        (f.sum(each * rng.uniform(0.5, 1.5, each.shape)) for each in derivatives),
        start=Builder(dtype="float64").constant(0.0),
    )
    network = Network(weights=weights, data=(), outputs=[total], loss=total)
    _check(case, network, weights, rng)


@LAW
@given(st.randoms(use_true_random=False))
def test_a_gradient_network_is_at_most_five_times_as_large(rng: Random) -> None:
    """Differentiation makes at most 5 nodes a node; n operands count as n - 1 operators of two."""
    network = random_network(rng)

    made = set(differentiate(network).nodes) - set(network.nodes)

    assert len(made) <= 5 * sum(max(1, len(node.operands) - 1) for node in network.nodes)


def _chain(step: str) -> Network:
    """A hundred times the same operation of a value and a weight that both keep their shapes."""
    net = Builder()
    x, w = net.weight("x", (2, 3, 3)), net.weight("w", (3, 3))
    vector = net.weight("v", (3,))
    for _ in range(100):
        if step == "matmul":
            x = x @ w
        elif step == "two shapes":
            x, vector = x @ w, vector @ w
        elif step == "vector":
            vector = vector @ w
        elif step == "divide":
            x = x / w
        elif step == "pow":
            x = x**w
        elif step == "maximum":
            x = f.maximum(x, w)
    net.loss(f.sum(x) + f.sum(vector))
    return net.network()


@pytest.mark.parametrize("step", ["matmul", "two shapes", "vector", "divide", "pow", "maximum"])
def test_the_worst_operators_keep_within_five_nodes(step: str) -> None:
    """Shared weights, broadcasting and both operands active: still at most 5 nodes a node."""
    network = _chain(step)

    made = set(differentiate(network).nodes) - set(network.nodes)

    assert len(made) <= 5 * len(network.nodes)


@LAW
@given(st.randoms(use_true_random=False))
def test_gradients_are_valid_networks_of_the_weights_shapes(rng: Random) -> None:
    """Each derivative has its weight's shape and dtype, and every node of it is as inferred."""
    network = random_network(rng, dtype="float32")

    found = differentiate(network)

    validate(found)
    assert found.outputs[0] is network.loss
    assert [(g.shape, g.dtype) for g in found.outputs[1:]] == [
        (w.shape, w.dtype) for w in network.weights
    ]


@pytest.mark.parametrize("cache", ["strong", "weak"])
@LAW
@given(st.randoms(use_true_random=False))
def test_a_cache_changes_no_value_of_a_gradient(cache: str, rng: Random) -> None:
    """Deduplicated or not, the gradient is the same, but for the order in which sums round."""
    state = rng.getstate()
    plain = differentiate(random_network(rng))
    rng.setstate(state)
    shared = differentiate(random_network(rng, cache=cache))

    inputs = random_inputs(plain)

    assert len(shared.nodes) <= len(plain.nodes)
    for one, other in zip(evaluate(plain, inputs), evaluate(shared, inputs), strict=True):
        finite = one[np.isfinite(one)]  # what overflows does so in both
        scale = max(1.0, float(np.abs(finite).max(initial=0.0)))
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-9 * scale)


def test_contributions_of_several_shapes_are_summed_apart() -> None:
    """A weight used twice as a scalar, along rows and along columns gets the sum of all six."""
    net = Builder(dtype="float64")
    w = net.weight("w")
    for each in (1.0, np.ones(3), np.ones((2, 1))):
        net.output(f.sum(w * each) + f.sum(w * each * 2.0))
    net.loss(f.sum(f.stack(net.network().outputs)))

    derivative = evaluate(differentiate(net.network()), {"w": np.array(0.5)})[-1]

    assert derivative == 3 * (1 + 3 + 2)


def test_ties_share_the_derivative() -> None:
    """Equal operands of maximum get half each; equal elements under max an even part each."""
    net = Builder(dtype="float64")
    a, b, c = net.weight("a"), net.weight("b"), net.weight("c", (4,))
    net.loss(f.maximum(a, b) + f.max(c))

    found = evaluate(
        differentiate(net.network()),
        {"a": np.array(1.0), "b": np.array(1.0), "c": np.array([2.0, 0.0, 2.0, 1.0])},
    )

    assert [each.tolist() for each in found[1:]] == [0.5, 0.5, [0.5, 0, 0.5, 0]]


def test_a_power_of_zero_has_the_derivative_of_a_polynomial() -> None:
    """x**0, x**1, x**2 and x**3 have the slopes 0, 1, 0 and 0 at x = 0, and none is NaN."""
    net = Builder(dtype="float64")
    x = net.weight("x", (4,))
    net.loss(f.sum(x ** np.arange(4.0)))

    _, derivative = evaluate(differentiate(net.network()), {"x": np.zeros(4)})

    assert derivative.tolist() == [0, 1, 0, 0]


def test_what_the_loss_does_not_need_gets_zeros() -> None:
    """A weight that is unused, or used only in a comparison, has a derivative of zeros."""
    net = Builder(dtype="float64")
    used, unused, compared = net.weight("a"), net.weight("b", (2,)), net.weight("c")
    net.loss(f.where(compared > 0.0, used, used * 2))

    found = evaluate(
        differentiate(net.network()),
        {"a": np.array(1.0), "b": np.ones(2), "c": np.array(1.0)},
    )

    assert unused.shape == (2,)
    assert [each.tolist() for each in found[1:]] == [1.0, [0.0, 0.0], 0.0]


def test_a_comparison_cast_to_numbers_is_a_constant() -> None:
    """The derivative of (x > 0)·x does not look into the comparison."""
    net = Builder(dtype="float64")
    x = net.weight("x", (2,))
    net.loss(f.sum(f.astype(x > 0.0, "float64") * x))

    _, derivative = evaluate(differentiate(net.network()), {"x": np.array([2.0, -3.0])})

    assert derivative.tolist() == [1.0, 0.0]


def test_gradients_by_a_node_within_the_network() -> None:
    """What is differentiated by may be a result, its operand, and the node itself at once."""
    net = Builder(dtype="float64")
    x = net.weight("x")
    square = x * x
    y = f.sin(square)

    found = Network(weights=[x], data=(), outputs=gradient(y, [y, square, x, square]))

    values = evaluate(found, {"x": np.array(0.7)})
    assert values == pytest.approx([1.0, np.cos(0.49), np.cos(0.49) * 1.4, np.cos(0.49)])
    assert found.outputs[1] is found.outputs[3]


def test_nothing_is_made_for_what_needs_no_derivative() -> None:
    """Data gets no cotangent: a product of data with a weight has one product in its gradient."""
    net = Builder()
    x, w = net.data("x", (3,)), net.weight("w", (3,))
    net.loss(f.sum(f.exp(x) * w))

    found = differentiate(net.network())

    made = [node.operator for node in found.nodes if node.operator is op.MULTIPLY]
    assert len(made) == 2


def test_a_cotangent_may_be_given() -> None:
    """With a cotangent, `gradient` gives the vector-Jacobian product of a result of any shape."""
    net = Builder(dtype="float64")
    x = net.weight("x", (2,))
    v = net.data("v", (2,))

    found = Network(weights=[x], data=[v], outputs=gradient(f.exp(x), [x], cotangent=v))

    values = evaluate(found, {"x": np.zeros(2), "v": np.array([3.0, 4.0])})
    assert values[0].tolist() == [3.0, 4.0]


def test_mixed_dtypes_differentiate_to_the_weights_own() -> None:
    """A float32 weight in a float64 loss gets a float32 derivative."""
    net = Builder(dtype="float32")
    w, x = net.weight("w", (2,)), net.data("x", (2,), dtype="float64")
    net.loss(f.sum(w * x))

    found = differentiate(net.network())

    assert found.outputs[1].dtype == np.float32


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda net, w: gradient(w, [w]), "expected a scalar"),
        (lambda net, w: gradient(f.sum(w), [w > 0.0]), "bool has no derivative"),
        (lambda net, w: gradient(w, [w], cotangent=f.sum(w)), "cotangent has shape"),
        (lambda net, w: differentiate(Network(weights=[w], data=(), outputs=[w])), "no loss"),
        (lambda net, w: differentiate(differentiate(net.network())), "gradient already"),
    ],
)
def test_what_cannot_be_differentiated_says_why(wrong: object, message: str) -> None:
    """Each misuse is a NetworkError that tells what was expected."""
    net = Builder()
    w = net.weight("w", (2,))
    net.loss(f.sum(w))

    with pytest.raises(NetworkError, match=message):
        wrong(net, w)  # type: ignore[operator]
