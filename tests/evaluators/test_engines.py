"""What is particular to each engine's adapter."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest

from evaluators import catalog
from evaluators.engines.walk import walk
from evaluators.protocol import Evaluator
from evaluators.strategies.kernels import kernel
from harness.worker.agreement import disagreement
from networks import Builder, Network, functions as f
from scenarios import scenario as scenarios
from tests.evaluators.lacking import DEPTHS, RECURSIVE


def numbered(count: int) -> Network:
    """The sum of w_i·x over that many weights."""
    net = Builder()
    x = net.data("x", (2,))
    total = net.weight("w0", (2,)) * x
    for i in range(1, count):
        total = total + net.weight(f"w{i}", (2,)) * x
    net.loss(f.sum(total))
    return net.network()


def test_a_walk_reuses_places() -> None:
    """A value that nobody needs any more is replaced by a later one, and results are kept."""
    net = Builder()
    h = x = net.data("x", (2,))
    for _ in range(5):
        h = h + x
    walked = walk((h, x), kernel)

    values = walked({}.__getitem__, {"x": np.array([1, 2], np.float32)}.__getitem__)

    np.testing.assert_array_equal(values, [[6, 12], [1, 2]])


def test_other_releases_are_refused(engine: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter does not guess what a release outside its range would do."""
    monkeypatch.setattr(engine, "version", lambda: "0.0.1", raising=False)

    reason = engine.refuse(numbered(1), "output")

    assert reason is not None
    assert "0.0.1 is outside the supported" in reason


def test_unused_weights_have_zero_derivatives(engine: Evaluator) -> None:
    """A weight that the loss does not depend on, or only through a comparison, gets zeros."""
    net = Builder()
    w = net.weight("w", (2,))
    net.weight("unused", (3,))
    net.loss(f.sum(f.where(w > 0.0, 1.0, net.data("x", (2,)))))
    function = engine.compile(engine.lower(net.network(), "gradient"))

    loss, by_w, by_unused = function(
        {"w": np.ones(2, np.float32), "unused": np.ones(3, np.float32)},
        {"x": np.ones(2, np.float32)},
    )

    assert loss == 2
    np.testing.assert_array_equal(by_w, [0, 0])
    np.testing.assert_array_equal(by_unused, [0, 0, 0])


def test_results_outlive_inputs(engine: Evaluator) -> None:
    """A result that is an input is a copy of it; later calls leave earlier results alone."""
    net = Builder()
    w = net.output(net.weight("w", (3,)))
    net.output(w * net.data("x", (3,)))
    function = engine.compile(engine.lower(net.network(), "output"))
    weights, data = {"w": np.ones(3, np.float32)}, {"x": np.full(3, 2, np.float32)}

    same, product = function(weights, data)
    weights["w"][:] = 5
    function(weights, data)

    np.testing.assert_array_equal(same, [1, 1, 1])
    np.testing.assert_array_equal(product, [2, 2, 2])


def test_inputs_are_read_at_every_call(engine: Evaluator) -> None:
    """Arrays that are changed in place, or not contiguous, count with what they hold now."""
    net = Builder()
    net.output(net.weight("w", (2, 3)) * net.data("x", (2, 3)))
    network = net.network()
    function = engine.compile(engine.lower(network, "output"))
    w, x = np.ones((2, 3), np.float32), np.ones((3, 2), np.float32).T
    found = []
    for factor in (2, 3):
        w[:] = factor
        x[:] = factor
        found.append(function({"w": w}, {"x": x})[0].max())

    assert found == [4, 9]


def test_deep_networks_do_not_recurse(engine: Evaluator) -> None:
    """A chain deeper than the recursion limit is differentiated, evaluated and freed."""
    net = Builder()
    h, x = net.weight("h", (2,)), net.data("x", (2,))
    depth = DEPTHS.get(engine.name, 1_500)
    for _ in range(depth):
        h = h + x
    net.loss(f.sum(h))
    if engine.name in RECURSIVE:
        with pytest.raises(RECURSIVE[engine.name]):
            engine.compile(engine.lower(net.network(), "gradient"))
        return
    function = engine.compile(engine.lower(net.network(), "gradient"))

    loss, derivative = function({"h": np.zeros(2, np.float32)}, {"x": np.ones(2, np.float32)})

    assert loss == 2 * depth
    np.testing.assert_array_equal(derivative, [1, 1])


