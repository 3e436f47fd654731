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


# Bundle adjustment

_ROTATION, _CENTRE, _FOCAL, _PRINCIPAL, _RADIAL = (
    slice(0, 3),
    slice(3, 6),
    slice(6, 7),
    slice(7, 9),
    slice(9, 11),
)
"""What the 11 parameters of a camera are, as ADBench orders them."""


def _draw_ba(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Cameras that look at the points from about six units off; weights of about 1."""
    values = rng.standard_normal(shape)
    if name == "cameras":
        values *= 0.1
        values[:, _CENTRE] += (0.0, 0.0, -6.0)
        values[:, _FOCAL] += 2.0
    return 1.0 + 0.1 * values if name == "weights" else values


@scenario(
    "ba",
    sweep={"observations": (64, 256, 1_024, 4_096), "form": ("vector", "loop")},
    defaults={"observations": 256},
    small={"observations": 5, "cameras": 2, "points": 3},
    provenance="ADBench (Šrajer, Kukelova, Fitzgibbon 2018), ba.h",
    # Some sixty operations an observation; a camera's gradient is a sum over its observations.
    tolerance=lambda parameters: roundings(10 * int(parameters["observations"])),
    draw=_draw_ba,
)
def ba(
    net: Builder, *, observations: int, cameras: int = 8, points: int = 64, form: str = "vector"
) -> None:
    """Reprojection errors of bundle adjustment: gathers, and gradients that are mostly zeros.

    A camera is 3 of rotation (angle and axis in one), 3 of centre, focal length, 2 of principal
    point, 2 of radial distortion. The errors and 1 - w² are the residuals of Zach, "Robust bundle
    adjustment revisited", 2014; the loss is half their sum of squares. ADBench's special case for a
    rotation of exactly zero is left out: a network cannot branch, and none is drawn.
    """
    camera_parameters = net.weight("cameras", (cameras, 11))
    points_in_space = net.weight("points", (points, 3))
    weights = net.weight("weights", (observations,))
    features = net.data("features", (observations, 2))
    seen_by = [i % cameras for i in range(observations)]
    seen = [i * 5 // 3 % points for i in range(observations)]
    if form == "vector":
        camera = f.take(camera_parameters, seen_by, axis=0)
        projected = _projected(camera, f.take(points_in_space, seen, axis=0))
    else:
        projected = f.stack(
            [
                _projected(camera_parameters[c], points_in_space[p])
                for c, p in zip(seen_by, seen, strict=True)
            ]
        )
    errors = f.expand_dims(weights, axis=1) * (projected - features)
    weight_errors = 1.0 - f.square(weights)
    net.output(errors)
    net.output(weight_errors)
    net.loss(0.5 * (f.sum(f.square(errors)) + f.sum(f.square(weight_errors))))


def _projected(camera: Node, point: Node) -> Node:
    """Where a camera (…, 11) sees a point (…, 3): (…, 2)."""
    seen = _rotated(camera[..., _ROTATION], point - camera[..., _CENTRE])
    flat = seen[..., :2] / seen[..., 2:]
    radius = f.sum(f.square(flat), axis=-1, keepdims=True)
    radial = camera[..., _RADIAL]
    distortion = 1.0 + radial[..., :1] * radius + radial[..., 1:] * f.square(radius)
    return flat * distortion * camera[..., _FOCAL] + camera[..., _PRINCIPAL]


def _rotated(rotation: Node, point: Node) -> Node:
    """Rodrigues' formula: the axis is the direction of `rotation`, the angle its length."""
    angle = f.sqrt(f.sum(f.square(rotation), axis=-1, keepdims=True))
    axis = rotation / angle
    cosine, sine = f.cos(angle), f.sin(angle)
    along = f.sum(axis * point, axis=-1, keepdims=True)
    return point * cosine + _cross(axis, point) * sine + axis * (along * (1.0 - cosine))


def _cross(a: Node, b: Node) -> Node:
    """The cross product along the last axis."""
    after, before = [1, 2, 0], [2, 0, 1]
    return f.take(a, after, axis=-1) * f.take(b, before, axis=-1) - f.take(
        a, before, axis=-1
    ) * f.take(b, after, axis=-1)


# Hand tracking

_FINGERS, _JOINTS = 5, 3
_BONES = 1 + 4 * _FINGERS + 1
"""Wrist, four of each finger, forearm; a finger's first bone stays as the model has it."""
_PARENTS = (-1, *(0 if i % 4 == 0 else i for i in range(4 * _FINGERS)), 0)


def _draw_hand(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Bones a little off the identity, homogeneous positions, weights that sum up to 1."""
    values = rng.standard_normal(shape)
    if name == "theta":
        return values / 2
    if name == "skinning":
        shares: Array = np.exp(values)
        shares /= shares.sum(axis=0)
        return shares
    if name == "positions":
        values[3] = 1.0
    elif name != "targets":
        values = np.eye(4) + 0.1 * values
        values[:, 3] = (0.0, 0.0, 0.0, 1.0)
    return values


@scenario(
    "hand",
    sweep={"vertices": (50, 200, 544, 2_000)},
    defaults={"vertices": 200},
    small={"vertices": 5},
    provenance="ADBench (Šrajer, Kukelova, Fitzgibbon 2018), hand: 26 parameters",
    # Chains of at most six 4×4 products, 22 bones, and a sum over vertices.
    tolerance=lambda parameters: roundings(500 + 10 * int(parameters["vertices"])),
    draw=_draw_hand,
)
def hand(net: Builder, *, vertices: int) -> None:
    """Distances from a posed hand: a tree of small products, all of 26 parameters, then skinning.

    `theta` is global rotation, global translation, and for each finger bend and spread of its
    second bone and bend of the third and fourth. As in ADBench's hand_objective; factors that are
    the identity there, for angles that are zero by definition, are not multiplied in. The hand's
    model (bones, vertices, skinning weights) is data; every vertex has one target.
    """
    theta = net.weight("theta", (26,))
    relatives = net.data("base_relatives", (_BONES, 4, 4))
    inverses = net.data("inverse_base_absolutes", (_BONES, 4, 4))
    positions = net.data("positions", (4, vertices))
    skinning = net.data("skinning", (_BONES, vertices))
    targets = net.data("targets", (3, vertices))

    absolutes: list[Node] = []
    for bone, parent in enumerate(_PARENTS):
        relative = relatives[bone]
        finger, joint = divmod(bone - 1, 4)
        if joint and 0 < bone < _BONES - 1:
            relative = relative @ _joint(net, theta, 6 + 4 * finger, joint)
        absolutes.append(relative if parent < 0 else absolutes[parent] @ relative)

    posed: Node | None = None
    for bone, absolute in enumerate(absolutes):
        moved = (absolute @ inverses[bone])[:3] @ positions * skinning[bone]
        posed = moved if posed is None else posed + moved
    assert posed is not None
    placed = _rotation_matrix(net, theta[:3]) @ posed + f.expand_dims(theta[3:6], axis=1)
    errors = targets - placed
    net.output(errors)
    net.loss(0.5 * f.mean(f.square(errors)))


def _joint(net: Builder, theta: Node, first: int, joint: int) -> Node:
    """A finger's joint as a 4×4 matrix: Rz(spread) · Rx(bend), spread at its first joint only."""
    bend = _rotation_about(net, theta[first if joint == 1 else first + joint], (1, 2))
    return _rotation_about(net, theta[first + 1], (0, 1)) @ bend if joint == 1 else bend


def _rotation_about(net: Builder, angle: Node, plane: tuple[int, int]) -> Node:
    """The 4×4 matrix that turns the first axis of a plane to its second."""
    i, j = plane
    cosine, sine = f.cos(angle), f.sin(angle)
    entries = [net.constant(float(at % 5 == 0)) for at in range(16)]
    entries[4 * i + i] = entries[4 * j + j] = cosine
    entries[4 * j + i], entries[4 * i + j] = sine, -sine
    return f.reshape(f.stack(entries), (4, 4))


def _rotation_matrix(net: Builder, rotation: Node) -> Node:
    """The 3×3 matrix of an angle times an axis: its columns are the rotated unit vectors."""
    return _rotated(f.expand_dims(rotation, axis=0), net.constant(np.eye(3))).T


# Single formulas


@scenario(
    "least_squares",
    sweep={"rows": (100, 1_000, 10_000), "columns": (10, 100)},
    defaults={"rows": 1_000, "columns": 50},
    small={"rows": 4, "columns": 2},
    provenance="Legendre 1805; the objective of linear regression",
    # Dot products of `columns` terms, then of `rows`.
    tolerance=lambda parameters: roundings(
        2 * (int(parameters["rows"]) + int(parameters["columns"]))
    ),
)
def least_squares(net: Builder, *, rows: int, columns: int) -> None:
    """½|A·x - b|² / rows: two products with one matrix, and nothing to fuse between them."""
    a, b = net.data("a", (rows, columns)), net.data("b", (rows,))
    residual = a @ net.weight("x", (columns,)) - b
    net.output(residual)
    net.loss(0.5 * f.mean(f.square(residual)))


@scenario(
    "log_sum_exp",
    sweep={"size": (100, 10_000, 1_000_000)},
    defaults={"size": 100_000},
    small={"size": 4},
    provenance="GradBench's lse; Blanchard, Higham, Higham 2021",
    tolerance=lambda parameters: roundings(2 * int(parameters["size"])),
)
def log_sum_exp(net: Builder, *, size: int) -> None:
    """log Σ exp(x), shifted: two reductions over one large vector, and softmax as its gradient."""
    total = f.logsumexp(net.weight("x", (size,)))
    net.output(total)
    net.loss(total)


@scenario(
    "kmeans",
    sweep={"points": (100, 1_000, 10_000), "clusters": (5, 25)},
    defaults={"points": 1_000, "clusters": 5},
    small={"points": 6, "clusters": 2, "dimensions": 2},
    provenance="GradBench's kmeans; Bottou and Bengio 1994",
    # A sum over points, all terms of one sign; by a centroid, of those nearest to it.
    tolerance=lambda parameters: roundings(4 * int(parameters["points"])),
)
def kmeans(net: Builder, *, points: int, clusters: int, dimensions: int = 8) -> None:
    """Σ min_k |x_i - c_k|²: all distances are made, and the gradient passes through the least."""
    x = net.data("x", (points, dimensions))
    centroids = net.weight("centroids", (clusters, dimensions))
    apart = f.expand_dims(x, axis=1) - f.expand_dims(centroids, axis=0)
    cost = f.sum(f.min(f.sum(f.square(apart), axis=2), axis=1))
    net.output(cost)
    net.loss(cost)
