"""autograd by a list of weights, and by our container: `python -m benchmarks.containers`.

On `chain`, which has two weights a layer. Fastest of five calls of each.
"""

from __future__ import annotations

from collections.abc import Callable
from timeit import repeat
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np

from evaluators import catalog
from scenarios import scenario


def main() -> None:
    """Print one line a depth."""
    for depth in (125, 250, 500):
        by_list, by_container = _calls(depth)
        print(
            f"{2 * depth:5} weights: list {_fastest_ms(by_list):7.1f} ms, "
            f"container {_fastest_ms(by_container):6.1f} ms"
        )


def _calls(depth: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    chain = scenario.get("chain")
    network = chain.network({"depth": depth})
    rng = np.random.default_rng(0)
    weights, data = chain.draw_weights(network, rng), chain.draw_data(network, rng)

    def loss(arrays: list[Any]) -> Any:
        h = data["x"]
        for w, b in zip(arrays[::2], arrays[1::2], strict=True):
            h = anp.tanh(h * w + b)
        return anp.mean(h * h)

    gradient = autograd.value_and_grad(loss)
    arrays = [weights[node.attributes] for node in network.weights]
    evaluator = catalog.get("autograd")
    function = evaluator.compile(evaluator.lower(network, "gradient"))
    return lambda: gradient(arrays), lambda: function(weights, data)


def _fastest_ms(call: Callable[[], Any]) -> float:
    return 1e3 * min(repeat(call, number=1, repeat=5))


if __name__ == "__main__":
    main()
