"""Randomised layout changes where arrays lie, and nothing else."""

from __future__ import annotations

import sys
import weakref

import numpy as np

from harness.worker.layout import Layout, Places

_ARRAYS = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scalar": np.array(2.5),
    "empty": np.empty((0, 4)),
    "flags": np.array([True, False]),
}


def _layout(*, fixed: bool) -> Layout:
    return Layout(np.random.default_rng(3), fixed=fixed)


def test_placed_arrays_are_equal_and_another_s_memory() -> None:
    """Values, shapes and dtypes stay; the memory is new."""
    placed = _layout(fixed=False).place(_ARRAYS)

    for name, array in _ARRAYS.items():
        assert placed[name].dtype == array.dtype
        np.testing.assert_array_equal(placed[name], array)
        assert not np.shares_memory(placed[name], array)


def test_alignments_are_random_multiples_of_16() -> None:
    """Over many placements the address takes many values within a page, all of them aligned."""
    layout = _layout(fixed=False)

    placed = [layout.place({"a": _ARRAYS["matrix"]})["a"] for _ in range(200)]
    offsets = {array.ctypes.data % 4096 for array in placed}

    assert all(offset % 16 == 0 for offset in offsets)
    assert len(offsets) > 50


def test_a_fixed_layout_leaves_arrays_where_they_are() -> None:
    """With a fixed layout the very same arrays come back."""
    placed = _layout(fixed=True).place(_ARRAYS)

    assert all(placed[name] is array for name, array in _ARRAYS.items())


def _places() -> Places:
    return Places(_layout(fixed=False), np.random.default_rng(4))


def test_inputs_go_round_a_few_places() -> None:
    """Eight copies of the inputs are made, and then each comes once in every eight."""
    places = _places()
    data = [{"x": np.ones(3)}, {"x": np.zeros(3)}]

    drawn = [places.next(_ARRAYS, data) for _ in range(8 * 3)]

    addresses = [weights["matrix"].ctypes.data for weights, _ in drawn]
    assert len(set(addresses)) == 8
    assert all(set(addresses[at : at + 8]) == set(addresses) for at in (0, 8, 16))
    for weights, sets in drawn:
        np.testing.assert_array_equal(weights["matrix"], _ARRAYS["matrix"])
        assert [each["x"].tolist() for each in sets] == [[1, 1, 1], [0, 0, 0]]


def test_more_sets_of_data_join_the_places_that_are_there() -> None:
    """A block that needs more data has the same weights and first data as the one before."""
    places = _places()
    data = [{"x": np.full(2, value)} for value in range(3)]
    before = {places.next(_ARRAYS, data[:1])[1][0]["x"].ctypes.data for _ in range(8)}

    after = [places.next(_ARRAYS, data)[1] for _ in range(8)]

    assert {sets[0]["x"].ctypes.data for sets in after} == before
    assert all([each["x"][0] for each in sets] == [0, 1, 2] for sets in after)


def test_what_is_written_into_a_place_is_gone_when_it_comes_again() -> None:
    """Inputs are copied to their place each time, whatever was done to the copy."""
    places = _places()
    data = [{"x": np.ones(3)}]

    for _ in range(20):
        weights, (first,) = places.next(_ARRAYS, data)
        np.testing.assert_array_equal(weights["matrix"], _ARRAYS["matrix"])
        np.testing.assert_array_equal(first["x"], np.ones(3))
        weights["matrix"][...] = 7
        first["x"][...] = 7
        weights["flags"].flags.writeable = False


def test_large_inputs_are_copied_each_time_and_not_kept() -> None:
    """Of 16 MB of weights there is never a copy beside the one in use."""
    places = _places()
    weights = {"w": np.zeros(2 * 2**20)}

    placed = weakref.ref(places.next(weights, [])[0]["w"].base)
    places.next(weights, [])

    assert placed() is None


def test_places_begin_anew_after_data_that_were_too_large() -> None:
    """Fewer places than before, in an order of their own."""
    places = _places()
    small = [{"x": np.zeros(8)}, {"x": np.zeros(700_000)}, {"x": np.zeros(2**21)}]

    for sets in (1, 3, 2):
        drawn = [places.next({}, small[:sets])[1][0]["x"].ctypes.data for _ in range(10)]

    assert len(set(drawn)) == 5


def test_small_objects_begin_elsewhere_in_their_pools() -> None:
    """What is allocated next lies at many different places of Python's pools of 16 KiB."""
    layout = _layout(fixed=False)
    kept, places = [], set()

    for _ in range(60):
        layout.shift_pools()
        kept.append(bytes(200))
        places.add(id(kept[-1]) % (16 * 1024))

    assert len(places) > 20


def test_a_fixed_layout_takes_no_memory_for_pads() -> None:
    """With a fixed layout nothing is allocated to move anything."""
    layout = _layout(fixed=True)
    before = sys.getallocatedblocks()

    layout.shift_pools()

    assert sys.getallocatedblocks() - before < 5
