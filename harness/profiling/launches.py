"""Launches whose calls are timed step by step: one side, or a pair with blocks interleaved."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from harness.conversation import PREPARED_PHASES, Group, Side, checked, open_request
from harness.launch import (
    Launch,
    Launcher,
    StartLayout,
    Surroundings,
    granted_cpus,
    usable_cpu,
)
from harness.measurement import Measurement
from harness.plan import Contender
from harness.worker import messages as m

_BLOCK_S = 0.03
"""Of both functions together: long against a hand-over, short against what the machine does."""
_LEAST_CALLS, _MOST_CALLS = 2, 4_000
_UNTIMED_CALLS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEffort:
    """How much is profiled.

    Attributes:
        launches: fresh processes of each side, at most.
        least_launches: so many of them even where that exceeds the budget.
        budget_s: no launch is begun after it, whatever it is for; None for no limit.
        recorded_s: what a launch spends in calls that are recorded, instrumented and not.
        timeout_s: for one launch.
    """

    launches: int
    least_launches: int
    budget_s: float | None
    recorded_s: float
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedLaunch:
    """What one launch says of its steps."""

    contender: Contender
    launch: int
    pair: int | None
    steps: m.StepsRead


@dataclass(slots=True, kw_only=True)
class Stepped:
    """What all launches of a case say, and the failures of those that say nothing."""

    launches: list[SteppedLaunch] = field(default_factory=list)
    failures: list[tuple[Contender, Measurement]] = field(default_factory=list)


def time_steps(
    contenders: Sequence[Contender],
    effort: StepEffort,
    *,
    launcher: Launcher,
    plugins: Sequence[str],
    seed: int,
) -> Stepped:
    """Profile the contenders in launch after launch, those of one launch alive together.

    It ends early when a contender fails, since it would fail again.
    """
    found = Stepped()
    started = monotonic()
    for number in range(1, effort.launches + 1):
        spent = monotonic() - started
        is_over = effort.budget_s is not None and spent > effort.budget_s
        if found.failures or (is_over and number > effort.least_launches):
            break
        _Launches(contenders, effort, launcher, tuple(plugins), seed, number).record(found)
    return found


class _Launches:
    """The launches of one number: one of each contender."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        effort: StepEffort,
        launcher: Launcher,
        plugins: tuple[str, ...],
        seed: int,
        number: int,
    ) -> None:
        self._contenders = contenders
        self._effort = effort
        self._launcher = launcher
        self._plugins = plugins
        self._seed = seed * 1_000 + number
        self._number = number
        self._calls: dict[Side, int] = {}
        self._read: dict[Side, m.StepsRead] = {}

    def record(self, found: Stepped) -> None:
        """Start, prepare, check, record, and end."""
        launches: list[Launch] = []
        try:
            sides = [self._side(each, launches, found) for each in self._contenders]
            group = Group(sides, random.Random(f"steps {self._seed}"), "time")
            group.each(Side.open)
            for phase in PREPARED_PHASES:
                group.each(_prepare, phase)
            group.each(checked)
            group.each(self._calibrate)
            self._record_blocks(group)
            group.each(self._read_steps)
        finally:
            for launch in launches:
                launch.close()
        pair = self._number if len(sides) > 1 else None
        found.launches += [
            SteppedLaunch(
                contender=contender, launch=self._number, pair=pair, steps=self._read[side]
            )
            for contender, side in zip(self._contenders, sides, strict=True)
            if side in self._read
        ]

    def _side(self, contender: Contender, launches: list[Launch], found: Stepped) -> Side:
        launch = self._launcher.start(self._surroundings(contender))
        launches.append(launch)
        request = open_request(
            contender.case, seed=self._seed, plugins=self._plugins, fixed_layout=False
        )

        def emit(_side: Side, measurements: Sequence[Measurement]) -> None:
            found.failures += [(contender, each) for each in measurements if each.status != "ok"]

        return Side(launch, request, emit, timeout_s=self._effort.timeout_s)

    def _surroundings(self, contender: Contender) -> Surroundings:
        """Both sides of a pair have the same luck with their layout."""
        rng = random.Random(f"layout {self._seed}")
        return Surroundings(
            interpreter=contender.version.interpreter,
            hash_seed=self._seed % 2**32,
            cpu=usable_cpu(),
            starting_cpus=granted_cpus(),
            layout=StartLayout.drawn(rng),
        )

    def _calibrate(self, side: Side) -> None:
        """As many calls as make a block; the first are a warm-up and are recorded nonetheless."""
        timed = side.ask(m.TimeSteps(calls=2, untimed_calls=1), m.StepsTimed, "evaluate")
        fitting = round(_BLOCK_S / max(timed.elapsed_ns / 2 * 1e-9, 1e-9))
        self._calls[side] = min(max(fitting, _LEAST_CALLS), _MOST_CALLS)

    def _record_blocks(self, group: Group) -> None:
        """Blocks in mirrored rounds; every other round is the mirror of the one before."""
        left = dict.fromkeys(group.alive, self._effort.recorded_s)
        while any(left[side] > 0 for side in group.alive):
            order = group.shuffled()
            for side in order + order[::-1]:
                group.one(side, self._block, left)

    def _block(self, side: Side, left: dict[Side, float]) -> None:
        asked = m.TimeSteps(calls=self._calls[side], untimed_calls=_UNTIMED_CALLS)
        left[side] -= side.ask(asked, m.StepsTimed, "evaluate").elapsed_ns * 1e-9

    def _read_steps(self, side: Side) -> None:
        self._read[side] = side.ask(m.ReadSteps(), m.StepsRead, "evaluate")


def _prepare(side: Side, phase: str) -> None:
    if phase in side.phases:
        side.ask(m.RunPhase(phase=phase), m.Elapsed, phase)
