"""How finely steps should take turns: figures for docs/decisions/0049-stretches.md.

    python -m benchmarks.stretches

Calls of `rnn` by `straightline` are recorded, with the clock read after each step, so that there
is nothing to tell between them. Pairs of calls in a row are then cut into stretches of so many
steps, as if the even ones of the first call and the odd ones of the second were one way of timing
and the others another. What the two ways differ by is noise: its standard deviation in a single
pair, and its error in the mean over all of them, with and without setting the slowest quarter of
pairs aside for each stretch.
"""

from __future__ import annotations

import argparse
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from evaluators import catalog
from evaluators.protocol import network_for
from harness.worker.stretches import quieter
from scenarios import scenario as scenarios

Steps = NDArray[np.float64]
"""A line for each call, a column for each step, in µs."""

_LENGTHS = (5, 10, 20, 40, 100, 400)


def recorded(calls: int, seed: int) -> Steps:
    """What the steps of so many calls took, on the same inputs."""
    scenario = scenarios.get("rnn")
    network = network_for(scenario.network(scenario.parameters({}), dtype="float32"), "gradient")
    evaluator = catalog.get("straightline")
    instrumented = evaluator.instrument(  # type: ignore[attr-defined]
        network, "gradient", perf_counter_ns
    )
    rng = np.random.default_rng(seed)
    weights, data = scenario.draw_weights(network, rng), scenario.draw_data(network, rng)
    found = []
    for _ in range(calls):
        instrumented.function(weights, data)
        found.append(np.diff(np.array(instrumented.readings)) / 1e3)
    return np.array(found)


def both_ways(steps: Steps, length: int) -> tuple[Steps, Steps]:
    """For each pair of calls and each stretch: one way, and the other."""
    pairs = len(steps) // 2
    starts = np.arange(0, steps.shape[1], length)
    stretches = np.add.reduceat(steps[: 2 * pairs], starts, axis=1)
    first, second = stretches[::2], stretches[1::2]
    is_even = np.arange(len(starts)) % 2 == 0
    return np.where(is_even, first, second), np.where(is_even, second, first)


def undisturbed_mean(one: Steps, other: Steps) -> float:
    """What both ways differ by, where the slowest pairs are set aside for each stretch."""
    differences = []
    for stretch in range(one.shape[1]):
        quiet = quieter([one[:, stretch], other[:, stretch]])
        differences.append((one[quiet, stretch] - other[quiet, stretch]).mean())
    return float(sum(differences))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=200, help="a round")
    arguments = parser.parse_args()
    rounds = [recorded(arguments.calls, seed) for seed in range(arguments.rounds)]
    calls_us = np.concatenate([each.sum(axis=1) for each in rounds])
    low, middle, high = np.percentile(calls_us, [5, 50, 95])
    print(f"a call takes {middle:,.0f} µs, nine of ten {low:,.0f} to {high:,.0f} µs")
    print(f"{'':14} {'two calls':>10} {arguments.calls // 2:>5} pairs of calls differ by")
    print(f"{'stretches of':14} {'differ by':>10} {'in the mean':>12} {'some set aside':>15}")
    for length in (*_LENGTHS, rounds[0].shape[1]):
        cut = [both_ways(each, length) for each in rounds]
        single = np.mean([(one - other).sum(axis=1).std() for one, other in cut])
        mean = _rms([float((one - other).sum(axis=1).mean()) for one, other in cut])
        quiet = _rms([undisturbed_mean(one, other) for one, other in cut])
        print(f"{length:8} steps {single:7.1f} µs {mean:9.2f} µs {quiet:12.2f} µs")


def _rms(values: list[float]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


if __name__ == "__main__":
    main()
