"""Whether a subject leaves its inputs as they are: they are not its own."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Fingerprints:
    """Checksums of weights and data, as they were."""

    def __init__(self, *inputs: Arrays) -> None:
        self._found = _checksums(inputs)

    def first_changed(self, *inputs: Arrays) -> str | None:
        """The name of an array that holds something else now, is missing, or is new."""
        found = _checksums(inputs)
        names = {**self._found, **found}
        return next((name for name in names if self._found.get(name) != found.get(name)), None)


def _checksums(inputs: tuple[Arrays, ...]) -> dict[str, tuple[object, ...]]:
    """Of each array by its name: shape, dtype and the checksum of its content."""
    return {
        str(name): (array.shape, array.dtype.str, zlib.crc32(np.ascontiguousarray(array)))
        for arrays in inputs
        for name, array in arrays.items()
    }
