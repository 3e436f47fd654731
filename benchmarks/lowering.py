"""What of `lower` is our walk over the network, and what is the engine's graph being made.

    python -m benchmarks.lowering [--engine NAME…] [--scenario NAME…] [--repeats N]

Run it with an interpreter that has the engines; what is not installed is named. Our share is timed
by lowering with the engine's functions replaced by nothing: the network is ordered and decomposed,
each node's function is looked up and called, and no engine hears of it. Both times are the smallest
of the repeats. Of adapters whose engine makes no graph before it is called, all of it is ours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from types import SimpleNamespace
from typing import Any

from evaluators import catalog
from evaluators.engines.adapter import Adapter, Asked, Operators
from evaluators.engines.decomposition import decomposed_steps
from evaluators.protocol import EvaluatorError, gradient_by
from networks import Network, Node, differentiate, simplify
from scenarios import scenario as scenarios

SCENARIOS = ("chain", "wide_sum", "rnn", "lstm", "gmm", "mlp", "attention")
LIMIT = 0.1
"""Of `lower`, that may be ours."""

_ENOUGH_S = 5.0

WITHOUT_GRAPH = {
    "autograd": "makes a tape at every call",
    "autograd-network": "NumPy's functions, called one by one",
    "torch-eager": "makes a tape at every call",
    "torch-eager-network": "called operation by operation",
    "mlx": "traces in compile",
    "mlx-network": "traces in compile",
    "numexpr": "is given text",
    "numba": "is given source text",
}
"""Adapters whose engine makes nothing in `lower`, and why."""

GRAPH_IN_COMPILE = frozenset({"onnxruntime"})
"""Whose engine has one call that makes its graph of the model and compiles it: `lower` is our
exporter alone, and its share is told of both together."""


def main() -> int:
    """Print a line for each engine and scenario; 1 where a share is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", nargs="+", metavar="NAME", default=_engine_names())
    parser.add_argument("--scenario", nargs="+", metavar="NAME", default=SCENARIOS)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    worst = 0.0
    print(f"{'':24}{'':24}{'lower':>10}{'ours':>10}{'share':>8}")
    for name in arguments.engine:
        try:
            evaluator = catalog.get(name)
        except EvaluatorError as error:
            print(error)
            continue
        for scenario in arguments.scenario:
            worst = max(worst, _row(evaluator, scenario, arguments.repeats))
    return 1 if worst > LIMIT else 0


def _engine_names() -> list[str]:
    return [name for engine in catalog.ENGINES for name in engine.evaluators]


def _row(evaluator: Any, scenario: str, repeats: int) -> float:
    """Print one; the share, 0 where the engine has no graph."""
    network = _asked_for(evaluator, scenario)
    reason = evaluator.refuse(network, "gradient")
    head = f"{evaluator.name:24}{scenario:24}"
    if reason is not None:
        print(f"{head}refused: {reason}")
        return 0.0
    try:
        total_s = _smallest(lambda: evaluator.lower(network, "gradient"), repeats)
    except RecursionError:
        print(f"{head}recursion: the engine's own, at this depth")
        return 0.0
    if evaluator.name in WITHOUT_GRAPH:
        print(f"{head}{1e3 * total_s:8.2f}ms{'all':>10}{'':8}  {WITHOUT_GRAPH[evaluator.name]}")
        return 0.0
    ours_s = _smallest(lambda: lowered_without_engine(evaluator, network, "gradient"), repeats)
    note = ""
    if evaluator.name in GRAPH_IN_COMPILE:
        lowered = evaluator.lower(network, "gradient")
        compile_s = _smallest(lambda: evaluator.compile(lowered), repeats)
        note = f"  {1e3 * compile_s:.2f}ms of it compile; of lower {100 * ours_s / total_s:.1f} %"
        total_s += compile_s
    share = ours_s / total_s
    print(f"{head}{1e3 * total_s:8.2f}ms{1e3 * ours_s:8.2f}ms{100 * share:6.1f} %{note}")
    return share


def _asked_for(evaluator: Any, name: str) -> Network:
    """What the harness hands to `lower` in gradient mode."""
    scenario = scenarios.get(name)
    dtype = getattr(evaluator, "dtype", "float32")
    network = scenario.network(scenario.parameters({}), dtype=dtype)
    return network if gradient_by(evaluator) == "native" else simplify(differentiate(network))


def _smallest(call: Callable[[], object], repeats: int) -> float:
    """Seconds of the quickest; fewer calls where they take long, but one that warms up."""
    elapsed_s: list[float] = []
    while len(elapsed_s) <= repeats and (len(elapsed_s) < 2 or sum(elapsed_s) < _ENOUGH_S):
        start = perf_counter()
        call()
        elapsed_s.append(perf_counter() - start)
    return min(elapsed_s[1:])


# Lowering without the engine


def lowered_without_engine(evaluator: Adapter, network: Network, mode: str) -> None:
    """All that the adapter's `lower` does, but for the engine's own functions."""
    asked = evaluator.asked(network, mode)
    module: Any = sys.modules[type(evaluator).__module__]
    if module.__name__.endswith(".casadi"):
        with _engine_replaced(module):
            evaluator.lower(network, mode)
    elif hasattr(module, "_OPERATORS"):
        operators = module._OPERATORS
        silent = _Silent(operators._plain, operators._made)
        evaluate = silent.of_inputs(asked, _nothing)
        evaluate([None] * len(asked.weights), [None] * len(asked.data))
    else:
        _export_nothing(asked)


class _Silent(Operators):
    """Looks every function up, and calls none."""

    def bind(self, node: Node) -> Callable[..., Any]:
        super().bind(node)
        return _nothing


class _Nothing:
    """What an engine's functions and values are replaced by: all that is asked of it is itself."""

    def _itself(self, *_: Any, **__: Any) -> Any:
        return self

    __getattr__ = __call__ = __getitem__ = __setitem__ = _itself

    def __iter__(self) -> Iterator[Any]:
        return iter((self,))


_NOTHING = _Nothing()


@contextmanager
def _engine_replaced(module: Any) -> Iterator[None]:
    """Of an adapter that calls its engine by the module's name and keeps plain functions apart."""
    engine, plain = module.casadi, dict(module._PLAIN)
    module.casadi = SimpleNamespace(**dict.fromkeys(dir(engine), _NOTHING))
    module._PLAIN.update(dict.fromkeys(plain, _NOTHING))
    try:
        yield
    finally:
        module.casadi = engine
        module._PLAIN.update(plain)


def _nothing(*_: Any) -> None:
    return None


def _export_nothing(asked: Asked) -> None:
    from evaluators.engines import onnx_export  # noqa: PLC0415 - it needs the onnx package

    class Silent(onnx_export._Exporter):
        def emit(self, *_: Any, **__: Any) -> str:
            return ""

        def number(self, *_: Any) -> str:
            return ""

        def _declare(self, *_: Any) -> None:
            pass

    Silent().model(asked.inputs, *decomposed_steps(asked.outputs, onnx_export.KNOWN))


if __name__ == "__main__":
    sys.exit(main())
