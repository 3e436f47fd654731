"""Unrolled recurrences: the same weights at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from networks import Builder, Node, functions as f
from scenarios.draws import orthogonal, scaled_by_fan_in
from scenarios.scenario import Array, Parameters, roundings, scenario

if TYPE_CHECKING:
    from numpy.random import Generator


def _tolerance_of_steps(parameters: Parameters) -> dict[str, float]:
    # A dot product of hidden + inputs terms, and a few gates, at each step. A step neither
    # amplifies nor forgets much of what it is given: errors of all steps add up, as do the terms of
    # the gradient by a weight. `1 - update` is off by 100 roundings where a gate keeps 99 %.
    return roundings(
        10 * (int(parameters["steps"]) + int(parameters["hidden"]) + int(parameters["inputs"]))
    )


_INPUTS_SHARE = 0.1
_CRITICAL_GAIN = 1.19


def _draw_rnn(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Weights with which what goes through keeps its size for hundreds of steps, both ways.

    Hidden weights are orthogonal (Saxe, McClelland, Ganguli, Exact solutions to the nonlinear
    dynamics of learning in deep linear neural networks, ICLR 2014), times the gain g that makes up
    for the slopes of tanh: g² E[tanh'(z)²] = 1, where z, what tanh is given, has the variance
    g² E[tanh(z)²] + 0.01 (Chen, Pennington, Schoenholz, Dynamical isometry and a mean field theory
    of RNNs, ICML 2018). The weaker the inputs, the nearer to 1 are all slopes, and the less does a
    draw depart from the mean.
    """
    if name == "w_hidden":
        return _CRITICAL_GAIN * orthogonal(rng, shape[0])
    values = scaled_by_fan_in(rng, name, shape)
    return values * _INPUTS_SHARE if name in {"w_input", "b"} else values


@scenario(
    "rnn",
    sweep={"steps": (10, 100, 500, 1_500)},
    defaults={"steps": 100},
    small={"steps": 3, "hidden": 4, "inputs": 3, "batch": 2},
    provenance="pytorch#154652 in its simplest form: quadratic fusion",
    tolerance=_tolerance_of_steps,
    draw=_draw_rnn,
)
def rnn(net: Builder, *, steps: int, hidden: int = 64, inputs: int = 32, batch: int = 16) -> None:
    """h = tanh(x_t @ w + h @ u + b), unrolled: graphs grow with time, weights are shared by all."""
    x = net.data("x", (steps, batch, inputs))
    target = net.data("target", (batch, hidden))
    w_input = net.weight("w_input", (inputs, hidden))
    w_hidden = net.weight("w_hidden", (hidden, hidden))
    b = net.weight("b", (hidden,))
    h = net.constant([[0.0] * hidden] * batch)
    for step in range(steps):
        h = f.tanh(x[step] @ w_input + h @ w_hidden + b)
    net.output(h)
    error = h - target
    net.loss(f.mean(error * error))


_LONGEST_MEMORY = 100


