"""What series of blocks say, told exactly."""

from __future__ import annotations

import math

import pytest

from harness.blocks import Series, Speed, compare_neighbours, judge_blocks, without_speed
from harness.worker.evidence import Evidence
from tests.harness.fakes import QUIET


def _series(elapsed_ns: list[int], evidence: list[Evidence] | None = None) -> Series:
    return Series(calls=2, elapsed_ns=elapsed_ns, evidence=evidence or [QUIET] * len(elapsed_ns))


def test_waiting_for_the_cpu_is_no_part_of_a_block() -> None:
    """Of 30 µs, 20 were waited: two calls took 5 µs each, and the share waited is told."""
    series = _series([30_000, 10_000], [QUIET._replace(waited_ns=20_000), QUIET])

    assert series.seconds_per_call() == pytest.approx([5e-6, 5e-6])
    assert series.share_waited() == pytest.approx(0.5)


def test_a_wait_that_is_longer_than_its_block_was_not_within_it() -> None:
    """A process may wait between the counter's reading and the clock's."""
    series = _series([10_000], [QUIET._replace(waited_ns=4_000_000)])

    assert series.running_ns() == [10_000]


def test_where_the_kernel_counts_no_waiting_blocks_stand_as_they_are() -> None:
    """Without the counter nothing is taken out."""
    assert _series([10], [QUIET._replace(waited_ns=None)]).running_ns() == [10]


def test_the_ratio_of_a_pair_is_the_median_of_its_neighbours() -> None:
    """Neighbours of 10, 20 and 90 % more: the pair's log ratio is that of 1.2, of three."""
    base = _series([1_000] * 3)
    candidate = _series([1_100, 1_200, 1_900])

    judged = judge_blocks([base, candidate], warm_up_blocks=0, round_blocks=1)

    found = compare_neighbours(*judged)
    assert found is not None
    assert (found.ratio.log_ratio, found.compared) == (pytest.approx(math.log(1.2)), 3)


def test_drift_falls_out_of_mirrored_rounds() -> None:
    """ABBA on a machine that slows by a step a block: both sides have the same mean."""
    base, candidate = _series([1_000, 1_030]), _series([1_010, 1_020])

    judged = judge_blocks([base, candidate], warm_up_blocks=0, round_blocks=2)

    found = compare_neighbours(*judged)
    assert found is not None
    assert found.ratio.log_ratio == pytest.approx(0, abs=2e-4)


def test_warm_up_never_counts_and_no_more_than_half_is_left_out() -> None:
    """Of ten blocks four are left out; of four, two."""
    (long,) = judge_blocks([_series([9] * 4 + [5] * 6)], warm_up_blocks=4, round_blocks=1)
    (short,) = judge_blocks([_series([9, 9, 5, 5])], warm_up_blocks=4, round_blocks=1)

    assert long.seconds_per_call() == pytest.approx([2.5e-9] * 6)
    assert short.seconds_per_call() == pytest.approx([2.5e-9] * 2)


def test_sides_count_from_the_same_round_on() -> None:
    """Where one side settles after 20 of 60 blocks, the other is not estimated before that."""
    late = _series([2_000] * 20 + [1_000, 1_001] * 20)
    flat = _series([1_000, 1_001] * 30)

    judged = judge_blocks([flat, late], warm_up_blocks=2, round_blocks=2)

    assert [each.steady.kind for each in judged] == ["flat", "warm-up"]
    assert judged[0].start == judged[1].start >= 20


def _along(count: int, *, slope: float = 0.0, spell: float = 0.0) -> list[float]:
    """Times that rise by `slope` in all, and are slower by `spell` for the middle third."""
    return [
        1e-3 * (1 + slope * at / count) * (1 + spell * (count // 3 < at < 2 * count // 3))
        for at in range(count)
    ]


def _speeds(times: list[float], every: int) -> list[Speed]:
    return [Speed(block=at, log_time=math.log(times[at])) for at in range(0, len(times), every)]


def test_a_slow_spell_of_the_machine_is_taken_out() -> None:
    """What the yardstick saw as well is gone from the times, but for its edges; a trend stays."""
    machine = _along(300, spell=0.5)
    times = [own * slow * 1e3 for own, slow in zip(_along(300, slope=0.1), machine, strict=True)]

    found, is_corrected = without_speed(range(300), times, _speeds(machine, 5))

    assert is_corrected
    assert found[150] / found[0] == pytest.approx(1.05, rel=1e-6)
    assert found[299] / found[0] == pytest.approx(1.1, rel=1e-3)


def test_a_yardstick_that_wanders_by_itself_is_not_used() -> None:
    """Where correcting would make the times less steady, they stay as they were."""
    times = _along(300, slope=0.1)

    found, is_corrected = without_speed(range(300), times, _speeds(_along(300, spell=0.5), 5))

    assert not is_corrected
    assert found == times


def test_few_readings_of_the_yardstick_correct_nothing() -> None:
    """Nineteen are too few."""
    times = _along(300, spell=0.5)

    assert without_speed(range(300), times, _speeds(times, 16)) == (times, False)
