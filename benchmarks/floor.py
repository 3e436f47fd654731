"""How far our evaluators are from hand-written NumPy: `python -m benchmarks.floor`.

In one process on one core with one thread, blocks of calls of all contestants are interleaved in
random order; a round is one block of each. What is printed is the median over rounds of the ratio
to the hand-written block of the same round, and its quartiles. With `--memory` it is the peak of
what one call allocates, as `tracemalloc` sees it; buffers that `planned` keeps between calls are
not in it.
"""

from __future__ import annotations

import os

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)

import argparse
import random
import tracemalloc
from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from benchmarks.handwritten import FUNCTIONS
from evaluators import catalog
from evaluators.protocol import Arrays
from networks import differentiate, simplify
from scenarios import scenario

EVALUATORS = ("straightline", "planned", "interpreter")
TARGETS = {"straightline": 1.10, "planned": 1.25}
BLOCK_NS = 5_000_000


def main() -> None:
    """Measure every scenario in both modes and print the table."""
    arguments = _parser().parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    what = (
        "peak memory" if arguments.memory else f"{arguments.rounds} rounds; ratio to hand-written"
    )
    print(f"NumPy {np.__version__}, float32, {what}")
    print(f"{'scenario':13}{'mode':10}{'by hand':>10}", *(f"{each:>26}" for each in EVALUATORS))
    for name, mode in FUNCTIONS:
        if name in arguments.scenario:
            calls = _contestants(name, mode)
            if arguments.memory:
                print(_memory_line(name, mode, calls))
            else:
                per_call_ns = interleaved(calls, rounds=arguments.rounds)
                print(_line(name, mode, per_call_ns), flush=True)
    if not arguments.memory:
        print("targets:", ", ".join(f"{name} at most {most:.2f}" for name, most in TARGETS.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--memory", action="store_true")
    names = sorted({name for name, _ in FUNCTIONS})
    parser.add_argument("--scenario", nargs="+", choices=names, default=names)
    return parser


def _contestants(name: str, mode: str) -> dict[str, Callable[[], Arrays]]:
    """Calls of every contestant on the same inputs, after their results were compared."""
    chosen = scenario.get(name.removesuffix("_batched"))
    network = chosen.network({})
    rng = np.random.default_rng(0)
    weights, data = chosen.draw_weights(network, rng), chosen.draw_data(network, rng)
    given = network if mode == "output" else simplify(differentiate(network))
    functions = {"by hand": FUNCTIONS[name, mode]}
    for evaluator in map(catalog.get, EVALUATORS):
        functions[evaluator.name] = evaluator.compile(evaluator.lower(given, mode))
    expected = functions["by hand"](weights, data)
    for function in functions.values():
        for found, wanted in zip(function(weights, data), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())
    return {
        title: lambda function=function: function(weights, data)
        for title, function in functions.items()
    }


def interleaved(calls: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, np.ndarray]:
    """Nanoseconds per call: for each contestant, one value a round."""
    repeats = {title: _calibrated(call) for title, call in calls.items()}
    per_call_ns: dict[str, list[float]] = {title: [] for title in calls}
    titles = list(calls)
    for _ in range(rounds):
        random.shuffle(titles)
        for title in titles:
            elapsed_ns = _block(calls[title], repeats[title])
            per_call_ns[title].append(elapsed_ns / repeats[title])
    return {title: np.array(values) for title, values in per_call_ns.items()}


def _calibrated(call: Callable[[], object]) -> int:
    """How many calls make a block."""
    fastest_ns = min(_block(call, 1) for _ in range(20))
    return max(round(BLOCK_NS / fastest_ns), 1)


def _block(call: Callable[[], object], repeats: int) -> int:
    call()  # what another contestant left in the caches is not this one's time
    start = perf_counter_ns()
    for _ in range(repeats):
        call()
    return perf_counter_ns() - start


def _line(name: str, mode: str, per_call_ns: dict[str, np.ndarray]) -> str:
    floor_ns = per_call_ns["by hand"]
    cells = []
    for evaluator in EVALUATORS:
        low, median, high = np.percentile(per_call_ns[evaluator] / floor_ns, (25, 50, 75))
        cells.append(f"{median:>12.3f} ({low:.3f}–{high:.3f})")
    return f"{name:13}{mode:10}{np.median(floor_ns) / 1e6:>7.3f} ms " + " ".join(cells)


def _memory_line(name: str, mode: str, calls: dict[str, Callable[[], Arrays]]) -> str:
    peaks_kb = {title: _peak_bytes(call) / 1024 for title, call in calls.items()}
    cells = [f"{peaks_kb[evaluator]:>23.0f} KB" for evaluator in EVALUATORS]
    return f"{name:13}{mode:10}{peaks_kb['by hand']:>7.0f} KB " + " ".join(cells)


def _peak_bytes(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    main()
