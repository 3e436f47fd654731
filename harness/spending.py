"""What the launches of a group have taken, and which of them is the last."""

from __future__ import annotations

from dataclasses import dataclass

from harness.effort import Effort


@dataclass(slots=True, kw_only=True)
class Spent:
    """What the times of a group have taken so far.

    Attributes:
        launches: of the plan, that are over.
        seconds: measured in this session.
        why_last: why no launch comes after the one under way, `launches` or `budget`; empty while
            that is open. It is settled before the launch begins and by the clock alone, so that
            what the launch shows may be judged at all that earlier looks have left of the level
            (results/sequential.py).
    """

    launches: int = 0
    seconds: float = 0.0
    why_last: str = ""
    _measured: int = 0
    _share: float = 0.0

    def begin(self, launch: int, effort: Effort, budget_s: float | None) -> None:
        """Settle whether a launch that is about to begin is the last.

        With a budget the last one is that which ends nearest to it: one more would be begun if
        half of that fitted.
        """
        if launch >= effort.launches:
            self.why_last = "launches"
        elif budget_s is not None and launch >= effort.least_launches:
            a_launch_s = self.seconds / max(1, self._measured)
            if self.seconds + 1.5 * a_launch_s > budget_s:
                self.why_last = "budget"

    def end(self, seconds: float) -> None:
        """Count a launch that is over."""
        self.seconds += seconds
        self._measured += 1

    def advance(self, share: float) -> float:
        """How much further it is now."""
        amount, self._share = share - self._share, share
        return amount
