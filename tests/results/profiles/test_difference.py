"""Differences of profiles: contributions add up, and the row that changed comes first."""

import pytest
from hypothesis import given, strategies as st

from results.errors import ComparisonError
from results.profiles.difference import Difference, difference
from results.profiles.reading import UNEXPLAINED, ProfileReading

Rows = dict[str, float]


def reading(
    label: str, name: str, seconds: float, *, launch: int = 1, calls: float | None = 1.0
) -> ProfileReading:
    """A row by operator of a paired launch."""
    return ProfileReading(
        label=label,
        launch=launch,
        pair=launch,
        phase="evaluate",
        by="operator",
        name=name,
        file="",
        line=None,
        seconds=seconds,
        calls=calls,
        moved_bytes=None,
        allocated_bytes=None,
        flops=None,
    )


def profile(label: str, launches: list[Rows]) -> list[ProfileReading]:
    """The readings of several launches."""
    return [
        reading(label, name, seconds, launch=number)
        for number, rows in enumerate(launches, start=1)
        for name, seconds in rows.items()
    ]


def compared(base: list[Rows], cand: list[Rows]) -> Difference:
    """Both versions by operator."""
    both = profile("base", base) + profile("cand", cand)
    return difference(both, "base", "cand", by="operator", phase="evaluate")


BASE = [{"matmul": 10.0, "tanh": 2.0, UNEXPLAINED: 0.1}, {"matmul": 11.0, "tanh": 2.1}]
CAND = [{"matmul": 10.1, "tanh": 3.0, UNEXPLAINED: 0.2}, {"matmul": 10.9, "tanh": 3.1}]

seconds = st.floats(1e-6, 1.0)
launches = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c", UNEXPLAINED]), seconds, min_size=1),
    min_size=3,
    max_size=3,
)


def test_the_row_that_changed_is_first() -> None:
    """Not the row that takes most, and never the remainder."""
    found = compared(BASE, CAND)

    assert [row.name for row in found.rows] == ["tanh", "matmul"]
    assert found.rows[0].change_s == pytest.approx(1.0)
    assert found.is_paired
    assert found.launches == 2


@given(base=launches, cand=launches)
def test_contributions_add_up_to_the_change_of_the_whole(
    base: list[Rows], cand: list[Rows]
) -> None:
    """All rows and the remainder, whatever rows come and go."""
    found = compared(base, cand)

    parts = [row.change_s for row in found.rows]
    parts += [found.remainder.change_s] if found.remainder else []
    assert sum(parts) == pytest.approx(found.whole.change_s, abs=1e-12)


@given(base=launches, cand=launches)
def test_the_other_way_round_every_contribution_is_the_negative(
    base: list[Rows], cand: list[Rows]
) -> None:
    """Values and ends of intervals alike; new rows have vanished."""
    there, back = compared(base, cand), compared(cand, base)

    mirrored = {row.name: row for row in back.rows}
    opposite = {"new": "vanished", "vanished": "new", "": ""}
    for row in there.rows:
        other = mirrored[row.name]
        assert other.change_s == pytest.approx(-row.change_s, abs=1e-15)
        assert other.presence == opposite[row.presence]
        if row.low_s is not None and other.high_s is not None:
            assert other.high_s == pytest.approx(-row.low_s, abs=1e-12)


def test_identical_profiles_do_not_differ() -> None:
    """No contribution, nothing clear, nothing counted."""
    found = compared(BASE, BASE)

    assert all(row.change_s == 0 and not row.is_clear for row in found.rows)
    assert found.counted == ()
    assert found.share(found.rows[0]) is None


def test_a_row_of_one_version_is_new_or_vanished() -> None:
    """It took nothing in the other."""
    found = compared([{"a": 1.0, "gone": 2.0}] * 2, [{"a": 1.0, "fresh": 3.0}] * 2)

    rows = {row.name: row for row in found.rows}
    assert (rows["fresh"].presence, rows["fresh"].baseline_s) == ("new", None)
    assert (rows["gone"].presence, rows["gone"].candidate_s) == ("vanished", None)
    assert rows["fresh"].change_s == 3.0
    assert rows["gone"].change_s == -2.0
    assert {row.name for row in found.counted} == {"fresh", "gone"}


def test_a_change_that_every_pair_shows_is_clear() -> None:
    """And one that pairs disagree about is not, though it is as large in the mean."""
    base = [{"steady": 1.0 + n / 100, "restless": 1.0} for n in range(5)]
    cand = [
        {"steady": 1.1 + n / 100 + n / 1e4, "restless": 1.1 + (-1) ** n * 0.3} for n in range(5)
    ]

    rows = {row.name: row for row in compared(base, cand).rows}

    assert rows["steady"].is_clear
    assert not rows["restless"].is_clear
    low, high = rows["steady"].low_s, rows["steady"].high_s
    assert low is not None
    assert high is not None
    assert 0 < low < 0.1 < high


def test_launches_that_are_no_pairs_are_compared_as_they_are() -> None:
    """Welch's interval, of launches that were not interleaved."""
    alone = [
        ProfileReading(**{**_fields(each), "pair": None})  # type: ignore[arg-type]
        for each in profile("base", BASE) + profile("cand", CAND)
    ]

    found = difference(alone, "base", "cand", by="operator", phase="evaluate")

    assert not found.is_paired
    assert found.rows[0].name == "tanh"


def test_counts_are_a_difference_of_their_own() -> None:
    """What runs more often is told by how much, without any statistics."""
    both = [
        reading("base", "multiply", 1.0, calls=298.0),
        reading("cand", "multiply", 1.0, calls=199.0),
        reading("base", "add", 1.0, calls=7.0),
        reading("cand", "add", 1.0, calls=7.0),
    ]

    found = difference(both, "base", "cand", by="operator", phase="evaluate")

    (row,) = found.counted
    assert (row.name, row.baseline_calls, row.candidate_calls) == ("multiply", 298.0, 199.0)
    assert found.rows[0].low_s is None  # a single pair has no interval


def test_an_unknown_label_is_an_error_that_names_those_there_are() -> None:
    """Never an empty difference."""
    with pytest.raises(ComparisonError, match=r"by operator of 'no such'; there is base"):
        difference(profile("base", BASE), "base", "no such", by="operator", phase="evaluate")


def _fields(each: ProfileReading) -> dict[str, object]:
    return {name: getattr(each, name) for name in ProfileReading.__slots__}
