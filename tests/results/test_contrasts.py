"""Two versions face to face."""

import numpy as np
import pytest

from results.contrasts import Side, contrast, measured
from results.frames import frame_of
from results.schema import Reading
from tests.results.samples import reading, two_versions, version


def side(values: list[float], pairs: list[int]) -> Side:
    """Values of one series."""
    return Side(
        series=np.zeros(len(values), dtype=np.int64),
        pairs=np.array(pairs, dtype=np.int64),
        sessions=np.zeros(len(values), dtype=np.int64),
        values=np.array(values),
        log_ratios=np.full(len(values), np.nan),
        log_errors=np.full(len(values), np.nan),
        speeds=np.full(len(values), np.nan),
        is_last=np.zeros(len(values), dtype=bool),
    )


def test_pairs_are_matched_in_any_order() -> None:
    """Differences are taken within pairs, wherever the partner stands."""
    found = contrast(side([1.0, 2.0, 3.0], [0, 1, 2]), side([30.0, 10.0, 20.0], [2, 0, 1]), 1)

    assert found.is_paired.tolist() == [True]
    assert found.difference.value.tolist() == [18.0]
    assert found.log_ratio.value == pytest.approx([np.log(10)])
    assert found.log_ratio.standard_error == pytest.approx([0.0], abs=1e-12)


def test_a_value_without_a_pair_makes_the_series_unpaired() -> None:
    """All values count then, and none is set aside."""
    found = contrast(side([1.0, 2.0], [0, 1]), side([1.0, 2.0, 6.0], [0, 1, -1]), 1)

    assert found.is_paired.tolist() == [False]
    assert found.set_aside.tolist() == [0]
    assert found.difference.value.tolist() == [1.5]


def test_lone_launches_are_set_aside() -> None:
    """Only whole pairs count in a paired series."""
    found = contrast(side([1.0, 2.0, 9.0], [0, 1, 2]), side([2.0, 3.0, 9.0], [0, 1, 5]), 1)

    assert found.set_aside.tolist() == [2]
    assert found.baseline.count.tolist() == found.candidate.count.tolist() == [2]
    assert found.difference.value.tolist() == [1.0]


def test_series_of_one_side_are_empty_on_the_other() -> None:
    """They have no mean there."""
    found = contrast(side([1.0], [-1]), side([], []), 1)

    assert (found.baseline.count.tolist(), found.candidate.count.tolist()) == ([1], [0])
    assert np.isnan(found.difference.value).all()


def test_only_what_is_ok_is_measured() -> None:
    """Failures and errors against the golden evaluator have no part in it."""
    rows = [
        *version("old", [1.0, 2.0], calls=None),
        reading(status="timeout", value=None, launch=7),
        reading(metric="max_relative_error", value=1e-7),
    ]

    found = measured(frame_of(rows))

    assert found.values.values.tolist() == [1.0, 2.0]
    assert [one.metric for one in found.series] == ["time"]
    assert np.isnan(found.series[0].fewest_calls)


def test_series_know_their_fewest_calls() -> None:
    """Over all versions, as the floor of a drift must hold for both."""
    rows = version("old", [1.0], calls=2_000) + version("new", [1.0], calls=500)

    assert measured(frame_of(rows)).series[0].fewest_calls == 500


def test_sides_are_told_apart_by_label() -> None:
    """Each holds its own values."""
    found = measured(two_versions([1.0, 2.0], [3.0]))

    assert found.side("old").values.tolist() == [1.0, 2.0]
    assert found.side("new").values.tolist() == [3.0]


def noted(label: str, log_ratios: list[float | None], value: float = 1.0) -> list[Reading]:
    """Launches in pairs, whose details note log ratios."""
    return [
        reading(
            label=label,
            launch=i,
            pair=str(i),
            value=value,
            detail="" if log_ratio is None else f"log_ratio={log_ratio}; quads=23; steady=flat",
        )
        for i, log_ratio in enumerate(log_ratios)
    ]


def log_ratios(baseline: str, candidate: str, rows: list[Reading]) -> list[float]:
    """Of each pair, as compared."""
    found = measured(frame_of(rows))
    logs = contrast(found.side(baseline), found.side(candidate), 1).pair_logs
    return [float(value) for value in logs.values]


def test_a_noted_log_ratio_stands_for_its_pair() -> None:
    """The median of a pair's quads is better than the ratio of two medians."""
    rows = noted("old", [None, None, None]) + noted("new", [0.01, None, 0.03], value=2.0)

    assert log_ratios("old", "new", rows) == pytest.approx([0.01, np.log(2), 0.03])
    assert log_ratios("new", "old", rows) == pytest.approx([-0.01, -np.log(2), -0.03])


def test_two_candidates_are_compared_by_their_notes() -> None:
    """Both are noted against the first side of the pair."""
    rows = noted("old", [None]) + noted("new", [0.01]) + noted("newest", [0.05])

    assert log_ratios("new", "newest", rows) == pytest.approx([0.04])


@pytest.mark.parametrize("note", ["nan", "inf", "much"])
def test_a_note_that_is_no_number_is_none(note: str) -> None:
    """The values are compared then."""
    new = reading(label="new", launch=0, pair="0", value=2.0, detail=f"log_ratio={note}")
    rows = [*noted("old", [None]), new]

    assert log_ratios("old", "new", rows) == pytest.approx([np.log(2)])


@pytest.mark.parametrize(("declared", "expected"), [([2], True), ([1], False), ([], False)])
def test_pairs_have_ended_where_the_last_was_declared(declared: list[int], expected: bool) -> None:
    """A table that was gone on with after its last pair has another last one."""
    old, new = side([1.0, 2.0, 3.0], [0, 1, 2]), side([1.0, 2.0, 3.0], [0, 1, 2])
    old.is_last[declared] = True
    new.is_last[declared] = True

    assert contrast(old, new, 1).has_ended.tolist() == [expected]
