"""What Bencher and github-action-benchmark take, by their documentation and published source.

Bencher is a service whose command line is in no package registry, and the action is JavaScript that
runs within GitHub; so their readers cannot be run here, and their rules are stated instead.

Bencher: bencher.dev/docs/reference/bencher-metric-format for the shape and the lengths of names,
and `lib/bencher_valid` of its repository for what a name may be. Stricter than its own schema,
which lets further keys through: one that Bencher does not read is lost.

The action: "customSmallerIsBetter" in the README of benchmark-action/github-action-benchmark, and
its `extract.ts`, `extractRangeInfo.ts` and `write.ts` for what becomes of an entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_NUMBER: Final = {"type": "number"}

BENCHER: Final[Mapping[str, Any]] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {
        "minLength": 1,
        "maxLength": 1024,
        # Benchmarks whose name ends so never raise an alert, and lose the ending.
        "not": {"pattern": "(_bencher_ignore|BencherIgnore|-bencher-ignore)$"},
    },
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"maxLength": 64, "pattern": r"^\S(.*\S)?$"},
        "additionalProperties": {
            "type": "object",
            "required": ["value"],
            "properties": dict.fromkeys(("value", "lower_value", "upper_value"), _NUMBER),
            "additionalProperties": False,
        },
    },
}

ACTION: Final[Mapping[str, Any]] = {
    "type": "array",
    "minItems": 1,  # the action fails on a file without results
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": _NUMBER,
            "range": {"type": "string"},
            "extra": {"type": "string"},
        },
        "additionalProperties": False,
    },
}


def strictly_loaded(text: str) -> Any:
    """JSON as readers in Rust and JavaScript take it: no NaN, and no key twice, which loses one."""

    def without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        assert len(found) == len(pairs), "a key stands twice in one object"
        return found

    def refuse(constant: str) -> None:
        message = f"{constant} is no JSON"
        raise ValueError(message)

    return json.loads(text, object_pairs_hook=without_repeats, parse_constant=refuse)


def alerts(
    previous: Sequence[Mapping[str, Any]], current: Sequence[Mapping[str, Any]], *, above: float
) -> dict[str, float]:
    """The ratios that the action warns of with `alert-threshold` at `above`, by name.

    It takes the first entry of a name, divides as JavaScript does, and never asks for the unit.
    """
    found = {}
    for now in current:
        before = next((one for one in previous if one["name"] == now["name"]), None)
        if before is not None and (ratio := _divided(now["value"], before["value"])) > above:
            found[now["name"]] = ratio
    return found


def deviation(entry: Mapping[str, Any]) -> float | None:
    """The number in an entry's range as the action reads it, None where it cannot."""
    found = re.search(r"(\+-|±)\s*(?P<value>\d.*)", str(entry.get("range", "")))
    try:
        return float(found["value"]) if found else None
    except ValueError:
        return None


def _divided(value: float, by: float) -> float:
    if by == 0:
        return float("nan") if value == 0 else float("inf")
    return value / by
