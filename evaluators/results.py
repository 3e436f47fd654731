"""Outputs as arrays that a caller may keep and change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evaluators.protocol import Arrays
from networks import Node, operators as op

_VIEWS = frozenset({op.RESHAPE, op.PERMUTE_DIMS, op.BROADCAST_TO, op.SLICE})
"""The operators whose value may share memory with their operand's."""


def fresh(nodes: Sequence[Node], values: Sequence[Any]) -> Arrays:
    """The values of outputs, copied where they could share memory with an input or each other."""
    seen: set[Node] = set()
    arrays = []
    for node, value in zip(nodes, values, strict=True):
        is_shared = not node.operands or node.operator in _VIEWS or node in seen
        arrays.append(np.array(value) if is_shared else np.asarray(value))
        seen.add(node)
    return arrays
