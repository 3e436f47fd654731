"""Starting the processes of steps: with which surroundings, and which of them before their step."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.ahead import Ahead
from harness.conduct_time import questions_ahead
from harness.conversation import open_request
from harness.environment import environment_facts
from harness.launch import Launch, Launcher, StartLayout, Surroundings, granted_cpus
from harness.plan import MEMORY, Contender, Step
from harness.settings import Settings
from harness.worker import messages as m

_UNMOVED = StartLayout(environment_bytes=0, mapped_pages=0, heap_bytes=0)


class Starter:
    """Starts the processes of a session's steps, those of the next one while one is judged.

    The threads that serve a process run where the caller does.
    """

    def __init__(self, settings: Settings, launcher: Launcher) -> None:
        self._settings = settings
        self._launcher = launcher
        self._ahead = Ahead()
        self._phases: dict[Contender, Sequence[str]] = {}
        self.cpus = granted_cpus()
        """Where processes may run until they are ready."""

    def launch(self, step: Step, contender: Contender, cpu: int | None) -> tuple[Launch, bool]:
        """The contender's launch for that step, to be closed by the caller; whether it was ahead.

        Args:
            step: whose turn it is.
            contender: one of the step's.
            cpu: that it stays on if it starts now; who was started ahead is told later.
        """
        ready = self._ahead.take(step, contender)
        if ready is not None:
            return ready, True
        return self._launcher.start(self._surroundings(contender, step, cpu)), False

    def start_ahead(
        self, step: Step, contenders: Sequence[Contender], cpus: Collection[int]
    ) -> None:
        """Have a step's processes start on those CPUs, and do there what is not timed."""
        for contender in contenders:
            surroundings = self._surroundings(contender, step, None)
            launch = self._launcher.start(replace(surroundings, starting_cpus=tuple(cpus)))
            self._ahead.add(step, contender, launch)
            for question in questions_ahead(
                self.request(contender, step),
                self._phases.get(contender, ()),
                self._settings.effort,
            ):
                launch.post(question)

    def keep_only(self, steps: Collection[Step]) -> None:
        """Close what was started for any other step: it will not come."""
        self._ahead.keep_only(steps)

    def close(self) -> None:
        """Close all that was started ahead and not taken."""
        self._ahead.close()

    def learn_phases(self, phases: Mapping[Contender, Sequence[str]]) -> None:
        """Know the phases of these subjects from now on, so that they can be begun ahead."""
        self._phases |= phases

    def request(self, contender: Contender, step: Step) -> m.Open:
        """What opens the contender's case in the step's launch."""
        return open_request(
            contender.case,
            seed=self._launch_seed(step),
            plugins=self._settings.plugins,
            fixed_layout=self._settings.fixed_layout or step.kind == MEMORY,
        )

    def environment_facts(self, interpreter: str, cpu: int | None) -> tuple[str, Mapping[str, Any]]:
        """The id and the facts of an interpreter's environment, from a process of its own."""
        surroundings = Surroundings(
            interpreter=interpreter,
            hash_seed=0,
            cpu=cpu,
            starting_cpus=self.cpus,
            layout=None if self._settings.fixed_layout else _UNMOVED,
        )
        return environment_facts(self._launcher, surroundings)

    def _surroundings(self, contender: Contender, step: Step, cpu: int | None) -> Surroundings:
        return Surroundings(
            interpreter=contender.version.interpreter,
            hash_seed=self._launch_seed(step) % 2**32,
            cpu=cpu,
            starting_cpus=self.cpus,
            layout=None if self._settings.fixed_layout else self._layout(step),
            memory_limit_bytes=self._settings.memory_limit_bytes,
            exact_memory=step.kind == MEMORY,
        )

    def _layout(self, step: Step) -> StartLayout:
        """The same for all sides of the step."""
        return StartLayout.drawn(random.Random(f"layout {self._launch_seed(step)}"))

    def _launch_seed(self, step: Step) -> int:
        return self._settings.seed * 1_000 + step.launch
