"""Each scenario against its definition, written down once more without networks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from networks import Network, Node, differentiate, operators as op
from scenarios.scenario import get
from tests.networks.walker import KERNELS, evaluate

Values = dict[str, Any]


def _drawn(name: str, **given: Any) -> tuple[Network, Values]:
    """A float64 network, and inputs for it."""
    found = get(name)
    network = found.network(given, dtype="float64")
    rng = np.random.default_rng(5)
    return network, found.draw_weights(network, rng) | found.draw_data(network, rng)


def _output_and_loss(network: Network, values: Values) -> tuple[Any, Any]:
    assert network.loss is not None
    both = Network(
        weights=network.weights, data=network.data, outputs=[network.outputs[0], network.loss]
    )
    output, loss = evaluate(both, values)
    return output, loss


def test_chain_is_its_loop() -> None:
    """h = tanh(h·w_i + b_i), and the loss is the mean square of the last."""
    network, values = _drawn("chain", depth=20, width=4)
    h = values["x"]
    for i in range(20):
        h = np.tanh(h * values[f"w{i}"] + values[f"b{i}"])

    output, loss = _output_and_loss(network, values)

    np.testing.assert_allclose(output, h, rtol=1e-12)
    np.testing.assert_allclose(loss, np.mean(h**2), rtol=1e-12)


def test_chain_of_additions_is_a_multiple() -> None:
    """h + x, a hundred times, is h + 100·x."""
    network, values = _drawn("chain", depth=100, width=4, form="add")

    output, _ = _output_and_loss(network, values)

    np.testing.assert_allclose(output, values["h"] + 100 * values["x"], rtol=1e-12)


def test_the_cotangents_of_a_deep_chain_are_normal_numbers() -> None:
    """Through 10,000 layers no gradient becomes denormal: that would time the processor's traps."""
    found = get("chain")
    network = found.network({"depth": 10_000, "width": 8})
    rng = np.random.default_rng(0)
    values = found.draw_weights(network, rng) | found.draw_data(network, rng)

    gradients = evaluate(differentiate(network), values)[1:]

    assert min(np.abs(each).max() for each in gradients) > 1e-20


@pytest.mark.parametrize("depth", [1, 50, 100, 101, 250, 1_000])
def test_double_is_a_power_of_two(depth: int) -> None:
    """2**depth · h, exactly, where every hundred doublings are taken back."""
    network, values = _drawn("double", depth=depth)
    taken_back = 100 * ((depth - 1) // 100)

    output, loss = _output_and_loss(network, values)
    gradient = evaluate(differentiate(network), values)[1]

    assert np.array_equal(output, values["h"] * 2.0 ** (depth - taken_back))
    assert loss == np.sum(output)
    assert np.array_equal(gradient, np.full(8, 2.0 ** (depth - taken_back)))


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5, 6])
def test_higher_order_is_leibnizs_rule(order: int) -> None:
    """The derivatives of 0.3·sin(t)·t**10 by the product rule of any order."""
    network, values = _drawn("higher_order", order=order)
    t = float(values["t"])
    expected = 0.3 * sum(
        math.comb(order, j)
        * math.sin(t + j * math.pi / 2)
        * math.perm(10, order - j)
        * t ** (10 - order + j)
        for j in range(order + 1)
    )

    output, loss = _output_and_loss(network, values)

    assert float(output) == float(loss) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", ["fold", "nary", "tree"])
def test_wide_sum_is_a_sum_of_products(form: str) -> None:
    """All three forms give the sum of w_i·x_i."""
    network, values = _drawn("wide_sum", terms=13, width=4, form=form)
    expected = sum(values[f"w{i}"] * values[f"x{i}"] for i in range(13))

    output, loss = _output_and_loss(network, values)

    np.testing.assert_allclose(output, expected, rtol=1e-12)
    np.testing.assert_allclose(loss, np.mean(expected**2), rtol=1e-12)


