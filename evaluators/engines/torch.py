"""PyTorch on the CPU: run operation by operation, or compiled by Inductor.

Four evaluators. `torch-eager` makes a tape at every call and differentiates with
`torch.autograd.grad`; `torch-compile` has that traced and compiled. The two that end in `-network`
do the same to our differentiated network, without a tape.

lower: eager, the nodes in order, each with its function of torch: PyTorch itself has nothing to do
    before a call. compiled, `make_fx` runs that once on example tensors, autograd included, and
    records a graph of aten operators.
compile: eager, nothing. compiled, `torch.compile(graph, fullgraph=True, dynamic=False)`, called
    once with the examples, since it would otherwise compile in the first call: TorchDynamo,
    AOTAutograd, Inductor, and the system's C++ compiler.
waited for: nothing; PyTorch is synchronous on a CPU. Results share memory with PyTorch's tensors,
    copied only where two of them, or an input, would share it.
cached: compiled code, in the process until it ends and in TORCHINDUCTOR_CACHE_DIR, a directory of
    its own for each launch.

Threads: within an operator as many as the harness fixed, told by `torch.set_num_threads`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.fx.experimental.proxy_tensor import make_fx

from evaluators.engine_profile import EngineProfile, EngineRow
from evaluators.engines.adapter import Adapter, Asked, Operators, Traced
from evaluators.engines.decomposition import source_positions
from evaluators.engines.threads import threads
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from evaluators.strategies.kernels import summed_axes
from networks import Network, Node, operators as op
from networks.inference import BOOL, FLOAT32, FLOAT64
from networks.operators import Operator

_DTYPES = {FLOAT32: torch.float32, FLOAT64: torch.float64, BOOL: torch.bool}

_WARM_UP = 3
"""Calls before those that a profile is of."""

torch.set_num_threads(threads())


class TorchEagerNetwork(Adapter):
    """Our differentiated network, operation by operation."""

    name = "torch-eager-network"
    distribution = "torch"

    def version(self) -> str:
        """The release, without what it was built for."""
        return super().version().partition("+")[0]

    def lower(self, network: Network, mode: str) -> Traced:
        """The nodes in order, each with its function."""
        asked = self.asked(network, mode)
        return Traced(_of_tensors(asked), asked)

    def compile(self, lowered: Traced) -> Function:
        """A function of arrays."""
        return _of_arrays(lowered.function, lowered.asked)

    def profile(self, lowered: Traced, weights: Weights, data: Data, calls: int) -> EngineProfile:
        """aten operators (and compiled kernels) from torch.profiler."""
        function = self.compile(lowered)
        for _ in range(_WARM_UP):
            function(weights, data)
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True, with_flops=True
        ) as profiled:
            for _ in range(calls):
                function(weights, data)
        rows = [
            EngineRow(
                name=each.key,
                seconds=each.self_cpu_time_total * 1e-6 / calls,
                calls=each.count / calls,
                allocated_bytes=max(0, each.self_cpu_memory_usage) / calls,
                flops=each.flops / calls if each.flops else None,
            )
            for each in profiled.key_averages()
            if each.key != "[memory]"
        ]
        graph = Counter(_operators(lowered))
        return EngineProfile(
            rows=sorted(rows, key=lambda row: -row.seconds),
            profiler=f"torch.profiler of PyTorch {self.version()}",
            remarks=[
                "operations of the backward pass stand beside those of the forward pass",
                "allocated: what an operation has left allocated, net; nothing tells bytes moved",
                "flops: of matrix products and a few others alone",
            ],
            graph=graph,
            graph_of="aten operators" if graph else "",
        )


class TorchEager(TorchEagerNetwork):
    """PyTorch's own gradient, on a new tape at every call."""

    name = "torch-eager"
    gradient_by = "native"


