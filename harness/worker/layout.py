"""Randomised memory layout.

Where code and data happen to lie can move a time by several per cent for the same code, in every
launch alike (Mytkowicz et al., ASPLOS 2009). So before each block, inputs are copied to buffers of
random alignment, and the heap is shifted by random pads: layout becomes noise that more blocks
average out, instead of a bias that nothing does (Curtsinger & Berger, ASPLOS 2013).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

_ALIGNMENT = 16
"""What malloc guarantees: buffers differ by multiples of it."""
_WITHIN = 4096
"""A page: beyond it, offsets repeat for caches and for address translation."""

Arrays = Mapping[str, np.ndarray]


class Layout:
    """Copies inputs to random places and shifts the heap, or leaves all as it is."""

    def __init__(self, rng: Generator, *, fixed: bool) -> None:
        self._rng = rng
        self._fixed = fixed
        self._pads: list[bytearray] = []

    def shift_heap(self) -> None:
        """Replace the pads that lie between the allocations of one block and those of the next."""
        if not self._fixed:
            sizes = self._rng.integers(1, _WITHIN, size=self._rng.integers(32))
            self._pads = [bytearray(size) for size in sizes.tolist()]

    def place(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """The same arrays in fresh buffers of random alignment."""
        if self._fixed:
            return dict(arrays)
        return {name: self._placed(array) for name, array in arrays.items()}

    def _placed(self, array: np.ndarray) -> np.ndarray:
        offset = _ALIGNMENT * int(self._rng.integers(_WITHIN // _ALIGNMENT))
        buffer = np.empty(array.nbytes + _WITHIN, np.uint8)
        copy = buffer[offset : offset + array.nbytes].view(array.dtype).reshape(array.shape)
        np.copyto(copy, array)
        return copy