def test_wide_fanout_is_a_product_with_a_sum() -> None:
    """w times the sum of all x_i; by w, twice that times the sum, over the width."""
    network, values = _drawn("wide_fanout", terms=13, width=4)
    total = sum(values[f"x{i}"] for i in range(13))

    output, _ = _output_and_loss(network, values)
    gradient = evaluate(differentiate(network), values)[1]

    np.testing.assert_allclose(output, values["w"] * total, rtol=1e-12)
    np.testing.assert_allclose(gradient, 2 * values["w"] * total**2 / 4, rtol=1e-12)


def test_signed_products_is_a_polynomial() -> None:
    """x plus, for each w, the coefficients summed up: of x·w, of x, and of w."""
    network, values = _drawn("signed_products", terms=7, width=4)
    x = values["x"]
    # The term of 2**-k is subtracted for odd k: x·w comes with 1, +1/2, -1/4, -1/8 …
    product = 1 + 1 / 2 - 1 / 4 - 1 / 8
    own = 1 / 16 + 1 / 32 + 1 / 64 + 1 / 128
    weight = -1 / 16 - 1 / 32 + 1 / 64 + 1 / 128 + 0.75 / 256 + 0.75 / 512
    expected = x + sum(
        product * x * values[f"w{i}"] + own * x + weight * values[f"w{i}"] for i in range(7)
    )

    output, _ = _output_and_loss(network, values)

    np.testing.assert_allclose(output, expected, rtol=1e-11)


def _evaluated_with_a_cache_that_drops_signs(network: Network, values: Values) -> dict[Node, Any]:
    """Values of all nodes, where a node is taken for an earlier one that differs in signs only."""
    known: dict[Any, Any] = {}
    unsigned: dict[Node, Any] = {}
    done: dict[Node, Any] = {}
    for node in network.nodes:
        if not node.operands:
            value = values[node.attributes] if node.operator is not op.CONSTANT else node.attributes
            is_constant = node.operator is op.CONSTANT
            unsigned[node] = np.abs(value).tobytes() if is_constant else node
            done[node] = value
            continue
        operands = [unsigned[operand] for operand in node.operands]
        if node.operator is op.NEGATIVE:
            unsigned[node] = operands[0]
        else:
            unsigned[node] = (node.operator, *operands)
        value = KERNELS[node.operator](node, *(done[operand] for operand in node.operands))
        is_product = node.operator is op.MULTIPLY
        done[node] = known.setdefault(unsigned[node], value) if is_product else value
    return done


def test_signed_products_catches_a_cache_that_drops_signs() -> None:
    """Evaluated with such a cache, the output is far from what it should be."""
    network, values = _drawn("signed_products")
    right, _ = _output_and_loss(network, values)

    wrong = _evaluated_with_a_cache_that_drops_signs(network, values)[network.outputs[0]]

    assert np.abs(wrong - right).max() > 0.1 * np.abs(right).max()


def test_signed_products_catches_a_single_lost_sign() -> None:
    """Whichever one negation or subtraction loses its sign, the output changes beyond tolerance."""
    network, values = _drawn("signed_products", terms=2, width=2)
    right, _ = _output_and_loss(network, values)
    signed = [node for node in network.nodes if node.operator in (op.NEGATIVE, op.SUBTRACT)]
    assert len(signed) > 20

    for broken in signed:
        done: dict[Node, Any] = {}
        for node in network.nodes:
            operands = [done[operand] for operand in node.operands]
            if node is broken:
                done[node] = sum(operands)
            elif operands:
                done[node] = KERNELS[node.operator](node, *operands)
            else:
                is_constant = node.operator is op.CONSTANT
                done[node] = node.attributes if is_constant else values[node.attributes]
        assert np.abs(done[network.outputs[0]] - right).max() > 1e-4


