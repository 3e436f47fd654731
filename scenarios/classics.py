"""Classics of the literature, as their publications define them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from networks import Builder, Node, functions as f
from scenarios.scenario import Array, roundings, scenario

if TYPE_CHECKING:
    from numpy.random import Generator


def _draw_gmm(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """As ADBench draws them, except that `icf` is divided by d: its quadratic form stays sane."""
    values = rng.standard_normal(shape)
    if name != "icf":
        return values
    dimensions = (math.isqrt(8 * shape[-1] + 1) - 1) // 2
    return values / dimensions


@scenario(
    "gmm",
    sweep={
        "dimensions": (2, 10, 64),
        "components": (5, 25, 100),
        "form": ("vector", "loop"),
    },
    defaults={"dimensions": 10, "components": 25},
    small={"dimensions": 3, "components": 2, "points": 4},
    provenance="ADBench (Šrajer, Kukelova, Fitzgibbon 2018), gmm.h",
    # Sums over points, then over dimensions squared; the terms of a point nearly share a sign.
    tolerance=lambda parameters: roundings(
        4 * (int(parameters["points"]) + int(parameters["dimensions"]) ** 2)
    ),
    draw=_draw_gmm,
)
def gmm(
    net: Builder, *, dimensions: int, components: int, points: int = 1_000, form: str = "vector"
) -> None:
    """Log-posterior of a Gaussian mixture under a Wishart prior: many parameters, one number.

    `alphas` are the unnormalised log weights, `icf` the inverse covariance factors: first the logs
    of the diagonal, then the strictly lower triangle by columns. As in ADBench's gmm.h, what is
    added to the likelihood is the prior's negative logarithm.
    """
    alphas = net.weight("alphas", (components,))
    means = net.weight("means", (components, dimensions))
    icf = net.weight("icf", (components, dimensions * (dimensions + 1) // 2))
    x = net.data("x", (points, dimensions))

    log_diagonal, lower = icf[:, :dimensions], icf[:, dimensions:]
    diagonal = f.exp(log_diagonal)
    factors = _lower_triangular(net, diagonal, lower)
    if form == "vector":
        distances = _distances(x, means, factors)
    else:
        distances = f.stack(
            [_distances(x, means[k], factors[k]) for k in range(components)], axis=0
        )
    log_determinants = f.sum(log_diagonal, axis=1)
    terms = f.expand_dims(alphas + log_determinants, axis=1) - 0.5 * distances
    objective = (
        f.sum(f.logsumexp(terms, axis=0))
        - points * f.logsumexp(alphas)
        - 0.5 * points * dimensions * math.log(2 * math.pi)
        + _wishart(diagonal, lower, log_determinants)
    )
    net.output(objective)
    net.loss(-objective)


def _lower_triangular(net: Builder, diagonal: Node, lower: Node) -> Node:
    """The matrices (components, d, d) of those diagonals (components, d) and lower triangles."""
    components, d = diagonal.shape
    entries = f.concat([diagonal, lower, net.constant(np.zeros((components, 1)))], axis=1)
    places = np.full((d, d), entries.shape[1] - 1)
    np.fill_diagonal(places, np.arange(d))
    rows, columns = np.tril_indices(d, -1)
    by_columns = np.lexsort((rows, columns))
    places[rows[by_columns], columns[by_columns]] = np.arange(d, d + lower.shape[1])
    return f.reshape(f.take(entries, places.ravel().tolist(), axis=1), (components, d, d))


def _distances(x: Node, means: Node, factors: Node) -> Node:
    """|Q (x - mean)|² of every point; of every component too where there is an axis of them."""
    centred = x - f.expand_dims(means, axis=-2)
    scaled = centred @ factors.mT
    return f.sum(scaled * scaled, axis=-1)


def _wishart(diagonal: Node, lower: Node, log_determinants: Node) -> Node:
    """ADBench's log_wishart_prior, with its gamma of 1 and m of 0."""
    gamma, m = 1.0, 0
    components, d = diagonal.shape
    n = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(
        math.lgamma(0.5 * (n - j)) for j in range(d)
    )
    constant = n * d * (math.log(gamma) - 0.5 * math.log(2)) - log_gamma
    frobenius = f.sum(diagonal * diagonal) + f.sum(lower * lower)
    return 0.5 * gamma**2 * frobenius - m * f.sum(log_determinants) - components * constant
