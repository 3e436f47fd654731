"""Scenarios of sharing and of depth against closed forms that their loops do not resemble."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
from scipy import stats

from scenarios.scenario import get
from tests.scenarios.drawing import drawn, gradients, outputs_and_loss


@pytest.mark.parametrize("depth", [1, 7, 30])
def test_growth_is_compound_interest(depth: int) -> None:
    """c·(1 + g)**depth, and its derivative by the rate."""
    network, values = drawn("growth", depth=depth)
    amount, rate = values["amount"], values["rate"]
    expected = amount * (1 + rate) ** depth

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, expected, rtol=1e-12)
    assert loss == pytest.approx(np.mean(expected**2), rel=1e-12)
    by_rate = 2 * expected * amount * depth * (1 + rate) ** (depth - 1) / expected.size
    np.testing.assert_allclose(gradients(network, values)["rate"], by_rate, rtol=1e-11)


def test_fib_pair_conserves_what_its_definition_says() -> None:
    """Sums telescope: the last a is the first a plus every b but the last; b is b·Π a."""
    network, values = drawn("fib_pair", depth=14, width=3)
    sums, products = [values["a"]], [values["b"]]
    for _ in range(14):
        products.append(values["b"] * reduce(np.multiply, sums))
        sums.append(values["a"] + np.sum(products[:-1], axis=0))

    (a, b), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(a, sums[-1], rtol=1e-12)
    np.testing.assert_allclose(b, products[-1], rtol=1e-12)
    assert loss == pytest.approx(np.mean(sums[-1] ** 2) + np.mean(products[-1]), rel=1e-12)


def test_fib_pair_neither_overflows_nor_vanishes() -> None:
    """After 5,000 steps in float32 both are normal numbers, and so are their gradients."""
    network, values = drawn("fib_pair", depth=5_000, width=4)

    (a, b), _ = outputs_and_loss(network, values)

    assert 0.99 < np.abs(a).min() <= np.abs(a).max() < 1.01
    assert 1e-6 < b.min() <= b.max() < 1e-2
    assert 1e-6 < np.abs(gradients(network, values)["b"]).max() < 1e6


def test_trig_ladder_is_its_loop_and_settles() -> None:
    """sin(hᵀ) + cos(h); after many steps every element repeats with period two."""
    network, values = drawn("trig_ladder", depth=9, width=5)
    h = values["h"]
    for _ in range(9):
        h = np.cos(h) + np.sin(np.swapaxes(h, 0, 1))

    (output,), loss = outputs_and_loss(network, values)
    (late,), _ = outputs_and_loss(*drawn("trig_ladder", depth=300, width=5))
    (later,), _ = outputs_and_loss(*drawn("trig_ladder", depth=302, width=5))

    np.testing.assert_allclose(output, h, rtol=1e-12)
    assert loss == pytest.approx(np.mean(h * h), rel=1e-12)
    np.testing.assert_allclose(late, later, rtol=1e-9)


def test_if_chain_is_a_power_of_two_or_three() -> None:
    """Positive numbers double at each step, the others triple."""
    network, values = drawn("if_chain", depth=25)
    factor = np.where(values["a"] > 0, 2.0**25, 3.0**25)

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, values["a"] * factor, rtol=1e-13)
    assert loss == pytest.approx(np.mean(values["a"] * factor), rel=1e-13)
    np.testing.assert_allclose(gradients(network, values)["a"], factor / 16, rtol=1e-13)


def test_parallel_chains_is_a_circulant_product() -> None:
    """Every layer is tanh of w times a circulant matrix with three ones a row."""
    network, values = drawn("parallel_chains", depth=3, chains=6, width=2)
    x = np.stack([values[f"x{i}"] for i in range(6)])
    w = np.stack([values[f"w{i}"] for i in range(6)])
    three = sum(np.roll(np.eye(6), -shift, axis=1) for shift in range(3))
    for _ in range(3):
        x = np.tanh(w * (three @ x))

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, x.sum(axis=0), rtol=1e-12)
    assert loss == pytest.approx(np.mean(x**2), rel=1e-12)


def test_nested_convolution_is_a_quotient_of_power_series() -> None:
    """E(z) = (x + P(z) - p_0) / (1 - z·P(z)), coefficient by coefficient."""
    order = 9
    network, values = drawn("nested_convolution", order=order, width=2)
    p = np.stack([values[f"p{i}"] for i in range(order + 1)])
    numerator = p.copy()
    numerator[0] = values["x"]
    denominator = np.vstack([np.ones(2), -p[:-1]])
    series = np.zeros_like(p)
    for lane in range(2):
        inverse = np.linalg.solve(
            np.tril([[denominator[abs(i - j), lane] for j in range(order + 1)]
                     for i in range(order + 1)]),
            numerator[:, lane],
        )  # fmt: skip
        series[:, lane] = inverse

    outputs, loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(outputs, series, rtol=1e-11)
    assert loss == pytest.approx(np.mean(series.sum(axis=0) ** 2), rel=1e-11)


def test_the_nodes_of_nested_convolution_grow_with_the_square_of_its_order() -> None:
    """Four times the products at twice the order."""
    small, large = (len(get("nested_convolution").network({"order": n}).nodes) for n in (34, 68))

    assert 3.5 < large / small < 4.0


def test_factors_is_a_normal_distribution() -> None:
    """The sum of scipy's log-densities; by log sd, the squared deviations less their number."""
    network, values = drawn("factors", terms=7, width=3)
    sd = math.exp(values["log_sd"])
    deviations = np.stack([values[f"x{i}"] - values[f"mean{i}"] for i in range(7)])

    (output,), loss = outputs_and_loss(network, values)

    expected = stats.norm.logpdf(deviations, scale=sd).sum()
    assert float(output) == -loss == pytest.approx(expected, rel=1e-12)
    by_log_sd = deviations.size - np.sum((deviations / sd) ** 2)
    assert float(gradients(network, values)["log_sd"]) == pytest.approx(by_log_sd, rel=1e-11)


@pytest.mark.parametrize("order", [3, 5, 6])
def test_determinant_by_minors_is_the_determinant(order: int) -> None:
    """As by LU factorisation; its gradient is the determinant times the transposed inverse."""
    network, values = drawn("determinant_by_minors", order=order)
    matrix = values["matrix"]
    expected = np.linalg.det(matrix)

    (output,), loss = outputs_and_loss(network, values)

    assert float(output) == loss == pytest.approx(expected, rel=1e-11)
    np.testing.assert_allclose(
        gradients(network, values)["matrix"], expected * np.linalg.inv(matrix).T, atol=1e-11
    )


def test_the_nodes_of_determinant_by_minors_grow_factorially() -> None:
    """One order more multiplies them by about that order."""
    five, six = (len(get("determinant_by_minors").network({"order": n}).nodes) for n in (5, 6))

    assert 5.0 < six / five < 6.0
