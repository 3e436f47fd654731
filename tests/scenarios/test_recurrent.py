"""Recurrences against their definitions, written down once more, or against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from networks import differentiate
from scenarios.draws import orthogonal
from scenarios.scenario import get
from tests.networks.walker import evaluate_nodes
from tests.scenarios.drawing import Values, drawn, gradients, outputs_and_loss


def _logistic(x: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(x / 2)) / 2


@pytest.mark.parametrize(("name", "steps"), [("rnn", 400), ("gru", 250)])
def test_many_steps_neither_vanish_nor_explode(name: str, steps: int) -> None:
    """No value on the way there and back is subnormal, and float32 errs by little of its tolerance.

    Subnormal numbers would time the processor's traps.
    """
    scenario, size = get(name), {"steps": steps, "batch": 4}
    found: dict[str, list[np.ndarray]] = {}
    for dtype in ("float32", "float64"):
        network = scenario.network(size, dtype=dtype)
        rng = np.random.default_rng(5)
        values = scenario.draw_weights(network, rng) | scenario.draw_data(network, rng)
        gradient = differentiate(network)
        done = evaluate_nodes(gradient.nodes, values)
        found[dtype] = [done[node] for node in (*gradient.outputs, *network.outputs)]
        if dtype == "float32":
            sizes = np.abs(np.concatenate([np.ravel(each) for each in done.values()]))

    assert not np.any((sizes > 0) & (sizes < np.finfo(np.float32).tiny))
    tolerance = scenario.tolerance_at(scenario.parameters(size), "float32")
    for single, double in zip(found["float32"], found["float64"], strict=True):
        assert 1e-7 < np.abs(double).max() < 1e3
        assert np.abs(single - double).max() < tolerance / 5 * np.abs(double).max()


def test_the_gain_of_rnn_makes_up_for_the_slopes_of_tanh() -> None:
    """On average over states of the variance that settles, a step back keeps a cotangent's size."""
    _, values = drawn("rnn", steps=1, hidden=256, inputs=256)
    gain = float(np.linalg.norm(values["w_hidden"], 2))
    from_inputs = float(np.var(values["x"][0] @ values["w_input"] + values["b"]))
    nodes, shares = np.polynomial.hermite_e.hermegauss(60)
    shares = shares / shares.sum()
    variance = from_inputs
    for _ in range(1_000):
        states = np.tanh(math.sqrt(variance) * nodes)
        variance = gain**2 * float(shares @ states**2) + from_inputs

    assert gain**2 * float(shares @ (1 - states**2) ** 2) == pytest.approx(1, abs=0.02)


def test_an_orthogonal_matrix_keeps_every_length() -> None:
    """Its transpose is its inverse, and no direction is preferred: the mean of many is zero."""
    rng = np.random.default_rng(5)
    many = np.array([orthogonal(rng, 3) for _ in range(400)])

    np.testing.assert_allclose(
        many @ many.transpose(0, 2, 1), np.eye(3) + np.zeros((400, 1, 1)), atol=1e-14
    )
    assert np.abs(many.mean(0)).max() < 0.15


def test_gru_is_its_published_equations() -> None:
    """Update and reset gates, a candidate with the reset after the product, and a mixture."""
    network, values = drawn("gru", steps=4, hidden=3, inputs=2, batch=5)
    # One matrix for all gates, as engines stack them.
    w = np.hstack([values[f"w_{gate}"] for gate in "zrn"])
    u = np.hstack([values[f"w_hidden_{gate}"] for gate in "zrn"])
    b = np.hstack([values[f"b_{gate}"] for gate in "zrn"])
    h = np.zeros((5, 3))
    for x in values["x"]:
        from_input, from_state = x @ w + b, h @ u
        z = _logistic(from_input[:, :3] + from_state[:, :3])
        r = _logistic(from_input[:, 3:6] + from_state[:, 3:6])
        n = np.tanh(from_input[:, 6:] + r * from_state[:, 6:])
        h = n + z * (h - n)

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, h, rtol=1e-11)
    assert loss == pytest.approx(np.mean((h - values["target"]) ** 2), rel=1e-11)


