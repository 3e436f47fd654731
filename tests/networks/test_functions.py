"""Names, shapes, dtypes and values of operations, against numpy and the array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from networks import Builder, Network, NetworkError, Node, functions as f
from networks.inference import Shape
from tests.networks.drawing import LAW, indexed, matmul_shapes
from tests.networks.walker import Array, evaluate

FLOATS = st.sampled_from(["float32", "float64"])
SHAPES = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)

ONE_OPERAND = [
    "abs", "cos", "exp", "expm1", "log", "log1p", "negative", "sign", "sin", "sqrt", "square",
    "tanh",
]  # fmt: skip
TWO_OPERANDS = ["add", "subtract", "multiply", "divide", "pow", "maximum", "minimum"]
COMPARISONS = ["less", "less_equal", "greater", "greater_equal", "equal", "not_equal"]
NUMPY_1_NAMES = {"pow": "power", "concat": "concatenate", "permute_dims": "transpose"}


def _numpy(name: str) -> Callable[..., Any]:
    """The function of that name in numpy, which has the standard's names from 2.0 on."""
    return getattr(np, NUMPY_1_NAMES.get(name, name))  # type: ignore[no-any-return]


def _input(rng: np.random.Generator, shape: Shape, dtype: str) -> Array:
    return rng.uniform(0.5, 2.0, shape).astype(dtype)


def _agree(apply: Callable[..., Node], expected: Callable[..., Any], *inputs: Array) -> None:
    """The node promises the shape and dtype of numpy's result, and has its value."""
    net = Builder()
    nodes = [net.data(f"x{i}", x.shape, dtype=x.dtype.name) for i, x in enumerate(inputs)]
    result = apply(*nodes)
    values = {node.attributes: x for node, x in zip(nodes, inputs, strict=True)}
    (found,) = evaluate(Network(weights=(), data=nodes, outputs=[result]), values)
    with np.errstate(all="ignore"):
        wanted = np.asarray(expected(*inputs))
    assert (result.shape, result.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ONE_OPERAND)
@LAW
@given(shape=SHAPES, dtype=FLOATS)
def test_functions_of_one_operand_are_numpys(name: str, shape: Shape, dtype: str) -> None:
    """Shape, dtype and value are those of numpy's function of the same name."""
    _agree(getattr(f, name), _numpy(name), _input(np.random.default_rng(0), shape, dtype))


@pytest.mark.parametrize("name", TWO_OPERANDS + COMPARISONS)
@LAW
@given(
    shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
    dtypes=st.tuples(FLOATS, FLOATS),
)
def test_functions_of_two_operands_are_numpys(
    name: str, shapes: Any, dtypes: tuple[str, str]
) -> None:
    """Broadcasting and promotion give numpy's shape, dtype and value."""
    rng = np.random.default_rng(0)
    left, right = (
        _input(rng, shape, dtype) for shape, dtype in zip(shapes.input_shapes, dtypes, strict=True)
    )
    _agree(getattr(f, name), _numpy(name), left, right)


@LAW
@given(
    shapes=mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3),
    dtypes=st.tuples(FLOATS, FLOATS),
)
def test_where_is_numpys(shapes: Any, dtypes: tuple[str, str]) -> None:
    """Condition and branches broadcast against each other; the branches promote."""
    rng = np.random.default_rng(0)
    condition, first, second = shapes.input_shapes
    _agree(
        f.where,
        np.where,
        rng.random(condition) < 0.5,
        _input(rng, first, dtypes[0]),
        _input(rng, second, dtypes[1]),
    )


@LAW
@given(shapes=matmul_shapes(), dtypes=st.tuples(FLOATS, FLOATS))
def test_matmul_is_numpys(shapes: tuple[Shape, Shape], dtypes: tuple[str, str]) -> None:
    """Vectors, matrices and batches multiply to numpy's shape, dtype and value."""
    rng = np.random.default_rng(0)
    left, right = (
        rng.integers(-3, 3, shape).astype(dtype)
        for shape, dtype in zip(shapes, dtypes, strict=True)
    )
    _agree(f.matmul, np.matmul, left, right)


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min"])
@LAW
@given(data=st.data(), dtype=FLOATS)
def test_reductions_are_numpys(name: str, data: st.DataObject, dtype: str) -> None:
    """Any axes, counted from either end, kept or not, reduce to numpy's shape, dtype and value."""
    shape = data.draw(array_shapes(min_dims=0, max_dims=3, max_side=3))
    axes = st.sets(st.integers(0, len(shape) - 1)) if shape else st.just(set())
    axis = data.draw(
        st.one_of(
            st.none(),
            axes.map(tuple),
            *([st.integers(-len(shape), len(shape) - 1)] if shape else []),
        )
    )
    keepdims = data.draw(st.booleans())
    _agree(
        lambda x: getattr(f, name)(x, axis=axis, keepdims=keepdims),
        lambda x: getattr(np, name)(x, axis=axis, keepdims=keepdims),
        _input(np.random.default_rng(0), shape, dtype),
    )


