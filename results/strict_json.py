"""JSON of files that stand beside tables, where anything may stand: read strictly.

Python's own reader takes NaN, numbers beyond float, texts that no file can hold, and nesting that
whoever walks through it later does not survive.
"""

import json
import math
from typing import Final, NoReturn

MAX_DEPTH: Final = 50
"""Objects and lists within each other; ours have three."""


def parsed(text: str) -> object:
    """What `text` says.

    Raises:
        ValueError: if it is no JSON, or has NaN, an infinite number, a lone surrogate, or things
            nested deeper than MAX_DEPTH.
    """
    try:
        found = json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        _refuse_depth()
    _check(found)
    return found


def _check(found: object) -> None:
    """Walk through all of it, level by level."""
    level = [found]
    for _ in range(MAX_DEPTH):
        below: list[object] = []
        for each in level:
            if isinstance(each, str):
                each.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
            elif isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
        if not below:
            return
        level = below
    _refuse_depth()


def _refuse_depth() -> NoReturn:
    message = f"nested more than {MAX_DEPTH} deep"
    raise ValueError(message) from None


def _no_number(name: str) -> NoReturn:
    message = f"{name} is no number of JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        message = f"{text[:40]} is beyond what a float can hold"
        raise ValueError(message)
    return number


def _whole(text: str) -> int:
    _finite(text)  # a whole number is asked for as a float sooner or later
    return int(text)
