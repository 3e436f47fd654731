"""Networks of layers as people train them."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from networks import Builder, Node, functions as f
from scenarios.draws import one_hot, scaled_by_fan_in
from scenarios.scenario import Array, Parameters, roundings, scenario

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
    net.loss(_cross_entropy(h, labels))


def _cross_entropy(logits: Node, labels: Node) -> Node:
    """Of a softmax over the last axis, with one-hot labels, averaged over the batch."""
    return f.mean(f.logsumexp(logits, axis=1) - f.sum(labels * logits, axis=1))


def _normalised(h: Node) -> Node:
    """Layer normalisation over the last axis (Ba, Kiros, Hinton 2016), without gain and bias."""
    centred = h - f.mean(h, axis=-1, keepdims=True)
    variance = f.mean(f.square(centred), axis=-1, keepdims=True)
    return centred / f.sqrt(variance + 1e-5)


def _relu(h: Node) -> Node:
    return f.maximum(h, 0.0)


_WINDOW = 3


@scenario(
    "convolution",
    sweep={"depth": (1, 2, 4), "side": (12, 16, 32)},
    defaults={"depth": 2, "side": 16},
    small={"depth": 1, "side": 5, "channels": 3, "classes": 3, "batch": 2},
    provenance="LeCun et al. 1998, as matrix products (im2col: Chellapilla, Puri, Simard 2006)",
    # Dot products of a window's 9 · channels terms; the gradient by a weight sums over all places.
    tolerance=lambda parameters: roundings(
        4 * (int(parameters["side"]) ** 2 * int(parameters["batch"]))
    ),
    draw=_draw_classified,
)
def convolution(
    net: Builder, *, depth: int, side: int, channels: int = 8, classes: int = 10, batch: int = 8
) -> None:
    """3×3 convolutions as gathered windows times a matrix: gathers, and their scattered adjoints.

    Each layer trims a pixel from every edge, so `side` must exceed twice `depth`.
    """
    h = net.data("x", (batch, side, side, 1))
    labels = net.data("labels", (batch, classes))
    for layer in range(depth):
        fan_in = _WINDOW**2 * h.shape[-1]
        w = net.weight(f"w{layer}", (fan_in, channels))
        b = net.weight(f"b{layer}", (channels,))
        h = f.tanh(_windows(h) @ w + b)
    pooled = f.mean(h, axis=(1, 2))
    logits = pooled @ net.weight("w_out", (channels, classes)) + net.weight("b_out", (classes,))
    net.output(logits)
    net.loss(_cross_entropy(logits, labels))


def _windows(images: Node) -> Node:
    """(batch, side - 2, side - 2, 9 · channels): the 3×3 window around each inner pixel."""
    batch, side, _, channels = images.shape
    inner = side - _WINDOW + 1
    row, column, down, right = np.ogrid[:inner, :inner, :_WINDOW, :_WINDOW]
    places = ((row + down) * side + column + right).ravel()
    pixels = f.reshape(images, (batch, side * side, channels))
    gathered = f.take(pixels, places.tolist(), axis=1)
    return f.reshape(gathered, (batch, inner, inner, _WINDOW**2 * channels))


def _tolerance_of_depth(parameters: Parameters) -> dict[str, float]:
    # A dot product of `width` terms and a normalisation a layer; each layer adds to what is there,
    # so that errors add up rather than multiply.
    return roundings(4 * int(parameters["depth"]) * int(parameters["width"]))


@scenario(
    "residual",
    sweep={"depth": (8, 38, 80, 164)},
    defaults={"depth": 38},
    small={"depth": 4, "width": 4, "inputs": 5, "classes": 3, "batch": 2},
    provenance="Theano#4494",
    tolerance=_tolerance_of_depth,
    draw=_draw_classified,
)
def residual(
    net: Builder, *, depth: int, width: int = 32, inputs: int = 64, classes: int = 10,
    batch: int = 16,
) -> None:  # fmt: skip
    """h = h + two normalised dense layers: depth with short cuts, every block's input used twice.

    Pre-activation blocks (He et al., "Identity mappings in deep residual networks", 2016).
    """
    labels = net.data("labels", (batch, classes))
    h = net.data("x", (batch, inputs)) @ net.weight("w_in", (inputs, width))
    for block in range(depth // 2):
        branch = h
        for layer in (2 * block, 2 * block + 1):
            w = net.weight(f"w{layer}", (width, width))
            b = net.weight(f"b{layer}", (width,))
            branch = _relu(_normalised(branch)) @ w + b
        h = h + branch
    logits = _normalised(h) @ net.weight("w_out", (width, classes))
    net.output(logits)
    net.loss(_cross_entropy(logits, labels))


@scenario(
    "attention",
    sweep={"layers": (1, 2, 3, 4), "tokens": (16, 32, 64, 128)},
    defaults={"layers": 2, "tokens": 32},
    small={"layers": 1, "tokens": 3, "width": 4, "heads": 2, "batch": 2},
    provenance="Vaswani et al., Attention is all you need, 2017; normalised first",
    # Dot products of `width` and of `tokens` terms, four of each a layer, there and back.
    tolerance=lambda parameters: roundings(
        16 * int(parameters["layers"]) * (int(parameters["width"]) + int(parameters["tokens"]))
    ),
    draw=scaled_by_fan_in,
)
def attention(
    net: Builder, *, layers: int, tokens: int, width: int = 64, heads: int = 4, batch: int = 4
) -> None:
    """Transformer layers: batched products, permuted axes, softmax; tokens² where they meet."""
    h = net.data("x", (batch, tokens, width))
    target = net.data("target", (batch, tokens, width))
    for layer in range(layers):
        w = {
            name: net.weight(f"w_{name}{layer}", shape)
            for name, shape in (
                ("query", (width, width)),
                ("key", (width, width)),
                ("value", (width, width)),
                ("mixed", (width, width)),
                ("wider", (width, 4 * width)),
                ("back", (4 * width, width)),
            )
        }
        normal = _normalised(h)
        query, key, value = (_heads(normal @ w[name], heads) for name in ("query", "key", "value"))
        shares = f.softmax(query @ key.mT * (1 / math.sqrt(width // heads)), axis=-1)
        mixed = f.permute_dims(shares @ value, (0, 2, 1, 3))
        h = h + f.reshape(mixed, (batch, tokens, width)) @ w["mixed"]
        h = h + _relu(_normalised(h) @ w["wider"]) @ w["back"]
    net.output(h)
    net.loss(f.mean(f.square(h - target)))


def _heads(h: Node, heads: int) -> Node:
    """(batch, tokens, width) as (batch, heads, tokens, width / heads)."""
    batch, tokens, width = h.shape
    return f.permute_dims(f.reshape(h, (batch, tokens, heads, width // heads)), (0, 2, 1, 3))
