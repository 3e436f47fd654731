"""Wide networks and shared values: fan-in, fan-out, and what a deduplicating cache may confuse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from networks import Builder, Node, functions as f
from scenarios.scenario import Array, Parameters, roundings, scenario

if TYPE_CHECKING:
    from numpy.random import Generator


def _tolerance_of_terms(parameters: Parameters) -> dict[str, float]:
    # A left fold rounds once a term, and the square of the sum twice that.
    return roundings(4 * int(parameters["terms"]))


def _tree(terms: list[Node]) -> Node:
    """The sum of neighbours, of their sums, and so on."""
    while len(terms) > 1:
        odd = terms[-1:] if len(terms) % 2 else []
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + odd
    return terms[0]


def _fold(terms: list[Node]) -> Node:
    """One term added after the other."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _nary(terms: list[Node]) -> Node:
    """All terms stacked, and one reduction."""
    return f.sum(f.stack(terms), axis=0)


_SUMS = {"fold": _fold, "nary": _nary, "tree": _tree}


@scenario(
    "wide_sum",
    sweep={"terms": (75, 300, 1_000, 10_000), "form": tuple(_SUMS)},
    defaults={"terms": 1_000},
    small={"terms": 5, "width": 3},
    provenance="jax#3596: add_n",
    tolerance=_tolerance_of_terms,
)
def wide_sum(net: Builder, *, terms: int, width: int = 64, form: str = "fold") -> None:
    """The sum of w_i·x_i as a left fold, one n-ary reduction, or a tree: fan-in."""
    total = _SUMS[form](
        [net.weight(f"w{i}", (width,)) * net.data(f"x{i}", (width,)) for i in range(terms)]
    )
    net.output(total)
    net.loss(f.mean(total * total))


@scenario(
    "wide_fanout",
    sweep={"terms": (10, 100, 1_000, 10_000)},
    defaults={"terms": 1_000},
    small={"terms": 5, "width": 3},
    provenance="tvm#5959",
    tolerance=_tolerance_of_terms,
)
def wide_fanout(net: Builder, *, terms: int, width: int = 64) -> None:
    """The sum of w·x_i with a single w: its gradient is accumulated from every user."""
    w = net.weight("w", (width,))
    total = _fold([w * net.data(f"x{i}", (width,)) for i in range(terms)])
    net.output(total)
    net.loss(f.mean(total * total))


@scenario(
    "signed_products",
    sweep={"terms": (10, 100, 1_000)},
    defaults={"terms": 100},
    small={"terms": 3, "width": 3},
    provenance="a node cache that took x·w and (-x)·w for the same node",
    # Ten terms of both signs a step; their exact parts cancel to no less than a tenth.
    tolerance=lambda parameters: roundings(100 * int(parameters["terms"])),
)
def signed_products(net: Builder, *, terms: int, width: int = 16) -> None:
    """Products and differences that differ in a sign only: a cache that drops it is wrong.

    Each has a coefficient of its own, all of them different powers of two. So no set of sign errors
    leaves the sum as it was.
    """
    x = net.data("x", (width,))
    total = x
    for i in range(terms):
        w = net.weight(f"w{i}", (width,))
        alike = (
            x * w, -x * w, x * -w, -x * -w,
            x - w, w - x, x + w, -x - w,
            0.75 * w, -0.75 * w,
        )  # fmt: skip
        for power, each in enumerate(alike):
            scaled = each * 0.5**power
            total = total - scaled if power % 2 else total + scaled
    net.output(total)
    net.loss(f.mean(total * total))


