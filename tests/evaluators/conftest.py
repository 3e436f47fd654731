"""The evaluators under test, by name."""

from __future__ import annotations

import pytest

from evaluators import catalog
from evaluators.protocol import Evaluator

OWN = ("reference", "interpreter", "planned", "straightline")
STRATEGIES = OWN[1:]


@pytest.fixture(params=OWN)
def own(request: pytest.FixtureRequest) -> Evaluator:
    """Each of our own evaluators."""
    return catalog.get(request.param)


@pytest.fixture(params=STRATEGIES)
def strategy(request: pytest.FixtureRequest) -> Evaluator:
    """Each of our own evaluators but the golden one."""
    return catalog.get(request.param)


@pytest.fixture(
    params=[
        (name, engine.distribution) for engine in catalog.ENGINES for name in engine.evaluators
    ],
    ids=lambda pair: pair[0],
)
def engine(request: pytest.FixtureRequest) -> Evaluator:
    """Each adapter whose engine is installed."""
    name, distribution = request.param
    pytest.importorskip(
        distribution, reason=f"{distribution} is not installed: pip install '.[{distribution}]'"
    )
    return catalog.get(name)
