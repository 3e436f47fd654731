"""OpenVINO: our network read as an ONNX model, on its CPU plugin.

OpenVINO does not differentiate; it is given our differentiated network.

lower: the ONNX model, and `Core.read_model`, which makes OpenVINO's own graph of it.
compile: `Core.compile_model` for the CPU, told to compute in float32: on a processor with bfloat16
    (AMX, AVX512-BF16) it would choose that by itself, with relative errors of about 1e-2.
waited for: `InferRequest.infer`, which returns when all results are computed; they are copied out.
cached: nothing on disk, unless `CACHE_DIR` is set, which the adapter does not. A request keeps its
    inputs and outputs until it is dropped.

Threads: told what the harness fixed, by INFERENCE_NUM_THREADS.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import openvino

from evaluators.engines.adapter import Adapter
from evaluators.engines.decomposition import decomposed_steps
from evaluators.engines.onnx_export import KNOWN, exported
from evaluators.engines.threads import threads
from evaluators.protocol import Arrays, Data, Evaluator, Function, Weights
from networks import Network
from networks.inference import FLOAT64


class _Lowered(NamedTuple):
    """OpenVINO's graph, and what its inputs are called in the network, in the graph's order."""

    core: Any
    model: Any
    inputs: list[tuple[str, bool]]
    """Name, and whether it is a weight."""


class Openvino(Adapter):
    """OpenVINO's CPU plugin."""

    name = "openvino"
    distribution = "openvino"
    precision = "f32"
    """What the plugin is told to compute in."""

    def version(self) -> str:
        """The release, such as 2026.4.1."""
        return super().version()

    def refuse(self, network: Network, mode: str) -> str | None:
        """float64 as well, which the CPU plugin computes in float32."""
        reason = super().refuse(network, mode)
        if reason is None and any(node.dtype is FLOAT64 for node in network.weights):
            return "OpenVINO's CPU plugin computes float64 in float32; give it a float32 network"
        return reason

    def lower(self, network: Network, mode: str) -> _Lowered:
        """The network as OpenVINO's graph."""
        asked = self.asked(network, mode)
        model = exported(asked.inputs, *decomposed_steps(asked.outputs, KNOWN))
        core = openvino.Core()
        read = core.read_model(model.SerializeToString())
        self._counters = {"engine_nodes": len(read.get_ops())}
        names = {
            **{f"w{place}": (node.attributes, True) for place, node in enumerate(asked.weights)},
            **{f"d{place}": (node.attributes, False) for place, node in enumerate(asked.data)},
        }
        return _Lowered(core, read, [names[each.any_name] for each in read.inputs])

    def compile(self, lowered: _Lowered) -> Function:
        """A request to the compiled model."""
        compiled = lowered.core.compile_model(
            lowered.model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": self.precision,
                "INFERENCE_NUM_THREADS": str(threads()),
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": "1",
            },
        )
        self._counters["optimised_nodes"] = len(compiled.get_runtime_model().get_ops())
        return _calling(compiled.create_infer_request(), lowered)


def _calling(request: Any, lowered: _Lowered) -> Function:
    def function(weights: Weights, data: Data) -> Arrays:
        for place, (name, is_weight) in enumerate(lowered.inputs):
            array = np.asarray((weights if is_weight else data)[name], order="C")
            request.set_input_tensor(place, openvino.Tensor(array, shared_memory=True))
        request.infer()
        return [each.data.copy() for each in request.output_tensors]

    return function


EVALUATORS: tuple[Evaluator, ...] = (Openvino(),)
