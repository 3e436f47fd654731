"""The findings of docs/findings.md without graphgauge: `python -m benchmarks.reproductions jax`.

For batch sizes 1, 2, 3 … a small dense layer with its gradient is built, compiled and called with
the engine alone, everything is dropped and garbage is collected. Bytes in use are read from the C
library (`mallinfo2`), resident memory from the kernel. What is printed is how much the second half
of the sizes has left behind, each. Where an engine has a way to empty its caches, a second line
tells how much of it that gives back.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.metadata
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

_COLUMNS = 64


class _MallInfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd",
            "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def bytes_in_use() -> int:
    """Allocated from the C library, on the heap and mapped by it; garbage is collected before."""
    gc.collect()
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _MallInfo2
    found = libc.mallinfo2()
    return int(found.uordblks) + int(found.hblkhd)


def resident_bytes() -> int:
    """Of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _inputs(batch: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(batch)
    return (
        rng.standard_normal((batch, _COLUMNS)).astype(np.float32),
        rng.standard_normal((_COLUMNS, _COLUMNS)).astype(np.float32),
    )


def _engine(name: str) -> Any:
    """Imported when it is asked for: the others may not be installed."""
    return import_module(name)


def _jax(batch: int) -> None:
    jax, jnp = _engine("jax"), _engine("jax.numpy")

    def loss(w: Any, x: Any) -> Any:
        return jnp.sum(jnp.tanh(x @ w) ** 2)

    x, w = _inputs(batch)
    compiled = jax.jit(jax.value_and_grad(loss)).lower(w, x).compile()
    jax.block_until_ready(compiled(w, x))


def _jax_clear() -> None:
    jax = _engine("jax")
    jax.clear_caches()


def _openvino(batch: int) -> None:
    ov, ops = _engine("openvino"), _engine("openvino.opset13")
    x, w = _inputs(batch)
    data, weights = (ops.parameter(list(each.shape), np.float32) for each in (x, w))
    hidden = ops.tanh(ops.matmul(data, weights, False, False))
    model = ov.Model([ops.reduce_sum(hidden * hidden, np.array([0, 1]))], [data, weights])
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    compiled([x, w])


def _tinygrad(batch: int) -> None:
    tinygrad = _engine("tinygrad")
    x, w = _inputs(batch)

    def step(data: Any, weights: Any) -> Any:
        return ((data @ weights).tanh() ** 2).sum().realize()

    jitted = tinygrad.TinyJit(step)
    data, weights = (tinygrad.Tensor(each).realize() for each in (x, w))
    for _ in range(3):  # traced, captured, replayed
        jitted(data, weights).numpy()


def _casadi(batch: int) -> None:
    casadi = _engine("casadi")
    x, w = _inputs(batch)
    data, weights = (casadi.MX.sym(name, *each.shape) for name, each in (("x", x), ("w", w)))
    loss = casadi.sumsqr(casadi.tanh(data @ weights))
    function = casadi.Function("f", [data, weights], [loss, casadi.gradient(loss, weights)])
    function(x, w)


def _nothing() -> None:
    return None


ENGINES: dict[str, tuple[Callable[[int], None], Callable[[], None]]] = {
    "jax": (_jax, _jax_clear),
    "openvino": (_openvino, _nothing),
    "tinygrad": (_tinygrad, _nothing),
    "casadi": (_casadi, _nothing),
}
"""What one size does, and what empties the engine's caches."""


def main() -> None:
    """Print how much each size of the second half has left behind."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--sizes", type=int, default=60)
    arguments = parser.parse_args()
    one_size, clear = ENGINES[arguments.engine]
    version = importlib.metadata.version(arguments.engine)
    half = arguments.sizes // 2
    middle = middle_resident = 0
    for batch in range(1, arguments.sizes + 1):
        one_size(batch)
        if batch == half:
            middle, middle_resident = bytes_in_use(), resident_bytes()
    end, end_resident = bytes_in_use(), resident_bytes()
    sizes = arguments.sizes - half
    print(
        f"{arguments.engine} {version}: {(end - middle) / sizes:,.0f} B in use a size, "
        f"{(end_resident - middle_resident) / sizes:,.0f} B resident, over {sizes} sizes"
    )
    if clear is not _nothing:
        clear()
        print(
            f"of {end - middle:,} B in use, emptying caches gives {end - bytes_in_use():,} B back"
        )


if __name__ == "__main__":
    main()