@LAW
@given(indexed())
def test_basic_indexing_is_numpys(drawn: tuple[Shape, Any]) -> None:
    """Slices with any start, stop and step, integers, None and an ellipsis index as in numpy."""
    shape, index = drawn
    x = np.arange(np.prod(shape), dtype="float64").reshape(shape)
    _agree(lambda node: node[index], lambda array: array[index], x)


@pytest.mark.parametrize("index", [slice(-20, None, -1), slice(5, 2), slice(None, None, -1), ()])
def test_slices_that_leave_the_axis_are_numpys(index: Any) -> None:
    """A slice that starts before an axis, or takes nothing of it, takes what numpy takes."""
    _agree(lambda node: node[index], lambda array: array[index], np.arange(4.0))


@LAW
@given(data=st.data())
def test_movements_are_numpys(data: st.DataObject) -> None:
    """What only moves elements gives numpy's shape and elements."""
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, max_side=3))
    x = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    axes = data.draw(st.permutations(range(len(shape))))
    indices = data.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), max_size=4))
    wide = (2, *shape)
    _agree(lambda n: f.permute_dims(n, axes), lambda a: np.transpose(a, axes), x)
    _agree(
        lambda n: f.take(n, indices, axis=axis), lambda a: a.take(np.array(indices, int), axis), x
    )
    _agree(lambda n: f.expand_dims(n, axis=axis), lambda a: np.expand_dims(a, axis), x)
    _agree(lambda n: f.broadcast_to(n, wide), lambda a: np.broadcast_to(a, wide), x)
    _agree(lambda n: f.reshape(n, (-1, 1)), lambda a: a.reshape(-1, 1), x)
    _agree(lambda n: f.concat([n, n], axis=axis), lambda a: np.concatenate([a, a], axis), x)
    _agree(lambda n: f.stack([n, n], axis=axis), lambda a: np.stack([a, a], axis), x)
    _agree(f.transpose, np.transpose, x)
    _agree(lambda n: f.squeeze(n[None], 0), lambda a: a, x)
    if len(shape) > 1:
        _agree(f.matrix_transpose, lambda a: np.swapaxes(a, -1, -2), x)


@LAW
@given(data=st.data())
def test_compositions_are_what_they_say(data: st.DataObject) -> None:
    """logsumexp and softmax are their formulas, and large values do not overflow them."""
    shape = data.draw(array_shapes(min_dims=1, max_dims=3, max_side=3))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(0).uniform(-2, 2, shape)
    net = Builder(dtype="float64")
    node = net.data("x", shape)
    outputs = [f.logsumexp(node, axis=axis), f.softmax(node, axis=axis), f.logistic(node)]
    network = Network(weights=(), data=[node], outputs=outputs)
    near, far = evaluate(network, {"x": x}), evaluate(network, {"x": x + 1e4})

    np.testing.assert_allclose(near[0], np.log(np.exp(x).sum(axis)))
    np.testing.assert_allclose(near[1], np.exp(x) / np.exp(x).sum(axis, keepdims=True))
    np.testing.assert_allclose(near[2], 1 / (1 + np.exp(-x)))
    np.testing.assert_allclose(far[0], near[0] + 1e4)
    np.testing.assert_allclose(far[1], near[1], rtol=1e-9)


def test_operators_of_python_and_numpy_make_nodes() -> None:
    """Arithmetic with numbers and arrays on either side, and numpy's functions, make nodes."""
    array, value = np.array([0.5, 2.0]), np.array([3.0, 4.0])
    for apply in (
        lambda x: 2 * x + 1, lambda x: 1 - x / 2, lambda x: 2 / x - 1, lambda x: -x**2,
        lambda x: 2**x, lambda x: abs(x - 3.5), lambda x: array * x, lambda x: x - array,
        lambda x: array @ x, lambda x: x @ array, np.tanh, lambda x: np.float64(2) * x,
        lambda x: np.maximum(x, array), lambda x: x > 3.5, lambda x: array <= x,
        lambda x: x == 3, lambda x: x != array, lambda x: x >= 3, lambda x: x < 4,
        lambda x: np.power(x, 2.0),
    ):  # fmt: skip
        _agree(apply, apply, value)


