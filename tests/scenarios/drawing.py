"""Networks of scenarios with inputs drawn for them, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from networks import Network, differentiate
from scenarios.scenario import get
from tests.networks.walker import evaluate

Values = dict[str, Any]


def drawn(name: str, **given: Any) -> tuple[Network, Values]:
    """The network at that size, and inputs for it."""
    found = get(name)
    network = found.network(given, dtype="float64")
    rng = np.random.default_rng(5)
    return network, found.draw_weights(network, rng) | found.draw_data(network, rng)


def outputs_and_loss(network: Network, values: Values) -> tuple[list[Any], float]:
    """The values of all outputs, and of the loss."""
    assert network.loss is not None
    both = Network(
        weights=network.weights, data=network.data, outputs=[*network.outputs, network.loss]
    )
    *outputs, loss = evaluate(both, values)
    return outputs, float(loss)


def gradients(network: Network, values: Values) -> Values:
    """The derivative of the loss by each weight, by its name."""
    _, *found = evaluate(differentiate(network), values)
    return {w.attributes: g for w, g in zip(network.weights, found, strict=True)}
