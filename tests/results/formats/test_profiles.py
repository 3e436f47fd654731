"""Differences of profiles at a terminal."""

from __future__ import annotations

import io

from hypothesis import given, strategies as st
from rich.console import Console

from results.formats.profiles import render_difference, render_graphs
from results.profiles.difference import difference
from results.profiles.reading import ProfileReading

KINDS = st.dictionaries(st.sampled_from(["Add", "MatMul", "Tanh"]), st.integers(1, 9))


def _console() -> tuple[Console, io.StringIO]:
    shown = io.StringIO()
    return Console(file=shown, width=400), shown


def _graphs(before: dict[str, int], after: dict[str, int]) -> str:
    console, shown = _console()
    render_graphs("mlp", "ONNX nodes", ("1.16", before), ("1.31", after), console)
    return shown.getvalue()


def test_graphs_are_told_by_what_differs_most() -> None:
    """Kinds that are new or gone too; kinds that are as before are left out."""
    text = _graphs({"Add": 3, "MatMul": 2, "Tanh": 1}, {"Add": 3, "MatMul": 6, "Gemm": 1})

    assert text.strip() == "mlp: ONNX nodes, 1.16 → 1.31: MatMul 2 → 6, Gemm 0 → 1, Tanh 1 → 0"


@given(KINDS)
def test_equal_graphs_are_told_as_such(kinds: dict[str, int]) -> None:
    """With how many nodes they have."""
    text = _graphs(kinds, dict(reversed(kinds.items())))

    assert text.strip() == f"mlp: the same ONNX nodes in both, {sum(kinds.values())}"


def test_a_difference_names_its_phase() -> None:
    """What changed of compile is no call."""
    rows = [
        ProfileReading(
            label=label,
            launch=1,
            pair=1,
            phase="compile",
            by="engine",
            name="rewriting",
            file="",
            line=None,
            seconds=seconds,
            calls=1.0,
            moved_bytes=None,
            allocated_bytes=None,
            flops=None,
        )
        for label, seconds in (("a", 1.0), ("b", 3.0))
    ]
    found = difference(rows, "a", "b", by="engine", phase="compile")
    console, shown = _console()

    render_difference("mlp", found, found.counted, console, top=3)

    assert "what changed of compile, by engine" in shown.getvalue()
    assert "the whole of compile" in shown.getvalue()
    assert "call" not in shown.getvalue()