@pytest.mark.parametrize("steps", [1, 6, 20])
def test_two_state_halves_the_difference_at_every_step(steps: int) -> None:
    """Both states get the same mixture added, so their difference is halved, whatever the gates."""
    network, values = drawn("two_state", steps=steps)
    a, b = values["a"], values["b"]
    for step in range(steps):
        mixture = b + values[f"gate{step}"] * (a - b)
        a, b = (a + mixture) / 2, (b + mixture) / 2

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(a - b, (values["a"] - values["b"]) / 2**steps, atol=1e-13)
    np.testing.assert_allclose(output, a, rtol=1e-11)
    assert loss == pytest.approx(np.mean(a * a), rel=1e-11)


def _adbench_lstm(values: Values, layers: int) -> float:
    """ADBench's lstm_objective, number by number: its one parameter vector, its one state."""
    sequence = values["sequence"]
    steps, bits = sequence.shape
    main = np.concatenate(
        [np.concatenate([values[f"weight{i}"], values[f"bias{i}"]]).ravel() for i in range(layers)]
    )
    state = np.concatenate(
        [np.concatenate([values[f"hidden{i}"], values[f"cell{i}"]]) for i in range(layers)]
    )
    extra = np.concatenate([values["in_weight"], values["out_weight"], values["out_bias"]])

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    total, count = 0.0, 0
    for t in range(steps - 1):
        seen = [sequence[t, i] * extra[i] for i in range(bits)]
        for layer in range(layers):
            weight = main[8 * bits * layer :]
            bias = main[8 * bits * layer + 4 * bits :]
            hidden, cell = state[2 * bits * layer :], state[2 * bits * layer + bits :]
            for i in range(bits):
                forget = sigmoid(seen[i] * weight[i] + bias[i])
                ingate = sigmoid(hidden[i] * weight[bits + i] + bias[bits + i])
                outgate = sigmoid(seen[i] * weight[2 * bits + i] + bias[2 * bits + i])
                change = math.tanh(hidden[i] * weight[3 * bits + i] + bias[3 * bits + i])
                cell[i] = cell[i] * forget + ingate * change
                hidden[i] = outgate * math.tanh(cell[i])
            seen = list(hidden[:bits])
        predicted = [seen[i] * extra[bits + i] + extra[2 * bits + i] for i in range(bits)]
        lse = math.log(sum(math.exp(each) for each in predicted) + 2)
        total += sum(sequence[t + 1, i] * (predicted[i] - lse) for i in range(bits))
        count += bits
    return -total / count


@pytest.mark.parametrize("layers", [2, 3])
def test_lstm_is_adbenchs_objective(layers: int) -> None:
    """The value of the published definition."""
    network, values = drawn("lstm", steps=6, layers=layers, bits=4)

    (output,), loss = outputs_and_loss(network, values)

    assert float(output) == loss == pytest.approx(_adbench_lstm(values, layers), rel=1e-12)


def test_ode_rk4_is_exact_for_polynomials_up_to_the_fourth_degree() -> None:
    """Component i is t^i / i! times a product of rates; the method makes no error in four."""
    network, values = drawn("ode_rk4", steps=7, dimensions=4)
    rates = np.cumprod(values["x"])
    expected = [2.0**i / math.factorial(i) * rates[i - 1] for i in range(1, 5)]

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, expected, rtol=1e-12)
    assert loss == pytest.approx(expected[-1], rel=1e-12)
    # The last component is a product of all rates: by each, the product of the others.
    np.testing.assert_allclose(
        gradients(network, values)["x"], expected[-1] / values["x"], rtol=1e-12
    )


def test_ode_rk4_is_of_fourth_order() -> None:
    """In a component of the eighth degree, half the step has about a sixteenth of the error."""
    errors = []
    for steps in (40, 80):
        network, values = drawn("ode_rk4", steps=steps, dimensions=8)
        exact = 2.0**8 / math.factorial(8) * np.prod(values["x"])
        errors.append(abs(outputs_and_loss(network, values)[1] - exact))

    assert 12 < errors[0] / errors[1] < 20
