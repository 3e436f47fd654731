"""Conversations with workers: one side alone, or several alive together.

With several, each question is put to one side after the other in random order; a side that fails
drops out, and the others go on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from harness.awake import awake_now
from harness.blocks import Series, Speed
from harness.cases import Case
from harness.launch import Launch
from harness.measurement import Measurement, failure_row
from harness.worker import messages as m

PREPARED_PHASES = ("construct", "differentiate", "lower", "compile", "first_call")

CALL = "call"
_UNITS = {
    "rebuilds": "rebuild",
    "shapes": "shape",
    "kept": "function kept",
    "cycles": "rebuild",
}


class SubjectFailed(Exception):  # noqa: N818 - the subject's failure, not ours
    """The subject refused, raised, died or ran out of time."""

    def __init__(self, failure: m.Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


Answer = TypeVar("Answer")
Emit = Callable[["Side", Sequence[Measurement]], None]
"""Is given measurements as soon as they are final; they are in the table from there."""


def open_request(case: Case, *, seed: int, plugins: Sequence[str], fixed_layout: bool) -> m.Open:
    """What opens a case in a worker."""
    return m.Open(
        scenario=case.scenario,
        params=dict(case.params),
        evaluator=case.evaluator,
        mode=case.mode,
        dtype=case.dtype,
        seed=seed,
        plugins=list(plugins),
        fixed_layout=fixed_layout,
    )


class Side:
    """One process of a launch (or of a pair), with the time that it has left."""

    def __init__(
        self,
        launch: Launch,
        request: m.Open,
        emit: Emit,
        *,
        timeout_s: float,
        calls: int | None = None,
        cpu: int | None = None,
    ) -> None:
        self._launch = launch
        self._request = request
        self._emit = emit
        self._deadline = awake_now() + timeout_s
        self.opened: m.Opened | None = None
        self.failed = False
        self._held: list[Measurement] = []
        self._told: set[tuple[str, str]] = set()
        self.untimed_calls = 0
        """Before each block that follows a hand-over."""
        self.cpu = cpu
        """Where it is to be measured, if it was started elsewhere."""
        self.known_calls = calls
        """Of a block, as an earlier launch found them; None for the first launch."""
        self.instances = 1
        """Of the function, each at another place in memory; blocks go round them."""
        self.series = Series()
        self.prepared_ns = 0
        """What preparing took, the first call not counted."""
        self.repeats_ns: dict[str, list[int]] = {}
        self.yardstick_ns: dict[str, list[int]] = {}
        self.speeds: list[Speed] = []
        """The machine's, along the blocks of a launch alone."""
        self.threads = 0
        """Of the process, that the subject has started by the end of `evaluate`."""

    @property
    def phases(self) -> list[str]:
        """The phases that this subject has."""
        return [] if self.opened is None else self.opened.phases

    @property
    def unit(self) -> str:
        """What `evaluate` does again and again: a call, or what the life cycle has in its place."""
        return CALL if self.opened is None else _UNITS.get(self.opened.lifecycle, CALL)

    @property
    def is_layout_fixed(self) -> bool:
        """Whether memory layout is left as it happens to be."""
        return self._request.fixed_layout

    def open(self) -> None:
        """Load the subject."""
        self.opened = self.ask(self._request, m.Opened, "construct")

    def stay(self) -> None:
        """Go to the CPU that it is measured on."""
        if self.cpu is not None:
            self.ask(m.StayOn(cpu=self.cpu), m.Staying, "evaluate")

    def ask(self, question: m.Message, kind: type[Answer], phase: str) -> Answer:
        """The answer, of the kind that the question calls for; else `SubjectFailed`."""
        answer = self._launch.ask(question, timeout_s=self._deadline - awake_now())
        if isinstance(answer, kind):
            return answer
        if isinstance(answer, m.Failure):
            raise SubjectFailed(answer._replace(phase=answer.phase or phase))
        detail = f"answered {type(answer).__name__} where {kind.__name__} was expected"
        raise SubjectFailed(m.Failure(phase=phase, status="error", detail=detail))

    def hold(self, *measurements: Measurement) -> None:
        """Keep measurements that are not final yet."""
        self._held += measurements

    def release(self) -> None:
        """Hand on everything that is held."""
        held, self._held = self._held, []
        self._told.update((each.phase, each.metric) for each in held)
        self._emit(self, held)

    def fail(self, failure: m.Failure, kind: str) -> None:
        """Put a failure in the place of what is held, and take part no more."""
        self.failed = True
        row = failure_row(failure, kind)
        if (row.phase, row.metric) in self._told:  # it failed when it was repeated
            row = replace(row, metric="time")
        self._emit(self, [row])


class Group:
    """Sides that are alive together; those that fail drop out and the others go on."""

    def __init__(self, sides: Sequence[Side], rng: random.Random, kind: str) -> None:
        self._sides = list(sides)
        self._kind = kind
        self._rng = rng

    @property
    def alive(self) -> list[Side]:
        """The sides that have not failed."""
        return [side for side in self._sides if not side.failed]

    def shuffled(self) -> list[Side]:
        """The living sides in random order."""
        return self._rng.sample(self.alive, len(self.alive))

    def each(self, act: Callable[..., object], *arguments: object) -> None:
        """Let every living side act, one after the other in random order."""
        for side in self.shuffled():
            self.one(side, act, *arguments)

    def release(self) -> None:
        """Hand on what all living sides hold, the baseline's first."""
        for side in self.alive:
            side.release()

    def one(self, side: Side, act: Callable[..., object], *arguments: object) -> None:
        """Let one side act, unless it has failed; if it fails now, that becomes a row."""
        if side.failed:
            return
        try:
            act(side, *arguments)
        except SubjectFailed as failed:
            side.fail(failed.failure, self._kind)


def checked(side: Side) -> m.Checked:
    """The check of its first result; one that is out of tolerance is a failure."""
    answer = side.ask(m.Check(), m.Checked, "first_call")
    if answer.problem:
        raise SubjectFailed(m.Failure(phase="first_call", status="wrong", detail=answer.problem))
    return answer
