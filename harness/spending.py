"""What the launches of a group have taken, and which of them is the last."""

from __future__ import annotations

from dataclasses import dataclass

from harness.effort import Effort

BUDGET = "budget"


@dataclass(slots=True, kw_only=True)
class Spent:
    """What the times of a group have taken so far.

    Attributes:
        launches: of the plan, that are over.
        seconds: measured in this session.
        last: the number of the last launch; None while that is open. It is settled before that
            launch begins and by the clock alone, so that what it shows may be judged at all that
            earlier looks have left of the level (results/sequential.py).
        why_last: why it is, `launches` or `budget`; empty while that is open.
    """

    launches: int = 0
    seconds: float = 0.0
    last: int | None = None
    why_last: str = ""
    _measured: int = 0
    _share: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the last launch is over."""
        return self.last is not None and self.launches >= self.last

    def recall(self, launch: int | None) -> None:
        """Go on from a session whose budget ended with that launch, or had not ended."""
        if launch is not None:
            self.last, self.why_last = launch, BUDGET

    def begin(self, launch: int, effort: Effort, budget_s: float | None) -> None:
        """Settle whether the turn that is about to begin is the last; `launch` is its last one.

        With a budget the last turn is that which ends nearest to it: one more would be begun if
        half of that fitted.
        """
        if self.last is not None:
            return
        if launch >= effort.launches:
            self.last, self.why_last = launch, "launches"
        elif budget_s is not None and launch >= effort.least_launches:
            a_turn_s = self.seconds / max(1, self._measured)
            if self.seconds + 1.5 * a_turn_s > budget_s:
                self.last, self.why_last = launch, BUDGET

    def end(self, seconds: float) -> None:
        """Count a turn that is over."""
        self.seconds += seconds
        self._measured += 1

    def advance(self, share: float) -> float:
        """How much further it is now."""
        amount, self._share = share - self._share, share
        return amount
