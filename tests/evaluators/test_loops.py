"""The source that Numba is given, run by Python itself: no engine is needed to know it is right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from evaluators.engines.decomposition import decomposed
from evaluators.engines.loop_source import INDICES, KNOWN, WORKSPACES, Loops, looped
from networks import Builder, Network, differentiate, functions as f, simplify
from tests.evaluators.everything import Everything, everything
from tests.evaluators.test_operators import assert_close

CASES = (everything((2, 1, 3), (2, 1), "float32"), everything((3,), (2, 3), "float64"))
NAMES: dict[str, Any] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "sqrt")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tanh", "fabs", "dot")},
    "float32": np.float32,
    "float64": np.float64,
    "INFINITY": math.inf,
    "NAN": math.nan,
}


def loops_of(network: Network) -> Loops:
    """As Numba's adapter writes them."""
    return looped((*network.weights, *network.data), decomposed(network.outputs, KNOWN))


def run(loops: Loops, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs; inputs by name."""
    dtypes = {name: dtype for dtype, name in WORKSPACES.items()}
    # What is read before it is written must not pass for a value.
    workspaces = {name: np.full(size, 77, dtypes[name]) for name, size in loops.sizes.items()}
    for node, start in loops.inputs:
        workspaces[WORKSPACES[node.dtype]][start : start + node.size] = arrays[
            node.attributes
        ].reshape(-1)
    with np.errstate(all="ignore"):
        for text in loops.functions:
            namespace = dict(NAMES)
            exec(text, namespace)
            namespace["part"](*workspaces.values(), *loops.constants.values())
    return [
        workspaces[WORKSPACES[node.dtype]][start : start + node.size].reshape(node.shape)
        for node, start in loops.outputs
    ]


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_operator(case: Everything) -> None:
    """Each operator, also after others have taken the places of what is no longer needed."""
    found = run(loops_of(case.network), {**case.weights, **case.data})

    for (name, expected), array in zip(case.expected.items(), found, strict=True):
        assert_close(array, expected, case.dtype, name)


def test_elementwise_operations_share_a_loop() -> None:
    """Three operations on values that nobody else needs, and the sum of them, are one step."""
    net = Builder()
    w, x = net.weight("w", (2, 3)), net.data("x", (2, 3))
    net.output(f.sum(f.tanh(w * x) + 1.0))

    assert loops_of(net.network()).count == 1


def test_views_move_nothing() -> None:
    """A transposed, cut and broadcast operand is read with other strides, in the one loop."""
    net = Builder()
    w, x = net.weight("w", (4, 3)), net.data("x", (3,))
    net.output(w.T[:, ::2] * f.reshape(x, (3, 1)))
    loops = loops_of(net.network())
    w_array = np.arange(12, dtype=np.float32).reshape(4, 3)
    x_array = np.array([1, 10, 100], np.float32)

    (found,) = run(loops, {"w": w_array, "x": x_array})

    np.testing.assert_array_equal(found, w_array.T[:, ::2] * x_array[:, None])
    assert loops.count == 1


def test_places_are_used_again() -> None:
    """A chain of products, each used twice, needs memory for few of them."""
    net = Builder()
    h = net.weight("h", (10,))
    for _ in range(50):
        h = h * h
    net.output(h)

    assert loops_of(net.network()).sizes["f"] == 30


def test_results_keep_their_places() -> None:
    """What is returned is not written over by what comes later."""
    net = Builder()
    w = net.weight("w", (2,))
    first = net.output(w * 2.0)
    h = first
    for _ in range(5):
        h = f.exp(h) + h
    net.output(h)
    net.output(w)

    found = run(loops_of(net.network()), {"w": np.zeros(2, np.float32)})

    np.testing.assert_array_equal(found[0], [0, 0])
    np.testing.assert_array_equal(found[2], [0, 0])


def test_long_networks_become_several_functions() -> None:
    """None is longer than a compiler takes in good time; Python's own compiles them all."""
    net = Builder()
    h = net.weight("h", (2,))
    for _ in range(300):
        h = h * h
    net.loss(f.sum(h))
    network = simplify(differentiate(net.network()))
    loops = loops_of(network)

    loss, by_h = run(loops, {"h": np.ones(2, np.float32)})

    assert len(loops.functions) > 5
    assert loss == 2
    assert set(loops.constants) == {"cf", "cd", "cb", INDICES}
    assert np.all(np.isinf(by_h))
