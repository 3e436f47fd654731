"""Randomised memory layout.

Where code and data happen to lie can move a time by several per cent for the same code, in every
launch alike (Mytkowicz et al., ASPLOS 2009). So before each block, inputs are copied to buffers of
random alignment, and the heap is shifted by random pads: layout becomes noise that more blocks
average out, instead of a bias that nothing does (Curtsinger & Berger, ASPLOS 2013).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
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


def _copied(array: np.ndarray, offset: int) -> np.ndarray:
    """The array in a new buffer, so many bytes from the buffer's start."""
    buffer = np.empty(array.nbytes + _WITHIN, np.uint8)
    copy = np.ndarray(array.shape, array.dtype, buffer, offset)
    copy[...] = array
    return copy
