"""speedscope files: sampled profiles that https://www.speedscope.app and its offline page open.

The format is that of its file-format-schema.json (MIT licence); docs/profile_functions.md tells how
a file is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from results.flame import Weighed

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"
_UNITS = {"s": "seconds", "B": "bytes"}


def speedscope_file(profiles: Mapping[str, Iterable[Weighed]], title: str, unit: str = "s") -> str:
    """One file with a profile for each name; its stacks weigh seconds ("s") or bytes ("B")."""
    frames: dict[str, int] = {}
    return json.dumps(
        {
            "$schema": _SCHEMA,
            "profiles": [
                _profile(name, stacks, frames, _UNITS[unit]) for name, stacks in profiles.items()
            ],
            "shared": {"frames": [{"name": name} for name in frames]},
            "name": title,
            "activeProfileIndex": 0,
            "exporter": "graphgauge",
        }
    )


def _profile(
    name: str, stacks: Iterable[Weighed], frames: dict[str, int], unit: str
) -> dict[str, Any]:
    samples, weights = [], []
    for each in stacks:
        samples.append([frames.setdefault(frame, len(frames)) for frame in each.stack])
        weights.append(each.weight)
    return {
        "type": "sampled",
        "name": name,
        "unit": unit,
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
