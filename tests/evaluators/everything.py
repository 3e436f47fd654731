"""A network with every operator in it, and what each should give by another road."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit

from networks import Builder, Network, Node, functions as f, gradient
from networks.operators import Region, Taken

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Everything:
    """A network, inputs for it, and by the name of each output what it should be in float64."""

    network: Network
    weights: Arrays
    data: Arrays
    expected: Arrays
    terms: dict[str, Node]
    """By the name of each output what it adds to the loss; none for outputs of another dtype."""
    dtype: str

    def part(self, names: Collection[str]) -> Everything:
        """The same with those outputs alone, and a loss of their terms."""
        kept = [name for name in self.expected if name in names]
        outputs = dict(zip(self.expected, self.network.outputs, strict=True))
        return replace(
            self,
            network=Network(
                weights=self.network.weights,
                data=self.network.data,
                outputs=[outputs[name] for name in kept],
                loss=total([self.terms[name] for name in kept if name in self.terms]),
            ),
            expected={name: self.expected[name] for name in kept},
        )

    def __repr__(self) -> str:
        shapes = {name: array.shape for name, array in self.weights.items()}
        return f"<everything in {self.dtype}, weights {shapes}>"


@st.composite
def everythings(draw: st.DrawFn) -> Everything:
    """Two shapes that broadcast, a dtype, and values on a grid, so that ties and zeros occur."""
    shapes = draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=1, max_dims=3, max_side=3)
    )
    dtype = draw(st.sampled_from(["float32", "float64"]))
    seed = draw(st.integers(0, 2**16))
    return everything(shapes.input_shapes[0], shapes.input_shapes[1], dtype, seed)


def everything(
    shape: tuple[int, ...], other: tuple[int, ...], dtype: str, seed: int = 0
) -> Everything:
    """Every operator on weights of those shapes; the loss depends on all of them."""
    rng = np.random.default_rng(seed)
    net = Builder(dtype=dtype)
    weights = {
        "a": rng.integers(-8, 9, shape) / 4,
        "b": rng.integers(-8, 9, other) / 4,
        "p": rng.integers(2, 9, shape) / 4,
        "m": rng.standard_normal((2, 3)),
        "n": rng.standard_normal((4, 3, 2)),
        "v": rng.standard_normal(3),
    }
    nodes = {name: net.weight(name, value.shape) for name, value in weights.items()}
    data = {"c": rng.integers(0, 2, shape).astype(bool)}
    condition = net.data("c", shape, dtype="bool")
    pairs = {
        **_elementwise(nodes, weights, condition, data["c"]),
        **_reductions(nodes["a"], weights["a"]),
        **_contractions(nodes, weights),
        **_movements(nodes["n"], weights["n"]),
        **_adjoints(net, nodes, weights),
    }
    terms = {}
    for name, (node, _) in pairs.items():
        net.output(node)
        if node.dtype in ("float64", dtype):  # float32 would round float64's derivatives
            terms[name] = f.sum(f.astype(node, dtype) * rng.standard_normal(node.shape))
    net.loss(total(list(terms.values())))
    return Everything(
        network=net.network(),
        weights={name: value.astype(dtype) for name, value in weights.items()},
        data=data,
        expected={name: np.asarray(value) for name, (_, value) in pairs.items()},
        terms=terms,
        dtype=dtype,
    )


def total(terms: Sequence[Node]) -> Node | None:
    """The sum of the terms; None where there are none."""
    return reduce(add, terms) if terms else None


Pairs = dict[str, tuple[Node, Any]]


def _elementwise(nodes: dict[str, Node], arrays: Arrays, condition: Node, c: Any) -> Pairs:
    a, b, p = nodes["a"], nodes["b"], nodes["p"]
    x, y, q = arrays["a"], arrays["b"], arrays["p"]
    other = "float64" if a.dtype.name == "float32" else "float32"
    return {
        "add": (a + b, x + y),
        "subtract": (a - b, x - y),
        "multiply": (a * b, x * y),
        "divide": (b / p, y / q),
        "pow": (p**b, np.exp(y * np.log(q))),
        "square": (a**2, x * x),
        "cube": (a**3.0, x * x * x),
        "maximum": (f.maximum(a, b), (x + y + abs(x - y)) / 2),
        "minimum": (f.minimum(a, b), (x + y - abs(x - y)) / 2),
        "negative": (-a, 0 - x),
        "exp": (f.exp(a), np.e**x),
        "expm1": (f.expm1(a), np.e**x - 1),
        "log": (f.log(p), np.log2(q) * np.log(2)),
        "log1p": (f.log1p(p), np.log(q + 1)),
        "sqrt": (f.sqrt(p), q**0.5),
        "sin": (f.sin(a), np.imag(np.exp(1j * x))),
        "cos": (f.cos(a), np.real(np.exp(1j * x))),
        "tanh": (f.tanh(a), 1 - 2 / (np.exp(2 * x) + 1)),
        "logistic": (f.logistic(a), expit(x)),
        "logistic of large": (f.logistic(a * 1e4), expit(x * 1e4)),
        "abs": (abs(a), np.sqrt(x * x)),
        "sign": (f.sign(a), (x > 0) * 1.0 - (x < 0)),
        "astype": (f.astype(a, other), x),
        "astype of bool": (f.astype(condition, a.dtype.name), c * 1.0),
        "astype to bool": (f.astype(a, "bool"), x != 0),
        "mixed": (f.astype(a, "float64") * b + f.astype(f.sum(a), "float64"), x * y + x.sum()),
        "less": (a < b, x < y),
        "less_equal": (a <= b, x <= y),
        "greater": (a > b, x > y),
        "greater_equal": (a >= b, x >= y),
        "equal": (a == b, x == y),
        "not_equal": (a != b, x != y),
        "where": (f.where(condition, a, b), c * x + ~c * y),
        "where of number": (f.where(condition, 1.0, b), c + ~c * y),
    }


def _reductions(a: Node, x: np.ndarray[Any, Any]) -> Pairs:
    last = x.ndim - 1
    return {
        "sum": (f.sum(a), np.einsum(x, list(range(x.ndim)), [])),
        "sum of last": (f.sum(a, axis=-1), np.einsum(x, range(x.ndim), range(last))),
        "sum of none": (f.sum(a, axis=()), x),
        "mean": (f.mean(a, axis=0, keepdims=True), np.sum(x, 0, keepdims=True) / len(x)),
        "mean of all": (f.mean(a), np.sum(x) / x.size),
        "max": (f.max(a, axis=(0, last) if last else 0), np.sort(x, axis=None)[-1])
        if x.ndim < 3
        else (f.max(a, axis=0), np.sort(x, axis=0)[-1]),
        "max with axes": (f.max(a, axis=-1, keepdims=True), np.sort(x, axis=-1)[..., -1:]),
        "logsumexp": (f.logsumexp(a, axis=0), np.log(np.sum(np.exp(x), axis=0))),
        "sum of broadcast": (
            f.sum(f.broadcast_to(f.sum(a, axis=0), (4, *x.shape[1:])), axis=0),
            4 * x.sum(axis=0),
        ),
    }


def _contractions(nodes: dict[str, Node], arrays: Arrays) -> Pairs:
    m, n, v = nodes["m"], nodes["n"], nodes["v"]
    x, y, z = arrays["m"], arrays["n"], arrays["v"]
    return {
        "matmul": (m @ f.reshape(m, (3, 2)), np.einsum("ij,jk", x, x.reshape(3, 2))),
        "matmul of batch": (n @ m, np.einsum("bij,jk->bik", y, x)),
        "matmul of vectors": (v @ v, np.einsum("i,i", z, z)),
        "matmul by vector": (m @ v, np.einsum("ij,j", x, z)),
        "matmul of vector": (v @ n, np.einsum("i,bij->bj", z, y)),
        "matmul of transposed": (m.T @ m, np.einsum("ji,jk", x, x)),
        "matmul of broadcast": (f.broadcast_to(v, (2, 3)) @ v, np.full(2, np.sum(z * z))),
    }


def _movements(n: Node, y: np.ndarray[Any, Any]) -> Pairs:
    return {
        "reshape": (f.reshape(n, (6, 4)), np.array(list(y.flat)).reshape(6, 4)),
        "reshape of transposed": (f.reshape(f.transpose(n), (24,)), y.flatten(order="F")),
        "permute_dims": (f.permute_dims(n, (1, 2, 0)), np.einsum("abc->bca", y)),
        "transpose": (f.transpose(n), np.einsum("abc->cba", y)),
        "broadcast_to": (f.broadcast_to(n, (2, 4, 3, 2)), np.stack([y, y])),
        "broadcast and use": (f.broadcast_to(n, (2, 4, 3, 2)) * 2.0, np.stack([y, y]) * 2),
        "leading one": (f.expand_dims(n, axis=0) + 1.0, y[None] + 1),
        "inner one": (f.expand_dims(n, axis=2), y[:, :, None]),
        "concat": (f.concat([n, n * 2.0, n], axis=1), np.hstack([y, 2 * y, y])),
        "slice": (n[1:3, ::2], y[[1, 2]][:, [0, 2]]),
        "slice backwards": (n[::-1, 2:0:-1], y[[3, 2, 1, 0]][:, [2, 1]]),
        "slice and drop": (n[2, :, 1], y.transpose(0, 2, 1).reshape(8, 3)[5]),
        "element": (n[1, 2, 0], y.flat[10]),
        "take": (f.take(n, [2, 0, 2], axis=1), np.stack([y[:, 2], y[:, 0], y[:, 2]], axis=1)),
    }


def _adjoints(net: Builder, nodes: dict[str, Node], arrays: Arrays) -> Pairs:
    a, p, b, n = nodes["a"], nodes["p"], nodes["b"], nodes["n"]
    x, q, y, z = arrays["a"], arrays["p"], arrays["b"], arrays["n"]
    region = Region(((2, 0, -1), (0, 3, 2), (0, 2, 1)))
    placed = np.zeros((4, 3, 2))
    placed[2, [0, 2]], placed[1, [0, 2]] = z[0, [0, 2]], z[1, [0, 2]]
    added = np.stack([z[:, 1], np.zeros((4, 2)), z[:, 0] + z[:, 2], np.zeros((4, 2))], axis=1)
    (by_base,) = gradient(f.sum(p**b), [p])
    (by_exponent,) = gradient(f.sum(p**b), [b])
    (by_both,) = gradient(f.sum(by_base), [b])
    power = np.exp(y * np.log(q))
    largest = x == np.sort(x, axis=0)[-1:]
    wide = np.broadcast_shapes(x.shape, y.shape)
    return {
        "sum_to": (f.sum_to(n, (3, 1)), np.einsum("abc->b", z)[:, None]),
        "sum_to scalar": (f.sum_to(n, ()), np.einsum("abc->", z)),
        "place": (f.place(n[:2, ::2], region, (4, 3, 2)), placed),
        "scatter_add": (f.scatter_add(n, Taken((2, 0, 2), 1), (4, 4, 2)), added),
        "maximum_share": (f.maximum_share(a, b), (np.sign(x - y) + 1) / 2),
        "max_share": (f.max_share(a, (0,)), largest / np.count_nonzero(largest, 0, keepdims=True)),
        "by base": (by_base, _summed(power * y / q, q.shape)),
        "by exponent": (by_exponent, _summed(power * np.log(q), y.shape)),
        "by both": (by_both, _summed(power / q * (1 + y * np.log(q)), y.shape)),
        "constant": (net.constant(np.arange(3.0)), np.arange(3.0)),
        "broadcast constant": (f.broadcast_to(net.constant(2.0), wide), np.full(wide, 2.0)),
    }


def _summed(value: Any, shape: tuple[int, ...]) -> Any:
    while value.ndim > len(shape):
        value = value.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            value = value.sum(axis=axis, keepdims=True)
    return value
