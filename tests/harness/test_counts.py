"""Deterministic counts: whose nodes are whose, and that one more is a regression at once."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators import catalog
from evaluators.strategies.interpreter import Interpreter
from harness.worker.memory import probe_here
from harness.worker.messages import Open
from harness.worker.subject import Subject
from networks import Network, Node
from results.comparison import compare, exit_code
from results.frames import frame_of
from tests.results.samples import reading


class _Counting(Interpreter):
    """Counts the nodes that it would make, with sharing or without."""

    name = "counting"

    def __init__(self, *, loses_sharing: bool) -> None:
        self._loses_sharing = loses_sharing
        self._nodes = 0

    def lower(self, network: Network, mode: str) -> Any:
        paths: dict[Node, int] = {}
        for node in network.nodes:
            paths[node] = 1 + sum(paths[operand] for operand in node.operands)
        shared = len(network.nodes)
        self._nodes = sum(paths[o] for o in network.outputs) if self._loses_sharing else shared
        return super().lower(network, mode)

    def counters(self) -> dict[str, int]:
        return {"nodes": self._nodes, "recompilations": 0}


def _counts(monkeypatch: pytest.MonkeyPatch, *, loses_sharing: bool) -> dict[str, int]:
    monkeypatch.setitem(catalog._registered, "counting", _Counting(loses_sharing=loses_sharing))
    request = Open(
        scenario="double",
        params={"depth": 10},
        evaluator="counting",
        mode="output",
        dtype=None,
        seed=1,
        plugins=[],
        fixed_layout=True,
    )
    subject = Subject(request, probe=probe_here())
    for phase in ("construct", "lower", "compile", "first_call"):
        subject.run_phase(phase)
    return subject.count().counts


def test_an_engines_nodes_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours are those of the network: an input, ten sums and the loss; theirs stand beside."""
    counts = _counts(monkeypatch, loses_sharing=True)

    assert counts["nodes"] == 12
    assert counts["engine_nodes"] == 2**11 - 1
    assert counts["recompilations"] == 0


@pytest.mark.parametrize("metric", ["engine_nodes", "recompilations", "cache_entries", "nodes"])
def test_one_more_is_a_regression_of_a_single_launch(metric: str) -> None:
    """No noise, so no launches are needed to be sure: exit code 1, and 0 for the same count."""
    phase = "compile"

    def exit_with(count: float) -> int:
        rows = [
            reading(label=label, metric=metric, phase=phase, value=value)
            for label, value in (("old", 3.0), ("new", count))
        ]
        return exit_code(compare(frame_of(rows)))

    assert exit_with(4.0) == 1
    assert exit_with(3.0) == 0