def test_a_node_is_an_object_of_the_standard() -> None:
    """Its namespace is `functions`, whose names are those of the standard but for three."""
    node = Builder().data("x", (2, 3))

    assert node.__array_namespace__() is f
    assert set(f.__all__) - set(dir(np)) <= {"logistic", "logsumexp", "softmax"} | (
        set()
        if np.lib.NumpyVersion(np.__version__) >= "2.0.0"
        else {"concat", "permute_dims", "pow"}
    )
    assert (node.T.shape, node.mT.shape, node.ndim, node.size) == ((3, 2), (3, 2), 2, 6)
    assert len(node) == 2
    assert [row.shape for row in node] == [(3,), (3,)]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x + np.ones(4), r"add of float32\[2, 3\] and float32\[4\]: axes of 3 and 4"),
        (lambda x: x @ x, r"matmul of float32\[2, 3\] and float32\[2, 3\]: inner sizes 3 and 2"),
        (lambda x: x @ 2, r"matmul of .*: matmul takes no scalars"),
        (lambda x: f.sum(x, axis=2), r"sum of float32\[2, 3\]: axis 2 is outside"),
        (lambda x: f.sum(x, axis=(0, -2)), "sum of .* names an axis twice"),
        (lambda x: f.max(x[:0]), r"max of float32\[0, 3\]: no elements to reduce"),
        (lambda x: f.mean(x, axis=0.5), "mean of .*: axis 0.5 is no integer"),
        (lambda x: f.sum(x > 0), r"sum of bool\[2, 3\]: bool is no number"),
        (lambda x: f.exp(x > 0), r"exp of bool\[2, 3\]: bool is no number"),
        (lambda x: (x > 0) + x, "add of .*: bool is no number"),
        (lambda x: (x > 0) < (x > 1), "less of .*: bool is no number"),
        (lambda x: (x > 0) == 0.5, "found 0.5 beside .*; use where"),
        (lambda x: x + "a", "found 'a' of type str where a node, a number"),
        (lambda x: f.add(1, 2), "add: neither operand is a node"),
        (lambda x: f.tanh(1.0), "tanh: found float where a node was expected"),
        (lambda x: f.sum(1.0), "sum: found float where a node was expected"),
        (lambda x: f.reshape([1.0], (1,)), "reshape: found list where a node was expected"),
        (lambda x: f.reshape(x, (4, -1)), r"reshape of float32\[2, 3\]: 6 elements do not fill"),
        (lambda x: f.reshape(x, (-1, -1)), r"reshape of .*: \(-1, -1\) is no shape"),
        (lambda x: f.reshape(x, 6), "reshape of .*: 6 is no shape"),
        (lambda x: f.permute_dims(x, (0, 0)), "permute_dims of .*: axes .* are no permutation"),
        (lambda x: f.broadcast_to(x, (3, 3)), "broadcast_to of .*: does not broadcast"),
        (lambda x: f.broadcast_to(x[:1], (-1, 3)), "broadcast_to of .*: does not broadcast"),
        (lambda x: f.concat([x, x[0]]), "concat of .*: shapes differ outside axis 0"),
        (lambda x: f.concat([]), "concat: found .* expected one node or more"),
        (lambda x: f.take(x, [3], axis=1), "take of .*: an index is outside axis 1 of size 3"),
        (lambda x: f.take(x, [0.5]), "take: .* expected a list of integers"),
        (lambda x: f.squeeze(x, 0), "reshape of .*: axis 0 is not of size 1"),
        (lambda x: f.where(x, x, x), "where: .* expected a bool node"),
        (lambda x: f.where(x > 0, 1, 2), "where: neither branch is a node"),
        (lambda x: f.astype(x, "int8"), "astype: found dtype 'int8'"),
        (lambda x: x[2], "slice: index 2 is outside an axis of size 2"),
        (lambda x: x[0, 0, 0], "slice: .* too many entries"),
        (lambda x: x["a"], "slice: found 'a' of type str in an index"),
        (lambda x: x[::0], "slice: .* step cannot be zero"),
        (lambda x: x[0].T, r"T: shape \(3,\) is no matrix"),
        (lambda x: 1 if f.sum(x) else 0, "cannot decide a branch; use where"),
        (lambda x: list(f.sum(x)), "is a scalar and cannot be iterated over"),
        (lambda x: len(f.sum(x)), "is a scalar and has no length"),
        (lambda x: np.arctan(x + 0), "numpy.arctan has no counterpart"),
        (lambda x: np.sum(x + 0), "numpy.add has no counterpart"),
        (lambda x: x + 1j, "found 1j of type complex"),
    ],
)  # fmt: skip
def test_an_error_names_operator_shapes_and_the_callers_line(
    make: Callable[[Node], object], message: str
) -> None:
    """The message starts with the line of the scenario, then what was found and expected."""
    x = Builder().data("x", (2, 3))

    with pytest.raises(NetworkError, match=message) as caught:
        make(x)

    assert str(caught.value).startswith(f"{__file__}:{make.__code__.co_firstlineno}: ")
