"""Randomised layout changes where arrays lie, and nothing else."""

from __future__ import annotations

import sys

import numpy as np

from harness.worker.layout import Layout

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