def _draw_gru(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Update gates that keep a unit's state for up to a hundred steps, each unit for its own time.

    Tallec, Ollivier, Can recurrent neural networks warp time?, ICLR 2018: biases are logarithms of
    uniform times. Around 0, half of the state and of its cotangent is lost at each step.
    """
    values = scaled_by_fan_in(rng, name, shape)
    if name == "b_z":
        values = np.log(rng.uniform(1, _LONGEST_MEMORY - 1, shape))
    return values


@scenario(
    "gru",
    sweep={"steps": (10, 100, 500, 1_500)},
    defaults={"steps": 50},
    small={"steps": 3, "hidden": 4, "inputs": 3, "batch": 2},
    provenance="pytorch#154652: one hour forward and four backward at 1,500 steps",
    tolerance=_tolerance_of_steps,
    draw=_draw_gru,
)
def gru(net: Builder, *, steps: int, hidden: int = 32, inputs: int = 16, batch: int = 8) -> None:
    """Gated recurrent units, unrolled: three gates a step from the same six matrices.

    Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014, with the reset
    gate applied after the product, as engines' own layers have it.
    """
    x = net.data("x", (steps, batch, inputs))
    target = net.data("target", (batch, hidden))
    w = {name: net.weight(f"w_{name}", (inputs, hidden)) for name in "zrn"}
    u = {name: net.weight(f"w_hidden_{name}", (hidden, hidden)) for name in "zrn"}
    b = {name: net.weight(f"b_{name}", (hidden,)) for name in "zrn"}
    h = net.constant(np.zeros((batch, hidden)))
    for step in range(steps):
        update = f.logistic(x[step] @ w["z"] + h @ u["z"] + b["z"])
        reset = f.logistic(x[step] @ w["r"] + h @ u["r"] + b["r"])
        candidate = f.tanh(x[step] @ w["n"] + reset * (h @ u["n"]) + b["n"])
        h = (1.0 - update) * candidate + update * h
    net.output(h)
    net.loss(f.mean(f.square(h - target)))


def _draw_two_state(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """Gates are shares between 0 and 1."""
    return rng.random(shape) if name.startswith("gate") else rng.standard_normal(shape)


@scenario(
    "two_state",
    sweep={"steps": (1, 2, 4, 8, 16, 32, 64)},
    defaults={"steps": 16},
    small={"steps": 2, "observations": 3},
    provenance="jax#2777: compile time exponential in the unrolled steps",
    draw=_draw_two_state,
)
def two_state(net: Builder, *, steps: int, observations: int = 8) -> None:
    """Two states that mix through one gate: each reads both, so inlining costs 2**steps."""
    a, b = net.weight("a", (observations, 2)), net.weight("b", (observations, 2))
    for step in range(steps):
        gate = net.data(f"gate{step}", (observations, 1))
        a, b = (
            0.5 * (a + gate * a + (1.0 - gate) * b),
            0.5 * (b + gate * a + (1.0 - gate) * b),
        )
    net.output(a)
    net.loss(f.mean(a * a))


def _draw_lstm(rng: Generator, name: str, shape: tuple[int, ...]) -> Array:
    """A text's characters as bits, as ADBench has them, and normal values for the rest."""
    if name == "sequence":
        return (rng.random(shape) < 0.5).astype(float)
    return rng.standard_normal(shape)


@scenario(
    "lstm",
    sweep={"steps": (16, 64, 128, 256), "layers": (2, 4, 6)},
    defaults={"steps": 32, "layers": 2},
    small={"steps": 4, "layers": 2, "bits": 3},
    provenance="ADBench (Šrajer, Kukelova, Fitzgibbon 2018), lstm.h",
    # Cells are sums over steps, and so are the loss and the gradient by what all steps share.
    tolerance=lambda parameters: roundings(
        20 * int(parameters["steps"]) * int(parameters["layers"])
    ),
    draw=_draw_lstm,
)
def lstm(net: Builder, *, steps: int, layers: int, bits: int = 14) -> None:
    """ADBench's diagonal LSTM on characters: long, narrow, elementwise, no matrix product.

    Forget and output gates see a layer's input, input gate and change its hidden state; each gate
    is elementwise. The log of the sum of exponentials has ADBench's 2 added under the log.
    """
    sequence = net.data("sequence", (steps, bits))
    gates = []
    for layer in range(layers):
        w, b = net.weight(f"weight{layer}", (4, bits)), net.weight(f"bias{layer}", (4, bits))
        gates.append([(w[gate], b[gate]) for gate in range(4)])
    w_in, w_out = net.weight("in_weight", (bits,)), net.weight("out_weight", (bits,))
    b_out = net.weight("out_bias", (bits,))
    hidden = [net.data(f"hidden{layer}", (bits,)) for layer in range(layers)]
    cell = [net.data(f"cell{layer}", (bits,)) for layer in range(layers)]

    total: Node = net.constant(0.0)
    for step in range(steps - 1):
        h = sequence[step] * w_in
        for layer in range(layers):
            forget, let_in, let_out, change = (
                x * w + b for x, (w, b) in zip((h, hidden[layer]) * 2, gates[layer], strict=True)
            )
            kept = cell[layer] * f.logistic(forget)
            cell[layer] = kept + f.logistic(let_in) * f.tanh(change)
            h = hidden[layer] = f.logistic(let_out) * f.tanh(cell[layer])
        predicted = h * w_out + b_out
        normalised = predicted - f.log(f.sum(f.exp(predicted)) + 2.0)
        total = total + f.sum(sequence[step + 1] * normalised)
    loss = -total / float((steps - 1) * bits)
    net.output(loss)
    net.loss(loss)


def _draw_ode(rng: Generator, _name: str, shape: tuple[int, ...]) -> Array:
    """Rates with which each component of the solution is about 1 in the end."""
    order = np.arange(1, shape[0] + 1)
    return order / _ODE_END * rng.uniform(0.9, 1.1, shape)


_ODE_END = 2.0
"""The time at which cmpad and GradBench stop."""


@scenario(
    "ode_rk4",
    sweep={"steps": (10, 50, 100, 200), "dimensions": (4, 8, 16)},
    defaults={"steps": 50, "dimensions": 4},
    small={"steps": 2, "dimensions": 4},
    provenance="cmpad's an_ode and GradBench's ode, by the classical Runge-Kutta method",
    # Each step adds four stages to each component, and a component is a product of those before.
    tolerance=lambda parameters: roundings(
        20 * int(parameters["steps"]) * int(parameters["dimensions"])
    ),
    draw=_draw_ode,
)
def ode_rk4(net: Builder, *, steps: int, dimensions: int) -> None:
    """y' = x·(1, y_1, …, y_{n-1}) from 0, in Runge-Kutta steps: stages that feed the next ones.

    At time t, component i is t^i / i! times the product of the first i rates.
    """
    x = net.weight("x", (dimensions,))
    one = net.constant([1.0])
    dt = _ODE_END / steps

    def slope(y: Node) -> Node:
        return x * f.concat([one, y[:-1]])

    y = net.constant(np.zeros(dimensions))
    for _ in range(steps):
        k1 = slope(y)
        k2 = slope(y + 0.5 * dt * k1)
        k3 = slope(y + 0.5 * dt * k2)
        k4 = slope(y + dt * k3)
        y = y + (dt / 6) * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    net.output(y)
    net.loss(f.sum(y[-1:]))
