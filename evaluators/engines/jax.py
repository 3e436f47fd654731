"""JAX: traced to a jaxpr, compiled by XLA.

Two evaluators. `jax` differentiates by itself, with `jax.value_and_grad`; `jax-network` traces our
differentiated network.

lower: `jax.jit(f).trace(…).lower()`. Python runs once over the network with `jax.numpy`, JAX
    differentiates what it traced, and writes StableHLO.
compile: `.compile()`, which is XLA. Some of its work is left to the first call.
waited for: `jax.block_until_ready` on all results. They are then seen as NumPy arrays, which on a
    CPU share JAX's own read-only memory; only what JAX may have handed back as it was given is
    copied.
cached: nothing between two calls of `compile`: what is compiled ahead of time is in none of JAX's
    caches of functions, though traces of `jax.numpy`'s own functions are kept for the process. If
    JAX_COMPILATION_CACHE_DIR is set, XLA's results are kept on disk.

Weights and data are passed as lists of arrays. float64 needs JAX's process-wide `jax_enable_x64`,
which is switched on by the first network that has it; float32 networks stay float32 with it.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from evaluators.engine_profile import EngineProfile, EngineRow, summed
from evaluators.engines.adapter import Adapter, OfInputs, Operators
from evaluators.protocol import (
    Arrays,
    Data,
    Evaluator,
    Function,
    Weights,
)
from evaluators.strategies.kernels import falling_factorials, summed_axes
from networks import Network, Node, operators as op, topological_order
from networks.inference import FLOAT64
from networks.operators import Operator, Partial

_WARM_UP = 3
"""Calls before those that a profile is of."""
_NUMBER = re.compile(r"(\.\d+|\.clone)+$")
_STABLEHLO = re.compile(r"= \"?((?:stablehlo|chlo|mhlo|func)\.\w+|call)\b")
"""An operation with a result: those without one return from a function, or a part of it."""


class _Lowered(NamedTuple):
    """StableHLO, and how arguments and results go in and out."""

    stablehlo: Any
    weights: list[str]
    data: list[str]
    copied: list[bool]
    """For each result, whether it is an argument: JAX then hands back the memory it was given."""


class JaxNetwork(Adapter):
    """Our differentiated network, compiled by XLA."""

    name = "jax-network"
    distribution = "jax"

    def lower(self, network: Network, mode: str) -> _Lowered:
        """Trace the network, differentiate what was traced if asked to, and write StableHLO."""
        asked = self.asked(network, mode)
        if any(node.dtype is FLOAT64 for node in topological_order(asked.outputs)):
            jax.config.update("jax_enable_x64", True)
        evaluate = _OPERATORS.of_inputs(asked, lambda array: array)
        function = _differentiating(evaluate) if asked.is_differentiated else evaluate
        traced = jax.jit(function).trace(_abstract(asked.weights), _abstract(asked.data))
        jaxpr = traced.jaxpr.jaxpr
        arguments = set(map(id, jaxpr.invars))
        self._counters = {"engine_nodes": len(jaxpr.eqns)}
        return _Lowered(
            stablehlo=traced.lower(),
            weights=asked.weight_names,
            data=asked.data_names,
            copied=[id(variable) in arguments for variable in jaxpr.outvars],
        )

    def compile(self, lowered: _Lowered) -> Function:
        """Have XLA compile it."""
        return _calling(lowered.stablehlo.compile(), lowered)

    def profile(self, lowered: _Lowered, weights: Weights, data: Data, calls: int) -> EngineProfile:
        """HLO operations from JAX's profiler, which has XLA's own events on the CPU."""
        function = self.compile(lowered)
        for _ in range(_WARM_UP):
            function(weights, data)
        with TemporaryDirectory() as directory:
            with jax.profiler.trace(directory):
                for _ in range(calls):
                    function(weights, data)
            files = sorted(Path(directory).rglob("*.trace.json.gz"))
            events = [
                event
                for file in files
                for event in json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
            ]
        rows = summed(_operations(events), calls)
        remarks = [
            "operations are XLA's after fusion; nodes of a fusion are not told apart",
            "on the CPU XLA tells neither bytes nor floating-point operations here",
        ]
        if not rows:
            remarks.append(
                "this release wrote no event of an HLO operation on the CPU: XLA before its thunk "
                "runtime runs the whole function as one piece of machine code"
            )
        return EngineProfile(
            rows=rows,
            profiler=f"jax.profiler of JAX {self.version()}",
            remarks=remarks,
            graph=Counter(_STABLEHLO.findall(lowered.stablehlo.as_text())),
            graph_of="StableHLO operations",
        )


class Jax(JaxNetwork):
    """JAX's own gradient."""

    name = "jax"
    gradient_by = "native"


def _operations(events: list[Any]) -> Iterator[EngineRow]:
    """Each run of an HLO operation, named without its number."""
    for event in events:
        operation = event.get("args", {}).get("hlo_op")
        if event.get("ph") == "X" and operation:
            yield EngineRow(name=_NUMBER.sub("", operation), seconds=event["dur"] * 1e-6, calls=1)


def _differentiating(evaluate: OfInputs) -> OfInputs:
    def of_weights(weights: Sequence[Any], data: Sequence[Any]) -> Any:
        return evaluate(weights, data)[0]

    def function(weights: Sequence[Any], data: Sequence[Any]) -> list[Any]:
        value, derivatives = jax.value_and_grad(of_weights)(weights, data)
        return [value, *derivatives]

    return function


