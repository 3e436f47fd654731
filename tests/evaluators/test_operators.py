"""Laws of every evaluator, over every operator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from evaluators import catalog
from evaluators.protocol import Arrays, Evaluator
from networks.operators import operators
from tests.evaluators.everything import TOLERANCE, Everything, everything, everythings
from tests.evaluators.lacking import FLOAT32_ONLY, OPERATORS, TIES

ours = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CASES = (everything((2, 1, 3), (2, 1), "float32"), everything((3,), (2, 3), "float64"))
"""For engines, some of which take seconds to compile this network."""


def outputs(evaluator: Evaluator, case: Everything, mode: str) -> Arrays:
    """What one call returns."""
    assert evaluator.refuse(case.network, mode) is None
    function = evaluator.compile(evaluator.lower(case.network, mode))
    return function(case.weights, case.data)


def assert_close(found: np.ndarray, expected: np.ndarray, dtype: str, what: str) -> None:
    """Within the dtype's tolerance, relative to the largest element or 1."""
    assert found.shape == expected.shape, what
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCE[dtype] * scale, err_msg=what)


def assert_outputs_as_expected(evaluator: Evaluator, case: Everything) -> None:
    """Every output's value, shape and dtype."""
    found = outputs(evaluator, case, "output")
    is_golden = evaluator.name == "reference"
    for (name, expected), node, array in zip(
        case.expected.items(), case.network.outputs, found, strict=True
    ):
        assert isinstance(array, np.ndarray), name
        wanted = np.dtype("float64") if is_golden and node.dtype.kind == "f" else node.dtype
        assert array.dtype == wanted, name
        assert_close(array, expected, case.dtype, name)


def assert_gradient_as_golden(evaluator: Evaluator, case: Everything) -> None:
    """Loss and derivatives against the golden evaluator, in the dtypes of loss and weights."""
    expected = outputs(catalog.get("reference"), case, "gradient")
    found = outputs(evaluator, case, "gradient")
    names = ["loss", *case.weights]
    for name, array, wanted in zip(names, found, expected, strict=True):
        assert array.dtype == case.dtype, name
        assert_close(array, wanted, case.dtype, name)


def test_every_operator_is_tried() -> None:
    """The network of these tests holds the whole operator table, adjoints included."""
    tried = {node.operator for node in everything((2, 3), (3,), "float32").network.nodes}

    assert {operator for operator in operators() if operator not in tried} == set()


@given(case=everythings())
@ours
def test_our_outputs(own: Evaluator, case: Everything) -> None:
    """Each operator gives what another formula for it gives, in its own dtype."""
    assert_outputs_as_expected(own, case)


@given(case=everythings())
@ours
def test_our_gradients(strategy: Evaluator, case: Everything) -> None:
    """Loss and derivatives are the golden evaluator's, in the network's dtype."""
    assert_gradient_as_golden(strategy, case)


def accepted(evaluator: Evaluator, case: Everything, mode: str) -> Everything:
    """What of the case the engine does not refuse; what it may refuse is listed."""
    if evaluator.refuse(case.network, mode) is None:
        ties = TIES.get(evaluator.name, frozenset()) if mode == "gradient" else frozenset()
        return case.part([name for name in case.expected if name not in ties]) if ties else case
    if case.dtype == "float64" and evaluator.name in FLOAT32_ONLY:
        pytest.skip(evaluator.refuse(case.network, mode) or "")
    names = [
        name
        for name in (case.expected if mode == "output" else case.terms)
        if evaluator.refuse(case.part([name]).network, mode) is None
    ]
    lacking = OPERATORS.get((evaluator.name, mode), frozenset())
    assert {*case.expected} - {*names} <= lacking
    if not names:
        pytest.skip(evaluator.refuse(case.network, mode) or "")
    return case.part(names)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_engines_outputs(engine: Evaluator, case: Everything) -> None:
    """Each operator gives what another formula for it gives, in its own dtype."""
    assert_outputs_as_expected(engine, accepted(engine, case, "output"))


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_engines_gradients(engine: Evaluator, case: Everything) -> None:
    """An engine's own derivatives of every operator are ours, and so is our gradient network."""
    assert_gradient_as_golden(engine, accepted(engine, case, "gradient"))
