"""ONNX Runtime: our network exported to ONNX, on the CPU.

ONNX Runtime does not differentiate; it is given our differentiated network.

lower: the ONNX model, made with the `onnx` package and serialised. Operators that ONNX lacks become
    several (`evaluators.engines.decomposition`); weights and data are the graph's inputs.
compile: `InferenceSession(model)`, which optimises the graph (at its highest level), chooses
    kernels and plans memory.
waited for: `run_with_iobinding` returns when all results are computed; they are copied out.
cached: nothing between sessions. A session keeps its arena of memory until it is dropped. Inputs
    are bound, which shares their memory, and bound anew where another array comes: `session.run`
    looks every name up among all of them, which for 1,001 inputs takes 6 ms of 6.5.

Threads: ONNX Runtime reads no environment variable; the adapter tells it what the harness fixed
for the launch (`evaluators.engines.threads`), within an operator, and has operators run one by one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from weakref import ReferenceType, ref

import onnx
import onnxruntime

from evaluators.engine_profile import EngineProfile, EngineRow, summed
from evaluators.engines.adapter import Adapter
from evaluators.engines.decomposition import decomposed_steps
from evaluators.engines.onnx_export import KNOWN, exported
from evaluators.engines.table import matches
from evaluators.engines.threads import threads
from evaluators.protocol import Array, Arrays, Data, Evaluator, Function, Weights
from networks import Network
from networks.inference import FLOAT64

FLOAT64_RELEASES = ">=1.32"
"""Those before 1.30 lack `Cos`, and fuse transpositions into products that they lack; 1.30 and 1.31
are off by 1e-9 in the gradient of `tests.evaluators.everything`."""

_WARM_UP = 2
"""Calls before those that a profile is of."""
_SEVERE = 3
"""Errors only: ONNX Runtime warns of initializers that its own optimisation left unused."""


@dataclass(frozen=True, kw_only=True)
class _Lowered:
    """A serialised model, and what its inputs are called in the network, in the model's order."""

    model: bytes
    weights: list[str]
    data: list[str]


class OnnxRuntime(Adapter):
    """ONNX Runtime's CPU kernels."""

    name = "onnxruntime"
    distribution = "onnxruntime"

    def __init__(self) -> None:
        super().__init__()
        self._last: ReferenceType[_Lowered] | None = None

    def refuse(self, network: Network, mode: str) -> str | None:
        """float64 as well, in releases that lack kernels for it."""
        reason = super().refuse(network, mode)
        if reason is None and any(node.dtype is FLOAT64 for node in network.weights):
            reason = _no_float64(self.version())
        return reason

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The network as an ONNX model."""
        asked = self.asked(network, mode)
        model = exported(asked.inputs, *decomposed_steps(asked.outputs, KNOWN))
        self._counters = {"engine_nodes": len(model.graph.node)}
        return _Lowered(
            model=model.SerializeToString(),
            weights=asked.weight_names,
            data=asked.data_names,
        )

    def compile(self, lowered: _Lowered) -> Function:
        """A session."""
        self._last = ref(lowered)
        session = onnxruntime.InferenceSession(
            lowered.model, _session_options(), providers=["CPUExecutionProvider"]
        )
        return _calling(session, lowered)

    def profile(self, lowered: _Lowered, weights: Weights, data: Data, calls: int) -> EngineProfile:
        """Kernels by operator type from ONNX Runtime's profile file, and the parts of a session."""
        with TemporaryDirectory() as directory:
            options = _session_options()
            options.enable_profiling = True
            options.profile_file_prefix = str(Path(directory) / "profile")
            session = onnxruntime.InferenceSession(
                lowered.model, options, providers=["CPUExecutionProvider"]
            )
            function = _calling(session, lowered)
            for _ in range(_WARM_UP + calls):
                function(weights, data)
            events = json.loads(Path(session.end_profiling()).read_bytes())
        return EngineProfile(
            rows=[*summed(_kernels(events), calls), *summed(_session_parts(events), 1)],
            profiler=f"ONNX Runtime {self.version()}'s profile file",
            remarks=[
                "operations are those of the optimised graph; fused ones have names of their own",
                "ONNX Runtime tells no floating-point operations, and no allocations of a kernel",
                "of compile it tells session_initialization and model_loading, and nothing within",
            ],
            graph=Counter(node.op_type for node in onnx.load_from_string(lowered.model).graph.node),
            graph_of="ONNX nodes",
        )

    def counters(self) -> dict[str, int]:
        """ONNX nodes, and how many its optimisation leaves of them: optimised anew to be counted.

        The latter only as long as what was compiled last is alive.
        """
        lowered = self._last() if self._last is not None else None
        if lowered is None:
            return self._counters
        return {**self._counters, "optimised_nodes": _optimised_nodes(lowered.model)}


def _no_float64(release: str) -> str | None:
    if matches(release, FLOAT64_RELEASES):
        return None
    return (
        f"onnxruntime {release} has not all operators in float64, or not exactly; "
        f"float64 needs onnxruntime {FLOAT64_RELEASES}"
    )


def _optimised_nodes(model: bytes) -> int:
    with TemporaryDirectory() as directory:
        options = _session_options()
        options.optimized_model_filepath = str(Path(directory) / "optimised.onnx")
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        return len(onnx.load(options.optimized_model_filepath).graph.node)


def _kernels(events: list[Any]) -> Iterator[EngineRow]:
    """Each run of a kernel, without those of the first calls."""
    seen: dict[str, int] = {}
    for event in events:
        name = event.get("name", "")
        if event.get("cat") != "Node" or not name.endswith("_kernel_time"):
            continue
        told = event["args"]
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > _WARM_UP:
            sizes = ("activation_size", "parameter_size", "output_size")
            yield EngineRow(
                name=told.get("op_name", name),
                seconds=event["dur"] * 1e-6,
                calls=1,
                moved_bytes=sum(float(told.get(size) or 0) for size in sizes),
            )


def _session_parts(events: list[Any]) -> Iterator[EngineRow]:
    for event in events:
        if event.get("cat") == "Session" and event["name"] in {
            "session_initialization",
            "model_loading_array",
            "model_loading_from_saved_file",
        }:
            yield EngineRow(
                name=event["name"], seconds=event["dur"] * 1e-6, calls=1, phase="compile"
            )


def _session_options() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = _SEVERE
    return options


def _calling(session: Any, lowered: _Lowered) -> Function:
    binding = session.io_binding()
    for output in session.get_outputs():
        binding.bind_output(output.name)
    weight_inputs = [(f"w{place}", name) for place, name in enumerate(lowered.weights)]
    data_inputs = [(f"d{place}", name) for place, name in enumerate(lowered.data)]
    bound: dict[str, Array] = {}

    def bind(inputs: list[tuple[str, str]], arrays: Weights | Data) -> None:
        for name, array_name in inputs:
            array = arrays[array_name]
            if bound.get(name) is not array:
                binding.bind_cpu_input(name, array)
                bound.pop(name, None)
                if array.flags.c_contiguous:  # any other was copied, and is copied each time
                    bound[name] = array

    def function(weights: Weights, data: Data) -> Arrays:
        bind(weight_inputs, weights)
        bind(data_inputs, data)
        session.run_with_iobinding(binding)
        arrays: Arrays = binding.copy_outputs_to_cpu()
        return arrays

    return function


EVALUATORS: tuple[Evaluator, ...] = (OnnxRuntime(),)
