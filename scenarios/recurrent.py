"""Unrolled recurrences: the same weights at every step."""

from __future__ import annotations

from networks import Builder, functions as f
from scenarios.draws import scaled_by_fan_in
from scenarios.scenario import roundings, scenario


@scenario(
    "rnn",
    sweep={"steps": (10, 100, 500, 1_500)},
    defaults={"steps": 100},
    small={"steps": 3, "hidden": 4, "inputs": 3, "batch": 2},
    provenance="pytorch#154652: compiles for hours at 1,500 steps",
    # A dot product of hidden + inputs terms, and tanh, at each step; tanh contracts, so that errors
    # do not pile up, but the gradient by a weight is a sum over steps.
    tolerance=lambda parameters: roundings(
        10 * (int(parameters["steps"]) + int(parameters["hidden"]) + int(parameters["inputs"]))
    ),
    draw=scaled_by_fan_in,
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
