"""Instrumented evaluators: the same results, a reading for every step, and nothing left out."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from evaluators import catalog
from evaluators.costs import cost, size_bytes
from evaluators.instrumentation import Instrumented, Ticking
from evaluators.protocol import network_for
from evaluators.strategies import straightline
from networks import Builder, Network, functions as f
from scenarios import scenario as scenarios

OURS = ("reference", "interpreter", "planned", "straightline")
SCENARIOS = ("rnn", "mlp", "lstm", "gmm", "signed_products", "two_state")


class CountingClock:
    """Each reading is one more than the last."""

    def __init__(self) -> None:
        self.readings = 0

    def __call__(self) -> int:
        self.readings += 1
        return self.readings


def _instrumented(
    name: str, scenario: str, mode: str, *, origins: bool = False
) -> tuple[Network, Instrumented, CountingClock]:
    found = scenarios.get(scenario)
    built = found.network(found.small, dtype="float64", origins=origins)
    network = network_for(built, mode)
    clock = CountingClock()
    evaluator = catalog.get(name)
    return network, evaluator.instrument(network, mode, clock), clock  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["output", "gradient"])
@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("name", OURS)
def test_an_instrumented_function_returns_the_same(name: str, scenario: str, mode: str) -> None:
    """Bit by bit, call after call, with one reading more than there are steps."""
    network, instrumented, clock = _instrumented(name, scenario, mode)
    evaluator = catalog.get(name)
    plain = evaluator.compile(evaluator.lower(network, mode))
    found = scenarios.get(scenario)
    rng = np.random.default_rng(1)
    weights, data = found.draw_weights(network, rng), found.draw_data(network, rng)

    expected = plain(weights, data)
    for _ in range(2):
        before = clock.readings
        results = instrumented.function(weights, data)

        assert all(np.array_equal(a, b) for a, b in zip(expected, results, strict=True))
        assert clock.readings - before == len(instrumented.steps) + 1
        last = range(before + 1, clock.readings + 1)
        assert list(instrumented.readings) == list(last)


@pytest.mark.parametrize("name", OURS)
def test_the_clock_is_read_after_the_steps_that_were_asked_for(name: str) -> None:
    """Before the first, after those, and after the last; the results are the same."""
    found = scenarios.get("rnn")
    network = network_for(found.network(found.small, dtype="float64"), "gradient")
    evaluator = catalog.get(name)
    plain = evaluator.compile(evaluator.lower(network, "gradient"))
    rng = np.random.default_rng(1)
    weights, data = found.draw_weights(network, rng), found.draw_data(network, rng)
    clock = CountingClock()

    def reads(step: int) -> bool:
        return step % 7 in {2, 3, 6}

    some = evaluator.instrument(network, "gradient", clock, reads)  # type: ignore[attr-defined]
    results = some.function(weights, data)

    expected = plain(weights, data)
    assert all(np.array_equal(a, b) for a, b in zip(expected, results, strict=True))
    last = len(some.steps) - 1
    asked_for = sum(1 for step in range(last) if reads(step))
    assert list(some.readings) == list(range(1, asked_for + 3))
    assert clock.readings == asked_for + 2


@given(is_read=st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_walk_reads_the_clock_between_the_right_items(is_read: list[bool]) -> None:
    """What was read when an item's turn came tells after which items the clock was read."""
    clock = CountingClock()
    ticking = Ticking(range(len(is_read)), clock, is_read.__getitem__)
    walked = [(item, clock.readings) for item in ticking]

    before = [1 + sum(is_read[:item]) for item in range(len(is_read))]
    assert walked == list(enumerate(before))
    assert clock.readings == 2 + sum(is_read[:-1])


@pytest.mark.parametrize("name", ["reference", "interpreter"])
def test_who_walks_the_nodes_has_a_step_for_each(name: str) -> None:
    """The steps are the network's nodes, each once."""
    network, instrumented, _ = _instrumented(name, "rnn", "gradient")

    needed = {id(step.node) for step in instrumented.steps}
    assert len(needed) == len(instrumented.steps)
    assert needed <= {id(node) for node in network.nodes}


@pytest.mark.parametrize("name", ["planned", "straightline"])
def test_products_are_neither_lost_nor_invented(name: str) -> None:
    """The strategies that rewrite have a step for every matrix product and function."""
    network, instrumented, _ = _instrumented(name, "rnn", "gradient")

    steps = Counter(step.node.operator.name for step in instrumented.steps)
    nodes = Counter(node.operator.name for node in network.nodes)
    for operator in ("matmul", "tanh"):
        assert steps[operator] == nodes[operator] > 0


@pytest.mark.parametrize("name", OURS)
def test_lowered_nodes_keep_their_lines(name: str) -> None:
    """Every step with something to do tells the scenario's line."""
    network, instrumented, _ = _instrumented(name, "rnn", "gradient", origins=True)

    assert network.origins is not None
    for step in instrumented.steps:
        origin = network.origins.of(step.node)
        assert origin is not None
        assert origin.file.endswith("recurrent.py")


@pytest.mark.parametrize("name", OURS)
def test_the_empty_step_takes_as_many_readings_and_the_bare_one_none(name: str) -> None:
    """So that their difference, over the readings of a call, is the cost of one."""
    _, instrumented, clock = _instrumented(name, "rnn", "gradient")

    instrumented.bare()
    assert clock.readings == 0
    instrumented.empty()
    assert clock.readings == len(instrumented.steps) + 1


def test_a_network_of_several_functions_is_instrumented_across_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where straightline splits its source, no step is lost at the seams."""
    monkeypatch.setattr(straightline, "STATEMENTS_PER_FUNCTION", 7)

    test_an_instrumented_function_returns_the_same("straightline", "rnn", "gradient")
    test_the_clock_is_read_after_the_steps_that_were_asked_for("straightline")


def test_costs_follow_shapes() -> None:
    """A product is 2·m·n·k operations, a sum its operand's elements, a view nothing at all."""
    net = Builder(dtype="float64")
    x, y = net.data("x", (4, 5)), net.data("y", (5, 6))
    product = x @ y
    total = f.sum(product, axis=0)
    transposed = product.T

    assert cost(product) == (2 * 4 * 5 * 6, 8 * (4 * 5 + 5 * 6 + 4 * 6))
    assert cost(total) == (24, 8 * (24 + 6))
    assert cost(transposed) == (0, 0)
    assert cost(x) == (0, 0)
    assert size_bytes(transposed) == 8 * 24
    assert cost(x + net.data("row", (5,))) == (20, 8 * (20 + 5 + 20))


def test_what_takes_new_memory_is_told() -> None:
    """Planned allocates its results alone, where the interpreter allocates every value."""
    _, planned, _ = _instrumented("planned", "rnn", "gradient")
    _, interpreter, _ = _instrumented("interpreter", "rnn", "gradient")

    assert sum(step.allocates for step in planned.steps) < 10
    computing = [s for s in interpreter.steps if cost(s.node).flops]
    assert all(step.allocates for step in computing)
