"""Numba: our network as Python source of loops, compiled by LLVM.

Numba does not differentiate; it is given our differentiated network.

lower: source text, ours alone (`evaluators.engines.loop_source`): Numba has no graph to be given.
    Its own analysis of that source is part of `compile`.
compile: `numba.njit(signature)` of every function in it: Numba's type inference, then LLVM. With a
    signature nothing is left to the first call.
waited for: nothing; calls are synchronous. Inputs are copied into the workspace, which is allocated
    anew for each call, and results out of it.
cached: nothing; `cache=True`, which keeps machine code under NUMBA_CACHE_DIR, is not asked for.

Threads: the loops run on one. Products of matrices are `np.dot`, for which Numba takes the BLAS of
SciPy; it has as many as the harness fixed.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from evaluators.engines.adapter import Adapter, Traced
from evaluators.engines.decomposition import decomposed
from evaluators.engines.loop_source import INDICES, KNOWN, WORKSPACES, Loops, looped
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights
from networks import Network, operators as op

_NAMES: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("exp", "expm1", "log", "log1p", "sqrt")},
    **{name: getattr(math, name) for name in ("sin", "cos", "tanh", "fabs")},
    "float32": np.float32,
    "float64": np.float64,
    "dot": np.dot,
    "INFINITY": math.inf,
    "NAN": math.nan,
}
"""What the source calls."""

_TYPES = {f"{prefix}{name}": dtype for prefix in ("", "c") for dtype, name in WORKSPACES.items()}


class Numba(Adapter):
    """Loops in machine code."""

    name = "numba"
    distribution = "numba"

    def __init__(self) -> None:
        super().__init__()
        self._functions: list[Any] = []

    def lower(self, network: Network, mode: str) -> Traced:
        """The source."""
        asked = self.asked(network, mode)
        loops = looped(asked.inputs, decomposed(asked.outputs, KNOWN))
        self._counters = {"kernels": loops.count}
        return Traced(loops, asked)

    def compile(self, lowered: Traced) -> Function:
        """Every function of the source, for the one signature that it is called with."""
        loops: Loops = lowered.function
        signature = numba.void(*[_argument(name) for name in loops.arrays])
        self._functions = [_compiled(text, signature) for text in loops.functions]
        return _calling(self._functions, loops)

    def counters(self) -> dict[str, int]:
        """Loops, and signatures that were compiled beyond the one of each function."""
        again = sum(len(each.signatures) - 1 for each in self._functions)
        return {**self._counters, "recompilations": again}


def _argument(name: str) -> Any:
    element = numba.int64 if name == INDICES else numba.from_dtype(_TYPES[name])
    return numba.types.Array(element, 1, "C", readonly=False)


def _compiled(text: str, signature: Any) -> Any:
    namespace = dict(_NAMES)
    exec(compile(text, "<numba>", "exec"), namespace)  # noqa: S102 - our own source
    return numba.njit(signature, error_model="numpy")(namespace["part"])


def _calling(functions: list[Any], loops: Loops) -> Function:
    constants = list(loops.constants.values())
    workspaces = [(size, _TYPES[name]) for name, size in loops.sizes.items()]
    places = {name: place for place, name in enumerate(loops.sizes)}

    def located(node: Any, start: int) -> tuple[int, slice, tuple[int, ...]]:
        return places[WORKSPACES[node.dtype]], slice(start, start + node.size), node.shape

    inputs = [
        (node.attributes, node.operator is op.WEIGHT, *located(node, start))
        for node, start in loops.inputs
    ]
    outputs = [located(node, start) for node, start in loops.outputs]

    def calling(weights: Weights, data: Data) -> Arrays:
        arrays = [np.empty(size, dtype) for size, dtype in workspaces]
        for name, is_weight, place, part, shape in inputs:
            arrays[place][part].reshape(shape)[...] = (weights if is_weight else data)[name]
        for function in functions:
            function(*arrays, *constants)
        return [arrays[place][part].reshape(shape).copy() for place, part, shape in outputs]

    return calling


EVALUATORS: tuple[Evaluator, ...] = (Numba(),)
