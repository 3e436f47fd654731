"""numexpr where the network is elementwise, NumPy elsewhere.

numexpr does not differentiate; it is given our differentiated network.

lower: elementwise operations that are used once, by another of the same shape, are written into one
    expression with it, up to `LARGEST` operations; all else is left to the kernels of our own
    strategies.
compile: `numexpr.NumExpr(…)` for every expression, which compiles it for numexpr's virtual machine.
waited for: nothing; calls are synchronous.
cached: nothing: `NumExpr` is called directly, and not `evaluate`, which looks expressions up.

Threads: told what the harness fixed, by `set_num_threads`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numexpr
import numpy as np

from evaluators.engines.adapter import Adapter
from evaluators.engines.decomposition import decomposed
from evaluators.engines.threads import threads
from evaluators.engines.walk import walk
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights
from evaluators.results import fresh
from evaluators.strategies.kernels import UFUNCS, kernel
from networks import Network, Node, operators as op, topological_order
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.node import make
from networks.operators import ELEMENTWISE, Operator

_TYPES = {BOOL: bool, FLOAT32: float, FLOAT64: numexpr.necompiler.double}
"""In numexpr's own words `float` has 32 bits."""

LARGEST, MOST_LEAVES = 40, 12
"""Of an expression that is written into another: numexpr takes 31 operands."""

FUSED = Operator(name="fused", kind=ELEMENTWISE, arity=None)
"""An expression of its operands: its attributes are the text and the operands' names in it."""

numexpr.set_num_threads(threads())


class _Expression(NamedTuple):
    """A text, the names of the values in it, and how many operations it has."""

    text: str
    leaves: dict[str, Node]
    size: int


class Numexpr(Adapter):
    """Fused elementwise expressions, and NumPy."""

    name = "numexpr"
    distribution = "numexpr"

    def lower(self, network: Network, mode: str) -> tuple[Node, ...]:
        """The outputs, with elementwise operations fused."""
        asked = self.asked(network, mode)
        outputs = fused(decomposed(asked.outputs, _KNOWN))
        expressions = [each for each in topological_order(outputs) if each.operator is FUSED]
        self._counters = {"kernels": len(expressions)}
        return outputs

    def compile(self, lowered: tuple[Node, ...]) -> Function:
        """Every expression compiled."""
        walked = walk(lowered, _bind)

        def function(weights: Weights, data: Data) -> Arrays:
            with np.errstate(all="ignore"):
                return fresh(lowered, walked(weights.__getitem__, data.__getitem__))

        return function


def fused(outputs: Sequence[Node]) -> tuple[Node, ...]:
    """Equal outputs with `FUSED` nodes in the place of elementwise ones."""
    order = topological_order(outputs)
    uses = Counter(operand for node in order for operand in node.operands)
    only_user = {operand: node for node in order for operand in node.operands}
    kept = set(outputs)
    replaced: dict[Node, Node] = {}
    pending: dict[Node, _Expression] = {}
    names: dict[Node, str] = {}
    for node in order:
        if node.operator not in _TEXTS:
            operands = tuple([replaced[each] for each in node.operands])
            replaced[node] = node
            if any(new is not old for new, old in zip(operands, node.operands, strict=True)):
                replaced[node] = make(
                    node.operator, operands, node.attributes, node.shape, node.dtype, None
                )
            continue
        expression = _expression(node, replaced, pending, names)
        is_inner = (
            node not in kept
            and uses[node] == 1
            and only_user[node].operator in _TEXTS
            and only_user[node].shape == node.shape
            and expression.size <= LARGEST
            and len(expression.leaves) <= MOST_LEAVES
        )
        if is_inner:
            pending[node] = expression
            continue
        leaves = tuple(expression.leaves.values())
        attributes = (expression.text, tuple(expression.leaves))
        replaced[node] = make(FUSED, leaves, attributes, node.shape, node.dtype, None)
    return tuple([replaced[node] for node in outputs])


def _expression(
    node: Node,
    replaced: dict[Node, Node],
    pending: dict[Node, _Expression],
    names: dict[Node, str],
) -> _Expression:
    texts, leaves, size = [], {}, 1
    for operand in node.operands:
        inner = pending.get(operand)
        if inner is not None:
            texts.append(inner.text)
            leaves.update(inner.leaves)
            size += inner.size
        else:
            leaf = replaced[operand]
            name = names.setdefault(leaf, f"v{len(names)}")
            texts.append(name)
            leaves[name] = leaf
    return _Expression(_TEXTS[node.operator].format(*texts), leaves, size)


def _bind(node: Node) -> Callable[..., Any]:
    """A compiled expression, or one of our kernels."""
    if node.operator is not FUSED:
        return kernel(node)
    text, names = node.attributes
    signature = [
        (name, _TYPES[leaf.dtype]) for name, leaf in zip(names, node.operands, strict=True)
    ]
    compiled: Callable[..., Any] = numexpr.NumExpr(text, signature)
    return compiled


_TEXTS: dict[Operator, str] = {
    op.ADD: "({0}+{1})",
    op.SUBTRACT: "({0}-{1})",
    op.MULTIPLY: "({0}*{1})",
    op.DIVIDE: "({0}/{1})",
    op.POW: "({0}**{1})",
    op.NEGATIVE: "(-{0})",
    op.EXP: "exp({0})",
    op.EXPM1: "expm1({0})",
    op.LOG: "log({0})",
    op.LOG1P: "log1p({0})",
    op.SQRT: "sqrt({0})",
    op.SIN: "sin({0})",
    op.COS: "cos({0})",
    op.TANH: "tanh({0})",
    op.ABS: "abs({0})",
    op.LESS: "({0}<{1})",
    op.LESS_EQUAL: "({0}<={1})",
    op.GREATER: "({0}>{1})",
    op.GREATER_EQUAL: "({0}>={1})",
    op.EQUAL: "({0}=={1})",
    op.NOT_EQUAL: "({0}!={1})",
    op.WHERE: "where({0},{1},{2})",
}
_KNOWN = frozenset(
    {*_TEXTS, *UFUNCS, op.ASTYPE, op.SUM, op.MEAN, op.MAX, op.SUM_TO, op.PLACE, op.SCATTER_ADD}
)

EVALUATORS: tuple[Evaluator, ...] = (Numexpr(),)
