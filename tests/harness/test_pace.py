"""When memory is read along the calls, and when that is enough."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.worker.memory_subject import Pace
from harness.worker.messages import FollowMemory
from tests.harness.fakes import FakeClock


def _followed(
    call_ns: int,
    *,
    calls: int | None = None,
    least_calls: int = 1_000,
    budget_ns: int = 10_000_000,
    reading_ns: int = 50_000,
) -> list[int]:
    """How many calls had been made at each reading."""
    clock = FakeClock()
    request = FollowMemory(calls=calls, least_calls=least_calls, samples=20, budget_ns=budget_ns)
    pace = Pace(request, clock)
    read_at = [0]
    while True:
        pace.begin_reading()
        clock.advance(reading_ns)
        pace.end_reading()
        if pace.is_enough(len(read_at)):
            return read_at
        read_at.append(read_at[-1])
        while True:
            clock.advance(call_ns)
            read_at[-1] += 1
            if pace.is_reading_due():
                break


def test_short_calls_are_made_a_thousand_times_whatever_the_budget() -> None:
    """Calls of 100 µs go on after a budget of 10 ms."""
    assert _followed(100_000)[-1] >= 1_000


def test_long_calls_end_with_the_budget_but_not_before_a_class_can_be_told() -> None:
    """Calls of 5 ms end after 14 readings, the first of them before any call."""
    assert len(_followed(5_000_000)) == 14


def test_very_long_calls_end_after_ten_budgets() -> None:
    """Calls of 50 ms against a budget of 10 ms are made twice, and then no more."""
    assert _followed(50_000_000)[-1] == 2


def test_as_many_calls_are_made_as_the_budget_allows() -> None:
    """A second of calls of 10 µs is tens of thousands."""
    assert _followed(10_000, budget_ns=10**9)[-1] > 50_000


def test_the_first_calls_are_looked_at_closely() -> None:
    """Each reading comes after at most a quarter more calls, up to a hundred."""
    early = [at for at in _followed(10_000) if 4 <= at <= 100]

    assert all(after <= 1.25 * before + 1 for before, after in pairwise(early))


@pytest.mark.parametrize("calls", [1, 7, 1_000, 12_345])
def test_a_number_of_calls_that_was_asked_for_is_made_exactly(calls: int) -> None:
    """Neither more nor fewer, where the budget allows them."""
    assert _followed(1_000, calls=calls, budget_ns=10**9)[-1] == calls


def test_reading_takes_no_longer_than_calling() -> None:
    """Where reading is slow, it is done less often."""
    read_at = _followed(10_000, budget_ns=10**9, reading_ns=10_000_000)

    assert len(read_at) * 10_000_000 < 0.6 * 10**9 + 25 * 10_000_000
