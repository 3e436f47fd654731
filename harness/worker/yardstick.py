"""The yardstick: fixed work of three kinds, the same in every launch of every version.

Its times tell what the machine was like during a launch, beside what the subject was like.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from harness.worker.timing import Clock

_DISPATCHES = 800
_MATMULS = 8
_TURNS = 8_000


class Yardstick:
    """Work whose amount never changes; each kind takes about a quarter of a millisecond."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._vector = np.ones(64, np.float32)
        self._sums = np.empty(64, np.float32)
        self._matrix = np.ones((128, 128), np.float32)
        self._product = np.empty((128, 128), np.float32)
        self._kinds: dict[str, Callable[[], None]] = {
            "numpy_dispatch": self._dispatch,
            "matmul": self._matmul,
            "interpreter_loop": _loop,
        }

    def read(self) -> dict[str, int]:
        """Elapsed ns of each kind, the second of two turns: the first warms the caches."""
        return {name: self._timed(work) for name, work in self._kinds.items()}

    def _timed(self, work: Callable[[], None]) -> int:
        work()
        start = self._clock()
        work()
        return self._clock() - start

    def _dispatch(self) -> None:
        vector, sums, add = self._vector, self._sums, np.add
        for _ in range(_DISPATCHES):
            add(vector, vector, out=sums)

    def _matmul(self) -> None:
        for _ in range(_MATMULS):
            np.matmul(self._matrix, self._matrix, out=self._product)


def _loop() -> None:
    total = 0
    for turn in range(_TURNS):
        total ^= turn
