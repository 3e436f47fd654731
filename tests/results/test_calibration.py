"""What a calibration says of pairs whose truth is known, and that it is kept whole."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from results.calibration import (
    Calibration,
    IdenticalPairs,
    append_calibration,
    between_sessions,
    calibrate,
    read_calibrations,
)
from results.errors import TableError
from results.sessions import SPEED_CORRECTED_SD
from tests.results.samples import pair_ratios


def _pairs(case: str, count: int, sd: float = 0.01, mean: float = 0.0) -> IdenticalPairs:
    """Pairs of a quarter of a second, normally distributed."""
    draws = np.random.default_rng([count, len(case)]).normal(mean, sd, count)
    return IdenticalPairs(
        case=case, pairs=pair_ratios(draws.tolist()), seconds=count / 4, evaluate_s=1e-3
    )


def _calibrated(*cases: IdenticalPairs) -> Calibration:
    return calibrate(
        cases,
        machine="m",
        recorded_at="2026-01-31T12:00:00Z",
        level=0.01,
        comparison_s=5.0,
        troubles=["load: much; stop it"],
        log_speed=None,
    )


def test_pairs_are_cut_into_comparisons_of_the_length_asked_for() -> None:
    """100 pairs of 0.25 s are five comparisons of 5 s; a remainder is none."""
    assert _calibrated(_pairs("a", 100), _pairs("bb", 59)).comparisons == 7


def test_a_bias_between_identical_sides_shows_as_false_alarms_and_in_the_floor() -> None:
    """Sides that differ by 5 %: each comparison finds it, and the floor is beyond it."""
    found = _calibrated(_pairs("a", 100, mean=0.05))

    assert (found.comparisons, found.false_alarms) == (5, 5)
    assert found.floor is not None
    assert 0.05 < found.floor < 0.06


def test_the_floor_covers_both_directions() -> None:
    """A side that is 5 % faster moves the floor as one that is 5 % slower does."""
    slower = _calibrated(_pairs("a", 100, mean=0.05)).floor
    pairs = _pairs("a", 100, mean=0.05)
    faster = _calibrated(
        replace(pairs, pairs=pair_ratios([-each.log_ratio for each in pairs.pairs]))
    ).floor

    assert slower == pytest.approx(faster)


def test_few_pairs_give_no_floor() -> None:
    """With 19 pairs of one case, noise would be taken for a floor."""
    assert _calibrated(_pairs("a", 100), _pairs("bb", 19)).floor is None


def test_more_budget_sees_smaller_changes_and_more_noise_larger_ones() -> None:
    """Detectable changes fall with the budget, and scale with the spread between pairs."""
    quiet = [each.change for each in _calibrated(_pairs("a", 100)).detectable]
    noisy = [each.change for each in _calibrated(_pairs("a", 100, sd=0.02)).detectable]

    assert quiet == sorted(quiet, reverse=True)
    assert math.log1p(noisy[-1]) == pytest.approx(2 * math.log1p(quiet[-1]))


def test_the_spread_between_sessions_is_pooled_over_cases() -> None:
    """Logs of -0.1, 0 and 0.1 have an sd of 0.1; a constant case halves its square."""
    one = _calibrated(_pairs("a", 20))
    alone = [replace(one, case_times={"a": math.exp(at / 10)}) for at in (-1, 0, 1)]
    beside = [replace(each, case_times={**each.case_times, "b": 3.0}) for each in alone]

    assert _sd_and_degrees(alone) == (pytest.approx(0.1), 2)
    assert _sd_and_degrees(beside) == (pytest.approx(0.1 * math.sqrt(0.5)), 2)
    assert between_sessions(alone[:2]) is None


def _sd_and_degrees(calibrations: list[Calibration]) -> tuple[float, float]:
    found = between_sessions(calibrations)
    assert found is not None
    return found.sd, found.degrees


def test_what_the_yardstick_foretells_is_no_spread() -> None:
    """Where the machine's log speed moves with the cases' times, nothing is left; told if read."""
    one = _calibrated(_pairs("a", 20))
    times = [replace(one, case_times={"a": math.exp(at / 10)}) for at in (-1, 0, 1)]
    read = [
        replace(each, log_speed=at / 10 - 8) for each, at in zip(times, (-1, 0, 1), strict=True)
    ]

    foretold, untold = between_sessions(read), between_sessions(times)

    assert foretold is not None
    assert untold is not None
    assert foretold.speed_corrected_sd == pytest.approx(0, abs=1e-12)
    assert untold.speed_corrected_sd == SPEED_CORRECTED_SD


def test_calibrations_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    """Two lines appended are two calibrations, equal to what was kept."""
    path = tmp_path / "deep" / "m.jsonl"
    first, second = _calibrated(_pairs("a", 100)), _calibrated(_pairs("a", 10))
    assert read_calibrations(path) == []

    append_calibration(path, first)
    append_calibration(path, second)

    assert read_calibrations(path) == [first, second]


@pytest.mark.parametrize("line", ["", "{", "[]", "{}", '{"machine": "m", "detectable": []}'])
def test_a_line_that_is_no_calibration_is_named(tmp_path: Path, line: str) -> None:
    """The error has the file and the line."""
    path = tmp_path / "m.jsonl"
    append_calibration(path, _calibrated(_pairs("a", 100)))
    with path.open("a") as file:
        file.write(line + "\n")

    with pytest.raises(TableError, match=r"m\.jsonl:2"):
        read_calibrations(path)
