"""What the scenarios of life cycles build, and how they tell the harness what to do with it."""

from __future__ import annotations

import numpy as np
import pytest

from networks import Builder, functions as f
from scenarios.scenario import LIFECYCLES, ScenarioError, get, scenario
from tests.scenarios.drawing import drawn, gradients, outputs_and_loss


@pytest.mark.parametrize(("name", "rows"), [("shape_churn", 5), ("keep_alive", 3)])
def test_one_layer(name: str, rows: int) -> None:
    """tanh(x @ w + b), and a squared error; `shape_churn` has as many rows as its batch."""
    network, values = drawn(name, width=3, **({"batch": 5} if rows == 5 else {}))
    expected = np.tanh(values["x"] @ values["w"] + values["b"])

    (output,), loss = outputs_and_loss(network, values)

    assert output.shape == (rows, 3)
    np.testing.assert_allclose(output, expected, rtol=1e-12)
    assert loss == pytest.approx(np.mean((expected - values["target"]) ** 2), rel=1e-12)


@pytest.mark.parametrize("form", ["constant", "weight"])
def test_captured_constant_is_as_large_as_it_says(form: str) -> None:
    """Two megabytes of float32, in a constant or in a weight, and the rest is small."""
    network = get("captured_constant").network({"megabytes": 2, "form": form})

    sizes = sorted(node.size * 4 for node in network.nodes if not node.operands)

    assert sizes[-1] == 2 * 2**20
    assert sizes[-2] < 10_000


def test_captured_constant_is_a_product_with_equal_rows() -> None:
    """Every row is cos(0, 1, 2 …) over the root of the width, so all outputs are alike."""
    network, values = drawn("captured_constant", megabytes=1, width=512)
    row = np.cos(np.arange(512)) / np.sqrt(512)
    expected = np.tanh(row @ (values["x"] + values["b"]))

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, np.full(512, expected), rtol=1e-11)
    assert loss == pytest.approx(expected**2, rel=1e-11)
    by_b = 2 * expected * (1 - expected**2) * row
    np.testing.assert_allclose(gradients(network, values)["b"], by_b, rtol=1e-10)


def test_gradient_cycle_is_a_penalty_on_a_gradient() -> None:
    """The output is the first-order gradient in closed form, the loss has its square added."""
    network, values = drawn("gradient_cycle", width=3)
    x, w, b = values["x"], values["w"], values["b"]
    h = np.tanh(x @ w + b)
    slope = x.T @ (2 * h * (1 - h**2)) / h.size

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, slope, rtol=1e-11)
    assert loss == pytest.approx(np.mean(h**2) + np.sum(slope**2), rel=1e-12)


def test_each_life_cycle_has_a_scenario() -> None:
    """What the harness does again and again, by the name of the scenario."""
    told = {
        name: get(name).lifecycle
        for name in ("steady", "rebuild_drop", "shape_churn", "keep_alive", "gradient_cycle")
    }

    assert tuple(told.values()) == LIFECYCLES


@pytest.mark.parametrize(
    ("lifecycle", "missing"), [("kept", "kept"), ("shapes", "shapes"), ("cycles", "cycles")]
)
def test_a_life_cycle_needs_the_parameter_of_its_name(lifecycle: str, missing: str) -> None:
    """Told where the scenario is defined, and which parameter the harness reads."""
    with pytest.raises(ScenarioError, match=rf"lifecycle is '{lifecycle}'.*parameter '{missing}'"):

        @scenario("nameless", provenance="a test", lifecycle=lifecycle)
        def nameless(net: Builder, *, width: int = 3) -> None:
            net.output(f.tanh(net.weight("w", (width,))))
