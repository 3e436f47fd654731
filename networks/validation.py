"""Checking a whole network, whoever made it."""

from __future__ import annotations

from networks import functions as f, operators as op
from networks.errors import NetworkError
from networks.network import Network
from networks.node import Node, binary, compare, make, matmul, unary


def validate(network: Network) -> None:
    """Raise `NetworkError` where the network is not what evaluators may rely on.

    Checked: inputs are declared once and under one name, outputs exist, the loss is a scalar, and
    every node's shape and dtype follow from its operands.
    """
    if len(set(network.names)) != len(network.names):
        raise NetworkError(f"two inputs share a name: {', '.join(sorted(network.names))}")
    if not network.outputs:
        raise NetworkError("the network has no output; call net.output(y)")
    if network.loss is not None and (network.loss.shape != () or network.loss.dtype.kind != "f"):
        raise NetworkError(f"the loss is {network.loss!r}; expected a floating-point scalar")
    declared = {*network.weights, *network.data}
    for node in network.nodes:
        if node.operator in (op.WEIGHT, op.DATA) and node not in declared:
            raise NetworkError(
                f"{node!r} is not declared by this network's builder; an input of another builder "
                "cannot be used here"
            )
        if node.operands:
            again = remake(node, node.operands)
            if again.shape != node.shape or again.dtype is not node.dtype:
                raise NetworkError(
                    f"{node!r} should be {again.dtype.name}{list(again.shape)} by its operands "
                    f"{', '.join(map(repr, node.operands))}"
                )


def remake(node: Node, operands: tuple[Node, ...]) -> Node:
    """The node's operation on other operands, with every check and inference done again."""
    operator, attributes = node.operator, node.attributes
    first = operands[0]
    if operator in op.COMPARISONS:
        return compare(operator, *operands)
    if operator is op.POW_PARTIAL:
        return f.pow_partial(binary(op.POW, *operands), attributes)
    if operator is op.WHERE:
        return f.where(*operands)
    if operator is op.ASTYPE:
        return make(operator, operands, None, first.shape, node.dtype, first.cache)
    if operator.kind == op.ELEMENTWISE:
        return unary(operator, first) if operator.arity == 1 else binary(operator, *operands)
    if operator is op.MATMUL:
        return matmul(*operands)
    if operator is op.CONCAT:
        return f.concat(operands, axis=attributes.axis)
    return _REMAKE[operator](node, first)


def _sum_to(node: Node, first: Node) -> Node:
    f.broadcast_to(make(op.SUM_TO, (), None, node.shape, node.dtype, None), first.shape)
    return f.sum_to(first, node.shape)


def _part(node: Node, first: Node) -> Node:
    return first[node.attributes.slices()]


def _place(node: Node, first: Node) -> Node:
    whole = make(op.DATA, (), "", node.shape, first.dtype, None)
    if whole[node.attributes.slices()].shape != first.shape:
        raise NetworkError(f"{node!r}: {first!r} does not fill its region")
    return f.place(first, node.attributes, node.shape)


def _scatter_add(node: Node, first: Node) -> Node:
    whole = make(op.DATA, (), "", node.shape, first.dtype, None)
    indices, axis = node.attributes
    if f.take(whole, indices, axis=axis).shape != first.shape:
        raise NetworkError(f"{node!r}: {first!r} does not fill its indices")
    return f.scatter_add(first, node.attributes, node.shape)


_REMAKE = {
    op.SUM: lambda n, x: f.sum(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MEAN: lambda n, x: f.mean(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MAX: lambda n, x: f.max(x, axis=n.attributes.axes, keepdims=n.attributes.keepdims),
    op.MAX_SHARE: lambda n, x: f.max_share(x, n.attributes.axes),
    op.SUM_TO: _sum_to,
    op.RESHAPE: lambda n, x: f.reshape(x, n.shape),
    op.PERMUTE_DIMS: lambda n, x: f.permute_dims(x, n.attributes.axes),
    op.BROADCAST_TO: lambda n, x: f.broadcast_to(x, n.shape),
    op.SLICE: _part,
    op.PLACE: _place,
    op.TAKE: lambda n, x: f.take(x, n.attributes.indices, axis=n.attributes.axis),
    op.SCATTER_ADD: _scatter_add,
}
