"""What hypothesis draws for the laws of this package: one case for each operator, and networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
from hypothesis import settings, strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, mutually_broadcastable_shapes

from networks import Builder, Network, NetworkError, Node, functions as f, operators as op
from networks.inference import Shape
from networks.operators import Partial, Region, Taken

LAW = settings(derandomize=True, deadline=None, max_examples=20)
"""The same cases in every run, and no limit of time for one: a slow machine fails nothing."""

SHAPES = array_shapes(min_dims=0, max_dims=3, max_side=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An operator applied to weights.

    Attributes
    ----------
    shapes: of the weights.
    apply: from the weights to the operator's result.
    signed: whether operands may be negative as well.
    step: of finite differences, far below the distance of any two drawn values.
    tolerance: of finite differences, relative.
    """

    shapes: tuple[Shape, ...]
    apply: Callable[..., Node]
    signed: bool = True
    step: float = 1e-3
    tolerance: float = 1e-7


def drawn_values(rng: np.random.Generator, shapes: tuple[Shape, ...], *, signed: bool) -> list[Any]:
    """Arrays whose elements all differ in magnitude, by 30 steps or more, and are far from zero.

    So no kink of abs, maximum, max or a comparison lies within reach of a finite difference.
    """
    sizes = [math.prod(shape) for shape in shapes]
    count = max(sum(sizes), 1)
    magnitudes = 0.5 + 2.0 * (rng.permutation(count) + rng.uniform(0.2, 0.8)) / count
    signs = rng.choice([-1.0, 1.0], count) if signed else np.ones(count)
    parts = np.split(magnitudes * signs, np.cumsum(sizes)[:-1])
    return [
        part[:size].reshape(shape) for part, size, shape in zip(parts, sizes, shapes, strict=True)
    ]


def _unary(function: Callable[[Node], Node], *, signed: bool = True) -> st.SearchStrategy[Case]:
    return SHAPES.map(lambda shape: Case(shapes=(shape,), apply=function, signed=signed))


def _broadcast(count: int) -> st.SearchStrategy[tuple[Shape, ...]]:
    return mutually_broadcastable_shapes(num_shapes=count, max_dims=3, max_side=3).map(
        lambda drawn: tuple(drawn.input_shapes)
    )


def _binary(
    function: Callable[[Node, Node], Node], *, signed: bool = True
) -> st.SearchStrategy[Case]:
    return _broadcast(2).map(lambda shapes: Case(shapes=shapes, apply=function, signed=signed))


def _comparison(function: Callable[[Node, Node], Node]) -> st.SearchStrategy[Case]:
    return _binary(lambda a, b: f.where(function(a, b), a * b, b))


@st.composite
def _wheres(draw: st.DrawFn) -> Case:
    condition, first, second = draw(_broadcast(3))
    values = draw(st.randoms(use_true_random=False))
    truth = np.array([values.random() < 0.5 for _ in range(math.prod(condition))]).astype(bool)

    def apply(a: Node, b: Node) -> Node:
        return f.where(Builder().constant(truth.reshape(condition), dtype="bool"), a, b)

    return Case(shapes=(first, second), apply=apply)


@st.composite
def _reductions(draw: st.DrawFn, function: Callable[..., Node]) -> Case:
    shape = draw(SHAPES)
    axes = st.sets(st.integers(-len(shape), -1)) if shape else st.just(set())
    axis = draw(st.one_of(st.none(), axes.map(tuple)))
    keepdims = draw(st.booleans())
    return Case(shapes=(shape,), apply=lambda x: function(x, axis=axis, keepdims=keepdims))


