"""What each adapter may refuse: a test that skips anything else fails."""

from __future__ import annotations

OPERATORS: dict[tuple[str, str], frozenset[str]] = {}
"""(evaluator, mode) -> names of outputs in `tests.evaluators.everything`."""

SCENARIOS: dict[str, frozenset[tuple[str, str]]] = {}
"""Evaluator -> (scenario, mode)."""
