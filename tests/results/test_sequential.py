"""Looks, what they may spend, and what is decided at them."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from results.comparison import compare
from results.errors import ComparisonError
from results.sequential import decide, is_look, level_at, looks, schedule, shares
from results.statistics import Estimate, moments, p_beyond, p_within, paired
from tests.results.samples import pair_ratios, two_versions

LEVEL = 0.01
PAIR_SD = 0.0105
"""Of log ratios, from launch to launch, as measured on our machine (docs/figures.md)."""


def test_looks_come_ever_rarer() -> None:
    """The last look is where the run ends."""
    assert looks(56) == [6, 8, 10, 14, 20, 28, 40, 56]
    assert looks(24) == [6, 8, 10, 14, 20, 24]
    assert looks(6) == [6]
    assert looks(3) == [3]


def test_a_look_is_one_of_the_schedule() -> None:
    """24 is no look of its own; it uses the slot of 28."""
    assert [n for n in range(1, 41) if is_look(n)] == [6, 8, 10, 14, 20, 28, 40]


@pytest.mark.parametrize("at_once", [1, 2, 3, 4])
def test_pairs_that_come_together_are_looked_at_once_in_a_slot(at_once: int) -> None:
    """However many come at once: no slot has two looks, and from 14 pairs on none has none."""
    reached = range(at_once, 1_000, at_once)
    slots = [next(end for end in schedule() if end >= n) for n in reached if is_look(n, at_once)]

    assert slots == sorted(set(slots))
    assert slots[0] in {6, 8}
    assert {14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640}.issubset(slots)
    if at_once <= 2:
        assert slots == [end for end in schedule() if end < 1_000]
    assert level_at(24, LEVEL) == level_at(28, LEVEL) == level_at(21, LEVEL)
    assert level_at(20, LEVEL) != level_at(21, LEVEL)


def test_the_looks_together_spend_the_level() -> None:
    """However long a run is, its looks spend no more than there is."""
    every = np.fromiter(schedule(), dtype=np.int64)
    found = shares(every, every < 0)

    assert found.sum() == pytest.approx(1.0)
    assert (found > 0).all()


@given(st.integers(1, 10_000))
def test_the_last_look_finds_all_that_is_left(most: int) -> None:
    """Wherever a run ends, its looks spend the level, and no more."""
    spent = [level_at(look, 1.0, is_last=look == most) for look in looks(most)]

    assert sum(spent) == pytest.approx(1.0)


@given(st.integers(1, 10**6), st.floats(1e-6, 0.4))
def test_a_level_depends_on_the_number_of_pairs_alone(pairs: int, level: float) -> None:
    """And is a part of the level."""
    assert 0 < level_at(pairs, level) < level
    assert level_at(pairs, level) == pytest.approx(level * level_at(pairs, 1.0))


@pytest.mark.parametrize(
    ("ratio", "expected"), [(1.05, "regressed"), (0.95, "improved"), (1.0, "unchanged")]
)
def test_pairs_are_judged(ratio: float, expected: str) -> None:
    """Beyond the band or within it, and how sure that is."""
    noise = [0.002 * math.sin(i) for i in range(10)]

    found = decide(pair_ratios([math.log(ratio) + x for x in noise]), threshold=0.02, level=LEVEL)

    assert found.verdict == expected
    assert found.is_final
    assert found.low is not None
    assert found.high is not None
    assert found.smallest_detectable is not None
    assert found.low < ratio < found.high
    assert 0.02 < found.smallest_detectable < 0.03
    assert found.pairs_to_halve == 20


@pytest.mark.parametrize("count", [0, 1])
def test_one_pair_decides_nothing(count: int) -> None:
    """Nor does none."""
    found = decide(pair_ratios([0.5] * count), threshold=0.01, level=LEVEL)

    assert (found.verdict, found.low, found.pairs_to_halve) == ("inconclusive", None, None)
    assert not found.is_final


def test_what_cannot_be_judged_is_refused() -> None:
    """With what was expected instead."""
    with pytest.raises(ComparisonError, match="not finite"):
        decide(pair_ratios([0.0, math.nan]), threshold=0.01, level=LEVEL)
    with pytest.raises(ComparisonError, match="level is 0"):
        decide(pair_ratios([0.0, 0.1]), threshold=0.01, level=0.0)
    with pytest.raises(ValueError, match="most is 0"):
        looks(0)


@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.parametrize("count", [5, 12, 24])
@pytest.mark.parametrize("shift", [0.0, 0.004, 0.02])
def test_a_stored_table_is_judged_as_it_was_live(count: int, shift: float, is_last: bool) -> None:
    """The same pairs give the same verdict and interval from a table."""
    generator = np.random.default_rng(count)
    old = np.exp(generator.normal(-7, 0.3, count))
    log_ratios = generator.normal(shift, PAIR_SD, count)

    live = decide(pair_ratios(log_ratios.tolist()), threshold=0.005, level=LEVEL, is_last=is_last)
    detail = "last_pair=budget" if is_last else ""
    new = (old * np.exp(log_ratios)).tolist()
    frame = two_versions(old.tolist(), new, paired=True, detail=detail)
    (row,) = compare(frame, threshold=0.005, level=LEVEL).rows

    assert row.verdict == live.verdict
    assert row.ratio_low == pytest.approx(live.low)
    assert row.ratio_high == pytest.approx(live.high)
    assert row.smallest_detectable == pytest.approx(live.smallest_detectable)


def outcomes(
    seed: int, truth: float, threshold: float, most: int, level: float = LEVEL, runs: int = 5_000
) -> tuple[float, float, float, float]:
    """Shares of runs that end in regressed, improved and unchanged, and the mean pairs taken."""
    pairs = np.random.default_rng(seed).normal(math.log1p(truth), PAIR_SD, (runs, most))
    band = math.log1p(threshold)
    verdicts = np.zeros(runs)
    taken = np.full(runs, most)
    running = np.ones(runs, dtype=bool)
    for look in looks(most):
        estimate = estimates(pairs[:, :look])
        at_look = level_at(look, level, is_last=look == most)
        beyond = running & (p_beyond(estimate, band) < at_look)
        within = running & ~beyond & (p_within(estimate, band) < at_look)
        verdicts[beyond] = np.sign(estimate.value[beyond])
        verdicts[within] = 2
        taken[beyond | within] = look
        running &= ~(beyond | within)
    shares_found = [float(np.mean(verdicts == code)) for code in (1, -1, 2)]
    return shares_found[0], shares_found[1], shares_found[2], float(taken.mean())


def of_launches(seed: int, launch_share: float, tails: str) -> np.ndarray:  # type: ignore[type-arg]
    """Log ratios of 1,000 runs of 24 pairs: medians of 12 ABBA rounds over a machine that drifts.

    Args:
        seed: of the random numbers.
        launch_share: of the variance that is between launches, and not between blocks.
        tails: normal, or heavy for Student's with 4 degrees of freedom.
    """
    rng = np.random.default_rng(seed)
    shape = (1_000, 24)
    heavy = rng.standard_t(4, shape) / math.sqrt(2)
    own = heavy if tails == "heavy" else rng.normal(size=shape)
    block_sd = PAIR_SD * math.sqrt(12 * (1 - launch_share))
    blocks = rng.normal(0, block_sd, (*shape, 12, 4))
    blocks += np.cumsum(rng.normal(0, 0.002, (*shape, 48)), axis=-1).reshape(*shape, 12, 4)
    rounds = (blocks[..., 1] + blocks[..., 2] - blocks[..., 0] - blocks[..., 3]) / 2
    found: np.ndarray = PAIR_SD * math.sqrt(launch_share) * own + np.median(rounds, axis=-1)  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("launch_share", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("tails", ["normal", "heavy"])
def test_no_look_of_a_run_misses_the_truth(launch_share: float, tails: str) -> None:
    """In 99 % of runs the intervals of all looks hold it, whatever the noise is made of."""
    pairs = of_launches(5, launch_share, tails)
    missed = np.zeros(len(pairs), dtype=bool)

    for look in looks(24):
        at_look = level_at(look, LEVEL, is_last=look == 24)
        missed |= p_beyond(estimates(pairs[:, :look]), 0.0) < at_look

    assert missed.mean() <= LEVEL + 0.003


def estimates(pairs: np.ndarray) -> Estimate:  # type: ignore[type-arg]
    """The estimate of each run."""
    runs, count = pairs.shape
    return paired(moments(pairs.ravel(), np.repeat(np.arange(runs), count), runs))


@pytest.mark.parametrize("most", [24, 70])
def test_identical_versions_are_not_called_changed_at_any_look(most: int) -> None:
    """Over all looks at most 1 % of runs are, even without a band."""
    slower, faster, _, _ = outcomes(1, 0.0, 0.0, most)

    assert slower + faster <= LEVEL + 0.002


def test_changes_at_the_edge_are_rarely_called_beyond_or_within() -> None:
    """A true change of the threshold's own size is neither, whatever the look."""
    beyond, _, within, _ = outcomes(2, 0.01, 0.01, 70)

    assert beyond <= LEVEL / 2 + 0.002
    assert within <= LEVEL / 2 + 0.002


@pytest.mark.parametrize(
    ("truth", "most", "least"), [(0.01, 24, 0.80), (0.02, 24, 0.95), (0.01, 70, 0.95)]
)
def test_small_changes_are_found(truth: float, most: int, least: float) -> None:
    """1 % in 24 pairs with 80 %, in 70 with 95 %; 2 % in 24 with 95 %; the sign is right."""
    found, wrong, _, _ = outcomes(3, truth, 0.0, most)

    assert found >= least
    assert wrong == 0


@pytest.mark.parametrize(("truth", "threshold"), [(0.03, 0.0), (0.03, 0.01), (0.0, 0.02)])
def test_early_ends_save_time(truth: float, threshold: float) -> None:
    """At least 40 % of a fixed budget of 24 pairs."""
    *shares_found, taken = outcomes(4, truth, threshold, 24)

    assert taken <= 0.6 * 24
    assert max(shares_found) >= 0.99
