"""What JAX's first calls and arguments cost, without graphgauge.

    PYTHON benchmarks/verdict/jax_calls.py

It is for a PYTHON that has the release in question. The network is `mlp` at its usual
size. `after its output` measures the gradient's first call in a process that has called the output
before; without it the gradient's is the process's first call. Both are on one CPU, as launches are.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

_AFTER_OUTPUT = "after-output"
_SIZES = (784, 256, 256, 10)
_BATCH = 64
_CALLS = 300


def main(arguments: list[str]) -> None:
    """Measure in processes of their own."""
    if arguments:
        _measure(after_output=arguments == [_AFTER_OUTPUT])
        return
    for how in (_AFTER_OUTPUT, "alone"):
        subprocess.run([sys.executable, __file__, how], check=True)


def _measure(*, after_output: bool) -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import jax  # noqa: PLC0415 - its threads are to inherit the CPU
    import jax.numpy as jnp  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    rng = np.random.default_rng(1)
    weights = []
    for rows, columns in pairwise(_SIZES):
        weights.append(rng.standard_normal((rows, columns), dtype=np.float32) / rows**0.5)
        weights.append(np.zeros(columns, np.float32))
    data = rng.standard_normal((_BATCH, _SIZES[0]), dtype=np.float32)
    targets = np.eye(_SIZES[-1], dtype=np.float32)[rng.integers(0, _SIZES[-1], _BATCH)]

    def loss(weights: list[Any], data: Any, targets: Any) -> Any:
        hidden = data
        for k in range(0, len(weights) - 2, 2):
            hidden = jnp.tanh(hidden @ weights[k] + weights[k + 1])
        scores = hidden @ weights[-2] + weights[-1]
        sums = jax.nn.logsumexp(scores, axis=1, keepdims=True)
        return -jnp.mean(jnp.sum(targets * (scores - sums), axis=1))

    def milliseconds(function: Callable[..., Any], *given: Any) -> float:
        start = time.perf_counter()
        jax.block_until_ready(function(*given))
        return (time.perf_counter() - start) * 1e3

    given = (weights, data, targets)
    output = jax.jit(loss).lower(*given).compile()
    gradient = jax.jit(jax.value_and_grad(loss)).lower(*given).compile()
    if after_output:
        milliseconds(output, *given)
    first = milliseconds(gradient, *given)
    of_numpy = statistics.median(milliseconds(gradient, *given) for _ in range(_CALLS))
    own = jax.tree_util.tree_map(jnp.asarray, given)
    of_jax = statistics.median(milliseconds(gradient, *own) for _ in range(_CALLS))
    print(
        f"jax {jax.__version__}, {'after its output' if after_output else 'alone'}: first gradient "
        f"{first:.3g} ms; later ones {of_numpy:.3g} ms of NumPy's arrays, {of_jax:.3g} ms of JAX's"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