class TorchCompileNetwork(TorchEagerNetwork):
    """Our differentiated network, compiled by Inductor."""

    name = "torch-compile-network"

    def __init__(self) -> None:
        super().__init__()
        self._graphs_before = 0

    def lower(self, network: Network, mode: str) -> Traced:
        """A graph of aten operators."""
        lowered = super().lower(network, mode)
        graph = make_fx(lowered.function)(*_examples(lowered.asked))
        traced = Traced(graph, lowered.asked)
        self._counters = {"engine_nodes": len(_operators(traced))}
        return traced

    def compile(self, lowered: Traced) -> Function:
        """Have Inductor compile it, by a first call."""
        _metrics().reset()
        before = _graphs_compiled()
        compiled = torch.compile(lowered.function, fullgraph=True, dynamic=False)
        with torch.no_grad():
            compiled(*_examples(lowered.asked))
        self._counters |= {"kernels": _metrics().generated_kernel_count}
        self._graphs_before = before
        return _of_arrays(compiled, lowered.asked)

    def counters(self) -> dict[str, int]:
        """aten operators, C++ kernels, and compilations since the first."""
        again = _graphs_compiled() - self._graphs_before - 1
        return {**self._counters, "recompilations": again}


class TorchCompile(TorchCompileNetwork):
    """PyTorch's own gradient, compiled by Inductor."""

    name = "torch-compile"
    gradient_by = "native"


def _operators(traced: Traced) -> list[str]:
    """What a traced graph calls; nothing where nothing was traced."""
    graph = getattr(traced.function, "graph", None)
    nodes = graph.nodes if graph is not None else ()
    return [str(node.target) for node in nodes if node.op == "call_function"]


def _metrics() -> Any:
    from torch._inductor import metrics  # noqa: PLC0415 - eager evaluators need no compiler

    return metrics


def _graphs_compiled() -> int:
    from torch._dynamo.utils import counters  # noqa: PLC0415 - eager evaluators need no compiler

    return int(counters["stats"]["unique_graphs"])


# Calls


def _of_tensors(asked: Asked) -> Callable[[list[Any], list[Any]], list[Any]]:
    """The outputs, or the loss and its derivatives, from tensors."""
    evaluate = _OPERATORS.of_inputs(asked, _constant)

    def differentiate(weights: list[Any], data: list[Any]) -> list[Any]:
        with torch.enable_grad():
            leaves = [each.detach().requires_grad_() for each in weights]
            (loss,) = evaluate(leaves, data)
            if not leaves or not loss.requires_grad:
                return [loss, *[torch.zeros_like(each) for each in weights]]
            derivatives = torch.autograd.grad(
                loss, leaves, allow_unused=True, materialize_grads=True
            )
        return [loss.detach(), *derivatives]

    return differentiate if asked.is_differentiated else evaluate


def _of_arrays(function: Callable[[list[Any], list[Any]], list[Any]], asked: Asked) -> Function:
    weight_names, data_names = asked.weight_names, asked.data_names
    given_back = [not node.operands for node in asked.outputs]

    def of_arrays(weights: Weights, data: Data) -> Arrays:
        with torch.no_grad():
            tensors = function(
                [torch.from_numpy(weights[name]) for name in weight_names],
                [torch.from_numpy(data[name]) for name in data_names],
            )
        return _arrays(tensors, given_back)

    return of_arrays


def _arrays(tensors: Sequence[Any], given_back: Sequence[bool]) -> Arrays:
    """Arrays that share memory with nothing: views, inputs and what comes twice are copied."""
    arrays: Arrays = []
    seen: set[int] = set()
    for place, tensor in enumerate(tensors):
        start = tensor.data_ptr()
        is_input = place < len(given_back) and given_back[place]
        array = tensor.numpy()
        is_shared = is_input or start in seen or tensor._is_view()
        arrays.append(np.array(array) if is_shared else array)
        seen.add(start)
    return arrays


def _examples(asked: Asked) -> tuple[list[Any], list[Any]]:
    return (
        [torch.ones(node.shape, dtype=_DTYPES[node.dtype]) for node in asked.weights],
        [torch.ones(node.shape, dtype=_DTYPES[node.dtype]) for node in asked.data],
    )


# Operators


def _constant(array: Array) -> Any:
    return torch.from_numpy(array.copy())  # torch warns of read-only arrays


def _reduction(function: Callable[..., Any]) -> Callable[[Node], Callable[..., Any]]:
    def bind(node: Node) -> Callable[..., Any]:
        axes, keepdims = node.attributes
        if not axes:  # torch takes no axes for all of them
            return lambda x: x.clone()
        return lambda x: function(x, axes, keepdim=keepdims)

    return bind


def _sum_to(node: Node) -> Callable[..., Any]:
    axes, shape = summed_axes(node).axes, node.shape
    if not axes:
        return lambda x: x.reshape(shape)
    return lambda x: torch.sum(x, axes).reshape(shape)


