"""Narrowing down where a change entered."""

from __future__ import annotations

import math

from hypothesis import given, strategies as st

from harness.bisection import narrow


@given(count=st.integers(1, 200), data=st.data())
def test_the_version_is_found_with_a_logarithm_of_measurements(
    count: int, data: st.DataObject
) -> None:
    """Whichever it is; v0 is without the change and the last version has it."""
    versions = [f"v{number}" for number in range(count + 1)]
    entered = data.draw(st.integers(1, count))

    found = narrow(versions[0], versions[-1], versions[1:-1], lambda v: int(v[1:]) >= entered)

    assert (found.before, found.after) == (versions[entered - 1], versions[entered])
    assert not found.between
    assert len(found.measured) <= math.log2(count) + 1


@given(count=st.integers(2, 40), data=st.data())
def test_versions_that_cannot_be_settled_stay_between(count: int, data: st.DataObject) -> None:
    """The answer always holds: before is without the change, after has it, between is unsettled."""
    versions = [f"v{number}" for number in range(count + 1)]
    entered = data.draw(st.integers(1, count))
    unsettled = data.draw(st.sets(st.sampled_from(versions[1:-1])))

    found = narrow(
        versions[0],
        versions[-1],
        versions[1:-1],
        lambda v: None if v in unsettled else int(v[1:]) >= entered,
    )

    before, after = versions.index(found.before), versions.index(found.after)
    assert before < entered <= after
    assert list(found.between) == versions[before + 1 : after]
    assert set(found.between) <= unsettled
    assert len(set(found.measured)) == len(found.measured)
