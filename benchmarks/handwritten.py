"""Forward and backward passes as a good NumPy programmer writes them by hand: the floor.

Each function has the signature of an evaluator's function, takes what the scenario of its name
takes with default parameters, and returns what that scenario returns. Intermediate values are kept
and used again, results are written into arrays that are no longer needed, and nothing is computed
that no result needs.

`rnn_batched` restructures the recurrence besides: one product for the inputs of all steps, and one
for the derivative by each matrix. No evaluator may be expected to do that, since it is another
network; it is here to show what is left to gain by rewriting.
"""

from __future__ import annotations

import numpy as np

from evaluators.protocol import Arrays, Data, Function, Weights

_CHAIN = [(f"w{i}", f"b{i}") for i in range(500)]
_TERMS = [(f"w{i}", f"x{i}") for i in range(1_000)]


def chain_output(weights: Weights, data: Data) -> Arrays:
    """h = tanh(h·w + b), 500 times."""
    tanh = np.tanh
    h = data["x"]
    for w, b in _CHAIN:
        h = h * weights[w]
        h += weights[b]
        tanh(h, h)
    return [h]


def chain_gradient(weights: Weights, data: Data) -> Arrays:
    """Of mean(h²)."""
    tanh, multiply, subtract = np.tanh, np.multiply, np.subtract
    h = data["x"]
    values = [h]
    for w, b in _CHAIN:
        h = h * weights[w]
        h += weights[b]
        tanh(h, h)
        values.append(h)
    loss = np.mean(h * h)
    g = h * np.float32(2 / h.size)
    derivatives: Arrays = []
    for layer in range(len(_CHAIN) - 1, -1, -1):
        h = values[layer + 1]
        part = g * h
        multiply(part, h, part)
        d = subtract(g, part, part)
        derivatives.append(d)
        derivatives.append(d * values[layer])
        if layer:
            g = d * weights[_CHAIN[layer][0]]
    derivatives.append(np.asarray(loss))
    derivatives.reverse()
    return derivatives


def wide_sum_output(weights: Weights, data: Data) -> Arrays:
    """The sum of w·x."""
    w, x = _TERMS[0]
    total = weights[w] * data[x]
    for w, x in _TERMS[1:]:
        total += weights[w] * data[x]
    return [total]


def wide_sum_gradient(weights: Weights, data: Data) -> Arrays:
    """Of the mean of its square."""
    (total,) = wide_sum_output(weights, data)
    g = total * np.float32(2 / total.size)
    return [np.asarray(np.mean(total * total)), *[g * data[x] for _, x in _TERMS]]


def mlp_output(weights: Weights, data: Data) -> Arrays:
    """Two tanh layers and a linear one."""
    h = data["x"] @ weights["w0"]
    h += weights["b0"]
    np.tanh(h, h)
    h = h @ weights["w1"]
    h += weights["b1"]
    np.tanh(h, h)
    h = h @ weights["w2"]
    h += weights["b2"]
    return [h]


def mlp_gradient(weights: Weights, data: Data) -> Arrays:
    """Of the mean softmax cross-entropy."""
    x, labels = data["x"], data["labels"]
    h1 = x @ weights["w0"]
    h1 += weights["b0"]
    np.tanh(h1, h1)
    h2 = h1 @ weights["w1"]
    h2 += weights["b1"]
    np.tanh(h2, h2)
    logits = h2 @ weights["w2"]
    logits += weights["b2"]

    peak = logits.max(axis=1, keepdims=True)
    d = np.exp(logits - peak)
    total = d.sum(axis=1, keepdims=True)
    loss = (np.log(total) + peak - (labels * logits).sum(axis=1, keepdims=True)).mean()
    d /= total
    d -= labels
    d *= np.float32(1 / len(x))

    dw2, db2 = h2.T @ d, d.sum(axis=0)
    d = _through_tanh(d @ weights["w2"].T, h2)
    dw1, db1 = h1.T @ d, d.sum(axis=0)
    d = _through_tanh(d @ weights["w1"].T, h1)
    dw0, db0 = x.T @ d, d.sum(axis=0)
    return [np.asarray(loss), dw0, db0, dw1, db1, dw2, db2]


