"""Every engine over every scenario, at its smallest telling size, in both modes."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators import catalog
from evaluators.protocol import Evaluator, gradient_by
from harness.worker.agreement import disagreement
from networks import Network, differentiate, simplify
from scenarios import scenario as scenarios
from tests.evaluators.lacking import SCENARIOS


def asked(evaluator: Evaluator, network: Network, mode: str) -> Network:
    """What the harness hands to `lower`."""
    if mode == "gradient" and gradient_by(evaluator) == "network":
        return simplify(differentiate(network))
    return network


# Numba of code that PyTensor generates: of its large constants, and of its products.
@pytest.mark.filterwarnings("ignore:.*Cannot cache compiled function")
@pytest.mark.filterwarnings("ignore:.*is faster on contiguous arrays")
@pytest.mark.parametrize("mode", ["output", "gradient"])
@pytest.mark.parametrize("name", scenarios.names())
def test_scenarios(engine: Evaluator, name: str, mode: str) -> None:
    """Within the scenario's tolerance of the golden evaluator, twice, with other data."""
    scenario = scenarios.get(name)
    parameters = scenario.parameters(scenario.small)
    dtype = getattr(engine, "dtype", "float32")
    network = scenario.network(parameters, dtype=dtype)
    if mode == "gradient" and network.loss is None:
        pytest.skip("the scenario has no loss")
    reason = engine.refuse(network, mode)
    if reason is not None:
        assert (name, mode) in SCENARIOS.get(engine.name, ()), reason
        pytest.skip(reason)
    golden = catalog.get("reference")
    reference = golden.compile(golden.lower(network, mode))
    function = engine.compile(engine.lower(asked(engine, network, mode), mode))
    rng = np.random.default_rng(0)
    for _ in range(2):
        weights, data = scenario.draw_weights(network, rng), scenario.draw_data(network, rng)
        tolerance = scenario.tolerance_at(parameters, dtype)
        _, problem = disagreement(function(weights, data), reference(weights, data), tolerance)
        assert problem == ""