def test_rnn_is_its_loop() -> None:
    """h = tanh(x_t @ w + h @ u + b), and a squared error at the end."""
    network, values = _drawn("rnn", steps=4, hidden=3, inputs=2, batch=5)
    h = np.zeros((5, 3))
    for x in values["x"]:
        h = np.tanh(x @ values["w_input"] + h @ values["w_hidden"] + values["b"])

    output, loss = _output_and_loss(network, values)

    np.testing.assert_allclose(output, h, rtol=1e-12)
    np.testing.assert_allclose(loss, np.mean((h - values["target"]) ** 2), rtol=1e-12)


def test_mlp_is_backpropagation_by_hand() -> None:
    """Logits, cross-entropy, and the gradient by the last layer: activations times errors."""
    network, values = _drawn("mlp", depth=2, width=4, inputs=5, classes=3, batch=6)
    h = values["x"]
    for layer in range(2):
        h = np.tanh(h @ values[f"w{layer}"] + values[f"b{layer}"])
    logits = h @ values["w2"] + values["b2"]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = values["labels"]
    assert labels.sum(1).tolist() == [1.0] * 6

    output, loss = _output_and_loss(network, values)
    gradients = evaluate(differentiate(network), values)[1:]

    np.testing.assert_allclose(output, logits, rtol=1e-12)
    np.testing.assert_allclose(loss, -np.mean(np.log(shares[labels == 1])), rtol=1e-12)
    np.testing.assert_allclose(gradients[4], h.T @ (shares - labels) / 6, rtol=1e-9, atol=1e-12)


def _gmm_by_loops(values: Values) -> float:
    """ADBench's gmm_objective, point by point, with gamma = 1 and m = 0."""
    alphas, means, icf, x = (values[name] for name in ("alphas", "means", "icf", "x"))
    points, d = x.shape
    total = 0.0
    for point in x:
        terms = []
        for alpha, mean, factors in zip(alphas, means, icf, strict=True):
            q = np.diag(np.exp(factors[:d]))
            place = d
            for column in range(d):
                for row in range(column + 1, d):
                    q[row, column] = factors[place]
                    place += 1
            terms.append(alpha + factors[:d].sum() - 0.5 * np.sum((q @ (point - mean)) ** 2))
        total += math.log(sum(math.exp(term) for term in terms))
    total -= points * math.log(sum(math.exp(alpha) for alpha in alphas))
    total -= 0.5 * points * d * math.log(2 * math.pi)
    n = d + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(
        math.lgamma(0.5 * n + 0.5 * (1 - j)) for j in range(1, d + 1)
    )
    c = n * d * (math.log(1.0) - 0.5 * math.log(2)) - log_gamma
    for factors in icf:
        total += 0.5 * (np.sum(np.exp(factors[:d]) ** 2) + np.sum(factors[d:] ** 2)) - c
    return total


@pytest.mark.parametrize("form", ["vector", "loop"])
def test_gmm_is_adbenchs_objective(form: str) -> None:
    """The value of the published definition, and the loss is its negative."""
    network, values = _drawn("gmm", dimensions=4, components=3, points=6, form=form)

    output, loss = _output_and_loss(network, values)

    assert float(output) == pytest.approx(_gmm_by_loops(values), rel=1e-12)
    assert loss == -output


@pytest.mark.parametrize("name", ["steady", "rebuild_drop"])
def test_the_life_cycle_scenarios_are_one_layer(name: str) -> None:
    """tanh(x @ w + b), and a squared error."""
    network, values = _drawn(name, width=3)
    expected = np.tanh(values["x"] @ values["w"] + values["b"])

    output, loss = _output_and_loss(network, values)

    np.testing.assert_allclose(output, expected, rtol=1e-12)
    np.testing.assert_allclose(loss, np.mean((expected - values["target"]) ** 2), rtol=1e-12)


def test_only_rebuild_drop_rebuilds() -> None:
    """The harness tells by `lifecycle` what it does again and again."""
    assert (get("steady").lifecycle, get("rebuild_drop").lifecycle) == ("calls", "rebuilds")