def _abstract(nodes: Sequence[Node]) -> list[Any]:
    return [jax.ShapeDtypeStruct(node.shape, node.dtype) for node in nodes]


def _calling(compiled: Any, lowered: _Lowered) -> Function:
    def function(weights: Weights, data: Data) -> Arrays:
        results = jax.block_until_ready(
            compiled(
                [weights[name] for name in lowered.weights], [data[name] for name in lowered.data]
            )
        )
        return [
            np.array(result) if copied else np.asarray(result)
            for result, copied in zip(results, lowered.copied, strict=True)
        ]

    return function


# Operators


def _sum_to(node: Node) -> Callable[..., Any]:
    axes = summed_axes(node).axes
    return lambda x: jnp.reshape(jnp.sum(x, axis=axes), node.shape)


def _abs(x: Any) -> Any:
    """With derivative 0 at 0, as our operator has it; that of `jnp.abs` is 1 there."""
    return x * jnp.sign(x)


def _maximum_share(x: Any, y: Any) -> Any:
    number = jnp.result_type(x, y).type
    return jnp.where(x > y, number(1), jnp.where(x == y, number(0.5), number(0)))


def _max_share(node: Node) -> Callable[..., Any]:
    axes = node.attributes.axes

    def max_share(x: Any) -> Any:
        largest = jnp.equal(x, jnp.max(x, axis=axes, keepdims=True)).astype(node.dtype)
        return largest / jnp.sum(largest, axis=axes, keepdims=True)

    return max_share


def _take(node: Node) -> Callable[..., Any]:
    indices = np.array(node.attributes.indices, np.int32)
    return lambda x: jnp.take(x, indices, axis=node.attributes.axis)


def _place(node: Node) -> Callable[..., Any]:
    slices = node.attributes.slices()

    def place(x: Any) -> Any:
        return jnp.zeros(node.shape, node.dtype).at[slices].set(x)

    return place


def _scatter_add(node: Node) -> Callable[..., Any]:
    indices, axis = node.attributes
    index = (slice(None),) * axis + (np.array(indices, np.int32),)

    def scatter_add(x: Any) -> Any:
        return jnp.zeros(node.shape, node.dtype).at[index].add(x)

    return scatter_add


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _pow_partial(order: Partial, base: Any, exponent: Any) -> Any:
    """As `evaluators.strategies.kernels.pow_partial`; differentiating it gives the next order."""
    log = jnp.log(jnp.where(base == 0, 1, base))
    power = jnp.power(base, exponent - order.base)
    total: Any = 0
    for k, coefficients in enumerate(falling_factorials(order)):
        factor = jnp.polyval(jnp.array(coefficients[::-1] or [0], exponent.dtype), exponent)
        term = jnp.where(factor == 0, 0, factor * power)
        total = total + term * log ** (order.exponent - k)
    return total


@_pow_partial.defjvp
def _pow_partial_jvp(order: Partial, primals: Any, tangents: Any) -> Any:
    by_base = _pow_partial(Partial(order.base + 1, order.exponent), *primals)
    by_exponent = _pow_partial(Partial(order.base, order.exponent + 1), *primals)
    return _pow_partial(order, *primals), tangents[0] * by_base + tangents[1] * by_exponent


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: jnp.add,
    op.SUBTRACT: jnp.subtract,
    op.MULTIPLY: jnp.multiply,
    op.DIVIDE: jnp.divide,
    op.POW: jnp.power,
    op.MAXIMUM: jnp.maximum,
    op.MINIMUM: jnp.minimum,
    op.NEGATIVE: jnp.negative,
    op.EXP: jnp.exp,
    op.EXPM1: jnp.expm1,
    op.LOG: jnp.log,
    op.LOG1P: jnp.log1p,
    op.SQRT: jnp.sqrt,
    op.SIN: jnp.sin,
    op.COS: jnp.cos,
    op.TANH: jnp.tanh,
    op.LOGISTIC: jax.nn.sigmoid,
    op.ABS: _abs,
    op.SIGN: jnp.sign,
    op.LESS: jnp.less,
    op.LESS_EQUAL: jnp.less_equal,
    op.GREATER: jnp.greater,
    op.GREATER_EQUAL: jnp.greater_equal,
    op.EQUAL: jnp.equal,
    op.NOT_EQUAL: jnp.not_equal,
    op.WHERE: jnp.where,
    op.MATMUL: jnp.matmul,
    op.MAXIMUM_SHARE: _maximum_share,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: lambda x: x.astype(node.dtype),
    op.SUM: lambda node: partial(
        jnp.sum, axis=node.attributes.axes, keepdims=node.attributes.keepdims
    ),
    op.MEAN: lambda node: partial(
        jnp.mean, axis=node.attributes.axes, keepdims=node.attributes.keepdims
    ),
    op.MAX: lambda node: partial(
        jnp.max, axis=node.attributes.axes, keepdims=node.attributes.keepdims
    ),
    op.RESHAPE: lambda node: lambda x: jnp.reshape(x, node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: jnp.transpose(x, node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: jnp.broadcast_to(x, node.shape),
    op.CONCAT: lambda node: lambda *xs: jnp.concatenate(xs, node.attributes.axis),
    op.SLICE: lambda node: lambda x: x[node.attributes.slices()],
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
    op.MAX_SHARE: _max_share,
    op.POW_PARTIAL: lambda node: partial(_pow_partial, node.attributes),
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (Jax(), JaxNetwork())
