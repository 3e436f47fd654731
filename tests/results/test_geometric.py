"""The geometric mean over cases that share what the machine does."""

import math

import numpy as np
import pytest

from results.comparison import compare
from results.contrasts import Side, contrast
from results.frames import frame_of
from results.geometric import mean_over_cases
from results.sessions import BetweenSessions
from results.statistics import interval
from tests.results.samples import lognormal, version

CASES, PAIRS = 6, 8


def missed(shared_sd: float, lengths: list[int]) -> float:
    """How often a 99 % interval misses a true mean of +2 %, in 1,000 suites of six cases.

    Args:
        shared_sd: of what each round does to the candidates of all cases alike.
        lengths: the pairs of each case; cases stop at different lengths.
    """
    rng = np.random.default_rng(1)
    misses = 0
    for _ in range(1_000):
        rounds = rng.normal(0, shared_sd, PAIRS)
        series = np.repeat(np.arange(CASES), lengths)
        pairs = np.concatenate([np.arange(length) for length in lengths])
        old = rng.normal(0, 0.3, CASES)[series]
        new = old + 0.02 + rounds[pairs] + rng.normal(0, 0.01, len(series))
        found = contrast(side(series, pairs, old), side(series, pairs, new), CASES)
        mean = mean_over_cases(
            found,
            np.zeros(CASES, dtype=np.int64),
            1,
            np.ones(CASES, dtype=bool),
            BetweenSessions(),
        )
        low, high = interval(mean, 0.01)
        misses += not low[0] <= 0.02 <= high[0]
    return misses / 1_000


def side(series: np.ndarray, pairs: np.ndarray, logs: np.ndarray) -> Side:  # type: ignore[type-arg]
    """The launches of one version."""
    return Side(
        series=series,
        pairs=pairs,
        sessions=np.zeros(len(series), dtype=np.int64),
        values=np.exp(logs),
        log_ratios=np.full(len(series), np.nan),
        log_errors=np.full(len(series), np.nan),
        speeds=np.full(len(series), np.nan),
        is_last=np.zeros(len(series), dtype=bool),
    )


@pytest.mark.parametrize("shared_sd", [0.0, 0.01, 0.03])
@pytest.mark.parametrize("lengths", [[8] * 6, [5, 5, 5, 7, 8, 8]])
def test_the_geometric_mean_keeps_its_promise(shared_sd: float, lengths: list[int]) -> None:
    """Also where rounds move all cases together, and where cases stop early."""
    assert missed(shared_sd, lengths) == pytest.approx(0.01, abs=0.011)


def test_sessions_move_all_cases_together() -> None:
    """However many cases there are, the variance between two sessions stays in their mean."""
    old, new = [], []
    for case in range(20):
        params = f"depth={case}"
        old += version("old", lognormal(case, 10), params=params)
        new += version("new", lognormal(100 + case, 10), params=params, session="s2")

    (mean,) = compare(frame_of(old + new), between=BetweenSessions(sd=0.04)).geometric_means

    assert math.log(mean.ratio_high / mean.ratio) > 3 * 0.04 * math.sqrt(2)


def test_without_pairs_cases_are_independent() -> None:
    """And the mean of twenty is surer than one."""
    rows = []
    for case in range(20):
        params = f"depth={case}"
        rows += version("old", lognormal(case, 10), params=params)
        rows += version("new", lognormal(100 + case, 10, 1.02e-3), params=params)

    comparison = compare(frame_of(rows))

    (mean,) = comparison.geometric_means
    one = comparison.rows[0]
    assert one.ratio_low is not None
    assert one.ratio_high is not None
    assert mean.ratio_low < 1.02 < mean.ratio_high
    assert mean.ratio_high - mean.ratio_low < 0.4 * (one.ratio_high - one.ratio_low)
