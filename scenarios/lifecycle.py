"""What happens around the calls: leaks per call, and what stays when all is dropped.

What is done again and again is a scenario's `lifecycle`, which the harness reads (see
`scenarios.scenario`); the loops here build what it is done with.
"""

from __future__ import annotations

import math

import numpy as np

from networks import Builder, functions as f, gradient
from scenarios.draws import scaled_by_fan_in
from scenarios.scenario import CYCLES, KEPT, REBUILDS, SHAPES, roundings, scenario


def _layer(net: Builder, width: int, batch: int = 0) -> None:
    """One dense layer with a squared error: small, so that what surrounds it shows."""
    x = net.data("x", (batch or width, width))
    target = net.data("target", (batch or width, width))
    h = f.tanh(x @ net.weight("w", (width, width)) + net.weight("b", (width,)))
    net.output(h)
    error = h - target
    net.loss(f.mean(error * error))


@scenario(
    "steady",
    sweep={"calls": (1_000, 10_000, 100_000)},
    defaults={"calls": 10_000},
    small={"calls": 10, "width": 3},
    provenance="tensorflow#50765, pytorch#149834: +65,536 B a call, pytorch#174468",
    draw=scaled_by_fan_in,
)
def steady(net: Builder, *, calls: int, width: int = 16) -> None:
    """One layer, called with fresh data each time: leaks per call, which identical input hides."""
    del calls  # how often it is called is the harness's part
    _layer(net, width)


@scenario(
    "rebuild_drop",
    sweep={"rebuilds": (10, 100, 1_000)},
    defaults={"rebuilds": 100},
    small={"rebuilds": 2, "width": 3},
    provenance="jax#7930, jax#10828, pytensor#1660",
    draw=scaled_by_fan_in,
    lifecycle=REBUILDS,
)
def rebuild_drop(net: Builder, *, rebuilds: int, width: int = 16) -> None:
    """One layer, built, compiled, called and dropped again and again: caches that never let go."""
    del rebuilds  # how often it is rebuilt is the harness's part
    _layer(net, width)


@scenario(
    "shape_churn",
    sweep={"shapes": (10, 100, 1_000)},
    defaults={"shapes": 100},
    small={"shapes": 2, "width": 3},
    provenance="jax#2072, pytorch#114511, tensorflow#124972",
    draw=scaled_by_fan_in,
    lifecycle=SHAPES,
)
def shape_churn(net: Builder, *, shapes: int, batch: int = 1, width: int = 16) -> None:
    """One layer, built, called and dropped at batch 1, 2, 3 …: what stays of each shape.

    The weights stay as they are; the harness counts `batch` up.
    """
    del shapes  # how many there are is the harness's part
    _layer(net, width, batch)


_ELEMENTS_A_MEGABYTE = 2**18
"""Of float32; in float64 the matrix has as many elements and twice the bytes."""


@scenario(
    "captured_constant",
    sweep={"megabytes": (1, 10, 100, 800), "form": ("constant", "weight")},
    defaults={"megabytes": 10},
    small={"megabytes": 1, "width": 512},
    provenance="jax#5071, jax#16278: constants are copied, folded, printed",
    # Dot products of `width` terms there, and of as many terms as rows on the way back.
    tolerance=lambda parameters: roundings(
        2 * int(parameters["megabytes"]) * _ELEMENTS_A_MEGABYTE // int(parameters["width"])
    ),
    draw=scaled_by_fan_in,
)
def captured_constant(
    net: Builder, *, megabytes: int, form: str = "constant", width: int = 1_024
) -> None:
    """A large matrix times a small vector, closed over or passed: spikes in lower and compile."""
    shape = (megabytes * _ELEMENTS_A_MEGABYTE // width, width)
    if form == "constant":
        # Its values do not matter to an engine, and drawing this many would be all of `construct`.
        row = np.cos(np.arange(width)) / math.sqrt(width)
        matrix = net.constant(np.broadcast_to(row, shape))
    else:
        matrix = net.weight("w_matrix", shape)
    h = f.tanh(matrix @ (net.data("x", (width,)) + net.weight("b", (width,))))
    net.output(h)
    net.loss(f.mean(f.square(h)))


@scenario(
    "keep_alive",
    sweep={"kept": (10, 100, 1_000)},
    defaults={"kept": 50},
    small={"kept": 2, "width": 3},
    provenance="onnxruntime#14260: each session takes longer to set up than the one before",
    draw=scaled_by_fan_in,
    lifecycle=KEPT,
)
def keep_alive(net: Builder, *, kept: int, width: int = 16) -> None:
    """One layer, compiled again while all before stay alive: the k-th may take ever longer."""
    del kept  # how many there are is the harness's part
    _layer(net, width)


@scenario(
    "gradient_cycle",
    sweep={"cycles": (10, 100, 1_000), "collector": ("off", "on")},
    defaults={"cycles": 100},
    small={"cycles": 2, "width": 3},
    provenance="pytorch#7343: second-order gradients that only the collector frees",
    draw=scaled_by_fan_in,
    lifecycle=CYCLES,
)
def gradient_cycle(net: Builder, *, cycles: int, collector: str = "off", width: int = 16) -> None:
    """A penalty on a gradient, built, called and dropped without a collection: cycles pile up.

    Its gradient is of second order. With the collector on, what is left is a leak.
    """
    del cycles, collector  # the harness's part
    x = net.data("x", (width, width))
    w = net.weight("w", (width, width))
    h = f.tanh(x @ w + net.weight("b", (width,)))
    (slope,) = gradient(f.mean(f.square(h)), [w])
    net.output(slope)
    net.loss(f.mean(f.square(h)) + f.sum(f.square(slope)))
