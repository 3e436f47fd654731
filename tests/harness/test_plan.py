"""The order in which launches are made."""

from __future__ import annotations

from dataclasses import replace

from harness.effort import quick_effort
from harness.plan import MEMORY, TIME, plan_turns
from tests.harness.sessions import (
    EFFORT,
    a_contender,
)


def test_a_plan_has_every_launch_of_every_group_time_before_memory() -> None:
    """Two groups, two time launches and one memory launch make six steps in rounds."""
    groups = [(a_contender(scenario="mlp"),), (a_contender(scenario="chain"),)]

    turns = plan_turns(groups, quick_effort(launches=2, timeout_s=1, memory=True), seed=1)
    steps = [step for (step,) in turns]

    assert [(step.kind, step.launch) for step in steps] == [
        (TIME, 1),
        (TIME, 1),
        (TIME, 2),
        (TIME, 2),
        (MEMORY, 3),
        (MEMORY, 3),
    ]
    assert all({steps[at].contenders, steps[at + 1].contenders} == set(groups) for at in (0, 2, 4))


def test_a_launch_of_its_own_has_no_pair() -> None:
    """Only launches that are alive together share a pair id."""
    single = plan_turns([(a_contender(),)], EFFORT, seed=1)
    pairs = list(plan_turns([(a_contender("a"), a_contender("b"))], EFFORT, seed=1))

    assert {step.pair for (step,) in single} == {""}
    assert [step.pair for (step,) in pairs] == ["1", "2"]


def test_a_turn_has_pairs_of_one_case_and_each_knows_the_next_in_its_place() -> None:
    """Five pairs of each of two cases, two at once: turns of 1 and 2, of 3 and 4, and of 5."""
    groups = [
        (a_contender("a", scenario), a_contender("b", scenario)) for scenario in ("mlp", "chain")
    ]

    turns = list(plan_turns(groups, replace(EFFORT, launches=5), seed=1, at_once=2))

    assert [[step.launch for step in turn] for turn in turns] == 2 * [[1, 2]] + 2 * [[3, 4]] + [
        [5],
        [5],
    ]
    assert all(len({step.contenders for step in turn}) == 1 for turn in turns)
    for turn, after in zip(turns[::2], turns[1::2], strict=True):
        following = [step.following for step in turn if step.following]
        assert [(each.launch, each.contenders) for each in following] == [
            (step.launch, step.contenders) for step in after
        ]


def test_a_case_alone_is_followed_by_itself() -> None:
    """Its next turn may have fewer pairs, and its last has none after it."""
    turns = plan_turns(
        [(a_contender("a"), a_contender("b"))], replace(EFFORT, launches=3), seed=1, at_once=2
    )

    following = [[step.following and step.following.launch for step in turn] for turn in turns]

    assert following == [[3, None], [None]]
