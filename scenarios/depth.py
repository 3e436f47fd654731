"""Deep and narrow networks: recursion, building, freeing, and derivatives of derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from networks import Builder, functions as f, gradient
from scenarios.scenario import Array, Parameters, roundings, scenario

if TYPE_CHECKING:
    from numpy.random import Generator

_EXACT_DOUBLINGS = 100
"""2**100 and 2**-100 are normal numbers of float32 as well."""


def _draw_chain(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Weights of about ±1 and small biases, so that gradients reach through 100,000 layers.

    A layer's derivative is then about 1 - h², and h² falls like 1/layer: a cotangent loses a power
    of the depth rather than a factor a layer, which would make it denormal, and slow.
    """
    values = rng.standard_normal(shape)
    if name.startswith("w"):
        return np.sign(values) * np.exp(1e-3 * values)
    return 1e-4 * values if name.startswith("b") else values


def _chain_tolerance(parameters: Parameters) -> dict[str, float]:
    # Three roundings a layer, which later layers neither grow nor shrink; and as many on the way
    # back.
    return roundings(6 * int(parameters["depth"]))


@scenario(
    "chain",
    sweep={"depth": (100, 1_000, 10_000, 100_000), "form": ("tanh", "add")},
    defaults={"depth": 500},
    small={"depth": 5, "width": 3},
    provenance="tinygrad#8457, Theano#3341; pytorch#5534: overflow freeing 52,330 deep",
    tolerance=_chain_tolerance,
    draw=_draw_chain,
)
def chain(net: Builder, *, depth: int, width: int = 64, form: str = "tanh") -> None:
    """h = tanh(h·w_i + b_i), or h = h + x: recursion overflows, building and freeing are linear."""
    x = net.data("x", (width,))
    if form == "tanh":
        h = x
        for i in range(depth):
            w, b = net.weight(f"w{i}", (width,)), net.weight(f"b{i}", (width,))
            h = f.tanh(h * w + b)
    else:
        h = net.weight("h", (width,))
        for _ in range(depth):
            h = h + x
    net.output(h)
    net.loss(f.mean(h * h))


@scenario(
    "double",
    sweep={"depth": (10, 50, 1_000, 10_000)},
    defaults={"depth": 40},
    small={"depth": 6, "width": 3},
    provenance="PyTensor's test graphs: 2**depth paths through a DAG of depth nodes",
)
def double(net: Builder, *, depth: int, width: int = 8) -> None:
    """h = h + h, depth times: an evaluator that loses sharing needs 2**depth work."""
    h = net.weight("h", (width,))
    for i in range(depth):
        if i and i % _EXACT_DOUBLINGS == 0:  # exact, and before anything overflows
            h = h * 2.0**-_EXACT_DOUBLINGS
        h = h + h
    net.output(h)
    net.loss(f.sum(h))


@scenario(
    "higher_order",
    sweep={"order": (1, 2, 3, 4, 5, 6)},
    defaults={"order": 3},
    provenance="jax#520",
    draw=lambda rng, _name, shape: rng.uniform(0.5, 1.0, shape),
)
def higher_order(net: Builder, *, order: int) -> None:
    """The order-th derivative of 0.3·sin(t)·t**10: derivatives of derivatives blow up."""
    t = net.weight("t")
    y = 0.3 * f.sin(t) * t**10
    for _ in range(order):
        (y,) = gradient(y, [t])
    net.output(y)
    net.loss(y)
