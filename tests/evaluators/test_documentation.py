"""The evaluator of docs/adding-an-evaluator.md, as it is written there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from evaluators import catalog
from scenarios import scenario

GUIDE = Path(__file__).parents[2] / "docs" / "adding-an-evaluator.md"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The guide's file, run as a plugin into a catalogue that forgets it afterwards."""
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None
    path = tmp_path / "listed.py"
    path.write_text(found[1])
    monkeypatch.setattr(catalog, "_registered", dict(catalog._registered))
    monkeypatch.setattr(catalog, "_places", dict(catalog._places))
    exec(compile(found[1], str(path), "exec"), {"__name__": "listed"})
    return "listed"


@pytest.mark.parametrize("mode", ["output", "gradient"])
def test_the_guides_evaluator_works(plugin: str, mode: str) -> None:
    """It registers itself, agrees with the golden evaluator, and counts."""
    chain = scenario.get("chain")
    network = chain.network(chain.small, dtype="float64")
    rng = np.random.default_rng(0)
    weights, data = chain.draw_weights(network, rng), chain.draw_data(network, rng)
    results = []
    for name in (plugin, "reference"):
        evaluator = catalog.get(name)
        assert evaluator.refuse(network, mode) is None
        results.append(evaluator.compile(evaluator.lower(network, mode))(weights, data))

    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert catalog.get(plugin).counters() == {"outputs": len(results[0])}


def test_the_guides_evaluator_refuses(plugin: str) -> None:
    """A refusal says why."""
    network = scenario.get("chain").network({}, dtype="float32")

    assert catalog.get(plugin).refuse(network, "output") == "listed takes float64 weights alone"
