"""Timing blocks of calls: two clock reads a block, and nothing else around the calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Clock = Callable[[], int]
"""Nanoseconds since some fixed moment, never going back."""
Call = Callable[[Any, Any], object]


def time_block(call: Call, weights: Any, data: Sequence[Any], clock: Clock) -> int:
    """Elapsed ns of one call for each entry of `data`, back to back.

    The loop is the one that `timeit` generates, with the next data in the place of its counter.
    """
    start = clock()
    for each in data:
        call(weights, each)
    return clock() - start


def time_rounds(go_round: Callable[[], None], rounds: int, clock: Clock) -> int:
    """Elapsed ns of so many rounds of a life cycle, back to back."""
    start = clock()
    for _ in range(rounds):
        go_round()
    return clock() - start


def calls_per_block(time_calls: Callable[[int], int], block_ns: int) -> tuple[int, float]:
    """How many calls fill a block, and about how many ns one takes.

    `time_calls` times so many calls. Their number is doubled until they fill half a block, so
    that calibration costs about one block, whatever a call takes.
    """
    calls = 1
    elapsed_ns = time_calls(calls)
    while elapsed_ns < block_ns / 2:
        # A clock that has not moved tells nothing but "more".
        factor = 8 if elapsed_ns <= 0 else min(8, max(2, block_ns // (2 * elapsed_ns)))
        calls *= factor
        elapsed_ns = time_calls(calls)
    call_ns = elapsed_ns / calls
    return max(1, round(block_ns / call_ns)) if call_ns else calls, call_ns
