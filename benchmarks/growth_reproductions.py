"""Growths of docs/growth.md without graphgauge: `python -m benchmarks.growth_reproductions jax`.

    onnxruntime     a call of a model of n inputs that returns the first one, and of the sum of n
                    terms, as inputs or as constants
    jax             trace, lower and compile the gradient of a sum of n products
    pytensor        h = h + h, n times: operands of the largest node that rewriting leaves; then
                    the first call of a chain h = tanh(h·w + b) of n steps with its gradient
    tensorflow      the first call of a function of n doublings, as it is and without Grappler's
                    optimisers, one by one
    openvino        compile n doublings, fused into one node (by its snippets) and without
    torch           the first call of a compiled function of n doublings, with no cache on disk
    numpy           what a step back costs in a tanh network of 300 steps, its cotangents and how
                    many of them are subnormal: with hidden weights of normal values, then with
                    orthogonal ones and weaker inputs

Each line has a size and the median seconds of a few tries (of one, for first calls).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

_WIDTH = 64
_TRIES = 3


def _seconds(call: Callable[[], object], tries: int = _TRIES) -> float:
    elapsed_s = []
    for _ in range(tries):
        start = perf_counter()
        call()
        elapsed_s.append(perf_counter() - start)
    return median(elapsed_s)


def _engine(name: str) -> Any:
    """Imported when it is asked for: the others may not be installed."""
    return import_module(name)


def _onnxruntime() -> Iterator[str]:
    for inputs in (250, 500, 1_000, 2_000):
        names = [f"x{i}" for i in range(inputs)]
        first, held = _onnx_calls("Identity", names[:1], names)
        calls = {
            "first of n inputs": first,
            "the same, held": held,
            "sum of n inputs": _onnx_calls("Sum", names, names)[0],
            "sum of n constants": _onnx_calls("Sum", names, names[:1])[0],
        }
        told = [f"{kind} {_seconds(call, 9) * 1e3:.2f} ms" for kind, call in calls.items()]
        yield f"{inputs:6,}  {', '.join(told)}"


def _onnx_calls(
    operator: str, operands: list[str], fed: list[str]
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Calls of a model of one operator, whose operands are constants unless they are fed.

    The first gives it arrays, the second values that ONNX Runtime holds already.
    """
    onnx, ort = _engine("onnx"), _engine("onnxruntime")
    ones = np.ones(_WIDTH, np.float32)

    def told(name: str) -> Any:
        return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [_WIDTH])

    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operator, operands, ["y"])],
        "one",
        [told(name) for name in fed],
        [told("y")],
        [onnx.numpy_helper.from_array(ones, name) for name in operands if name not in set(fed)],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    arrays = dict.fromkeys(fed, ones)
    held = {name: ort.OrtValue.ortvalue_from_numpy(ones) for name in fed}
    return lambda: session.run(None, arrays), lambda: session.run_with_ort_values(None, held)


def _jax() -> Iterator[str]:
    jax, jnp = _engine("jax"), _engine("jax.numpy")

    def loss(weights: list[Any], data: list[Any]) -> Any:
        total = weights[0] * data[0]
        for w, x in zip(weights[1:], data[1:], strict=True):
            total = total + w * x
        return jnp.mean(total * total)

    for terms in (10, 20, 40, 80):
        values = [np.ones(_WIDTH, np.float32)] * terms

        def compiled(values: list[np.ndarray] = values) -> object:
            jax.clear_caches()
            return jax.jit(jax.value_and_grad(loss)).lower(values, values).compile()

        yield f"{terms:6,}  {_seconds(compiled):.3f} s"


def _pytensor() -> Iterator[str]:
    pytensor, tensor = _engine("pytensor"), _engine("pytensor.tensor")
    for doublings in (2, 4, 6, 8, 10, 12):
        h = x = tensor.vector("x", dtype="float32")
        for _ in range(doublings):
            h = h + h
        start = perf_counter()
        nodes = pytensor.function([x], [h]).maker.fgraph.apply_nodes
        seconds = perf_counter() - start
        operands = max(len(each.inputs) for each in nodes)
        yield f"{doublings:6,}  doublings: one node of {operands:,} operands, {seconds:.2f} s"
    for steps in (5, 10, 20):

        def first_call(steps: int = steps) -> object:
            x = tensor.vector("x", dtype="float32")
            inputs = [tensor.vector(f"p{i}", dtype="float32") for i in range(2 * steps)]
            h = x
            for w, b in zip(inputs[::2], inputs[1::2], strict=True):
                h = tensor.tanh(h * w + b)
            loss = tensor.mean(h * h)
            function = pytensor.function([x, *inputs], [loss, *tensor.grad(loss, inputs)])
            return function(*[np.ones(_WIDTH, np.float32)] * (1 + 2 * steps))

        yield f"{steps:6,}  steps: {_seconds(first_call, 1):.2f} s"