@scenario(
    "parallel_chains",
    sweep={"depth": (2, 8, 32, 128), "chains": (16, 32, 64)},
    defaults={"depth": 8, "chains": 16},
    small={"depth": 2, "chains": 4, "width": 3},
    provenance="pytorch#145081",
    # Three sums, a product and tanh a layer, there and back; tanh and the mean contract.
    tolerance=lambda parameters: roundings(20 * int(parameters["depth"])),
    draw=lambda rng, name, shape: (
        rng.uniform(0.5, 1.5, shape) if name.startswith("w") else rng.standard_normal(shape)
    ),
)
def parallel_chains(net: Builder, *, depth: int, chains: int, width: int = 16) -> None:
    """Many values, each feeding the next three of the layer after it: liveness and scheduling."""
    weights = [net.weight(f"w{i}", (width,)) for i in range(chains)]
    layer = [net.data(f"x{i}", (width,)) for i in range(chains)]
    for _ in range(depth):
        layer = [
            f.tanh(w * (layer[i] + layer[i - 1] + layer[i - 2])) for i, w in enumerate(weights)
        ]
    net.output(_tree(layer))
    net.loss(f.mean(f.square(f.stack(layer))))


@scenario(
    "nested_convolution",
    sweep={"order": (2, 4, 8, 17, 34, 68)},
    defaults={"order": 17},
    small={"order": 3, "width": 3},
    provenance="Symbolics.jl#1483: exponential where all terms are wanted",
    # A term is a sum of at most `order` products of earlier terms, each rounded as often.
    tolerance=lambda parameters: roundings(int(parameters["order"]) ** 2),
    draw=lambda rng, name, shape: rng.standard_normal(shape) * (1.0 if name == "x" else 0.2),
)
def nested_convolution(net: Builder, *, order: int, width: int = 16) -> None:
    """e_i = p_i + Σ p_j·e_{i-j-1}, all of them outputs: order² nodes, and paths beyond counting."""
    terms = [net.weight("x", (width,))]
    p = [net.weight(f"p{i}", (width,)) for i in range(order + 1)]
    for i in range(1, order + 1):
        term = p[i]
        for j in range(i):
            term = term + p[j] * terms[i - j - 1]
        terms.append(term)
    for term in terms:
        net.output(term)
    net.loss(f.mean(f.square(_fold(terms))))


@scenario(
    "factors",
    sweep={"terms": (25, 85, 300, 1_000)},
    defaults={"terms": 85},
    small={"terms": 3, "width": 3},
    provenance="Theano#689",
    tolerance=_tolerance_of_terms,
    draw=lambda rng, _name, shape: rng.standard_normal(shape) / 2,
)
def factors(net: Builder, *, terms: int, width: int = 16) -> None:
    """The log-density of N Gaussian factors on one sd: its gradient gathers from every factor."""
    log_sd = net.weight("log_sd")
    total = net.constant(0.0)
    for i in range(terms):
        mean = net.weight(f"mean{i}", (width,))
        deviation = (net.data(f"x{i}", (width,)) - mean) / f.exp(log_sd)
        total = total - f.sum(0.5 * f.square(deviation) + (log_sd + 0.5 * math.log(2 * math.pi)))
    net.output(total)
    net.loss(-total)


def _draw_near_identity(rng: Generator, _name: str, shape: tuple[int, ...]) -> Array:
    """A matrix whose minors do not cancel: determinants of about 1 at all orders."""
    order = shape[0]
    return np.eye(order) + rng.standard_normal(shape) / order


@scenario(
    "determinant_by_minors",
    sweep={"order": (3, 4, 5, 6, 7, 8)},
    defaults={"order": 5},
    small={"order": 3},
    provenance="cmpad and GradBench: det_by_minor",
    draw=_draw_near_identity,
)
def determinant_by_minors(net: Builder, *, order: int) -> None:
    """Expansion by minors down to single elements: e·order! products from order² inputs."""
    matrix = net.weight("matrix", (order, order))
    rows = [[matrix[i, j] for j in range(order)] for i in range(order)]
    determinant = _by_minors(rows, tuple(range(order)))
    net.output(determinant)
    net.loss(determinant)


def _by_minors(rows: list[list[Node]], columns: tuple[int, ...]) -> Node:
    """The determinant of the last rows in those columns, expanded along the first of them."""
    row = rows[len(rows) - len(columns)]
    if len(columns) == 1:
        return row[columns[0]]
    products = [
        row[column] * _by_minors(rows, columns[:place] + columns[place + 1 :])
        for place, column in enumerate(columns)
    ]
    total = products[0]
    for place, product in enumerate(products[1:], start=1):
        total = total - product if place % 2 else total + product
    return total
