"""Launches that wait for their step, and those whose step will not come."""

from __future__ import annotations

from harness.ahead import Ahead
from harness.cases import parse_spec
from harness.plan import TIME, Contender, Step, Version
from tests.harness.fakes import FakeLaunch

_PAIR = tuple(
    Contender(
        version=Version(label=label, interpreter=label),
        case=parse_spec("mlp").case("planned", "gradient"),
    )
    for label in "ab"
)


def _step(launch: int) -> Step:
    return Step(kind=TIME, launch=launch, contenders=_PAIR)


def test_a_launch_is_taken_once_for_its_own_step() -> None:
    """What waits for the second step is not had for the first, nor twice."""
    ahead, launch = Ahead(), FakeLaunch({})

    ahead.add(_step(2), _PAIR[0], launch)

    assert ahead.take(_step(1), _PAIR[0]) is None
    assert ahead.take(_step(2), _PAIR[1]) is None
    assert ahead.take(_step(2), _PAIR[0]) is launch
    assert ahead.take(_step(2), _PAIR[0]) is None


def test_what_waits_for_a_step_that_will_not_come_is_closed() -> None:
    """A decided case's launches end when another step begins; those that are awaited live."""
    ahead = Ahead()
    launches = [FakeLaunch({}) for _ in range(3)]
    for number, launch in enumerate(launches, 1):
        ahead.add(_step(number), _PAIR[0], launch)

    ahead.keep_only([_step(2)])
    assert [launch.closed for launch in launches] == [True, False, True]

    ahead.close()
    assert launches[1].closed
