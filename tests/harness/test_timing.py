"""Blocks of calls against a clock that moves only when told to."""

from __future__ import annotations

from harness.worker.timing import calls_per_block, time_block
from tests.harness.fakes import FakeClock


def test_a_block_covers_all_its_calls() -> None:
    """Three calls of 5 ns make one 15 ns block."""
    clock = FakeClock()

    elapsed_ns = time_block(lambda _w, _d: clock.advance(5), None, [1, 2, 3], clock)

    assert elapsed_ns == 15


def test_a_block_reads_the_clock_twice() -> None:
    """However many calls a block has, it costs two clock reads."""
    reads: list[int] = []

    def clock() -> int:
        reads.append(0)
        return 0

    time_block(lambda _w, _d: None, None, range(100), clock)

    assert len(reads) == 2


def test_each_call_is_given_its_own_data() -> None:
    """Call k of a block is called with the weights and the k-th data."""
    seen: list[object] = []

    time_block(lambda weights, data: seen.append((weights, data)), "w", ["a", "b"], FakeClock())

    assert seen == [("w", "a"), ("w", "b")]


def test_calibration_finds_the_calls_that_fill_a_block() -> None:
    """Calls of 10 ns fill a block of 1,000 ns a hundred times."""
    assert calls_per_block(lambda calls: calls * 10, 1_000) == (100, 10.0)


def test_a_call_longer_than_a_block_is_a_block_of_its_own() -> None:
    """A call of 5 µs makes a block of 1 µs hold one call, timed once."""
    timed: list[int] = []

    def time_calls(calls: int) -> int:
        timed.append(calls)
        return calls * 5_000

    assert calls_per_block(time_calls, 1_000) == (1, 5_000.0)
    assert timed == [1]


def test_calibration_goes_on_while_a_coarse_clock_stands_still() -> None:
    """A clock that shows 0 ns below 4 calls is asked for more calls, not divided by."""
    calls, call_ns = calls_per_block(lambda calls: 0 if calls < 4 else calls * 2, 16)

    assert (calls, call_ns) == (8, 2.0)


def test_calibration_costs_about_a_block() -> None:
    """All calls made while calibrating take less than two blocks together."""
    spent: list[int] = []

    def time_calls(calls: int) -> int:
        spent.append(calls * 7)
        return calls * 7

    calls_per_block(time_calls, 100_000)

    assert sum(spent) < 200_000
