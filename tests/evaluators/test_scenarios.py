"""Every scenario of the catalogue, through every evaluator: values and gradients agree."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators import catalog
from evaluators.protocol import MODES, Evaluator
from harness.worker.agreement import disagreement
from scenarios.scenario import Scenario, get, names

ALL = pytest.mark.parametrize("name", names())


def _check(evaluator: Evaluator, scenario: Scenario) -> None:
    """Both modes of the small size, against the golden evaluator at the scenario's tolerance."""
    parameters = scenario.parameters(scenario.small)
    dtype = getattr(evaluator, "dtype", None) or "float32"
    network = scenario.network(scenario.small, dtype=dtype)
    rng = np.random.default_rng(3)
    weights, data = scenario.draw_weights(network, rng), scenario.draw_data(network, rng)
    reference = catalog.get("reference")
    for mode in MODES:
        if evaluator.refuse(network, mode) is not None:
            continue
        golden = reference.compile(reference.lower(network, mode))(weights, data)
        found = evaluator.compile(evaluator.lower(network, mode))(weights, data)

        _, problem = disagreement(found, golden, scenario.tolerance_at(parameters, dtype))
        assert not problem, (mode, problem)


@ALL
def test_our_strategies_agree_on_every_scenario(strategy: Evaluator, name: str) -> None:
    """Each of ours, in both modes."""
    _check(strategy, get(name))


@ALL
def test_engines_agree_on_every_scenario(engine: Evaluator, name: str) -> None:
    """Each engine that is installed, in both modes, where it does not refuse."""
    _check(engine, get(name))
