"""How the launches of each version run, told from their notes; sides that differ are a warning."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from results.family import PRIMARY_METRIC, PRIMARY_PHASE
from results.frames import row_ids
from results.judgement import case_name
from results.notes import parse_notes
from results.schema import CASE_COLUMNS, OK, Case
from results.steady import STEADY_KINDS

STEADY_NOTE: Final = "steady"
"""In the detail of a launch's time of evaluate: how its blocks ran, one of STEADY_KINDS."""

Steadiness = Mapping[tuple[str, Case], "Counter[str]"]
"""(label, case) -> launches of each kind."""


def steadiness(frame: pd.DataFrame) -> Steadiness:
    """How many launches of each version and case ran in each way; only launches with a note."""
    is_primary = (frame["metric"] == PRIMARY_METRIC) & (frame["phase"] == PRIMARY_PHASE)
    of_launches = frame[is_primary & (frame["status"] == OK)]
    kinds = _kinds(of_launches["detail"])
    noted = of_launches[kinds >= 0]
    groups = row_ids(noted, ("label", *CASE_COLUMNS))
    first = ~pd.Series(groups).duplicated().to_numpy()
    names = zip(
        *(noted.loc[first, name].tolist() for name in ("label", *CASE_COLUMNS)), strict=True
    )
    size = len(STEADY_KINDS)
    counts = np.bincount(groups * size + kinds[kinds >= 0], minlength=int(first.sum()) * size)
    return {
        (label, (evaluator, scenario, params, mode)): Counter(
            {kind: count for kind, count in zip(STEADY_KINDS, row, strict=True) if count}
        )
        for (label, evaluator, scenario, params, mode), row in zip(
            names, counts.reshape(-1, size).tolist(), strict=True
        )
    }


def told(kinds: "Counter[str]") -> str:
    """In words: `flat`, or `flat 7, warm-up 3` where launches differ."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return ", ".join(f"{kind} {kinds[kind]}" for kind in STEADY_KINDS if kinds[kind])


def steadiness_notes(frame: pd.DataFrame, baseline: str, candidates: Sequence[str]) -> list[str]:
    """A warning for each case whose versions run in different ways in most of their launches."""
    found = steadiness(frame)
    cases = dict.fromkeys(case for label, case in found if label == baseline)
    notes = []
    for case in cases:
        ours = found[baseline, case]
        for candidate in candidates:
            theirs = found.get((candidate, case))
            if theirs is not None and _main(ours) != _main(theirs):
                notes.append(
                    f"{case_name(*case)}: launches of {baseline} run {told(ours)}, of {candidate} "
                    f"{told(theirs)}; the ratio is of steady parts, not of how they get there."
                )
    return notes


def _main(kinds: "Counter[str]") -> str:
    """The kind of most launches; of equals the first in the order of STEADY_KINDS."""
    return max(STEADY_KINDS, key=lambda kind: kinds[kind])


def _kinds(details: "pd.Series[Any]") -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """The number in STEADY_KINDS that each detail notes; -1 for none."""
    texts = details.cat.categories.tolist()
    numbers = np.array([*map(_kind, texts), -1], dtype=np.int64)
    return numbers[details.cat.codes.to_numpy()]


def _kind(detail: str) -> int:
    kind = parse_notes(detail).get(STEADY_NOTE) if STEADY_NOTE in detail else None
    return STEADY_KINDS.index(kind) if kind in STEADY_KINDS else -1