def test_autograd_differentiates_many_weights_in_linear_work() -> None:
    """Taking a weight out of the container describes no other weight."""
    pytest.importorskip("autograd", reason="autograd is not installed: pip install '.[autograd]'")
    from evaluators.engines import autograd as adapter  # noqa: PLC0415

    made = 0

    class Counted(adapter._WeightsSpace):
        def zeros(self) -> dict[str, np.ndarray]:
            nonlocal made
            made += 1
            return super().zeros()

    evaluator = catalog.get("autograd")
    network = numbered(50)
    function = evaluator.compile(evaluator.lower(network, "gradient"))
    original = adapter._SPACE
    adapter._SPACE = Counted(None)
    try:
        arrays = function(
            {f"w{i}": np.ones(2, np.float32) for i in range(50)}, {"x": np.ones(2, np.float32)}
        )
    finally:
        adapter._SPACE = original

    assert len(arrays) == 51
    assert made == 1


@pytest.mark.parametrize("shape", [(2, 3, 4), (2, 1, 4), (2, 3, 4, 2), (0, 3), (2, 3, 0)], ids=str)
def test_casadi_sums_over_any_axes(shape: tuple[int, ...]) -> None:
    """Its arrays are columns: each position of the summed axes is summed in a way of its own."""
    pytest.importorskip("casadi", reason="casadi is not installed: pip install '.[casadi]'")
    chosen = [
        axes
        for count in range(1, len(shape) + 1)
        for axes in combinations(range(len(shape)), count)
    ]
    net = Builder(dtype="float64")
    w = net.weight("w", shape)
    for axes in chosen:
        net.output(f.sum(w, axis=axes))
    evaluator = catalog.get("casadi")
    array = np.random.default_rng(0).standard_normal(shape)

    found = evaluator.compile(evaluator.lower(net.network(), "output"))({"w": array}, {})

    for axes, total in zip(chosen, found, strict=True):
        np.testing.assert_allclose(total, array.sum(axis=axes), rtol=1e-12, err_msg=str(axes))


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((), (2, 3)),
        ((3,), (2, 3)),
        ((1, 3), (2, 4, 3)),
        ((2, 1), (2, 3)),
        ((2, 1, 3), (2, 4, 3)),
        ((200, 1), (200, 60)),
        ((1,), (0,)),
        ((0, 1), (0, 3)),
    ],
    ids=str,
)
def test_casadi_broadcasts_any_axes(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Leading axes are copies of the whole, others are gathered, by long lists as well."""
    pytest.importorskip("casadi", reason="casadi is not installed: pip install '.[casadi]'")
    net = Builder(dtype="float64")
    w, x = net.weight("w", shape), net.data("x", wanted)
    net.output(f.broadcast_to(w, wanted))
    net.output(w + x)
    rng = np.random.default_rng(0)
    array, other = rng.standard_normal(shape), rng.standard_normal(wanted)
    evaluator = catalog.get("casadi")

    spread, total = evaluator.compile(evaluator.lower(net.network(), "output"))(
        {"w": array}, {"x": other}
    )

    np.testing.assert_array_equal(spread, np.broadcast_to(array, wanted))
    np.testing.assert_array_equal(total, array + other)


@pytest.mark.parametrize(
    "shape", [(2, 3, 4), (2, 1, 3), (2, 3, 1, 2), (0, 3), (5, 40, 60), (3, 5, 20, 40)], ids=str
)
def test_casadi_permutes_any_axes(shape: tuple[int, ...]) -> None:
    """Some are the transpose of a matrix, some none; others are gathered, or rows are."""
    pytest.importorskip("casadi", reason="casadi is not installed: pip install '.[casadi]'")
    orders = list(permutations(range(len(shape))))
    net = Builder(dtype="float64")
    w = net.weight("w", shape)
    for axes in orders:
        net.output(f.permute_dims(w, axes))
    evaluator = catalog.get("casadi")
    array = np.random.default_rng(0).standard_normal(shape)

    found = evaluator.compile(evaluator.lower(net.network(), "output"))({"w": array}, {})

    for axes, moved in zip(orders, found, strict=True):
        np.testing.assert_array_equal(moved, array.transpose(axes), err_msg=str(axes))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 2, 4), (1, 5, 1), (1, 1, 1)], ids=str)
def test_casadi_takes_along_any_axis(shape: tuple[int, ...], axis: int) -> None:
    """Few elements and many are taken in different ways; both are NumPy's."""
    pytest.importorskip("casadi", reason="casadi is not installed: pip install '.[casadi]'")
    rng = np.random.default_rng(0)
    chosen = [rng.integers(0, shape[axis], count).tolist() for count in (5, 10_000)]
    net = Builder(dtype="float64")
    w = net.weight("w", shape)
    for indices in chosen:
        net.output(f.take(w, indices, axis=axis))
    evaluator = catalog.get("casadi")
    array = rng.standard_normal(shape)

    found = evaluator.compile(evaluator.lower(net.network(), "output"))({"w": array}, {})

    for indices, taken in zip(chosen, found, strict=True):
        np.testing.assert_array_equal(taken, array.take(indices, axis=axis))


def test_jax_counts_equations() -> None:
    """The jaxpr's equations are a deterministic count."""
    pytest.importorskip("jax", reason="jax is not installed: pip install '.[jax]'")
    evaluator = catalog.get("jax-network")
    counts = []
    for _ in range(2):
        evaluator.lower(numbered(3), "output")
        counts.append(evaluator.counters()["engine_nodes"])

    assert counts == [6, 6]


def test_openvino_in_bfloat16_is_found_wrong() -> None:
    """Told to compute in what it would choose by itself, the check says so."""
    openvino = pytest.importorskip("openvino", reason="openvino is not installed")
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        pytest.skip("this processor has no bfloat16")
    from evaluators.engines.openvino import Openvino  # noqa: PLC0415

    class Careless(Openvino):
        precision = "bf16"

    mlp = scenarios.get("mlp")
    parameters = mlp.parameters({})
    network = mlp.network(parameters, dtype="float32")
    rng = np.random.default_rng(0)
    weights, data = mlp.draw_weights(network, rng), mlp.draw_data(network, rng)
    results = {
        each: each.compile(each.lower(network, "output"))(weights, data)
        for each in (Openvino(), Careless(), catalog.get("reference"))
    }
    careful, careless, golden = results.values()
    tolerance = mlp.tolerance_at(parameters, "float32")

    assert disagreement(careful, golden, tolerance)[1] == ""
    assert "is off by" in disagreement(careless, golden, tolerance)[1]


def test_onnxruntime_counts_what_its_optimisation_leaves() -> None:
    """Of the ONNX nodes that it was given, as long as the model is alive."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    evaluator = catalog.get("onnxruntime")
    lowered = evaluator.lower(numbered(3), "gradient")
    evaluator.compile(lowered)
    counts = evaluator.counters()

    assert 0 < counts["optimised_nodes"] <= counts["engine_nodes"]
    del lowered
    assert "optimised_nodes" not in evaluator.counters()


def test_pytensor_counts_what_is_within_fused_loops() -> None:
    """Its flattening makes one node of 32 operands of five doublings: 31 additions, not one."""
    pytest.importorskip("pytensor", reason="pytensor is not installed: pip install '.[pytensor]'")
    net = Builder()
    h = net.data("x", (2,))
    for _ in range(5):
        h = h + h
    net.output(h)
    evaluator = catalog.get("pytensor")

    evaluator.compile(evaluator.lower(net.network(), "output"))

    assert evaluator.counters()["optimised_nodes"] == 31


def test_numba_compiles_nothing_in_calls() -> None:
    """Inputs of any memory layout are called with the signatures that were compiled."""
    pytest.importorskip("numba", reason="numba is not installed: pip install '.[numba]'")
    net = Builder()
    net.output(net.weight("w", (2, 3)) * net.data("x", (2, 3)))
    evaluator = catalog.get("numba")
    function = evaluator.compile(evaluator.lower(net.network(), "output"))

    function({"w": np.ones((2, 3), np.float32)}, {"x": np.ones((3, 2), np.float32).T})

    assert evaluator.counters() == {"kernels": 1, "recompilations": 0}


def test_tinygrad_counts_kernels() -> None:
    """The captured kernels are a deterministic count."""
    pytest.importorskip("tinygrad", reason="tinygrad is not installed: pip install '.[tinygrad]'")
    evaluator = catalog.get("tinygrad")
    counts = []
    for _ in range(2):
        evaluator.compile(evaluator.lower(numbered(3), "gradient"))
        counts.append(evaluator.counters())

    assert counts[0] == counts[1]
    assert counts[0]["kernels"] > 0


def test_tinygrad_without_clang_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what to install."""
    pytest.importorskip("tinygrad", reason="tinygrad is not installed: pip install '.[tinygrad]'")
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)

    reason = catalog.get("tinygrad").refuse(numbered(1), "output")

    assert reason is not None
    assert "apt-get install clang" in reason
