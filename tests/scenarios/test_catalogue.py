"""Laws that every scenario of ours obeys."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest

import scenarios
from networks import Network, differentiate, simplify, validate
from scenarios.scenario import LIFECYCLES, Scenario, get, names
from tests.networks.walker import evaluate

ROOT = Path(scenarios.__file__).parents[1]

ALL = pytest.mark.parametrize("name", names())


def _inputs(scenario: Scenario, network: Network, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return scenario.draw_weights(network, rng) | scenario.draw_data(network, rng)


def _forms(scenario: Scenario) -> list[dict[str, object]]:
    """The small size, in each of the forms that a text parameter chooses."""
    forms = [dict(scenario.small)]
    for key, values in scenario.sweep.items():
        if isinstance(values[0], str):
            forms = [form | {key: value} for form in forms for value in values]
    return forms


@ALL
def test_a_scenario_says_what_it_is(name: str) -> None:
    """One line of description, a provenance, a sweep, and the place it is defined at."""
    found = get(name)

    assert re.fullmatch(r".{20,90}\.", found.description)
    assert found.provenance
    assert found.sweep
    assert found.lifecycle in LIFECYCLES
    file, line = found.location.split(":")
    assert name in "".join((ROOT / file).read_text().splitlines()[int(line) - 1 : int(line) + 30])


@ALL
def test_sweeps_grow(name: str) -> None:
    """The sizes of a sweep are in ascending order, and there are several of them."""
    for values in get(name).sweep.values():
        assert len(values) > 1
        if isinstance(values[0], int):
            assert list(values) == sorted(set(values))


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_modes_exist_in_both_precisions(name: str, dtype: str) -> None:
    """Each has an output, a loss and a weight, and builds a valid network and gradient network."""
    found = get(name)
    for form in _forms(found):
        network = found.network(form, dtype=dtype)
        validate(network)
        validate(differentiate(network))
        assert network.outputs
        assert network.weights
        assert {node.dtype.name for node in network.nodes} <= {dtype, "bool"}


@ALL
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    """The gradient network gives the loss's slope along a random direction of the weights."""
    found = get(name)
    for form in _forms(found):
        network = found.network(form, dtype="float64")
        assert network.loss is not None
        loss = Network(
            weights=network.weights, data=network.data, outputs=[network.loss], loss=network.loss
        )
        values = _inputs(found, network)
        rng = np.random.default_rng(1)
        direction = {w.attributes: rng.uniform(-1, 1, w.shape) for w in network.weights}

        _, *derivatives = evaluate(differentiate(network), values)
        slope = sum(
            float(np.sum(g * d)) for g, d in zip(derivatives, direction.values(), strict=True)
        )
        expected = _slope(loss, values, direction)
        assert slope == pytest.approx(expected, rel=1e-6, abs=1e-7)


def _slope(loss: Network, values: dict[str, np.ndarray], direction: dict[str, np.ndarray]) -> float:
    """The slope of the loss along a direction, by finite differences of the fourth order."""

    def at(distance: float) -> float:
        moved = {key: values[key] + distance * d for key, d in direction.items()}
        return float(evaluate(loss, values | moved)[0])

    step = 1e-4
    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)


@ALL
def test_values_at_the_default_size_are_sane(name: str) -> None:
    """Drawn inputs overflow nothing in float32, and leave gradients that are no zeros."""
    found = get(name)
    network = differentiate(found.network({}))

    values = evaluate(network, _inputs(found, network))

    assert all(np.isfinite(value).all() for value in values)
    assert any(np.abs(value).max() > 1e-6 for value in values[1:])


@ALL
def test_float32_is_within_the_tolerance(name: str) -> None:
    """Rounding alone keeps every array within the tolerance of the same in float64."""
    found = get(name)
    for form in ({}, *_forms(found)):
        single = differentiate(found.network(form))
        double = differentiate(found.network(form, dtype="float64"))
        inputs = _inputs(found, single)
        tolerance = found.tolerance_at(found.parameters(form), "float32")
        rounded = evaluate(single, inputs)
        exact = evaluate(double, {key: value.astype(float) for key, value in inputs.items()})

        for one, other in zip(rounded, exact, strict=True):
            error = np.abs(one - other).max()
            assert error <= tolerance * np.abs(other).max()


@ALL
def test_gradients_are_at_most_five_times_as_large(name: str) -> None:
    """Differentiation makes at most 5 nodes for each node of the network."""
    found = get(name)
    for form in _forms(found):
        network = found.network(form)
        made = set(differentiate(network).nodes) - set(network.nodes)
        assert len(made) <= 5 * len(network.nodes)


@ALL
@pytest.mark.parametrize("cache", ["strong", "weak"])
def test_caches_and_simplification_change_no_value(name: str, cache: str) -> None:
    """Built with a cache, or simplified: the same values, bit for bit, from no more nodes.

    Gradients through nodes that a cache has made one are sums in another order.
    """
    found = get(name)
    for form in _forms(found):
        network, cached = found.network(form), found.network(form, cache=cache)
        plain, other = differentiate(network), differentiate(cached)
        inputs = _inputs(found, plain)
        expected = evaluate(plain, inputs)

        for one, same in ((network, cached), (plain, simplify(plain))):
            assert len(same.nodes) <= len(one.nodes)
            values = [value.tobytes() for value in evaluate(one, inputs)]
            assert [value.tobytes() for value in evaluate(same, inputs)] == values
        assert len(other.nodes) <= len(plain.nodes)
        for value, same_value in zip(expected, evaluate(other, inputs), strict=True):
            np.testing.assert_allclose(same_value, value, rtol=1e-5, atol=1e-5)


@ALL
def test_a_sweep_makes_larger_networks_or_more_calls(name: str) -> None:
    """The second size of a sweep has more elements than the first, or says how often to call."""
    found = get(name)
    for key, values in found.sweep.items():
        if isinstance(values[0], str) or key in LIFECYCLES:
            continue
        small, large = (found.network({**found.small, key: value}) for value in values[:2])
        assert _work(small) < _work(large)


def _work(network: Network) -> int:
    return sum(math.prod(node.shape) for node in network.nodes)
