"""A node of a network, and the functions that make one.

A node is immutable by convention, refers to its operands, and is referred to by nobody but its
users: dropping the last one frees the whole network, without recursion at any depth (CPython's
trashcan unwinds it) and without the cyclic collector (there are no cycles).
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from networks import inference, operators
from networks.errors import NetworkError
from networks.inference import BOOL, Mismatch, Shape
from networks.operators import CONSTANT, Operator, Region

if TYPE_CHECKING:
    from networks.caches import Cache

Operand: TypeAlias = "Node | bool | int | float | np.ndarray[Any, Any] | np.generic"


class Node:
    """One value of a network: an operator applied to operands.

    Attributes
    ----------
    operator: what is applied.
    operands: the nodes it is applied to.
    attributes: what else the operator needs (see `networks.operators`); the name of an input;
        the read-only array of a constant; otherwise None.
    shape: sizes of the axes; () for a scalar.
    dtype: float32, float64 or bool.
    """

    __slots__ = ("__weakref__", "attributes", "cache", "dtype", "operands", "operator", "shape")
    operator: Operator
    operands: tuple[Node, ...]
    attributes: Any
    shape: Shape
    dtype: np.dtype
    cache: Cache | None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def T(self) -> Node:  # noqa: N802 - the array API's name
        """Transpose of a matrix."""
        if len(self.shape) != 2:
            raise NetworkError(f"T: shape {self.shape} is no matrix; use matrix_transpose()")
        return self.mT

    @property
    def mT(self) -> Node:  # noqa: N802 - the array API's name
        """The last two axes exchanged."""
        from networks import functions  # noqa: PLC0415 - functions are made of nodes

        return functions.matrix_transpose(self)

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        """The functions on nodes, as the array API standard asks."""
        from networks import functions  # noqa: PLC0415 - functions are made of nodes

        return functions

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Node:
        """NumPy's own functions on nodes, so that `array * node` and `np.tanh(node)` work."""
        function = getattr(
            self.__array_namespace__(), _NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__), None
        )
        if method != "__call__" or options or function is None:
            raise NetworkError(f"numpy.{ufunc.__name__} has no counterpart for nodes")
        return function(*inputs)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        name = f" {self.attributes!r}" if isinstance(self.attributes, str) else ""
        return f"<{self.operator.name}{name} {self.dtype.name}{list(self.shape)}>"

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise NetworkError(
            f"{self!r} has no value while the network is built, so it cannot decide a branch; "
            "use where()"
        )

    def __add__(self, other: Operand) -> Node:
        return binary(operators.ADD, self, other)

    def __radd__(self, other: Operand) -> Node:
        return binary(operators.ADD, other, self)

    def __sub__(self, other: Operand) -> Node:
        return binary(operators.SUBTRACT, self, other)

    def __rsub__(self, other: Operand) -> Node:
        return binary(operators.SUBTRACT, other, self)

    def __mul__(self, other: Operand) -> Node:
        return binary(operators.MULTIPLY, self, other)

    def __rmul__(self, other: Operand) -> Node:
        return binary(operators.MULTIPLY, other, self)

    def __truediv__(self, other: Operand) -> Node:
        return binary(operators.DIVIDE, self, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return binary(operators.DIVIDE, other, self)

    def __pow__(self, other: Operand) -> Node:
        return binary(operators.POW, self, other)

    def __rpow__(self, other: Operand) -> Node:
        return binary(operators.POW, other, self)

    def __matmul__(self, other: Operand) -> Node:
        return matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Node:
        return matmul(other, self)

    def __neg__(self) -> Node:
        return unary(operators.NEGATIVE, self)

    def __abs__(self) -> Node:
        return unary(operators.ABS, self)

    def __lt__(self, other: Operand) -> Node:
        return compare(operators.LESS, self, other)

    def __le__(self, other: Operand) -> Node:
        return compare(operators.LESS_EQUAL, self, other)

    def __gt__(self, other: Operand) -> Node:
        return compare(operators.GREATER, self, other)

    def __ge__(self, other: Operand) -> Node:
        return compare(operators.GREATER_EQUAL, self, other)

    def __eq__(self, other: Operand) -> Node:  # type: ignore[override]
        # Containers still work: they compare identity first, and no two living nodes share a hash.
        return compare(operators.EQUAL, self, other)

    def __ne__(self, other: Operand) -> Node:  # type: ignore[override]
        return compare(operators.NOT_EQUAL, self, other)

    def __getitem__(self, index: Any) -> Node:
        return subscript(self, index)

    def __iter__(self) -> Any:
        # Without this, Python would walk __getitem__ and never end on a scalar.
        if not self.shape:
            raise NetworkError(f"{self!r} is a scalar and cannot be iterated over")
        return (self[position] for position in range(self.shape[0]))

    def __len__(self) -> int:
        if not self.shape:
            raise NetworkError(f"{self!r} is a scalar and has no length")
        return self.shape[0]


_NUMPY_NAMES = {"power": "pow", "true_divide": "divide", "absolute": "abs"}


def new_node(
    operator: Operator,
    operands: tuple[Node, ...],
    attributes: Any,
    shape: Shape,
    dtype: np.dtype,
    cache: Cache | None,
) -> Node:
    """A node that no cache knows.

    Not `Node.__init__`, which Python 3.11 calls by a detour that doubles the time.
    """
    node = Node()
    node.operator = operator
    node.operands = operands
    node.attributes = attributes
    node.shape = shape
    node.dtype = dtype
    node.cache = cache
    return node


def make(
    operator: Operator,
    operands: tuple[Node, ...],
    attributes: Any,
    shape: Shape,
    dtype: np.dtype,
    cache: Cache | None,
    *,
    key: Hashable = None,
) -> Node:
    """A node whose shape and dtype are known to be right; the cached one if there is one.

    The key is what tells it from others of its operator: all the rest unless told otherwise.
    """
    if cache is None:
        return new_node(operator, operands, attributes, shape, dtype, None)
    if key is None:
        key = (operands, attributes, shape, dtype)
    node = cache.find(operator, key)
    if node is None:
        node = new_node(operator, operands, attributes, shape, dtype, cache)
        cache.store(operator, key, node)
    return node


def elementwise(operator: Operator, operands: tuple[Node, ...], like: Node) -> Node:
    """`make` for a node of `like`'s shape and dtype, which is told from others by its operands.

    Most nodes are made here, so it repeats `make` and `new_node` rather than calling them.
    """
    cache = like.cache
    if cache is not None:
        known = cache.find(operator, operands)
        if known is not None:
            return known
    node = Node()
    node.operator = operator
    node.operands = operands
    node.attributes = None
    node.shape = like.shape
    node.dtype = like.dtype
    node.cache = cache
    if cache is not None:
        cache.store(operator, operands, node)
    return node


def constant(value: Any, dtype: np.dtype, cache: Cache | None) -> Node:
    """A constant node; its array is a private, read-only copy."""
    try:
        if np.iscomplexobj(value):
            raise TypeError("complex numbers have no place here")
        array = np.array(value, dtype=dtype, order="C")
    except (TypeError, ValueError) as error:
        raise NetworkError(
            f"constant: {value!r} is no {dtype.name} array ({error}); "
            "give a number or an array of numbers"
        ) from None
    array.flags.writeable = False
    # The bytes tell 0.0 from -0.0, which compare equal and are not the same constant.
    key = None if cache is None else (array.tobytes(), array.shape, dtype)
    return make(CONSTANT, (), array, array.shape, dtype, cache, key=key)


def as_node(value: Operand, like: Node) -> Node:
    """The value itself if it is a node, otherwise a constant of `like`'s dtype.

    Numbers and arrays are weak: they take the node's dtype, and only bool arrays stay bool.
    """
    if isinstance(value, Node):
        return value
    if not isinstance(value, (bool, int, float, np.ndarray, np.generic, list, tuple)):
        raise NetworkError(
            f"found {value!r} of type {type(value).__name__} where a node, a number or a numpy "
            "array was expected"
        )
    is_bool = isinstance(value, bool) or getattr(value, "dtype", None) == BOOL
    if like.dtype is BOOL and not is_bool:
        raise NetworkError(f"found {value!r} beside {like!r}; use where(), or astype() first")
    return constant(value, BOOL if is_bool else like.dtype, like.cache)


def _pair(operator: Operator, left: Operand, right: Operand) -> tuple[Node, Node]:
    """Both operands as nodes; at least one of them must be a node already."""
    if isinstance(left, Node):
        return left, as_node(right, left)
    if isinstance(right, Node):
        return as_node(left, right), right
    raise NetworkError(
        f"{operator.name}: neither operand is a node (found {type(left).__name__} and "
        f"{type(right).__name__}); start from net.weight(), net.data() or net.constant()"
    )


def binary(operator: Operator, left: Operand, right: Operand) -> Node:
    """An elementwise operation on two numbers, with broadcasting and promotion."""
    # The usual case first and in one expression: this is the loop that builds networks.
    if (
        type(left) is Node
        and type(right) is Node
        and (left.shape is right.shape or left.shape == right.shape)
        and left.dtype is right.dtype
        and left.dtype is not BOOL
    ):
        return elementwise(operator, (left, right), left)
    left, right = _pair(operator, left, right)
    try:
        shape = inference.broadcast(left.shape, right.shape)
        dtype = inference.promote(left.dtype, right.dtype)
    except Mismatch as mismatch:
        raise refusal(operator, (left, right), mismatch) from None
    operands = (left, right)
    return make(operator, operands, None, shape, dtype, left.cache, key=operands)


def unary(operator: Operator, operand: Node) -> Node:
    """An elementwise operation on one number."""
    if type(operand) is not Node or operand.dtype is BOOL:
        expect_node(operator, operand)
        raise refusal(operator, (operand,), "bool is no number; use astype() first")
    return elementwise(operator, (operand,), operand)


def compare(operator: Operator, left: Operand, right: Operand) -> Node:
    """An elementwise comparison; the result is bool."""
    left, right = _pair(operator, left, right)
    try:
        shape = inference.broadcast(left.shape, right.shape)
        if left.dtype is not right.dtype or operator not in (operators.EQUAL, operators.NOT_EQUAL):
            inference.promote(left.dtype, right.dtype)
    except Mismatch as mismatch:
        raise refusal(operator, (left, right), mismatch) from None
    return make(operator, (left, right), None, shape, BOOL, left.cache)


def matmul(left: Operand, right: Operand) -> Node:
    """Matrix product; vectors and batches as in the array API."""
    left, right = _pair(operators.MATMUL, left, right)
    try:
        shape = inference.contracted(left.shape, right.shape)
        dtype = inference.promote(left.dtype, right.dtype)
    except Mismatch as mismatch:
        raise refusal(operators.MATMUL, (left, right), mismatch) from None
    if left.ndim == 1 and right.ndim > 2:
        # As matrices, so that no rule of differentiation needs more than four nodes.
        row = reshape(left, (1, *left.shape))
        return reshape(matmul(row, right), shape)
    return make(operators.MATMUL, (left, right), None, shape, dtype, left.cache)


def reshape(operand: Node, shape: Shape) -> Node:
    """The same elements in C order under another shape; the operand itself if nothing changes."""
    if operand.shape == shape:
        return operand
    return make(operators.RESHAPE, (operand,), None, shape, operand.dtype, operand.cache)


def subscript(operand: Node, index: Any) -> Node:
    """Basic indexing: integers, slices, an ellipsis and None, as in NumPy."""
    entries = list(index) if isinstance(index, tuple) else [index]
    taken = sum(1 for each in entries if each is not None and each is not Ellipsis)
    if sum(1 for each in entries if each is Ellipsis) > 1 or taken > operand.ndim:
        raise NetworkError(f"slice: {index!r} has too many entries for shape {operand.shape}")
    if not any(each is Ellipsis for each in entries):
        entries.append(Ellipsis)
    at = next(place for place, each in enumerate(entries) if each is Ellipsis)
    entries[at : at + 1] = [slice(None)] * (operand.ndim - taken)

    ranges: list[tuple[int, int | None, int]] = []
    part: list[int] = []
    kept: list[int] = []
    for entry in entries:
        if entry is None:
            kept.append(1)
            continue
        positions = _positions(operand, entry, operand.shape[len(ranges)])
        ranges.append(_range(positions))
        part.append(len(positions))
        if isinstance(entry, slice):
            kept.append(len(positions))
    whole = all(each == (0, size, 1) for each, size in zip(ranges, operand.shape, strict=True))
    if whole:
        sliced = operand
    else:
        region, shape = Region(tuple(ranges)), tuple(part)
        sliced = make(operators.SLICE, (operand,), region, shape, operand.dtype, operand.cache)
    return reshape(sliced, tuple(kept))


def _range(positions: range) -> tuple[int, int | None, int]:
    """The slice of those positions, each of which is an index of its axis."""
    if not positions:
        return 0, 0, 1
    return positions.start, None if positions.stop < 0 else positions.stop, positions.step


def _positions(operand: Node, entry: Any, size: int) -> range:
    """What one index entry takes of an axis of that size."""
    if isinstance(entry, slice):
        try:
            return range(size)[entry]
        except (TypeError, ValueError) as error:
            raise NetworkError(f"slice: {entry!r} of shape {operand.shape}: {error}") from None
    if isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
        if not -size <= entry < size:
            raise NetworkError(
                f"slice: index {entry} is outside an axis of size {size} of shape {operand.shape}"
            )
        position = int(entry) % size
        return range(position, position + 1)
    raise NetworkError(
        f"slice: found {entry!r} of type {type(entry).__name__} in an index; expected an integer, "
        "a slice, an ellipsis or None. For an array of positions use take()"
    )


def refusal(operator: Operator, operands: tuple[Node, ...], reason: object) -> NetworkError:
    """The error that names operator, operands and why they do not fit."""
    found = " and ".join(f"{each.dtype.name}{list(each.shape)}" for each in operands)
    return NetworkError(f"{operator.name} of {found}: {reason}")


def expect_node(operator: Operator, operand: object) -> None:
    """Raise `NetworkError` if the operand is something else than a node."""
    if not isinstance(operand, Node):
        raise NetworkError(
            f"{operator.name}: found {type(operand).__name__} where a node was expected; start "
            "from net.weight(), net.data() or net.constant()"
        )
