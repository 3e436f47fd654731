"""How inputs are drawn where standard normal values would overflow, vanish or mean nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from scenarios.scenario import Array

if TYPE_CHECKING:
    from numpy.random import Generator


def scaled_by_fan_in(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Normal values; those of matrices named `w…` divided by sqrt(fan-in), biases `b…` by 10.

    A layer then keeps the variance of what goes through it (LeCun et al., Efficient BackProp, 1998)
    whatever its width, and depth neither saturates nor silences it.
    """
    values = rng.standard_normal(shape)
    if name.startswith("w"):
        return values / math.sqrt(shape[-2])
    return values / 10 if name.startswith("b") else values


def orthogonal(rng: Generator, size: int) -> Array:
    """A square matrix that keeps every length, each equally likely; shape (size, size).

    A factor of a normal matrix, with the signs that make it unique: Mezzadri, How to generate
    random matrices from the classical compact groups, Notices of the AMS 54, 2007.
    """
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    signed: Array = q * np.copysign(1.0, np.diagonal(r))
    return signed


def one_hot(rng: Generator, shape: tuple[int, ...]) -> Array:
    """Rows of zeros with a one at a random place; shape is (rows, classes)."""
    rows, classes = shape
    return np.eye(classes)[rng.integers(classes, size=rows)]
