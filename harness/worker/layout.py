"""Randomised memory layout.

Where code and data happen to lie can move a time by several per cent for the same code, in every
launch alike (Mytkowicz et al., ASPLOS 2009). So for each block, inputs are taken from buffers of
random alignment, and the heap is shifted by random pads: layout becomes noise that more blocks
average out, instead of a bias that nothing does (Curtsinger & Berger, ASPLOS 2013).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

_ALIGNMENT = 16
"""What malloc guarantees: buffers differ by multiples of it."""
_POOL = 16 * 1024
"""What Python's allocator carves small objects of one size class from (`POOL_SIZE` in CPython's
Objects/obmalloc.c)."""
_BYTES_HEADER = sys.getsizeof(b"")
_SIZE_CLASS = 16
_SMALLEST, _LARGEST = 48, 512
"""The size classes that a `bytes` can have."""
_WITHIN = 4096
"""A page: beyond it, offsets repeat for caches and for address translation."""

_MOST_PLACES = 8
"""So many copies of the inputs are kept…"""
_PLACES_BYTES = 32 * 2**20
"""…or as many as fit into this…"""
_FEWEST_PLACES = 4
"""…or none, if these do not."""

Arrays = Mapping[str, np.ndarray]


class Layout:
    """Copies inputs to random places and shifts the heap, or leaves all as it is."""

    def __init__(self, rng: Generator, *, fixed: bool) -> None:
        self._rng = rng
        self._fixed = fixed
        self._pads: list[bytearray] = []
        self._pool_pads: list[object] = []

    def shift_heap(self) -> None:
        """Replace the pads that lie between the allocations of one block and those of the next."""
        if not self._fixed:
            sizes = self._rng.integers(1, _WITHIN, size=self._rng.integers(32))
            self._pads = [bytearray(size) for size in sizes.tolist()]

    def shift_pools(self) -> None:
        """Move where Python's next small objects will lie, for good.

        Objects of a size class lie one behind the other in pools. What hashes by its address, and
        what shares a cache line or a set of the cache, follows from how full the pools happen to
        be: the same way in every launch of one program, another way in every other program.
        """
        if self._fixed:
            return
        sizes = range(_SMALLEST, _LARGEST + 1, _SIZE_CLASS)
        counts = self._rng.integers(_POOL // np.array(sizes)).tolist()
        for size, count in zip(sizes, counts, strict=True):
            self._pool_pads += [bytes(size - _BYTES_HEADER) for _ in range(count)]

    def place(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """The same arrays in fresh buffers of random alignment."""
        if self._fixed:
            return dict(arrays)
        steps = self._rng.integers(_WITHIN // _ALIGNMENT, size=len(arrays)).tolist()
        return {
            name: _copied(array, step * _ALIGNMENT)
            for (name, array), step in zip(arrays.items(), steps, strict=True)
        }


class Places:
    """The inputs of a subject at several places, each made when it is first needed.

    Making many small arrays takes longer than a block does, so a few are kept and gone round in
    random order; where inputs are too large for that they are made afresh each time, which takes
    little of the time of a call that reads them. Either way the inputs were copied to their place
    just before, and are as near to the processor as ever.
    """

    def __init__(self, layout: Layout, rng: Generator) -> None:
        self._layout = layout
        self._rng = rng
        self._kept: list[tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]] = []
        self._order: list[int] = []
        self._most: dict[int, int] = {}
        """How many are kept, for each number of sets of data."""

    def next(
        self, weights: Arrays, data: Sequence[Arrays]
    ) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
        """Weights, and those sets of data, at the place whose turn it is.

        Args:
            weights: the same ones each time.
            data: the first sets of one list.
        """
        if len(data) not in self._most:
            self._most[len(data)] = _most_places(weights, data)
        most = self._most[len(data)]
        if not most:
            self._kept.clear()
            self._order.clear()
            return self._layout.place(weights), [self._layout.place(each) for each in data]
        if len(self._kept) < most:
            self._kept.append((self._layout.place(weights), []))
            turn = len(self._kept) - 1
        else:
            self._order = self._order or self._rng.permutation(len(self._kept)).tolist()
            turn = self._order.pop()
        placed, sets = self._kept[turn]
        try:
            _copy(weights, placed)
            for source, copy in zip(data, sets, strict=False):
                _copy(source, copy)
        except ValueError:  # whoever had it last forbade writing
            placed, sets = self._kept[turn] = self._layout.place(weights), []
        sets += [self._layout.place(each) for each in data[len(sets) :]]
        return placed, sets[: len(data)]


def _copy(source: Arrays, copy: Arrays) -> None:
    for name, array in source.items():
        if copy[name] is not array:  # as it is with a fixed layout
            np.copyto(copy[name], array)


def _most_places(weights: Arrays, data: Sequence[Arrays]) -> int:
    arrays = chain(weights.values(), *(each.values() for each in data))
    a_place_bytes = sum(array.nbytes + _WITHIN for array in arrays)
    most = min(_MOST_PLACES, _PLACES_BYTES // max(1, a_place_bytes))
    return most if most >= _FEWEST_PLACES else 0


def _copied(array: np.ndarray, offset: int) -> np.ndarray:
    """The array in a new buffer, so many bytes from the buffer's start."""
    buffer = np.empty(array.nbytes + _WITHIN, np.uint8)
    copy = np.ndarray(array.shape, array.dtype, buffer, offset)
    copy[...] = array
    return copy
