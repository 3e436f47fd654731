"""What each adapter may refuse or do in its own way: a test that skips anything else fails."""

from __future__ import annotations

FLOAT32_ONLY = frozenset({"mlx", "mlx-network", "openvino"})
"""They refuse float64 networks."""

OPERATORS: dict[tuple[str, str], frozenset[str]] = {}
"""(evaluator, mode) -> names of outputs in `tests.evaluators.everything`."""

SCENARIOS: dict[str, frozenset[tuple[str, str]]] = {}
"""Evaluator -> (scenario, mode)."""

_EXTREMES = frozenset({"maximum", "minimum", "max", "max with axes"})
TIES: dict[str, frozenset[str]] = {
    "casadi": _EXTREMES,
    "mlx": _EXTREMES,
    "tensorflow": _EXTREMES,
}
"""Operators whose derivative at a tie an engine shares in its own way: all are subgradients."""

DEPTHS = {"openvino": 100, "pytensor-network": 50}
"""Of the deep chain, where 1,500 is out of reach: OpenVINO compiles 400 in 27 s, 200 in 3 s.

PyTensor makes one addition of the whole chain, which takes Numba 26 s to compile at 100 operands;
it takes fewer than 1,000.
"""

RECURSIVE: dict[str, type[Exception]] = {
    "pytensor": RecursionError,
}
"""Engines that recurse where our deep chain is lowered or compiled, and what they raise."""
