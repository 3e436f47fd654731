"""TensorFlow alone, called again and again: `python -m benchmarks.tensorflow_calls --calls 200000`.

What grows for some thousand calls of it is told from a leak by many more of them. A layer with its
gradient is traced once and called with fresh data, with nothing of graphgauge in between; garbage
is collected before each reading of what the C library has given out (`mallinfo2`) and of Python's
allocated blocks. It is printed after 1, 2, 5, 10, 20, 50 … times a hundred calls.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # it greets on stderr

import numpy as np
import tensorflow as tf

from benchmarks.reproductions import bytes_in_use

_WIDTH = 16


def main() -> None:
    """Print how much more is allocated than after the first call."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, metavar="N")
    arguments = parser.parse_args()
    call = _layer()
    call()
    gc.collect()
    gc.freeze()  # what was imported is not looked through at every reading
    bytes_before, blocks_before = bytes_in_use(), sys.getallocatedblocks()
    print(f"{'calls':>9} {'C heap':>12} {'Python blocks':>14}")
    made = 0
    for calls in _readings(arguments.calls):
        for _ in range(calls - made):
            call()
        made = calls
        heap_bytes = bytes_in_use() - bytes_before
        blocks = sys.getallocatedblocks() - blocks_before
        print(f"{calls:>9,} {heap_bytes:>+10,} B {blocks:>+14,}", flush=True)


def _layer() -> Callable[[], None]:
    """One call with fresh data, of a layer's loss and its derivatives."""
    tf.config.set_visible_devices([], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    square, row = tf.TensorSpec((_WIDTH, _WIDTH)), tf.TensorSpec((_WIDTH,))

    def gradient(w: tf.Tensor, b: tf.Tensor, x: tf.Tensor, target: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([w, b])
            error = tf.tanh(tf.matmul(x, w) + b) - target
            loss = tf.reduce_mean(error * error)
        return [loss, *tape.gradient(loss, [w, b])]

    traced = tf.function(gradient, autograph=False).get_concrete_function(
        square, row, square, square
    )
    rng = np.random.default_rng(1)
    w = rng.standard_normal((_WIDTH, _WIDTH), dtype=np.float32)
    b = rng.standard_normal(_WIDTH, dtype=np.float32)

    def call() -> None:
        x, target = rng.standard_normal((2, _WIDTH, _WIDTH), dtype=np.float32)
        for result in traced(*map(tf.constant, (w, b, x, target))):
            result.numpy()

    return call


def _readings(calls: int) -> Iterator[int]:
    """1, 2 and 5 times each power of ten from 100 on, and the last call."""
    power = 100
    while power < calls:
        yield from (each * power for each in (1, 2, 5) if each * power < calls)
        power *= 10
    yield calls


if __name__ == "__main__":
    main()
