"""Networks of layers as people train them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from networks import Builder, functions as f
from scenarios.draws import one_hot, scaled_by_fan_in
from scenarios.scenario import Array, roundings, scenario

if TYPE_CHECKING:
    from numpy.random import Generator


def _draw_classified(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Labels are one-hot rows, the rest as for any network of layers."""
    return one_hot(rng, shape) if name == "labels" else scaled_by_fan_in(rng, name, shape)


@scenario(
    "mlp",
    sweep={"depth": (2, 8, 32), "width": (64, 256, 1_024)},
    defaults={"depth": 2, "width": 256},
    small={"depth": 2, "width": 4, "inputs": 5, "classes": 3, "batch": 2},
    provenance="784-256-256-10, the first network of every tutorial",
    # A dot product of `width` or `inputs` terms a layer, there and back.
    tolerance=lambda parameters: roundings(
        2 * (int(parameters["depth"]) * int(parameters["width"]) + int(parameters["inputs"]))
    ),
    draw=_draw_classified,
)
def mlp(
    net: Builder, *, depth: int, width: int, inputs: int = 784, classes: int = 10, batch: int = 64
) -> None:
    """Dense tanh layers with softmax cross-entropy: matrix products rule, overhead shows least."""
    h = net.data("x", (batch, inputs))
    labels = net.data("labels", (batch, classes))
    sizes = (inputs, *[width] * depth, classes)
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        w = net.weight(f"w{layer}", (fan_in, fan_out))
        b = net.weight(f"b{layer}", (fan_out,))
        h = h @ w + b
        if layer < depth:
            h = f.tanh(h)
    net.output(h)
    net.loss(f.mean(f.logsumexp(h, axis=1) - f.sum(labels * h, axis=1)))