def rnn_output(weights: Weights, data: Data) -> Arrays:
    """h = tanh(x_t @ w + h @ u + b) from h = 0."""
    w, u, b = weights["w_input"], weights["w_hidden"], weights["b"]
    first, *later = data["x"]
    h = first @ w
    h += b
    np.tanh(h, h)
    for x in later:
        h = h @ u
        h += x @ w
        h += b
        np.tanh(h, h)
    return [h]


def rnn_gradient(weights: Weights, data: Data) -> Arrays:
    """Of the mean squared error of the last state."""
    x, u = data["x"], weights["w_hidden"]
    states = _rnn_states(weights, data)
    h = states[-1]
    error = h - data["target"]
    loss = np.mean(error * error)
    dw, du, db = np.zeros_like(weights["w_input"]), np.zeros_like(u), np.zeros_like(h)
    g = error * np.float32(2 / h.size)
    for step in range(len(x) - 1, -1, -1):
        d = _through_tanh(g, states[step])
        dw += x[step].T @ d
        db += d
        if step:
            du += states[step - 1].T @ d
            g = d @ u.T
    return [np.asarray(loss), dw, du, db.sum(axis=0)]


def _rnn_states(weights: Weights, data: Data) -> Arrays:
    w, u, b = weights["w_input"], weights["w_hidden"], weights["b"]
    states: Arrays = []
    for x in data["x"]:
        h = x @ w
        if states:
            h += states[-1] @ u
        h += b
        np.tanh(h, h)
        states.append(h)
    return states


def rnn_batched_output(weights: Weights, data: Data) -> Arrays:
    """As `rnn_output`."""
    return [_batched_states(weights, data)[-1].copy()]


def rnn_batched_gradient(weights: Weights, data: Data) -> Arrays:
    """As `rnn_gradient`."""
    x, u = data["x"], weights["w_hidden"]
    states = _batched_states(weights, data)
    error = states[-1] - data["target"]
    loss = np.mean(error * error)
    g = error * np.float32(2 / error.size)
    cotangents = np.empty_like(states)
    for step in range(len(x) - 1, -1, -1):
        d = cotangents[step]
        np.multiply(g, states[step], d)
        d *= states[step]
        np.subtract(g, d, d)
        if step:
            g = d @ u.T
    dw = _rows(x).T @ _rows(cotangents)
    du = _rows(states[:-1]).T @ _rows(cotangents[1:])
    return [np.asarray(loss), dw, du, _rows(cotangents).sum(axis=0)]


def _batched_states(weights: Weights, data: Data) -> np.ndarray:
    x, u = data["x"], weights["w_hidden"]
    states = (_rows(x) @ weights["w_input"] + weights["b"]).reshape(*x.shape[:2], len(u))
    h = np.tanh(states[0], states[0])
    for state in states[1:]:
        np.add(state, h @ u, state)
        h = np.tanh(state, state)
    return states


def _rows(steps: np.ndarray) -> np.ndarray:
    return steps.reshape(-1, steps.shape[-1])


def _through_tanh(g: np.ndarray, h: np.ndarray) -> np.ndarray:
    """g·(1 - h²)."""
    part = g * h
    part *= h
    return np.subtract(g, part, part)


FUNCTIONS: dict[tuple[str, str], Function] = {
    ("mlp", "output"): mlp_output,
    ("mlp", "gradient"): mlp_gradient,
    ("rnn", "output"): rnn_output,
    ("rnn", "gradient"): rnn_gradient,
    ("rnn_batched", "output"): rnn_batched_output,
    ("rnn_batched", "gradient"): rnn_batched_gradient,
    ("chain", "output"): chain_output,
    ("chain", "gradient"): chain_gradient,
    ("wide_sum", "output"): wide_sum_output,
    ("wide_sum", "gradient"): wide_sum_gradient,
}
"""By name and mode; the name is the scenario's, apart from `rnn_batched`."""
