"""Exceptions of subjects in one line, whatever they do when they are printed."""

from __future__ import annotations

import os
import re
import traceback
from itertools import takewhile

_MOST_CHARACTERS = 500
_PLACE = re.compile(r"(\w+ )?from \S+:\d+:")
"""A line that says where in an engine's sources an exception passed, and nothing else."""


def status_of(error: BaseException) -> str:
    """The status that a row has for it."""
    if isinstance(error, RecursionError):
        return "recursion"
    return "out_of_memory" if isinstance(error, MemoryError) else "error"


def one_line(error: BaseException) -> str:
    """Type, the message's first sentence, and the last place of the subject's own code.

    A line that ends with a colon introduces the next, so that the sentence goes on; of these,
    places in an engine's sources are left out.
    """
    lines = [line.strip() for line in _message(error).splitlines() if line.strip()]
    lines = [line for line in lines if not _PLACE.fullmatch(line)] or lines
    introducing = list(takewhile(lambda line: line.endswith(":"), lines))
    told = lines[: len(introducing) + 1]
    message = f": {' '.join(told)}" if told else ""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}{message[:_MOST_CHARACTERS]}{place}"


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        return "its message cannot be printed"
