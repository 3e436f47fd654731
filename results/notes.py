"""Notes: facts that a reading carries in its `detail`, as `key=value; key=value`.

The table's columns are fixed. What a value stands on, such as its interval or its class, is written
in `detail` in a form that both people and programs can read.
"""

import contextlib
import math
import re
from collections.abc import Mapping

_SEPARATOR = "; "
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_VALUE = re.compile(r"[^\s;]([^;\n\r]*[^\s;])?")
_NOTE = re.compile(rf"({_KEY.pattern})=({_VALUE.pattern})")


def format_notes(notes: Mapping[str, str]) -> str:
    """`notes` as text that `parse_notes` reads back, in the order given; "" for none.

    Raises:
        ValueError: for a key that is not small letters, digits and underscores after a letter, or
            a value that is empty, has a semicolon or a line's end, or has blanks at its ends.
    """
    for key, value in notes.items():
        if not _KEY.fullmatch(key):
            message = f"the note's key is {key!r}; expected a name such as interval_low"
            raise ValueError(message)
        if not _VALUE.fullmatch(value):
            message = f"the note {key} is {value!r}; expected one line of text without semicolons"
            raise ValueError(message)
    return _SEPARATOR.join(f"{key}={value}" for key, value in notes.items())


def parse_notes(detail: str) -> dict[str, str]:
    """The notes in `detail`, in their order; whatever stands between semicolons else is free text.

    A key that stands twice tells nothing certain and is left out.
    """
    found = [
        match.groups() for part in detail.split(";") if (match := _NOTE.fullmatch(part.strip()))
    ]
    keys = [key for key, *_ in found]
    return {key: value for key, value, *_ in found if keys.count(key) == 1}


def as_number(text: str | None) -> float | None:
    """What a note says, as a number; None where it is none, or not finite."""
    with contextlib.suppress(ValueError):
        number = float(text or "nan")
        return number if math.isfinite(number) else None
    return None
