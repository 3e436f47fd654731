"""Laws of what engines without some of our operators are given."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from evaluators.engines.decomposition import decomposed, decomposed_steps
from evaluators.engines.walk import Walk, walk
from evaluators.strategies.kernels import has_mixed_operands, kernel
from networks import Builder, Network, Node, differentiate, functions as f, operators as op
from networks.operators import Operator, operators
from tests.evaluators.everything import Everything, everything
from tests.evaluators.test_operators import assert_close

LACKING = frozenset(
    {op.EXPM1, op.LOG1P, op.LOGISTIC, op.SIGN, op.MEAN, op.SUM_TO, op.MAXIMUM_SHARE}
    | {op.MAX_SHARE, op.PLACE, op.SCATTER_ADD, op.POW_PARTIAL}
)
KNOWN = frozenset(operators()) - LACKING
CASES = (everything((2, 1, 3), (2, 1), "float32"), everything((3,), (2, 3), "float64"))


def values(walked: Walk, case: Everything) -> list[np.ndarray]:
    """Of one call, computed by NumPy."""
    with np.errstate(all="ignore"):
        found = walked(case.weights.__getitem__, case.data.__getitem__)
    return [np.asarray(each) for each in found]


@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize("known", [KNOWN, frozenset(operators())], ids=["some", "all"])
def test_steps_are_what_the_outputs_need(case: Everything, known: frozenset[Operator]) -> None:
    """Each once, after all that it is applied to, and none besides; of known operators."""
    wanted = differentiate(case.network).outputs

    outputs, steps = decomposed_steps(wanted, known)

    applied = dict(steps)
    listed: set[Node] = set()
    for node, operands in steps:
        assert node not in listed
        assert listed.issuperset(operands)
        assert node.operator in known
        listed.add(node)
    needed: set[Node] = set()
    found = list(outputs)
    while found:
        node = found.pop()
        if node not in needed:
            needed.add(node)
            found += applied[node]
    assert needed == listed


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_steps_give_what_the_network_gives(case: Everything) -> None:
    """Whether they are walked as steps or as the network that is made of them."""
    outputs, steps = decomposed_steps(case.network.outputs, KNOWN)

    of_steps = values(walk(outputs, kernel, steps=steps), case)
    of_network = values(walk(decomposed(case.network.outputs, KNOWN), kernel), case)

    for name, by_steps, by_network in zip(case.expected, of_steps, of_network, strict=True):
        assert_close(by_steps, case.expected[name], case.dtype, name)
        np.testing.assert_array_equal(by_steps, by_network)


def test_operands_of_operators_have_one_dtype() -> None:
    """What is of two is cast before."""
    net = Builder()
    mixed = net.weight("w", (2,)) * f.astype(net.data("x", (2,)), "float64")
    net.output(mixed + 1.0)

    _, steps = decomposed_steps(net.network().outputs, KNOWN)

    assert not any(has_mixed_operands(node) for node, _ in steps)


def test_users_of_replaced_nodes_stay_themselves() -> None:
    """A chain behind one unknown operator is not made again."""
    net = Builder()
    chain = [f.logistic(net.weight("w", (2,)))]
    for _ in range(5):
        chain.append(f.exp(chain[-1]))
    net.output(chain[-1])
    network: Network = net.network()

    outputs, steps = decomposed_steps(network.outputs, KNOWN)

    assert outputs == network.outputs
    applied = dict(steps)
    assert all(applied[after] == (before,) for before, after in pairwise(chain[1:]))
    assert applied[chain[1]][0] is not chain[0]
