"""What is evaluated in every comparison: scenarios at sizes of 0.1 to 2 ms an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluators import catalog
from evaluators.protocol import Function
from harness.cases import parse_spec
from networks import Network, differentiate, simplify


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A case to compare two versions of.

    Attributes
    ----------
    name: what tables call it.
    spec: the scenario and its parameters, as on the command line.
    evaluator: the baseline; what is planted wraps it.
    mode: output or gradient.
    plantable: False where an engine differentiates by itself and cannot be handed a gradient
        network with more work in it, or where nodes differ so much in cost that a few of them are
        no known share of the work. Such a workload is compared with itself only.
    """

    name: str
    spec: str
    evaluator: str
    mode: str
    plantable: bool = True


WORKLOADS = (
    Workload(name="chain", spec="chain:depth=300", evaluator="straightline", mode="output"),
    Workload(
        name="products", spec="signed_products:terms=60", evaluator="straightline", mode="gradient"
    ),
    Workload(name="sum", spec="wide_sum:terms=200", evaluator="interpreter", mode="gradient"),
    Workload(
        name="rnn",
        spec="rnn:steps=40,hidden=16,inputs=16,batch=4",
        evaluator="interpreter",
        mode="gradient",
        plantable=False,
    ),
    Workload(name="walk", spec="chain:depth=50", evaluator="autograd-network", mode="gradient"),
    Workload(
        name="tape",
        spec="rnn:steps=8,hidden=16,inputs=16,batch=4",
        evaluator="autograd",
        mode="gradient",
        plantable=False,
    ),
)
"""Six workloads; straightline, interpreter, autograd without and with its tape."""


def workload_named(name: str) -> Workload:
    """The workload of that name; `ValueError` lists them when there is none."""
    for workload in WORKLOADS:
        if workload.name == name:
            return workload
    known = ", ".join(each.name for each in WORKLOADS)
    raise ValueError(f"no workload {name!r}; expected one of {known}")


def network_of(workload: Workload) -> Network:
    """What an evaluator is handed to lower: in gradient mode mostly our gradient network."""
    spec = parse_spec(workload.spec)
    network = spec.scenario.network(dict(spec.params))
    if workload.mode == "gradient" and workload.evaluator != "autograd":
        return simplify(differentiate(network))
    return network


def evaluation(
    workload: Workload, evaluator: str, *, seed: int = 0
) -> tuple[Function, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The compiled function, its weights and its data.

    `seed` draws the inputs; every evaluator is given the same ones.
    """
    chosen = parse_spec(workload.spec).scenario
    network = network_of(workload)
    rng = np.random.default_rng(seed)
    weights, data = chosen.draw_weights(network, rng), chosen.draw_data(network, rng)
    engine = catalog.get(evaluator)
    return engine.compile(engine.lower(network, workload.mode)), weights, data


def call_of(workload: Workload, evaluator: str) -> Callable[[], object]:
    """One evaluation, without arguments: what the peers are given."""
    function, weights, data = evaluation(workload, evaluator)
    return lambda: function(weights, data)
