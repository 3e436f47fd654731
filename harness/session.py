"""A session: a plan of launches, run one after the other, each reading written as it comes."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any

from harness.ahead import Ahead
from harness.cases import Case
from harness.conduct_memory import conduct_memory
from harness.conduct_time import conduct_time, questions_ahead
from harness.conversation import Side, open_request
from harness.effort import Effort
from harness.environment import environment_facts, machine_id
from harness.interruption import Interruption
from harness.launch import (
    Launch,
    Launcher,
    LocalLauncher,
    StartLayout,
    Surroundings,
    granted_cpus,
    usable_cpu,
)
from harness.measurement import Measurement
from harness.plan import MEMORY, TIME, Contender, Group, Step, plan_steps
from harness.progress import Progress, progress_on_stderr, say
from harness.side_files import SideFiles
from harness.spending import Spent
from harness.sweeps import Stops
from harness.timeline import Timeline
from harness.worker import messages as m
from harness.written import Written, written_before
from results.contrasts import LAST_PAIR_NOTE
from results.notes import format_notes
from results.pairs import PairRatio
from results.schema import METRICS, Reading, storable
from results.tables import TableWriter, write_environment
from results.yardsticks import YARDSTICK

_MEMORY_SHARE = 0.2
"""About what a case's memory launches take of the time of its other launches."""
_UNMOVED = StartLayout(environment_bytes=0, mapped_pages=0, heap_bytes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a user chose for a session."""

    out: Path
    effort: Effort
    seed: int
    plugins: tuple[str, ...] = ()
    memory_limit_bytes: int | None = None
    budget_s: float | None = None
    """For the times of each case, all versions together; None for no limit."""
    enough: Callable[[Sequence[PairRatio]], bool] | None = None
    """Whether a candidate's log ratios to its baseline, one a pair, have decided its case."""
    fixed_layout: bool = False
    resume: bool = False


class Session:
    """Runs a plan and writes what comes of it.

    A case that fails is a row, and is not launched again in this session.
    """

    def __init__(self, settings: Settings, launcher: Launcher | None = None) -> None:
        self._settings = settings
        self._launcher = launcher or LocalLauncher()
        self._cpu = usable_cpu()
        self._starting_cpus = granted_cpus()
        self._environments: dict[str, str] = {}
        self._spent: dict[Group, Spent] = {}
        self._pair_ratios: dict[Contender, list[PairRatio]] = {}
        self._calls: dict[Contender, int] = {}
        self._phases: dict[Contender, Sequence[str]] = {}
        self._ahead = Ahead()
        self._given_up: set[Contender] = set()
        self._stops = Stops()
        self._written = Written()
        self._side_files = SideFiles(settings.out)
        self.id = _new_session_id()

    def run(self, groups: Sequence[Group]) -> None:
        """Measure every group; when this returns or raises, all finished readings are on disk.

        Raises:
            Interrupted: if Ctrl-C was pressed once, between two launches.
        """
        settings = self._settings
        steps = plan_steps(groups, settings.effort, settings.seed, self._is_finished)
        self._spent = {group: Spent() for group in groups}
        a_group = 1.0 + (_MEMORY_SHARE if settings.effort.memory_launches else 0.0)
        with (
            Interruption() as interruption,
            TableWriter(settings.out) as table,
            _on_cpus(self._other_cpus),
            progress_on_stderr(a_group * len(groups)) as progress,
        ):
            self._written = written_before(
                settings.out,
                settings.effort.phases,
                resume=settings.resume,
                drift_alone=settings.effort.drift_alone,
            )
            self.id = self._written.session or self.id
            self._recall(groups)
            if table.cut_bytes:
                say(f"{settings.out}: cut off {table.cut_bytes} bytes of a line cut short")
            try:
                first = next(steps, None)
                if first is not None:  # while nothing is measured, it may start anywhere
                    self._start_ahead(first, self._starting_cpus)
                self._probe_environments(groups)
                for step in chain([first] if first else [], steps):
                    interruption.check()
                    self._run_step(step, table, progress)
            finally:
                self._ahead.close()

    def seconds_spent(self, group: Group) -> float:
        """What the times of a group took to measure."""
        return self._spent[group].seconds

    def _recall(self, groups: Iterable[Group]) -> None:
        """Go on where the session was interrupted: failures, ends of sweeps, pairs so far."""
        for group in groups:
            self._spent[group].recall(self._written.last_of_budget(group[-1]))
        for contender in {each for group in groups for each in group}:
            self._pair_ratios[contender] = self._written.pair_ratios(contender)
            row = self._written.failure(contender)
            if row is not None:
                self._given_up.add(contender)
                self._stops.failed(contender.version, contender.case, row)

    def _probe_environments(self, groups: Iterable[Group]) -> None:
        """Ask every interpreter for its facts before anything is measured under it."""
        interpreters = sorted({each.version.interpreter for group in groups for each in group})
        with ThreadPoolExecutor() as pool:  # each waits for a process of its own
            found = list(pool.map(self._environment_facts, interpreters))
        for interpreter, (identity, facts) in zip(interpreters, found, strict=True):
            self._environments[interpreter] = identity
            write_environment(self._settings.out, identity, facts)

    def _environment_facts(self, interpreter: str) -> tuple[str, Mapping[str, Any]]:
        surroundings = Surroundings(
            interpreter=interpreter,
            hash_seed=0,
            cpu=self._cpu,
            starting_cpus=self._starting_cpus,
            layout=None if self._settings.fixed_layout else _UNMOVED,
        )
        return environment_facts(self._launcher, surroundings)

    def _run_step(self, step: Step, table: TableWriter, progress: Progress) -> None:
        self._stop_sweeps(step, table)
        group, effort = step.contenders, self._settings.effort
        self._ahead.keep_only([step, step.following] if step.following else [step])
        spent = self._spent[group]
        wanted = self._wanted(step)
        progress.begin(f"{group[0].case} ({step.kind} {step.launch})")
        if wanted:
            if step.kind == TIME:
                spent.begin(step.launch, effort, self._settings.budget_s)
                started = monotonic()
                # It sleeps while they run, so it takes nothing from them there; and where it hands
                # over between them it need not wait until one that starts has had its slice.
                with _on_cpus(self._measuring_cpus):
                    self._measure(step, wanted, table)
                spent.end(monotonic() - started)
            else:
                self._measure(step, wanted, table)
            for each in wanted:
                if each not in self._given_up:
                    self._stops.passed(each.version, each.case, step.kind)
        if step.kind == MEMORY:
            progress.done(_MEMORY_SHARE / effort.memory_launches)
        else:
            spent.launches = step.launch
            progress.done(spent.advance(self._share_spent(group)))

    def _wanted(self, step: Step) -> list[Contender]:
        """Who is measured: the sides of a pair together, also where only one lacks readings."""
        alive = [each for each in step.contenders if each not in self._given_up]
        return [] if all(self._written.is_complete(each, step) for each in alive) else alive

    def _stop_sweeps(self, step: Step, table: TableWriter) -> None:
        """Write a row for each contender of which a smaller size has failed."""
        for each in step.contenders:
            row = self._stops.row_for(each.version, each.case, step.kind)
            if row and each not in self._given_up and not self._written.is_complete(each, step):
                self._write(each, step, "", [row], table)

    def _share_spent(self, group: Group) -> float:
        """How far the times of a group are, from 0 to 1."""
        if self._is_finished(group):
            return 1.0
        spent, settings = self._spent[group], self._settings
        by_launches = spent.launches / settings.effort.launches
        by_budget = spent.seconds / settings.budget_s if settings.budget_s else 0.0
        return min(1.0, max(by_launches, by_budget))

    def _is_finished(self, group: Group) -> bool:
        """Whether its times need no more launches: decided, out of budget, or nobody is left."""
        spent, settings = self._spent[group], self._settings
        alive = [each for each in group if each not in self._given_up]
        if not alive or (group[0] not in alive and len(group) > 1):
            return True
        if spent.launches < settings.effort.least_launches:
            return False
        if len(alive) < min(2, len(group)):
            return True
        if spent.is_over:
            return True
        enough = settings.enough
        return enough is not None and all(
            enough(self._pair_ratios.get(each, [])) for each in alive[1:]
        )

    def _measure(self, step: Step, wanted: Sequence[Contender], table: TableWriter) -> None:
        rng = random.Random(f"{self._settings.seed} {step.kind} {step.launch}")
        launches: list[Launch] = []
        timelines: list[tuple[Contender, Timeline]] = []
        try:
            sides = []
            for contender in wanted:
                ready = self._ahead.take(step, contender)
                launch = ready or self._start(self._surroundings(contender, step))
                launches.append(launch)
                cpu = None if ready is None else self._cpu
                if step.kind == MEMORY:
                    timelines.append((contender, Timeline(launch.process)))
                sides.append(self._side(launch, contender, step, table, cpu))
            effort = self._settings.effort
            if step.kind == TIME:
                if len(sides) > 1:  # what differs by little is timed with nothing beside it
                    when = {"when_timed": partial(self._start_next, step, self._starting_cpus)}
                else:
                    when = {"when_open": partial(self._start_next, step, self._other_cpus)}
                conduct_time(sides, effort, rng, **when)
            else:
                conduct_memory(sides, effort, rng, [each for _, each in timelines])
        finally:
            for launch in launches:
                launch.close()
        if step.kind == TIME:
            self._side_files.keep_blocks(
                self.id,
                step,
                [(each, side.series) for each, side in zip(wanted, sides, strict=True)],
            )
            self._calls |= {
                contender: side.series.calls
                for contender, side in zip(wanted, sides, strict=True)
                if not side.failed
            }
            self._phases |= {
                contender: side.phases for contender, side in zip(wanted, sides, strict=True)
            }
        for contender, timeline in timelines:
            self._side_files.keep_timeline(self.id, step, contender, timeline)

    def _start_next(self, step: Step, cpus: Sequence[int]) -> None:
        """Have the next step's processes start on those CPUs, and do there what is not timed."""
        if step.following is not None and not self._is_beyond(step.following):
            self._start_ahead(step.following, cpus)

    def _is_beyond(self, step: Step) -> bool:
        """Whether a step comes after its group's last one."""
        last = self._spent[step.contenders].last
        return last is not None and step.launch > last

    @property
    def _measuring_cpus(self) -> list[int]:
        return [] if self._cpu is None else [self._cpu]

    @property
    def _other_cpus(self) -> list[int]:
        """Those that nothing is measured on; none where launches are not pinned."""
        return [cpu for cpu in self._starting_cpus if self._cpu not in (None, cpu)]

    def _start_ahead(self, step: Step, cpus: Sequence[int]) -> None:
        """Have a step's processes start on those CPUs; where there are none they start later."""
        for contender in self._wanted(step) if self._cpu is not None and cpus else ():
            surroundings = self._surroundings(contender, step)
            elsewhere = replace(surroundings, cpu=None, starting_cpus=tuple(cpus))
            launch = self._start(elsewhere)
            self._ahead.add(step, contender, launch)
            for question in questions_ahead(
                self._request(contender, step),
                self._phases.get(contender, ()),
                self._settings.effort,
            ):
                launch.post(question)

    def _start(self, surroundings: Surroundings) -> Launch:
        """A launch; the threads that serve it stay off the CPU that is measured on."""
        with _on_cpus(self._other_cpus):
            return self._launcher.start(surroundings)

    def _surroundings(self, contender: Contender, step: Step) -> Surroundings:
        return Surroundings(
            interpreter=contender.version.interpreter,
            hash_seed=self._launch_seed(step) % 2**32,
            cpu=self._cpu,
            starting_cpus=self._starting_cpus,
            layout=None if self._settings.fixed_layout else self._layout(step),
            memory_limit_bytes=self._settings.memory_limit_bytes,
            exact_memory=step.kind == MEMORY,
        )

    def _layout(self, step: Step) -> StartLayout:
        """The same for all sides of the step."""
        return StartLayout.drawn(random.Random(f"layout {self._launch_seed(step)}"))

    def _launch_seed(self, step: Step) -> int:
        return self._settings.seed * 1_000 + step.launch

    def _request(self, contender: Contender, step: Step) -> m.Open:
        return open_request(
            contender.case,
            seed=self._launch_seed(step),
            plugins=self._settings.plugins,
            fixed_layout=self._settings.fixed_layout or step.kind == MEMORY,
        )

    def _side(
        self,
        launch: Launch,
        contender: Contender,
        step: Step,
        table: TableWriter,
        cpu: int | None,
    ) -> Side:
        def emit(side: Side, measurements: Sequence[Measurement]) -> None:
            version = "" if side.opened is None else side.opened.evaluator_version
            self._write(contender, step, version, measurements, table)

        return Side(
            launch,
            self._request(contender, step),
            emit,
            timeout_s=self._settings.effort.timeout_s,
            calls=self._calls.get(contender),
            cpu=cpu,
        )

    def _write(
        self,
        contender: Contender,
        step: Step,
        evaluator_version: str,
        measurements: Sequence[Measurement],
        table: TableWriter,
    ) -> None:
        for each in measurements:
            if each.status != "ok":
                self._given_up.add(contender)
                self._stops.failed(contender.version, contender.case, each)
        rows = [
            Reading(
                session=self.id,
                recorded_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                label=contender.version.label,
                evaluator=YARDSTICK if each.yardstick else contender.case.evaluator,
                evaluator_version="" if each.yardstick else evaluator_version,
                scenario=each.yardstick or contender.case.scenario,
                params=_beside(contender.case) if each.yardstick else contender.case.params_text,
                mode=contender.case.mode,
                phase=each.phase,
                metric=each.metric,
                unit=METRICS[each.metric].unit,
                source=each.source,
                launch=step.launch,
                pair=step.pair,
                value=each.value,
                spread=each.spread,
                blocks=each.blocks,
                calls=each.calls,
                status=each.status,
                detail=storable(self._detail(each, step)),
                machine=machine_id(),
                environment=self._environments[contender.version.interpreter],
            )
            for each in measurements
        ]
        fresh = [
            (row, each.pair_ratio)
            for row, each in zip(rows, measurements, strict=True)
            if not self._written.has(row)
        ]
        table.write([row for row, _ in fresh])
        ratios = [ratio for _, ratio in fresh if ratio is not None]
        self._pair_ratios.setdefault(contender, []).extend(ratios)

    def _detail(self, each: Measurement, step: Step) -> str:
        """With a note of a pair that is the last one."""
        spent = self._spent[step.contenders]
        is_last = step.kind == TIME and step.launch == spent.last
        if not is_last or not step.pair or each.status != "ok":
            return each.detail
        note = format_notes({LAST_PAIR_NOTE: spent.why_last})
        return "; ".join(filter(None, (each.detail, note)))


def _beside(case: Case) -> str:
    """The case that a yardstick was read beside, as parameters of the yardstick."""
    params = case.params_text.replace("=", ":").replace(";", ",")
    named = {"evaluator": case.evaluator, "params": params, "scenario": case.scenario}
    return ";".join(f"{key}={value}" for key, value in named.items() if value)


def _new_session_id() -> str:
    """When it began, and a few random letters, since two may begin at once."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@contextmanager
def _on_cpus(cpus: Collection[int]) -> Iterator[None]:
    """Keep this thread, and those that it starts, on those CPUs; if there are none, where it is."""
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
