"""The one error of this package, which knows the line of the scenario that caused it."""

from __future__ import annotations

import os
import sys
from types import FrameType

import numpy as np

# The folders whose lines nobody wants to be told of: our own, and numpy's, which calls nodes back.
_SKIPPED = tuple(
    os.path.dirname(os.path.abspath(each)) + os.sep for each in (__file__, np.__file__)
)


class NetworkError(ValueError):
    """A network cannot be built or used as asked.

    The message starts with the file and line outside `networks` that asked for it, so that
    a scenario's author sees his own line rather than ours.
    """

    def __init__(self, message: str) -> None:
        location = _caller()
        super().__init__(f"{location}: {message}" if location else message)


def _caller() -> str:
    """`file:line` of the nearest frame outside this package and numpy, or an empty text."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if not os.path.abspath(path).startswith(_SKIPPED):
            return f"{path}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
