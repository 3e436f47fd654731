"""What is particular to each strategy of ours."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from evaluators import catalog
from evaluators.protocol import Evaluator
from evaluators.strategies import lowering
from evaluators.strategies.planned import Planned
from evaluators.strategies.straightline import STATEMENTS_PER_FUNCTION, Straightline
from networks import Builder, Network, functions as f, operators as op


def chain(depth: int, width: int) -> Network:
    """tanh(h·x) again and again."""
    net = Builder()
    h, x = net.weight("h", (width,)), net.data("x", (width,))
    for _ in range(depth):
        h = f.tanh(h * x)
    net.output(h)
    return net.network()


def source_of(network: Network, mode: str = "output") -> list[str]:
    """The lines that `straightline` writes, without the first."""
    (text,) = Straightline().lower(network, mode).functions
    return [line.strip() for line in text.splitlines()[1:]]


def test_straightline_writes_one_statement_a_node() -> None:
    """A result is written over an operand that dies; what is returned is a fresh array."""
    assert source_of(chain(2, 3)) == [
        "v0 = weights['h']",
        "v1 = data['x']",
        "v0 = multiply(v0, v1)",
        "tanh(v0, v0)",
        "multiply(v0, v1, v0)",
        "tanh(v0, v0)",
        "return [v0]",
    ]


def test_straightline_reuses_names() -> None:
    """Local names are as many as values are alive at once, whatever the depth."""
    straightline = Straightline()
    straightline.lower(chain(1_000, 3), "output")

    assert straightline.counters()["names"] == 2


def test_straightline_splits_long_networks() -> None:
    """A function of Python's has at most so many statements, and values pass between them."""
    network = chain(STATEMENTS_PER_FUNCTION, 2)
    straightline = Straightline()
    source = straightline.lower(network, "output")
    function = straightline.compile(source)

    (found,) = function({"h": np.zeros(2, np.float32)}, {"x": np.ones(2, np.float32)})

    assert len(source.functions) == 3
    np.testing.assert_array_equal(found, [0, 0])


def test_straightline_leaves_broadcasts_to_numpy() -> None:
    """A bias is added as it is, and a scalar is never spread out."""
    net = Builder()
    x, b = net.data("x", (2, 3)), net.data("b", (3,))
    spread = f.broadcast_to(f.reshape(b, (1, 3)), (2, 3))
    net.output(x + spread * f.broadcast_to(f.sum(b), (2, 3)))

    nodes = lowering.program(net.network()).nodes

    assert [node.operator for node in nodes if node.operands] == [op.SUM, op.MULTIPLY, op.ADD]


def test_straightline_subscripts_once() -> None:
    """Slicing a row and dropping its axis is one subscript."""
    net = Builder()
    net.output(net.data("x", (4, 3))[2] * 2.0)

    assert source_of(net.network())[1] == "v0 = v0[2]"


def test_constants_are_folded() -> None:
    """What no input decides is computed once."""
    net = Builder()
    x = net.data("x", (3,))
    two = f.broadcast_to(net.constant(1.0), (3,)) + 1.0
    net.output(x * (two * two))

    (multiplied,) = [node for node in lowering.program(net.network()).nodes if node.operands]

    assert multiplied.operands[1].attributes == 4.0


def test_planned_reuses_buffers() -> None:
    """A chain needs one buffer, whatever its depth, since each value dies in the next."""
    planned = Planned()
    planned.lower(chain(1_000, 16), "output")

    assert planned.counters()["buffers"] == 1
    assert planned.counters()["buffer_bytes"] == 64


@pytest.mark.parametrize("is_left", [True, False])
def test_what_hangs_on_a_chain_waits_for_it(is_left: bool) -> None:
    """A step's input is computed where the recurrence needs it, on whichever side of the sum."""
    net = Builder()
    x, w, h = net.data("x", (100, 16)), net.weight("w", (16,)), net.weight("h", (16,))
    for step in range(100):
        from_input, from_state = f.exp(x[step] * w), f.exp(h * w)
        h = from_input + from_state if is_left else from_state + from_input
    net.output(h)
    planned = Planned()
    planned.lower(net.network(), "output")

    assert planned.counters()["buffers"] == 2


def test_an_accumulation_takes_its_terms_one_by_one() -> None:
    """The gradient of a shared weight is summed as its terms come, not after all of them."""
    net = Builder()
    w, total = net.weight("w", (16,)), net.data("x0", (16,))
    for step in range(1, 100):
        total = total + w * net.data(f"x{step}", (16,))
    net.loss(f.sum(total * total))
    planned = Planned()
    planned.lower(net.network(), "gradient")

    assert planned.counters()["buffers"] <= 4


@pytest.mark.parametrize("name", ["straightline", "planned", "reference"])
def test_memory_of_a_chain_is_bounded(name: str) -> None:
    """Values of a long chain are let go on the way: at most three are alive at once."""
    evaluator: Evaluator = catalog.get(name)
    width = 100_000
    function = evaluator.compile(evaluator.lower(chain(50, width), "output"))
    weights, data = {"h": np.ones(width, np.float32)}, {"x": np.ones(width, np.float32)}
    itemsize = 8 if name == "reference" else 4
    tracemalloc.start()
    try:
        function(weights, data)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak_bytes < 4.5 * width * itemsize
