"""The level of a comparison shared out among its rows."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from results.comparison import compare
from results.family import PRIMARY_SHARE, case_level, is_primary, weights
from results.frames import frame_of
from results.sequential import level_at, looks
from results.statistics import holm, moments, p_beyond, paired
from tests.results.samples import lognormal, version


def test_a_suite_is_judged_by_its_evaluations() -> None:
    """By their time, that is; neither by how they drift nor by how long compiling takes."""
    assert is_primary("evaluate", "time")
    assert not is_primary("evaluate", "time_drift")
    assert not is_primary("compile", "time")


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_the_level_is_shared_out_once(rows: list[tuple[bool, bool]]) -> None:
    """The parts of the rows tested add up to all of it; the others have none."""
    primary = np.array([is_main for is_main, _ in rows])
    tested = np.array([is_tested for _, is_tested in rows])

    found = weights(primary, tested)

    assert np.isnan(found[~tested]).all()
    assert not tested.any() or found[tested].sum() == pytest.approx(1.0)


def test_evaluations_have_the_larger_part() -> None:
    """One of thirty rows has four fifths."""
    found = weights(np.array([True] + [False] * 29), np.ones(30, dtype=bool))

    assert found[0] == pytest.approx(PRIMARY_SHARE)
    assert found[1:] == pytest.approx((1 - PRIMARY_SHARE) / 29)


def test_a_case_is_decided_at_the_least_it_will_be_granted() -> None:
    """What its weight gives it among all rows."""
    found = weights(np.array([True] * 4 + [False] * 9), np.ones(13, dtype=bool))

    assert case_level(0.01, 4) == pytest.approx(0.01 * found[0])


def test_other_rows_cost_an_evaluation_little() -> None:
    """Beside 40 memory rows of noise it sees nearly what it alone would see."""
    rows = []
    for label, seed in (("old", 1), ("new", 2)):
        rows += version(label, lognormal(seed, 20), paired=True)
        for case in range(40):
            values = lognormal(100 * seed + case, 20, 50e6)
            rows += version(
                label, values, metric="peak_memory", phase="compile", params=f"depth={case}"
            )

    alone = compare(frame_of([row for row in rows if row.metric == "time"])).rows[0]
    among = next(row for row in compare(frame_of(rows)).rows if row.metric == "time")

    assert alone.smallest_detectable is not None
    assert among.smallest_detectable is not None
    assert alone.smallest_detectable < among.smallest_detectable < 1.05 * alone.smallest_detectable


def test_values_that_never_vary_are_not_in_the_family() -> None:
    """A hundred constant rows make no other row harder, and are told all the same."""
    rows = []
    for label, seed in (("old", 1), ("new", 2)):
        rows += version(label, lognormal(seed, 20), phase="compile")
        for case in range(100):
            size = 60e6 if (label, case) == ("new", 7) else 50e6
            rows += version(
                label, [size] * 3, metric="peak_memory", phase="compile", params=f"depth={case}"
            )

    comparison = compare(frame_of(rows))

    assert [row.params for row in comparison.having("regressed")] == ["depth=7"]
    assert len(comparison.having("unchanged")) >= 99
    assert comparison.rows[0].smallest_detectable == pytest.approx(
        compare(frame_of(rows), metrics=["time"]).rows[0].smallest_detectable
    )


def brute_force(p_values: list[float], shares: list[float], level: float) -> set[int]:
    """Weighted Holm by its definition: step down while p is within its share of the level."""
    left = set(range(len(p_values)))
    rejected: set[int] = set()
    while left:
        first = min(left, key=lambda i: p_values[i] / shares[i])
        if p_values[first] > level * shares[first] / sum(shares[i] for i in left):
            break
        left.remove(first)
        rejected.add(first)
    return rejected


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1)), max_size=8), st.floats(0.001, 0.3))
def test_holm_with_weights_steps_down(rows: list[tuple[float, float]], level: float) -> None:
    """Adjusted p-values reject what the procedure's own steps reject."""
    p_values, shares = [p for p, _ in rows], [share for _, share in rows]
    adjusted = holm(np.array(p_values, dtype=np.float64), np.array(shares, dtype=np.float64))
    if any(abs(p - level) < 1e-9 for p in adjusted):
        return

    rejected = {i for i, p in enumerate(adjusted) if p <= level}

    assert rejected == brute_force(p_values, shares, level)


@pytest.mark.parametrize("launch_sd", ["equal", "unequal", "heavy"])
def test_the_family_keeps_its_level_while_cases_stop_early(launch_sd: str) -> None:
    """In suites of 8 cases, each with 6 other rows, fewer than 1 % call anything changed wrongly.

    Every case stops at the first look that decides it at the band's edge, where errors are
    likeliest; spreads are equal, from 0.3 to 3 times the usual, or of heavy tails.
    """
    alarms = sum(_has_false_alarm(seed, launch_sd) for seed in range(1_500))

    assert alarms <= 1_500 * 0.01 + 10


def _has_false_alarm(seed: int, launch_sd: str) -> bool:
    """Whether one suite of identical code, judged without a band, is called changed."""
    rng = np.random.default_rng(seed)
    rows, most, level = 56, 20, 0.01
    noise = (
        rng.standard_t(4, (rows, most)) if launch_sd == "heavy" else rng.normal(size=(rows, most))
    )
    sds = rng.uniform(0.3, 3.0, (rows, 1)) if launch_sd == "unequal" else np.ones((rows, 1))
    values = 0.01 * sds * noise
    primary = np.arange(rows) < 8
    pairs = np.full(rows, most)
    running = primary.copy()
    for look in looks(most):
        estimate = paired(moments(values[:, :look].ravel(), np.repeat(np.arange(rows), look), rows))
        share = level_at(look, 1.0, is_last=look == most)
        stopping = running & (p_beyond(estimate, 0.0) < case_level(level, 8) * share)
        pairs[stopping] = look
        running &= ~stopping
    for case in range(8):
        pairs[8 + 6 * case : 14 + 6 * case] = pairs[case]
    p_values = np.empty(rows)
    for row in range(rows):
        count = int(pairs[row])
        estimate = paired(moments(values[row, :count], np.zeros(count, dtype=np.int64), 1))
        p_values[row] = p_beyond(estimate, 0.0)[0] / level_at(count, 1.0, is_last=count == most)
    adjusted = holm(np.minimum(p_values, 1.0), weights(primary, np.ones(rows, dtype=bool)))
    return bool((adjusted < level).any())
