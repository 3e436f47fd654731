"""Whether a drift is told after a look at it, or more calls are followed first.

A leak is told when it has been seen twice, the second time over more calls.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from results.drift import Drift

_SETTLED = frozenset({"flat", "plateau"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the readings said when so many calls had been made."""

    calls: int
    drift: Drift | None

    @property
    def grows(self) -> bool:
        """Whether they said that it is a leak."""
        return self.drift is not None and self.drift.grows


def is_clear(looks: Sequence[Look]) -> bool:
    """Whether more calls are not needed: it has settled, or it leaks without a doubt."""
    drift = looks[-1].drift
    return drift is None or drift.kind in _SETTLED or (drift.grows and not _doubt(looks))


def told(looks: Sequence[Look]) -> Drift | None:
    """The class after the last look; a leak that is in doubt is none."""
    drift = looks[-1].drift
    if drift is None or not drift.grows or len(looks) < 2:
        return drift
    why = _doubt(looks)
    return replace(drift, kind="inconclusive", why=why) if why else drift


def _doubt(looks: Sequence[Look]) -> str:
    """Why what the last look takes for a leak may be none; "" if it has been seen twice.

    Growth with the logarithm of the calls, as of tables that fill at random, has a slope that falls
    as calls rise; a leak's stays. Halfway between is the square root.
    """
    last = looks[-1]
    first = next((look for look in looks[:-1] if look.grows), None)
    if first is None:
        return "it was seen once"
    if first.drift is None or last.drift is None:
        return ""
    stays = last.drift.value / first.drift.value
    fallen = stays < math.sqrt(first.calls / last.calls)
    return "its growth falls as calls go on" if fallen else ""
