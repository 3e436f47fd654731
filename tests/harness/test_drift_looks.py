"""When a leak has been seen often enough to be told."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest

from harness.drift_looks import Look, is_clear, told
from results.drift import Drift, DriftClass, memory_drift

_CALLS = 4_001


def _look(calls: int, kind: DriftClass, value: float = 80.0) -> Look:
    return Look(calls=calls, drift=Drift(value=value, low=value, high=value, kind=kind))


def _class(looks: list[Look]) -> str:
    drift = told(looks)
    assert drift is not None
    return drift.kind


def test_a_leak_is_told_when_its_slope_stays() -> None:
    """Two looks at 80 B a call are enough."""
    looks = [_look(1_000, "leak"), _look(2_000, "leak")]

    assert is_clear(looks)
    assert _class(looks) == "leak"


@pytest.mark.parametrize("looks", [2, 3, 4])
def test_growth_whose_slope_falls_as_calls_rise_is_no_leak(looks: int) -> None:
    """A slope of one over the calls is growth with their logarithm: more calls are asked for."""
    seen = [_look(1_000 * at, "leak", value=80_000 / (1_000 * at)) for at in range(1, looks + 1)]

    assert not is_clear(seen)
    assert _class(seen) == "inconclusive"


def test_a_leak_that_was_seen_in_the_last_look_alone_is_not_told() -> None:
    """It says why."""
    drift = told([_look(1_000, "inconclusive"), _look(2_000, "leak")])

    assert drift is not None
    assert (drift.kind, drift.why) == ("inconclusive", "it was seen once")


def test_one_look_is_taken_at_its_word() -> None:
    """Where no more are made, as of functions that are all kept alive."""
    assert _class([_look(1_000, "leak")]) == "leak"


def test_what_settles_after_a_doubt_is_told_as_it_is() -> None:
    """The last look's class holds, unless it is a leak."""
    looks = [_look(1_000, "leak"), _look(2_000, "plateau")]

    assert is_clear(looks)
    assert _class(looks) == "plateau"


def test_growth_ever_slower_is_seldom_a_leak() -> None:
    """Growth with the logarithm of the calls, in lumps at random: less than once in ten series."""
    kinds = [_class(_looks(_lumps_ever_rarer(random.Random(seed)))) for seed in range(60)]

    assert kinds.count("leak") < 6


def test_a_leak_in_lumps_at_random_is_told() -> None:
    """16 B every second call on average; in nineteen of twenty series at least."""
    kinds = [_class(_looks(_lumps(random.Random(seed)))) for seed in range(40)]

    assert kinds.count("leak") >= 38


def _looks(in_use: list[float]) -> list[Look]:
    """As the harness makes them: a thousand calls, and as many again until it is clear."""
    found: list[Look] = []
    for calls in (1_000, 2_000, 3_000, 4_000):
        read = range(0, calls + 1, 16)
        drift = memory_drift(list(read), [in_use[at] for at in read])
        found.append(Look(calls=calls, drift=drift))
        if is_clear(found):
            break
    return found


def _lumps_ever_rarer(rng: random.Random) -> list[float]:
    """A table that fills at random: 9 kB with each doubling of the calls."""
    start = rng.uniform(20, 100)
    return list(accumulate(128.0 * (rng.random() < 100 / (start + at)) for at in range(_CALLS)))


def _lumps(rng: random.Random) -> list[float]:
    return list(accumulate(16.0 * (rng.random() < 0.5) for _ in range(_CALLS)))