def _tensorflow() -> Iterator[str]:
    tf = _engine("tensorflow")
    switches = (
        "arithmetic_optimization",
        "constant_folding",
        "remapping",
        "disable_meta_optimizer",
    )

    def first_call(doublings: int) -> float:
        def doubled(h: Any) -> Any:
            for _ in range(doublings):
                h = h + h
            return h

        ones = tf.ones(_WIDTH)
        function = tf.function(doubled).get_concrete_function(ones)
        return _seconds(lambda: function(ones).numpy(), 1)

    for doublings in (10, 12, 14, 16, 18, 20):
        yield f"{doublings:6,}  doublings: {first_call(doublings):.3f} s"
    for switch in switches:
        tf.config.optimizer.set_experimental_options(
            {**dict.fromkeys(switches[:-1], True), switch: switch == switches[-1]}
        )
        yield f"{18:6,}  doublings, {switch}={switch == switches[-1]}: {first_call(18):.3f} s"


def _openvino() -> Iterator[str]:
    openvino, operations = _engine("openvino"), _engine("openvino.opset13")
    core = openvino.Core()

    def compiled(doublings: int, fused: bool) -> Any:
        x = h = operations.parameter([_WIDTH], np.float32)
        for _ in range(doublings):
            h = operations.add(h, h)
        told = {"INFERENCE_NUM_THREADS": 1} | ({} if fused else {"SNIPPETS_MODE": "DISABLE"})
        return core.compile_model(openvino.Model([h], [x]), "CPU", told)

    compiled(10, True)
    for doublings in (50, 100, 200, 400):
        for fused in (True, False):
            nodes = len(compiled(doublings, fused).get_runtime_model().get_ops())
            seconds = _seconds(partial(compiled, doublings, fused))
            yield (
                f"{doublings:6,}  doublings, {'fused' if fused else 'SNIPPETS_MODE=DISABLE'}: "
                f"{nodes} nodes, {seconds:.3f} s"
            )


def _torch() -> Iterator[str]:
    os.environ["TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS"] = "0"
    os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
    torch = _engine("torch")
    torch.set_num_threads(1)

    def first_call(doublings: int) -> float:
        def doubled(h: Any) -> Any:
            for _ in range(doublings):
                h = h + h
            return h

        torch._dynamo.reset()
        function = torch.compile(doubled)
        return _seconds(lambda: function(torch.ones(_WIDTH)), 1)

    first_call(1)  # of a process, which loads the compiler
    for doublings in (4, 8, 10, 12, 14):
        yield f"{doublings:6,}  doublings: {first_call(doublings):.2f} s"


def _numpy() -> Iterator[str]:
    hidden, inputs = 64, 32
    rng = np.random.default_rng(0)
    w = rng.standard_normal((inputs, hidden)) / np.sqrt(inputs)
    u = rng.standard_normal((hidden, hidden)) / np.sqrt(hidden)
    yield "normal"
    yield from _steps_back(rng, w, u)
    yield "orthogonal"
    yield from _steps_back(rng, w / 10, 1.19 * np.linalg.qr(u)[0])


def _steps_back(rng: np.random.Generator, w: np.ndarray, u: np.ndarray) -> Iterator[str]:
    steps, batch, (inputs, hidden) = 300, 16, w.shape
    w, u = w.astype(np.float32), u.astype(np.float32)

    def drawn(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape).astype(np.float32)

    states = [np.zeros((batch, hidden), np.float32)]
    for _ in range(steps):
        states.append(np.tanh(drawn(batch, inputs) @ w + states[-1] @ u))
    cotangent = drawn(batch, hidden) / np.float32(batch * hidden)
    for step in range(steps):
        slope = 1 - np.square(states[steps - step])

        def back(cotangent: np.ndarray = cotangent, slope: np.ndarray = slope) -> np.ndarray:
            found: np.ndarray = (cotangent * slope) @ u.T
            return found

        if step % 25 == 0:
            sizes = np.abs(cotangent)
            subnormal = np.count_nonzero((sizes > 0) & (sizes < np.finfo(np.float32).tiny))
            yield (
                f"{step:6,}  back: {_seconds(back, 9) * 1e6:.0f} us, largest "
                f"{sizes.max():.0e}, {subnormal:,} of {sizes.size:,} subnormal"
            )
        cotangent = back()


ENGINES: dict[str, Callable[[], Iterator[str]]] = {
    "onnxruntime": _onnxruntime,
    "jax": _jax,
    "pytensor": _pytensor,
    "tensorflow": _tensorflow,
    "openvino": _openvino,
    "torch": _torch,
    "numpy": _numpy,
}


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    engine = parser.parse_args().engine
    print(f"{engine} {importlib.metadata.version(engine)}")
    for line in ENGINES[engine]():
        print(line, flush=True)


if __name__ == "__main__":
    main()
