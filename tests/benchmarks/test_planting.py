"""What is planted is real work, exactly as much as is said, and changes no result."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.verdict import planting
from benchmarks.verdict.planting import (
    COST_OF_A_COPY,
    LEVELS,
    MOVED,
    amount,
    computing_nodes,
    moved_folder,
    planted_name,
    planted_network,
    planted_source,
    retold,
    spread,
    statements,
)
from benchmarks.verdict.workloads import WORKLOADS, Workload, evaluation, network_of
from evaluators import catalog
from evaluators.strategies import interpreter
from evaluators.strategies.straightline import Source, Straightline

STRAIGHTLINE = [each for each in WORKLOADS if each.evaluator == "straightline"]
INTERPRETER = [each for each in WORKLOADS if each.evaluator == "interpreter"]
OF_EACH_EVALUATOR = [STRAIGHTLINE[1], INTERPRETER[0]]


def named(workload: object) -> str:
    """What pytest calls it."""
    return workload.name if isinstance(workload, Workload) else str(workload)


def source_of(workload: Workload) -> Source:
    """What `straightline` writes for it."""
    return Straightline().lower(network_of(workload), workload.mode)


def lines_of(source: Source) -> list[str]:
    """Of all functions."""
    return "\n".join(source.functions).split("\n")


@pytest.mark.parametrize("workload", [each for each in WORKLOADS if each.plantable], ids=named)
@pytest.mark.parametrize("percent", LEVELS)
def test_the_planted_share_is_the_level_to_the_nearest_copy(
    workload: Workload, percent: int
) -> None:
    """What is done twice, times what a copy costs, is the level of everything."""
    twice, of = amount(workload.evaluator, network_of(workload), percent)
    cost = COST_OF_A_COPY[workload.evaluator]

    assert abs(twice * cost - of * percent / 100) <= cost / 2


@pytest.mark.parametrize("workload", STRAIGHTLINE, ids=named)
def test_without_what_is_planted_the_source_is_the_plain_one(workload: Workload) -> None:
    """As many lines are new as statements were chosen, beside the names of their spare arrays."""
    plain = source_of(workload)
    planted = planted_source(plain, 5)
    chosen = spread(statements(plain), 5, "straightline")
    new = Counter(lines_of(planted)) - Counter(lines_of(plain))

    assert sum(new.values()) == len(chosen) + len(plain.functions)
    assert not Counter(lines_of(plain)) - Counter(lines_of(planted))
    assert [each for each in lines_of(planted) if each not in new] == lines_of(plain)


@pytest.mark.parametrize("workload", STRAIGHTLINE, ids=named)
def test_planted_statements_are_executed(workload: Workload) -> None:
    """A call of the planted function makes as many more NumPy calls as were planted."""
    plain = source_of(workload)
    chosen = spread(statements(plain), 10, "straightline")
    calls = sum(each.kind in plain.namespace for each in chosen)

    assert calls > 0
    assert counted_calls(workload, planted_source(plain, 10)) == (
        counted_calls(workload, plain) + calls
    )


def counted_calls(workload: Workload, source: Source) -> int:
    """How many functions of the namespace one evaluation calls."""
    count = 0

    def counting(function: Any) -> Any:
        def counted(*arguments: Any, **keywords: Any) -> Any:
            nonlocal count
            count += 1
            return function(*arguments, **keywords)

        return counted

    for name, value in source.namespace.items():
        if callable(value):
            source.namespace[name] = counting(value)
    _, weights, data = evaluation(workload, "straightline")
    Straightline().compile(source)(weights, data)
    return count


@pytest.mark.parametrize("workload", INTERPRETER, ids=named)
def test_planted_nodes_are_executed(workload: Workload, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of the planted function applies as many more kernels as nodes were planted."""
    kernels: list[object] = []
    kernel = interpreter.kernel
    monkeypatch.setattr(interpreter, "kernel", lambda node: kernels.append(node) or kernel(node))
    counts = []
    for percent in (0, 10):
        function, weights, data = evaluation(workload, planted_name("interpreter", percent))
        kernels.clear()
        function(weights, data)
        counts.append(len(kernels))
    twice, _ = amount("interpreter", network_of(workload), 10)

    assert counts[1] - counts[0] == twice > 0


def test_every_kind_of_work_has_its_share() -> None:
    """No operator gets more than one copy more, or less, than its share."""
    network = network_of(INTERPRETER[1])
    nodes = computing_nodes(network)
    copies = planted_network(network, 10, "interpreter").outputs[len(network.outputs) :]
    of, twice = (Counter(each.operator.name for each in some) for some in (nodes, copies))

    assert len(of) > 5
    assert all(abs(twice[name] - of[name] / 10) <= 1 for name in of)


@pytest.mark.parametrize("workload", OF_EACH_EVALUATOR, ids=named)
@pytest.mark.parametrize("percent", LEVELS)
def test_planted_work_changes_no_result(workload: Workload, percent: int) -> None:
    """Values are the same to the last bit, in the first call and in later ones."""
    plain, weights, data = evaluation(workload, workload.evaluator)
    planted, *_ = evaluation(workload, planted_name(workload.evaluator, percent))
    expected = plain(weights, data)

    for _ in range(2):
        found = planted(weights, data)
        assert len(found) == len(expected)
        assert all(map(np.array_equal, found, expected))


@pytest.mark.parametrize("workload", STRAIGHTLINE, ids=named)
def test_another_telling_has_the_same_instructions(workload: Workload) -> None:
    """The bytecode is the same, though text, names and lines are not."""
    for number, text in enumerate(source_of(workload).functions):
        plain, told = code_of(text, f"part{number}"), code_of(retold(text), f"part{number}")

        assert told.co_code == plain.co_code
        assert told.co_varnames != plain.co_varnames
        assert told.co_firstlineno != plain.co_firstlineno


def code_of(text: str, name: str) -> Any:
    """The code of a function that the text defines."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<text>", "exec"), namespace)
    return namespace[name].__code__


@pytest.mark.parametrize("evaluator", MOVED)
def test_a_moved_strategy_is_the_same_from_another_folder(
    evaluator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It computes the same, its file has the same functions, and the file is not ours."""
    monkeypatch.setattr(planting, "__file__", str(tmp_path / "benchmarks" / "verdict" / "x.py"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (workload,) = (each for each in OF_EACH_EVALUATOR if each.evaluator == evaluator)
    plain, weights, data = evaluation(workload, evaluator)
    moved = planting.Moved(evaluator)
    function = moved.compile(moved.lower(network_of(workload), workload.mode))
    ours, theirs = type(catalog.get(evaluator)), type(moved._strategy)

    assert all(map(np.array_equal, function(weights, data), plain(weights, data)))
    assert ours.compile.__code__.co_code == theirs.compile.__code__.co_code
    assert Path(theirs.compile.__code__.co_filename).is_relative_to(moved_folder())
    assert moved_folder().is_relative_to(tmp_path)


def test_the_walking_engine_is_planted_too() -> None:
    """autograd's results are the same with copies of nodes in its network."""
    pytest.importorskip("autograd", reason="autograd is not installed here")
    (workload,) = (each for each in WORKLOADS if each.name == "walk")
    plain, weights, data = evaluation(workload, workload.evaluator)
    planted, *_ = evaluation(workload, planted_name(workload.evaluator, 5))

    assert all(map(np.array_equal, planted(weights, data), plain(weights, data)))