@st.composite
def matmul_shapes(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Two shapes whose matrix product exists: vectors, matrices, and batches that broadcast."""
    rows, inner, columns = (draw(st.integers(1, 3)) for _ in range(3))
    left_batch, right_batch = draw(
        mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=2)
    ).input_shapes
    left = draw(st.sampled_from([(inner,), (rows, inner), (*left_batch, rows, inner)]))
    right = draw(st.sampled_from([(inner,), (inner, columns), (*right_batch, inner, columns)]))
    return left, right


@st.composite
def _reshapes(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    wanted = draw(st.permutations(shape)) if draw(st.booleans()) else (-1,)
    return Case(shapes=(shape,), apply=lambda x: f.reshape(x, wanted))


@st.composite
def _permutations(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    axes = draw(st.permutations(range(len(shape))))
    return Case(shapes=(shape,), apply=lambda x: f.permute_dims(x, axes))


@st.composite
def _broadcasts(draw: st.DrawFn) -> tuple[Shape, Shape]:
    shape, other = draw(_broadcast(2))
    return shape, np.broadcast_shapes(shape, other)


@st.composite
def _concats(draw: st.DrawFn) -> Case:
    shape = draw(array_shapes(min_dims=1, max_dims=3, max_side=3))
    axis = draw(st.integers(-len(shape), len(shape) - 1))
    sizes = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    at = axis % len(shape)
    shapes = tuple((*shape[:at], size, *shape[at + 1 :]) for size in sizes)
    return Case(shapes=shapes, apply=lambda *xs: f.concat(xs, axis=axis))


@st.composite
def indexed(draw: st.DrawFn) -> tuple[Shape, Any]:
    """A shape, and a basic index of it with slices, integers, None and an ellipsis."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
    return shape, draw(basic_indices(shape, allow_newaxis=True))


@st.composite
def _regions(draw: st.DrawFn) -> tuple[Shape, Region, Shape]:
    """A shape, a region of it, and the region's own shape."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, max_side=4))
    index = tuple(draw(st.slices(size)) for size in shape)
    whole = Builder().data("x", shape)
    part = whole[index]
    if part is whole:
        return shape, Region(tuple((0, size, 1) for size in shape)), shape
    return shape, part.attributes, part.shape


@st.composite
def _taken(draw: st.DrawFn) -> tuple[Shape, Taken, Shape]:
    """A shape, indices along an axis, and the shape of what they take."""
    shape = draw(array_shapes(min_dims=1, max_dims=3, max_side=3))
    axis = draw(st.integers(0, len(shape) - 1))
    indices = draw(st.lists(st.integers(0, shape[axis] - 1), max_size=4))
    return shape, Taken(tuple(indices), axis), (*shape[:axis], len(indices), *shape[axis + 1 :])


@st.composite
def _max_shares(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    axes = tuple(sorted(draw(st.sets(st.integers(0, len(shape) - 1))))) if shape else ()
    return Case(shapes=(shape,), apply=lambda x: x * f.max_share(x, axes))


@st.composite
def _pow_partials(draw: st.DrawFn) -> Case:
    partial = Partial(draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    shapes = draw(_broadcast(2))
    # Third derivatives of x**y by finite differences are the least exact here.
    return Case(
        shapes=shapes, apply=lambda a, b: f.pow_partial(a**b, partial), signed=False, tolerance=1e-6
    )


@st.composite
def _pows(draw: st.DrawFn) -> Case:
    """A power with a weight or a constant as its exponent."""
    shapes = draw(_broadcast(2))
    if draw(st.booleans()):
        return Case(shapes=shapes, apply=f.pow, signed=False, tolerance=1e-6)
    choices = draw(st.sampled_from([(2,), (0, 1, 2, 3), (-1, 0.5, 1), (3,), (-2,)]))
    exponent = np.resize(np.array(choices, float), shapes[1])
    whole = all(float(each).is_integer() for each in choices)
    return Case(shapes=shapes[:1], apply=lambda x: f.pow(x, exponent), signed=whole, tolerance=1e-6)


CASES: dict[op.Operator, st.SearchStrategy[Case]] = {
    op.ADD: _binary(f.add),
    op.SUBTRACT: _binary(f.subtract),
    op.MULTIPLY: _binary(f.multiply),
    op.DIVIDE: _binary(f.divide),
    op.POW: _pows(),
    op.MAXIMUM: _binary(f.maximum),
    op.MINIMUM: _binary(f.minimum),
    op.NEGATIVE: _unary(f.negative),
    op.EXP: _unary(f.exp),
    op.EXPM1: _unary(f.expm1),
    op.LOG: _unary(f.log, signed=False),
    op.LOG1P: _unary(f.log1p, signed=False),
    op.SQRT: _unary(f.sqrt, signed=False),
    op.SIN: _unary(f.sin),
    op.COS: _unary(f.cos),
    op.TANH: _unary(f.tanh),
    op.LOGISTIC: _unary(f.logistic),
    op.ABS: _unary(f.abs),
    op.SIGN: _unary(lambda x: x * f.sign(x)),
    # Linear, so that the step may be large against what float32 rounds off.
    op.ASTYPE: SHAPES.map(
        lambda shape: Case(
            shapes=(shape,), apply=lambda x: f.astype(x, "float32"), step=2e-3, tolerance=1e-3
        )
    ),
    op.LESS: _comparison(f.less),
    op.LESS_EQUAL: _comparison(f.less_equal),
    op.GREATER: _comparison(f.greater),
    op.GREATER_EQUAL: _comparison(f.greater_equal),
    op.EQUAL: _comparison(f.equal),
    op.NOT_EQUAL: _comparison(f.not_equal),
    op.WHERE: _wheres(),
    op.SUM: _reductions(f.sum),
    op.MEAN: _reductions(f.mean),
    op.MAX: _reductions(f.max),
    op.MATMUL: matmul_shapes().map(lambda shapes: Case(shapes=shapes, apply=f.matmul)),
    op.RESHAPE: _reshapes(),
    op.PERMUTE_DIMS: _permutations(),
    op.BROADCAST_TO: _broadcasts().map(
        lambda drawn: Case(shapes=drawn[:1], apply=lambda x: f.broadcast_to(x, drawn[1]))
    ),
    op.CONCAT: _concats(),
    op.SLICE: indexed().map(lambda drawn: Case(shapes=(drawn[0],), apply=lambda x: x[drawn[1]])),
    op.TAKE: _taken().map(
        lambda drawn: Case(
            shapes=drawn[:1], apply=lambda x: f.take(x, drawn[1].indices, axis=drawn[1].axis)
        )
    ),
    op.SUM_TO: _broadcasts().map(
        lambda drawn: Case(shapes=drawn[1:], apply=lambda x: f.sum_to(x, drawn[0]))
    ),
    op.PLACE: _regions().map(
        lambda drawn: Case(shapes=drawn[2:], apply=lambda x: f.place(x, drawn[1], drawn[0]))
    ),
    op.SCATTER_ADD: _taken().map(
        lambda drawn: Case(shapes=drawn[2:], apply=lambda x: f.scatter_add(x, drawn[1], drawn[0]))
    ),
    op.MAXIMUM_SHARE: _binary(lambda a, b: a * f.maximum_share(a, b)),
    op.MAX_SHARE: _max_shares(),
    op.POW_PARTIAL: _pow_partials(),
}

_UNARY = (
    f.negative, f.sin, f.cos, f.tanh, f.logistic, f.abs, f.sign, f.exp, f.expm1,
    lambda x: f.log(x * x + 1.0), lambda x: f.sqrt(f.abs(x) + 0.5), lambda x: f.log1p(f.abs(x)),
    lambda x: x**2, lambda x: x**3, f.softmax, f.logsumexp, f.transpose,
    lambda x: f.astype(x, "float64"), lambda x: f.astype(x, "float32"),
    lambda x: f.reshape(x, (-1,)), lambda x: f.expand_dims(x, axis=0), lambda x: x[..., ::-1],
    lambda x: x[None, ..., 0], lambda x: x[1:], lambda x: f.take(x, [0, 0], axis=-1),
    lambda x: f.sum(x, axis=0), lambda x: f.mean(x, axis=-1, keepdims=True),
    lambda x: f.max(x, axis=0), f.sum, f.max, f.mean,
    lambda x: f.broadcast_to(x, (2, *x.shape)), lambda x: x * 1.0, lambda x: x - 0.0,
    lambda x: f.where(x > 0.25, x, 0.5), lambda x: f.stack([x, x, x]),
)  # fmt: skip

_BINARY = (
    f.add, f.subtract, f.multiply, f.divide, f.maximum, f.minimum, f.matmul,
    lambda a, b: f.abs(a) ** b, lambda a, b: f.where(a < b, a, b), lambda a, b: f.concat([a, b]),
)  # fmt: skip

_LARGEST = 64
"""Elements of a node of a random network, so that evaluating it takes no time."""


def random_network(
    rng: Random, *, nodes: int = 40, cache: str = "none", dtype: str = "float64"
) -> Network:
    """A network of all kinds of operators, of about that many nodes, with values, kinks and all.

    What does not fit is drawn again.
    """
    net = Builder(dtype=dtype, cache=cache)
    pool = [net.weight("a", (2, 3)), net.weight("b", (3,)), net.weight("c"), net.data("x", (2, 3))]
    pool += [net.data("y", (3, 2)), net.constant(0.5), net.constant([1.0, -0.0, 2.0])]
    while len(pool) < nodes:
        recent = pool[-8:] if rng.random() < 0.7 else pool
        try:
            if rng.random() < 0.5:
                node = rng.choice(_UNARY)(rng.choice(recent))
            else:
                node = rng.choice(_BINARY)(rng.choice(recent), rng.choice(pool))
        except NetworkError:
            continue
        if 0 < node.size <= _LARGEST and node.dtype.kind == "f":
            pool.append(node)
    net.output(pool[-1])
    net.output(pool[-2])
    net.loss(f.sum(pool[-1]) + f.sum(f.astype(pool[-3], "float32")))
    return net.network()


def random_inputs(network: Network, seed: int = 0) -> dict[str, Any]:
    """Normal values for every input."""
    rng = np.random.default_rng(seed)
    return {
        node.attributes: rng.standard_normal(node.shape).astype(node.dtype)
        for node in (*network.weights, *network.data)
    }
