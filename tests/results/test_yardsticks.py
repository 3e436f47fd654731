"""Launches corrected by how fast the machine was."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from results.comparison import compare
from results.frames import frame_of
from results.judgement import Row
from results.schema import Reading
from results.statistics import interval, moments, welch
from results.summary import summarise
from results.yardsticks import EVIDENCE, YARDSTICKS, Launches, corrected
from tests.results.samples import lognormal, reading, version

Floats = NDArray[np.float64]

BESIDE = "evaluator=planned;params=depth:100,width:64;scenario=chain"
"""What names samples.VALID in the params of a yardstick."""


def yardstick(label: str, name: str, values: list[float], **changes: object) -> list[Reading]:
    """A yardstick's reading beside each launch."""
    return [
        reading(
            label=label,
            evaluator="yardstick",
            scenario=name,
            params=BESIDE,
            launch=i,
            value=value,
            **changes,
        )
        for i, value in enumerate(values)
    ]


def launches(
    seed: int, runs: int, count: int, shared_sd: float, shift: float = 0.0, effect: float = 0.0
) -> Launches:
    """Launches of which a part of the noise is the machine's, and read by one yardstick.

    Args:
        seed: of the random numbers.
        runs: series, each a comparison of its own.
        count: launches of each version.
        shared_sd: of what the machine does to the launch and to the yardstick beside it.
        shift: log by which the machine is slower while the candidate is measured.
        effect: true log ratio.
    """
    rng = np.random.default_rng(seed)
    shape = (runs, 2, count)
    is_candidate = np.broadcast_to(np.array([False, True])[:, np.newaxis], shape)
    machine = rng.normal(0, shared_sd, shape) + shift * is_candidate
    logs = machine + rng.normal(0, 0.01, shape) + effect * is_candidate
    first = machine + rng.normal(0, 0.003, shape)
    others = rng.normal(0, 0.02, (*shape, 2))
    return Launches(
        series=np.repeat(np.arange(runs), 2 * count),
        is_candidate=is_candidate.ravel(),
        sessions=is_candidate.ravel().astype(np.int64),
        logs=logs.ravel(),
        yardsticks=np.concatenate([first[..., np.newaxis], others], axis=-1).reshape(-1, 3),
    )


def plain_errors(found: Launches, runs: int) -> Floats:
    """Standard errors without a yardstick."""
    sides = [found.is_candidate == side for side in (False, True)]
    errors: Floats = welch(
        *(moments(found.logs[x], found.series[x], runs) for x in sides)
    ).standard_error
    return errors


@pytest.mark.parametrize("count", [5, 12])
def test_corrected_intervals_hold_the_truth(count: int) -> None:
    """Where the machine drifts by 5 % between the versions, 99 % intervals miss +2 % in 1 %."""
    runs = 4_000
    found = corrected(launches(1, runs, count, 0.05, shift=0.05, effect=0.02), runs)

    used = found.yardstick >= 0
    low, high = interval(found.estimate, 0.01)
    missed = (low[used] > 0.02) | (high[used] < 0.02)

    assert used.mean() > 0.85
    assert missed.mean() == pytest.approx(0.01, abs=0.006)


def test_a_yardstick_that_tells_something_narrows_the_interval() -> None:
    """To less than half, where four fifths of the noise are the machine's."""
    drawn = launches(2, 500, 10, 0.05)

    found = corrected(drawn, 500)

    used = found.yardstick == YARDSTICKS.index("numpy_dispatch")
    assert used.mean() > 0.95
    narrower = found.estimate.standard_error[used] / plain_errors(drawn, 500)[used]
    assert np.median(narrower) < 0.5


def test_a_yardstick_that_tells_nothing_is_hardly_ever_used() -> None:
    """No more often than its evidence allows, and then it does no harm."""
    runs = 4_000

    found = corrected(launches(3, runs, 10, 0.0), runs)

    used = found.yardstick >= 0
    assert used.mean() <= EVIDENCE + 0.005
    assert np.isnan(found.estimate.value[~used]).all()


def drifting(effect: float = 1.0, shift: float = 1.3) -> pd.DataFrame:
    """Two versions whose launches follow the machine, which is slower in the second session."""
    rng = np.random.default_rng(4)
    rows: list[Reading] = []
    for label, session, slower, faster in (("old", "s1", 1.0, 1.0), ("new", "s2", shift, effect)):
        machine = slower * np.exp(rng.normal(0, 0.05, 10))
        values = faster * 1e-3 * machine * np.array(lognormal(len(rows), 10, 1.0, 0.002))
        rows += version(label, values.tolist(), session=session)
        for name in YARDSTICKS:
            read = 2e-4 * machine * np.array(lognormal(len(rows), 10, 1.0, 0.002))
            rows += yardstick(label, name, read.tolist(), session=session)
    return frame_of(rows)


def only_row(frame: pd.DataFrame, threshold: float = 0.01) -> Row:
    """The one row of a comparison."""
    (row,) = compare(frame, between_session_sd=0.002, threshold=threshold).rows
    return row


def test_a_slower_machine_is_not_a_slower_version() -> None:
    """30 % more time, of which the yardstick tells that all are the machine's."""
    row = only_row(drifting(), threshold=0.03)

    assert row.verdict == "unchanged"
    assert row.ratio == pytest.approx(1.0, abs=0.01)
    assert "corrected by the yardstick" in row.reason


def test_a_slower_version_is_seen_on_a_slower_machine() -> None:
    """5 % more than the machine explains."""
    row = only_row(drifting(effect=1.05))

    assert row.verdict == "regressed"
    assert row.ratio == pytest.approx(1.05, abs=0.01)


def test_the_other_way_round_is_the_mirror() -> None:
    """Whichever version is corrected."""
    frame = drifting(effect=1.05)

    forward = only_row(frame)
    (backward,) = compare(frame, baseline_label="new", between_session_sd=0.002).rows

    assert forward.ratio is not None
    assert backward.ratio == pytest.approx(1 / forward.ratio)
    assert backward.verdict == "improved"


def test_a_launch_without_its_yardstick_leaves_all_as_they_are() -> None:
    """Half a covariate is none."""
    frame = drifting()
    is_lost = (frame["evaluator"] == "yardstick") & (frame["launch"] == 3)

    row = only_row(frame[~is_lost].reset_index(drop=True))

    assert "yardstick" not in row.reason
    assert row.ratio == pytest.approx(1.3, abs=0.05)


def test_yardsticks_are_no_cases() -> None:
    """They are neither judged, nor missed, nor listed in a summary."""
    frame = frame_of(
        version("old", lognormal(1, 5))
        + version("new", lognormal(2, 5))
        + yardstick("old", "matmul", [1.0] * 5)
    )

    comparison = compare(frame)

    assert [row.evaluator for row in comparison.rows] == ["planned"]
    assert comparison.missing == comparison.candidate_only == ()
    assert {one.evaluator for one in summarise(frame)} == {"planned"}
