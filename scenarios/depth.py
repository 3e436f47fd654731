"""Deep and narrow networks: recursion, inlining, rewriting, and derivatives of derivatives."""

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


def _draw_growth(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Rates of a tenth: the amount stays within a few powers of ten at depth 30."""
    values = rng.standard_normal(shape)
    return values / 10 if name == "rate" else values


@scenario(
    "growth",
    sweep={"depth": (5, 10, 15, 20, 25, 30)},
    defaults={"depth": 20},
    small={"depth": 4, "width": 3},
    provenance="pymc#2751: fusion inlines",
    # Two roundings a step, and as many on the way back; 1 + rate stays above zero, so that nothing
    # cancels.
    tolerance=lambda parameters: roundings(4 * int(parameters["depth"])),
    draw=_draw_growth,
)
def growth(net: Builder, *, depth: int, width: int = 64) -> None:
    """c = c + c·g: each c is used twice, so a fusion that inlines it writes it 2**depth times."""
    c, g = net.weight("amount", (width,)), net.weight("rate", (width,))
    for _ in range(depth):
        c = c + c * g
    net.output(c)
    net.loss(f.mean(c * c))


def _draw_fib_pair(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """a of -1 and a small positive b: then a stays near -1, and b falls like 1 / depth at most.

    From most other places the pair explodes or vanishes doubly exponentially, and what is timed is
    the arithmetic of infinities or of denormal numbers.
    """
    near = rng.uniform(0.5, 1.0, shape)
    return -1.0 + 1e-6 * near if name == "a" else 1e-3 * near


@scenario(
    "fib_pair",
    sweep={"depth": (2, 4, 6, 8, 10, 12, 14, 1_000)},
    defaults={"depth": 12},
    small={"depth": 4, "width": 3},
    provenance="pytorch#148073: compiling went from 1 to 20 minutes",
    # Each sum rounds a; the product of depth such numbers is off by depth times as much: at worst
    # depth², and depth to the 3/2 when roundings go either way. Four standard deviations.
    tolerance=lambda parameters: roundings(4 * int(int(parameters["depth"]) ** 1.5)),
    draw=_draw_fib_pair,
)
def fib_pair(net: Builder, *, depth: int, width: int = 16) -> None:
    """a, b = a + b, a·b: both are used twice by the next pair, so lost sharing costs 2**depth."""
    a, b = net.weight("a", (width,)), net.weight("b", (width,))
    for _ in range(depth):
        a, b = a + b, a * b
    net.output(a)
    net.output(b)
    net.loss(f.mean(a * a) + f.mean(b))


@scenario(
    "trig_ladder",
    # Elements settle by a factor of 0.65 to 0.8 a step, so that beyond 200 steps the cotangents of
    # the first of them are denormal in float32.
    sweep={"depth": (20, 50, 100, 200)},
    defaults={"depth": 50},
    small={"depth": 3, "width": 3},
    provenance="PyTensor's benchmarks: deep small kernels",
    # Errors grow a hundredfold in the first twenty steps, before elements settle.
    tolerance=lambda parameters: roundings(100 * min(50, int(parameters["depth"]))),
)
def trig_ladder(net: Builder, *, depth: int, width: int = 8) -> None:
    """h = sin(hᵀ) + cos(h): a transpose at every step stands between what could be fused."""
    h = net.weight("h", (width, width))
    for _ in range(depth):
        h = f.sin(h.T) + f.cos(h)
    net.output(h)
    net.loss(f.mean(h * h))


@scenario(
    "if_chain",
    sweep={"depth": (5, 10, 15, 20, 25)},
    defaults={"depth": 20},
    small={"depth": 3, "width": 3},
    provenance="casadi#2455: exponential evaluation times",
)
def if_chain(net: Builder, *, depth: int, width: int = 16) -> None:
    """a = where(a > 0, 2a, 3a): an evaluator that goes into both branches does 2**depth work."""
    a = net.weight("a", (width,))
    for _ in range(depth):
        a = f.where(a > 0.0, 2.0 * a, 3.0 * a)
    net.output(a)
    net.loss(f.mean(a))
