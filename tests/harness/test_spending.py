"""When a group's launches end."""

from dataclasses import replace

from harness.effort import paired_effort
from harness.spending import Spent

_EFFORT = paired_effort(launches=12, least_launches=5, timeout_s=60.0, memory=False)


def _last(budget_s: float | None, seconds: float = 1.0) -> tuple[int, str]:
    """The launch that is the last where each takes so long, and why."""
    spent = Spent()
    for launch in range(1, 100):
        spent.begin(launch, _EFFORT, budget_s)
        if spent.why_last:
            return launch, spent.why_last
        spent.end(seconds)
    raise AssertionError


def test_the_last_launch_ends_nearest_the_budget() -> None:
    """One more is begun if half of it fits, and not if a little more does not."""
    assert _last(8.4) == (8, "budget")
    assert _last(8.6) == (9, "budget")


def test_a_plan_ends_where_its_launches_do() -> None:
    """With a large budget, and without one."""
    assert _last(1e6) == (12, "launches")
    assert _last(None) == (12, "launches")


def test_the_least_launches_are_made() -> None:
    """Whatever the budget; and where fewer are planned, those."""
    assert _last(0.1) == (5, "budget")
    spent = Spent()
    spent.begin(3, replace(_EFFORT, launches=3), 0.1)
    assert spent.why_last == "launches"
