"""Networks of layers against the same written down without networks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, special

from tests.scenarios.drawing import drawn, gradients, outputs_and_loss


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(np.sum(-labels * special.log_softmax(logits, axis=1), axis=1)))


def _normalised(h: np.ndarray) -> np.ndarray:
    return (h - h.mean(axis=-1, keepdims=True)) / np.sqrt(h.var(axis=-1, keepdims=True) + 1e-5)


def test_convolution_is_scipys_correlation() -> None:
    """Each output channel is a sum of 3×3 correlations, pooled over the image in the end."""
    network, values = drawn("convolution", depth=2, side=7, channels=3, classes=4, batch=2)
    h = values["x"]
    for layer in range(2):
        kernels = values[f"w{layer}"].reshape(3, 3, h.shape[-1], 3)
        correlated = [
            [
                sum(
                    signal.correlate2d(image[..., i], kernels[..., i, o], mode="valid")
                    for i in range(h.shape[-1])
                )
                for o in range(3)
            ]
            for image in h
        ]
        h = np.tanh(np.moveaxis(np.array(correlated), 1, -1) + values[f"b{layer}"])
    logits = h.mean(axis=(1, 2)) @ values["w_out"] + values["b_out"]

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, logits, rtol=1e-10)
    assert loss == pytest.approx(_cross_entropy(logits, values["labels"]), rel=1e-11)


def test_residual_is_a_sum_of_branches() -> None:
    """The state is the input plus what every block adds to it."""
    network, values = drawn("residual", depth=6, width=4, inputs=5, classes=3, batch=2)
    h = values["x"] @ values["w_in"]
    for block in range(3):
        branch = h
        for layer in (2 * block, 2 * block + 1):
            branch = np.maximum(_normalised(branch), 0) @ values[f"w{layer}"] + values[f"b{layer}"]
        h = h + branch
    logits = _normalised(h) @ values["w_out"]

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, logits, rtol=1e-10)
    assert loss == pytest.approx(_cross_entropy(logits, values["labels"]), rel=1e-11)


def test_gradients_reach_the_first_of_many_residual_layers() -> None:
    """At 164 layers the first block's gradient is within a thousandfold of the last block's."""
    network, values = drawn("residual", depth=164)

    by = gradients(network, values)

    assert np.abs(by["w0"]).max() > 1e-3 * np.abs(by["w163"]).max()


def test_attention_is_a_loop_over_batch_heads_and_tokens() -> None:
    """Every token's head takes the values of all tokens, weighed by softmax of their products."""
    batch, tokens, width, heads = 2, 3, 4, 2
    network, values = drawn(
        "attention", layers=2, tokens=tokens, width=width, heads=heads, batch=batch
    )
    h = values["x"].copy()
    for layer in range(2):
        w = {
            name: values[f"w_{name}{layer}"]
            for name in ("query", "key", "value", "mixed", "wider", "back")
        }
        normal = _normalised(h)
        mixed = np.zeros_like(h)
        for sample in range(batch):
            for head in range(heads):
                lanes = slice(head * width // heads, (head + 1) * width // heads)
                query, key, value = (
                    (normal[sample] @ w[name])[:, lanes] for name in ("query", "key", "value")
                )
                for token in range(tokens):
                    scores = [query[token] @ other / np.sqrt(width // heads) for other in key]
                    mixed[sample, token, lanes] = special.softmax(scores) @ value
        h = h + mixed @ w["mixed"]
        h = h + np.maximum(_normalised(h) @ w["wider"], 0) @ w["back"]

    (output,), loss = outputs_and_loss(network, values)

    np.testing.assert_allclose(output, h, rtol=1e-10)
    assert loss == pytest.approx(np.mean((h - values["target"]) ** 2), rel=1e-11)
