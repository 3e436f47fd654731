"""Changes over versions: found where they are, seldom where they are not, with honest sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from results.errors import ComparisonError
from results.frames import frame_of
from results.history import LEAST_APART, Histories, History, histories
from results.schema import Reading
from tests.results.samples import reading, version


def _labels(count: int) -> list[str]:
    return [f"v{number}" for number in range(count)]


def _apart(levels: Sequence[float], rng: np.random.Generator, sd: float = 0.01) -> list[Reading]:
    """Versions in sessions of their own, whose machine differs by `sd` from session to session."""
    rows: list[Reading] = []
    for label, mean in zip(_labels(len(levels)), levels, strict=True):
        session = mean * np.exp(rng.normal(0, sd))
        values = session * np.exp(rng.normal(0, sd / 5, 5))
        rows += [replace(one, session=label) for one in version(label, values.tolist())]
    return rows


def _together(
    levels: Sequence[float], rng: np.random.Generator, pairs: int = 6, sd: float = 0.01
) -> list[Reading]:
    """Versions in pairs of one session; what a pair shares varies ten times as much."""
    shared = np.exp(rng.normal(0, 10 * sd, pairs))
    rows: list[Reading] = []
    for label, mean in zip(_labels(len(levels)), levels, strict=True):
        values = mean * shared * np.exp(rng.normal(0, sd, pairs))
        rows += version(label, values.tolist(), paired=True)
    return rows


def _found(rows: Sequence[Reading], count: int, **settings: float) -> Histories:
    return histories(frame_of(rows), _labels(count), **settings)  # type: ignore[arg-type]


def _only(rows: Sequence[Reading], count: int, **settings: float) -> History:
    (one,) = _found(rows, count, **settings).histories
    return one


def _entries(one: History) -> list[str]:
    return [change.enters_at for change in one.changes]


def test_a_step_is_found_at_the_version_it_enters_at() -> None:
    """20 % more from v6 on, at 1 % between sessions."""
    levels = [1.0] * 6 + [1.2] * 6

    one = _only(_apart(levels, np.random.default_rng(1)), 12)

    (change,) = one.changes
    assert (change.before, change.enters_at) == ("v5", "v6")
    assert change.ratio_low is not None
    assert change.ratio_high is not None
    assert change.ratio_low < 1.2 < change.ratio_high
    assert one.noise == "versions"
    assert change.is_worse


def test_up_and_down_are_two_changes() -> None:
    """A regression that is mended four versions later hides neither from the other."""
    levels = [1.0] * 6 + [1.3] * 4 + [1.0] * 6

    one = _only(_apart(levels, np.random.default_rng(2)), 16)

    assert _entries(one) == ["v6", "v10"]
    assert [change.is_worse for change in one.changes] == [True, False]


def test_pairs_need_two_versions_only() -> None:
    """5 % between two versions of one session are found, though pairs vary by 10 %."""
    one = _only(_together([1.0, 1.05], np.random.default_rng(3)), 2)

    assert one.noise == "launches"
    assert _entries(one) == ["v1"]


def test_too_few_versions_apart_tell_nothing() -> None:
    """Without a scatter between sessions no change is told, however large."""
    levels = [1.0] * (LEAST_APART - 2) + [9.0]

    one = _only(_apart(levels, np.random.default_rng(4)), LEAST_APART - 1)

    assert one.changes == ()
    assert one.noise == ""
    assert one.smallest_detectable is None


def test_counts_that_never_vary_are_compared_exactly() -> None:
    """One node more is a change, without any doubt about its size."""
    rows = [
        replace(one, session=label)
        for label, count in zip(_labels(4), (301, 301, 302, 302), strict=True)
        for one in version(label, [count], metric="nodes")
    ]

    one = _only(rows, 4, threshold=0.0)

    (change,) = one.changes
    assert (one.noise, change.enters_at, change.difference) == ("exact", "v2", 1)
    assert change.difference_low == change.difference_high == 1


def test_changes_within_the_threshold_do_not_matter() -> None:
    """2 % that are there for certain are told at 1 %, and not at 5 %."""
    rows = _together([1.0, 1.02], np.random.default_rng(5), pairs=30, sd=0.002)

    assert len(_only(rows, 2, threshold=0.01).changes) == 1
    assert _only(rows, 2, threshold=0.05).changes == ()


def test_memory_of_the_kernel_is_not_told_below_its_lag() -> None:
    """100 KiB are below what VmHWM can tell; 10 MiB are not."""

    def found(step_bytes: float) -> list[str]:
        rows = version("v0", [5e6, 5e6 + 4096, 5e6], metric="peak_memory", source="VmHWM")
        values = [5e6 + step_bytes, 5e6 + 4096 + step_bytes, 5e6 + step_bytes]
        rows += version("v1", values, metric="peak_memory", source="VmHWM")
        return _entries(_only(rows, 2))

    assert found(100 * 1024) == []
    assert found(10 * 1024**2) == ["v1"]


def test_the_order_is_the_caller_s() -> None:
    """Versions come as they are named, and those that are not named are left out."""
    rows = _apart([1.0] * 3 + [1.5] * 3, np.random.default_rng(6))
    labels = _labels(6)

    found = histories(frame_of(rows), [*labels[::-1], "absent"])

    assert found.labels == tuple(labels[::-1])
    assert [each.before for each in found.histories[0].changes] == ["v3"]


def _many(together: bool, rng: np.random.Generator) -> list[Reading]:
    """Twenty series of 12 versions without a change."""
    make = _together if together else _apart
    return [
        replace(one, scenario=f"s{number}") for number in range(20) for one in make([1.0] * 12, rng)
    ]


@pytest.mark.parametrize("together", [True, False])
def test_false_alarms_are_as_rare_as_promised(together: bool) -> None:
    """Where nothing changes, a history tells a change with the chance that was promised.

    20 tables of 20 series at 20 %, which is 1 % for each series: 4 of 400 are expected at most;
    more than 12 have a chance below 0.1 %.
    """
    rng = np.random.default_rng(7)
    alarms = 0
    for _ in range(20):
        found = _found(_many(together, rng), 12, threshold=0.0, level=0.2)
        alarms += sum(bool(each.changes) for each in found.histories)

    assert alarms <= 12


def test_the_family_is_all_series() -> None:
    """With 20 series the level is shared out: no more than 1 % of tables tell any change."""
    rng = np.random.default_rng(8)
    alarms = 0
    for _ in range(40):
        found = _found(_many(together=False, rng=rng), 12, threshold=0.0)
        alarms += any(each.changes for each in found.histories)

    assert alarms <= 3


def test_intervals_hold_for_the_change_that_was_picked() -> None:
    """Of 100 steps of 4 % at 1 % noise, 98 % of those found have intervals with the truth."""
    rng = np.random.default_rng(9)
    held = told = 0
    for _ in range(100):
        one = _only(_together([1.0] * 5 + [1.04] * 5, rng, pairs=4), 10)
        for change in one.changes:
            if change.enters_at == "v5" and change.ratio_low and change.ratio_high:
                told += 1
                held += change.ratio_low <= 1.04 <= change.ratio_high

    assert told > 75
    assert held >= 0.98 * told


@pytest.mark.parametrize("together", [True, False])
def test_a_version_s_own_interval_holds(together: bool) -> None:
    """Of 50 histories of 12 versions without a change, 97 % of means' 99 % intervals at least.

    Pairs are told from each other after what they share is taken out, so it is their average that
    is looked for.
    """
    rng = np.random.default_rng(11)
    held = told = 0
    for _ in range(50):
        make = _together if together else _apart
        one = _only(make([1.0] * 12, rng), 12)
        average = float(np.exp(np.mean(np.log([point.mean for point in one.points]))))
        for point in one.points:
            assert point.low is not None
            assert point.high is not None
            told += 1
            held += point.low <= (average if together else 1.0) <= point.high

    assert told == 600
    assert held >= 0.97 * told


def test_without_a_noise_there_is_no_interval() -> None:
    """Too few versions apart tell none."""
    one = _only(_apart([1.0, 1.0], np.random.default_rng(12)), 2)

    assert [(point.low, point.high) for point in one.points] == [(None, None)] * 2


def test_power_is_there() -> None:
    """Steps of 10 % at 1 % between sessions are found in more than nine of ten histories of 20."""
    rng = np.random.default_rng(10)
    found = sum(
        _entries(_only(_apart([1.0] * 10 + [1.1] * 10, rng), 20)) == ["v10"] for _ in range(100)
    )

    assert found > 90


@pytest.mark.parametrize(
    ("labels", "settings", "words"),
    [
        (["old"], {}, "a history needs two"),
        (["old", "new"], {"level": 0.7}, "level is 0.7"),
        (["old", "new"], {"threshold": 1.5}, "threshold 1.5"),
    ],
)
def test_what_cannot_be_told_is_an_error(
    labels: list[str], settings: dict[str, float], words: str
) -> None:
    """One version is no history, and shares are shares."""
    frame = frame_of([reading(label="old"), reading(label="new")])

    with pytest.raises(ComparisonError, match=words):
        histories(frame, labels, **settings)  # type: ignore[arg-type]
