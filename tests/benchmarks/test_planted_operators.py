"""Planted operators: real extra calls of one kind, as many as asked for, and the same results."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.planted_operators import PlantedOperator, planted
from evaluators import catalog
from evaluators.protocol import network_for
from evaluators.strategies.straightline import Source, Straightline
from scenarios import scenario as scenarios

_RNN = scenarios.get("rnn")
_NETWORK = network_for(_RNN.network({"steps": 40}), "gradient")


def _calls(source: Source) -> Counter[str]:
    """How often each function is called when the source runs once."""
    counted: Counter[str] = Counter()

    def counting(name: str, function: object) -> object:
        def call(*operands: object, **options: object) -> object:
            counted[name] += 1
            return function(*operands, **options)  # type: ignore[operator]

        return call

    namespace = {
        name: counting(name, value) if callable(value) else value
        for name, value in source.namespace.items()
    }

    rng = np.random.default_rng(1)
    function = Straightline().compile(replace(source, namespace=namespace))
    function(_RNN.draw_weights(_NETWORK, rng), _RNN.draw_data(_NETWORK, rng))
    return counted


@pytest.mark.parametrize("operator", ["tanh", "add", "multiply", "matmul"])
def test_a_share_of_one_kind_is_called_twice(operator: str) -> None:
    """To the call, and of no other kind."""
    source = Straightline().lower(_NETWORK, "gradient")
    before, after = _calls(source), _calls(planted(source, operator, 25))

    assert before[operator] > 30
    assert after[operator] - before[operator] == before[operator] // 4
    after[operator] = before[operator]
    assert after == before


def test_results_stay_the_same_instrumented_or_not() -> None:
    """Operands are not written over by the call that is added."""
    evaluator = PlantedOperator("add", 60)
    rng = np.random.default_rng(1)
    weights, data = _RNN.draw_weights(_NETWORK, rng), _RNN.draw_data(_NETWORK, rng)
    usual = catalog.get("straightline")
    expected = usual.compile(usual.lower(_NETWORK, "gradient"))(weights, data)

    plain = evaluator.compile(evaluator.lower(_NETWORK, "gradient"))
    double = evaluator.instrument(_NETWORK, "gradient", lambda: 0).function

    for function in (plain, double):
        found = function(weights, data)
        assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