def _slice(node: Node) -> Callable[..., Any]:
    """torch has no negative steps: such an axis is taken backwards and turned round."""
    entries = []
    turned = []
    for axis, (start, stop, step) in enumerate(node.attributes.ranges):
        if step > 0:
            entries.append(slice(start, stop, step))
            continue
        count = node.shape[axis]
        entries.append(slice(start + step * (count - 1), start + 1, -step))
        turned.append(axis)
    index = tuple(entries)
    if turned:
        return lambda x: torch.flip(x[index], turned)
    return lambda x: x[index]


def _take(node: Node) -> Callable[..., Any]:
    indices, axis = torch.tensor(node.attributes.indices, dtype=torch.int64), node.attributes.axis
    return lambda x: torch.index_select(x, axis, indices)


def _scatter_add(node: Node) -> Callable[..., Any]:
    indices, axis = torch.tensor(node.attributes.indices, dtype=torch.int64), node.attributes.axis
    shape, dtype = node.shape, _DTYPES[node.dtype]
    return lambda x: torch.zeros(shape, dtype=dtype).index_add(axis, indices, x)


def _place(node: Node) -> Callable[..., Any]:
    """Zeros around contiguous regions; elsewhere each place takes its element, or a zero."""
    ranges, sizes = node.attributes.ranges, node.operands[0].shape
    if all(step == 1 for _start, _stop, step in ranges):
        padding: list[int] = []
        for (start, _stop, _step), size, whole in reversed(
            list(zip(ranges, sizes, node.shape, strict=True))
        ):
            padding += [start, whole - start - size]
        return lambda x: torch.nn.functional.pad(x, padding)
    positions = [
        torch.from_numpy(source_positions(start, step, size, whole))
        for (start, _stop, step), size, whole in zip(ranges, sizes, node.shape, strict=True)
    ]

    def place(x: Any) -> Any:
        x = torch.nn.functional.pad(x, [0, 1] * x.ndim)
        for axis, indices in enumerate(positions):
            x = torch.index_select(x, axis, indices)
        return x

    return place


_PLAIN: dict[Operator, Callable[..., Any]] = {
    op.ADD: torch.add,
    op.SUBTRACT: torch.sub,
    op.MULTIPLY: torch.mul,
    op.DIVIDE: torch.div,
    op.POW: torch.pow,
    op.MAXIMUM: torch.maximum,
    op.MINIMUM: torch.minimum,
    op.NEGATIVE: torch.neg,
    op.EXP: torch.exp,
    op.EXPM1: torch.expm1,
    op.LOG: torch.log,
    op.LOG1P: torch.log1p,
    op.SQRT: torch.sqrt,
    op.SIN: torch.sin,
    op.COS: torch.cos,
    op.TANH: torch.tanh,
    op.LOGISTIC: torch.sigmoid,
    op.ABS: torch.abs,
    op.SIGN: torch.sign,
    op.LESS: torch.lt,
    op.LESS_EQUAL: torch.le,
    op.GREATER: torch.gt,
    op.GREATER_EQUAL: torch.ge,
    op.EQUAL: torch.eq,
    op.NOT_EQUAL: torch.ne,
    op.WHERE: torch.where,
    op.MATMUL: torch.matmul,
}
_BINDS: dict[Operator, Callable[[Node], Callable[..., Any]]] = {
    op.ASTYPE: lambda node: lambda x: x.to(_DTYPES[node.dtype]),
    op.SUM: _reduction(torch.sum),
    op.MEAN: _reduction(torch.mean),
    op.MAX: _reduction(torch.amax),
    op.RESHAPE: lambda node: lambda x: x.reshape(node.shape),
    op.PERMUTE_DIMS: lambda node: lambda x: x.permute(node.attributes.axes),
    op.BROADCAST_TO: lambda node: lambda x: x.expand(node.shape),
    op.CONCAT: lambda node: lambda *xs: torch.cat(xs, node.attributes.axis),
    op.SLICE: _slice,
    op.TAKE: _take,
    op.SUM_TO: _sum_to,
    op.PLACE: _place,
    op.SCATTER_ADD: _scatter_add,
}
_OPERATORS = Operators(_PLAIN, _BINDS)

EVALUATORS: tuple[Evaluator, ...] = (
    TorchEager(),
    TorchEagerNetwork(),
    TorchCompile(),
    TorchCompileNetwork(),
)
