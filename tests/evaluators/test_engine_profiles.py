"""Engines' own profilers, as adapters ask them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from evaluators.engine_profile import EngineRow, summed
from evaluators.protocol import Evaluator
from networks import Builder, Network, functions as f


def layers() -> Network:
    """Products, tanh, and a loss."""
    net = Builder()
    h = net.data("x", (32, 64))
    for i in range(3):
        h = f.tanh(h @ net.weight(f"w{i}", (64, 64)))
    net.loss(f.sum(h * h))
    return net.network()


def test_an_engines_profiler_tells_its_operations(engine: Evaluator) -> None:
    """Rows with times and counts for one call, by its own names; what it cannot tell, in words."""
    profile = getattr(engine, "profile", None)
    if profile is None:
        pytest.skip(f"the adapter of {engine.name} asks no profiler")
    rng = np.random.default_rng(1)
    data = {"x": rng.standard_normal((32, 64), dtype=np.float32)}
    weights = {f"w{i}": rng.standard_normal((64, 64), dtype=np.float32) for i in range(3)}

    told = profile(engine.lower(layers(), "output"), weights, data, 5)

    rows = [row for row in told.rows if row.phase == "evaluate"]
    assert rows
    assert all(row.name and row.seconds >= 0 for row in rows)
    assert sum(row.seconds for row in rows) > 0
    assert [row.seconds for row in rows] == sorted((row.seconds for row in rows), reverse=True)
    counted = [row.calls for row in rows if row.calls is not None]
    assert all(float(each).is_integer() for each in counted)  # as often in every call
    assert engine.version() in told.profiler
    assert told.remarks
    assert bool(told.graph) == bool(told.graph_of)
    assert all(kind and count > 0 for kind, count in told.graph.items())
    if told.graph:
        assert sum(told.graph.values()) >= 3  # layers


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 1), st.none() | st.floats(0, 9))),
    st.integers(1, 9),
)
def test_events_add_up(events: list[tuple[str, float, float | None]], calls: int) -> None:
    """Rows have all events' times, over as many calls; bytes that nobody told stay unknown."""
    rows = summed(
        (EngineRow(name=name, seconds=s, calls=1, moved_bytes=b) for name, s, b in events), calls
    )

    assert sum(row.seconds for row in rows) * calls == pytest.approx(sum(s for _, s, _ in events))
    assert sum((row.calls or 0) * calls for row in rows) == pytest.approx(len(events))
    for row in rows:
        known = [b for name, _, b in events if name == row.name and b is not None]
        assert (row.moved_bytes is None) == (not known)
