"""A session: a plan of launches, run one after the other, each reading written as it comes."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from harness.cases import Case
from harness.conduct_memory import conduct_memory
from harness.conduct_time import IsReady, conduct_time, questions_ahead
from harness.conversation import Side
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
from harness.progress import Progress, progress_on_stderr, say
from harness.sweeps import Stops, ascending
from harness.timeline import Timeline
from harness.worker import messages as m
from harness.worker.evidence import Evidence
from results.schema import METRICS, Reading, storable
from results.tables import TableWriter, read, readings, write_environment
from results.writing import append_json_lines
from results.yardsticks import YARDSTICK

TIME, MEMORY = "time", "memory"
_MEMORY_SHARE = 0.2
"""About what a case's memory launches take of the time of its other launches."""
_PAGE = 4096
_MOST_MAPPED_PAGES = 1 << 14
_MOST_HEAP_BYTES = 1 << 16
_UNMOVED = StartLayout(environment_bytes=0, mapped_pages=0, heap_bytes=0)
_LAST_ROW = {TIME: ("teardown", "time"), MEMORY: ("teardown", "retained_memory")}
"""The reading that a launch of that kind writes last: with it, the launch is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What is compared: a label, and the interpreter that its subjects run under."""

    label: str
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One side of a step: a case under a version."""

    version: Version
    case: Case


Group = tuple[Contender, ...]
"""What is alive together: one contender alone, or a baseline and its candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Launches that are alive together: one contender alone, or a pair (or more)."""

    kind: str
    launch: int
    contenders: Group
    following: Step | None = None
    """What will probably be run next, so that its processes can start meanwhile."""

    @property
    def pair(self) -> str:
        """The id of the pair, empty for a launch of its own."""
        return str(self.launch) if len(self.contenders) > 1 else ""


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
    enough: Callable[[Sequence[float]], bool] | None = None
    """Whether a candidate's log ratios to its baseline, one a pair, have decided its case."""
    fixed_layout: bool = False
    resume: bool = False


def plan_steps(
    groups: Sequence[Group],
    effort: Effort,
    seed: int,
    is_finished: Callable[[Group], bool] = lambda _: False,
) -> Iterator[Step]:
    """Every launch of the session: rounds over all groups, each round in an order of its own.

    So the launches of a case lie minutes apart, and what the machine does for a while cannot fall
    on one case alone. Time comes before memory, and goes on for a group until `is_finished`.
    """
    rng = random.Random(seed)
    for number in range(1, effort.launches + 1):
        unfinished = [group for group in groups if not is_finished(group)]
        if not unfinished:
            break
        order = _shuffled(unfinished, rng, is_first=number == 1)
        steps = [Step(kind=TIME, launch=number, contenders=group) for group in order]
        last = replace(steps[-1], launch=number + 1)
        is_alone = len(groups) == 1 and number < effort.launches
        following = [*steps[1:], last if is_alone else None]
        for step, after in zip(steps, following, strict=True):
            yield replace(step, following=after)
    for number in range(effort.launches + 1, effort.launches + effort.memory_launches + 1):
        for group in _shuffled(groups, rng, is_first=number == effort.launches + 1):
            yield Step(kind=MEMORY, launch=number, contenders=group)


def _shuffled(groups: Sequence[Group], rng: random.Random, *, is_first: bool) -> list[Group]:
    """In random order; in a first round sweeps ascend, and later ones know where they end."""
    shuffled = rng.sample(list(groups), len(groups))
    return ascending(shuffled, lambda group: group[0].case) if is_first else shuffled


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
        self._spent: dict[Group, _Spent] = {}
        self._log_ratios: dict[Contender, list[float]] = {}
        self._calls: dict[Contender, int] = {}
        self._phases: dict[Contender, Sequence[str]] = {}
        self._ready: dict[tuple[Contender, int], Launch] = {}
        """Launches that were started before their step."""
        self._given_up: set[Contender] = set()
        self._stops = Stops()
        self._written = _Written()
        self.id = _new_session_id()

    def run(self, groups: Sequence[Group]) -> None:
        """Measure every group; when this returns or raises, all finished readings are on disk.

        Raises:
            Interrupted: if Ctrl-C was pressed once, between two launches.
        """
        settings = self._settings
        steps = plan_steps(groups, settings.effort, settings.seed, self._is_finished)
        self._spent = {group: _Spent() for group in groups}
        a_group = 1.0 + (_MEMORY_SHARE if settings.effort.memory_launches else 0.0)
        with (
            Interruption() as interruption,
            TableWriter(settings.out) as table,
            _off_cpu(self._cpu),
            progress_on_stderr(a_group * len(groups)) as progress,
        ):
            self._written = _written_before(settings)
            self.id = self._written.session or self.id
            self._recall_failures(groups)
            if table.cut_bytes:
                say(f"{settings.out}: cut off {table.cut_bytes} bytes of a line cut short")
            self._probe_environments(groups)
            try:
                for step in steps:
                    interruption.check()
                    self._run_step(step, table, progress)
            finally:
                for launch in self._ready.values():
                    launch.close()

    def seconds_spent(self, group: Group) -> float:
        """What the times of a group took to measure."""
        return self._spent[group].seconds

    def _recall_failures(self, groups: Iterable[Group]) -> None:
        """Let sweeps end where they ended before the session was interrupted."""
        for contender in {each for group in groups for each in group}:
            row = self._written.failure(contender)
            if row is not None:
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
        spent = self._spent[group]
        wanted = [
            each
            for each in group
            if each not in self._given_up and not self._written.is_complete(each, step)
        ]
        progress.begin(f"{group[0].case} ({step.kind} {step.launch})")
        if wanted:
            started = monotonic()
            self._measure(step, wanted, table)
            if step.kind == TIME:
                spent.seconds += monotonic() - started
            for each in wanted:
                if each not in self._given_up:
                    self._stops.passed(each.version, each.case, step.kind)
        if step.kind == MEMORY:
            progress.done(_MEMORY_SHARE / effort.memory_launches)
        else:
            spent.launches = step.launch
            progress.done(spent.advance(self._share_spent(group)))

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
        if settings.budget_s is not None:
            # To end nearest the budget: the next launch is begun if half of it fits.
            a_launch_s = spent.seconds / spent.launches
            if spent.seconds + a_launch_s / 2 > settings.budget_s:
                return True
        enough = settings.enough
        return enough is not None and all(
            enough(self._log_ratios.get(each, [])) for each in alive[1:]
        )

    def _measure(self, step: Step, wanted: Sequence[Contender], table: TableWriter) -> None:
        rng = random.Random(f"{self._settings.seed} {step.kind} {step.launch}")
        launches: list[Launch] = []
        timelines: list[tuple[Contender, Timeline]] = []
        try:
            sides = []
            for contender in wanted:
                ready = self._ready.pop((contender, step.launch), None)
                launch = ready or self._launcher.start(self._surroundings(contender, step))
                launches.append(launch)
                cpu = None if ready is None else self._cpu
                if step.kind == MEMORY:
                    timelines.append((contender, Timeline(launch.process)))
                sides.append(self._side(launch, contender, step, table, cpu))
            effort = self._settings.effort
            if step.kind == TIME:
                rounds = effort.first_rounds if step.launch == 1 else 1
                start_next = partial(self._start_next, step)
                conduct_time(sides, effort, rng, rounds=rounds, meanwhile=start_next)
            else:
                conduct_memory(sides, effort, rng)
        finally:
            for launch in launches:
                launch.close()
        if step.kind == TIME:
            self._keep_blocks(wanted, step, sides)
            self._calls |= {
                contender: side.series.calls
                for contender, side in zip(wanted, sides, strict=True)
                if not side.failed
            }
            self._phases |= {
                contender: side.phases for contender, side in zip(wanted, sides, strict=True)
            }
        for contender, timeline in timelines:
            self._keep_timeline(contender, step, timeline)

    def _start_next(self, step: Step) -> IsReady:
        """Have the next step's processes start on CPUs that nothing is measured on.

        There they also do what is not timed. Whether they are ready is told by what is returned.
        """
        following = step.following
        others = tuple(cpu for cpu in self._starting_cpus if cpu != self._cpu)
        started: list[Launch] = []
        if following is not None and self._cpu is not None and others:
            for contender in following.contenders:
                is_wanted = contender not in self._given_up
                if is_wanted and not self._written.is_complete(contender, following):
                    surroundings = self._surroundings(contender, following)
                    elsewhere = replace(surroundings, cpu=None, starting_cpus=others)
                    launch = self._launcher.start(elsewhere)
                    self._ready[contender, following.launch] = launch
                    started.append(launch)
                    for question in questions_ahead(
                        self._request(contender, following),
                        self._phases.get(contender, ()),
                        self._settings.effort,
                    ):
                        launch.post(question)
        return lambda: all(launch.has_caught_up() for launch in started)

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
        rng = random.Random(f"layout {self._launch_seed(step)}")
        return StartLayout(
            environment_bytes=rng.randrange(_PAGE),
            mapped_pages=rng.randrange(_MOST_MAPPED_PAGES),
            heap_bytes=rng.randrange(_MOST_HEAP_BYTES),
        )

    def _launch_seed(self, step: Step) -> int:
        return self._settings.seed * 1_000 + step.launch

    def _request(self, contender: Contender, step: Step) -> m.Open:
        case = contender.case
        return m.Open(
            scenario=case.scenario,
            params=dict(case.params),
            evaluator=case.evaluator,
            mode=case.mode,
            dtype=case.dtype,
            seed=self._launch_seed(step),
            plugins=list(self._settings.plugins),
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
        ratios = [each.log_ratio for each in measurements if each.log_ratio is not None]
        self._log_ratios.setdefault(contender, []).extend(ratios)
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
                detail=storable(each.detail),
                machine=machine_id(),
                environment=self._environments[contender.version.interpreter],
            )
            for each in measurements
        ]
        table.write([each for each in rows if not self._written.has(each)])

    def _keep_blocks(
        self, contenders: Sequence[Contender], step: Step, sides: Sequence[Side]
    ) -> None:
        """One JSON object a launch and line, in NAME.blocks.jsonl beside the table."""
        lines = [
            {
                **self._launch_names(contender, step),
                "calls": side.series.calls,
                "elapsed_ns": side.series.elapsed_ns,
                "evidence": side.series.evidence,
                "evidence_fields": Evidence._fields,
            }
            for contender, side in zip(contenders, sides, strict=True)
            if side.series.elapsed_ns
        ]
        append_json_lines(blocks_path(self._settings.out), lines)

    def _launch_names(self, contender: Contender, step: Step) -> dict[str, object]:
        return {
            "session": self.id,
            "label": contender.version.label,
            "evaluator": contender.case.evaluator,
            "scenario": contender.case.scenario,
            "params": contender.case.params_text,
            "mode": contender.case.mode,
            "launch": step.launch,
            "pair": step.pair,
        }

    def _keep_timeline(self, contender: Contender, step: Step, timeline: Timeline) -> None:
        """One JSON object a launch and line, in NAME.timelines.jsonl beside the table."""
        samples = timeline.samples()
        if not samples:
            return
        start = samples[0].seconds
        line = {
            **self._launch_names(contender, step),
            "source": "memory_profiler",
            "seconds": [round(each.seconds - start, 3) for each in samples],
            "resident_bytes": [each.resident_bytes for each in samples],
        }
        append_json_lines(timelines_path(self._settings.out), [line])


@dataclass(slots=True, kw_only=True)
class _Spent:
    """What the times of a group have taken so far."""

    launches: int = 0
    seconds: float = 0.0
    share: float = 0.0

    def advance(self, share: float) -> float:
        """How much further it is now."""
        amount, self.share = share - self.share, share
        return amount


def _beside(case: Case) -> str:
    """The case that a yardstick was read beside, as parameters of the yardstick."""
    params = case.params_text.replace("=", ":").replace(";", ",")
    named = {"evaluator": case.evaluator, "params": params, "scenario": case.scenario}
    return ";".join(f"{key}={value}" for key, value in named.items() if value)


def blocks_path(table: Path) -> Path:
    """Where the blocks that a table's times stand on are kept."""
    return table.with_name(f"{table.stem}.blocks.jsonl")


def timelines_path(table: Path) -> Path:
    """Where the timelines of a table's memory launches are kept."""
    return table.with_name(f"{table.stem}.timelines.jsonl")


class _Written:
    """What the table holds of this session: `--resume` adds only what is missing."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._keys: set[tuple[object, ...]] = set()
        self._failed: dict[tuple[str, ...], Measurement] = {}
        self.session = ""
        for reading in readings:
            self.session = reading.session
            self._keys.add(_key(reading, reading.phase, reading.metric, reading.launch))
            if reading.status != "ok":
                self._failed[_case_key(reading)] = Measurement(
                    phase=reading.phase,
                    metric=reading.metric,
                    source=reading.source,
                    value=None,
                    status=reading.status,
                    detail=reading.detail,
                )

    def has(self, reading: Reading) -> bool:
        """Whether the reading was written before."""
        return _key(reading, reading.phase, reading.metric, reading.launch) in self._keys

    def failure(self, contender: Contender) -> Measurement | None:
        """The row that stands for the contender's failure, if it has failed before."""
        return self._failed.get(_contender_key(contender))

    def is_complete(self, contender: Contender, step: Step) -> bool:
        """Whether nothing is missing of that launch, or its case has failed before."""
        parts = _contender_key(contender)
        return parts in self._failed or (*parts, *_LAST_ROW[step.kind], step.launch) in self._keys


def _written_before(settings: Settings) -> _Written:
    """Of the table's last session with `--resume`, else nothing: a new session is appended."""
    if not settings.resume or not settings.out.stat().st_size:
        return _Written()
    found = list(readings(read(settings.out)))
    return _Written(each for each in found if each.session == found[-1].session)


def _contender_key(contender: Contender) -> tuple[str, ...]:
    case = contender.case
    return (contender.version.label, case.evaluator, case.scenario, case.params_text, case.mode)


def _case_key(reading: Reading) -> tuple[str, ...]:
    return (reading.label, reading.evaluator, reading.scenario, reading.params, reading.mode)


def _key(reading: Reading, phase: str, metric: str, launch: int | None) -> tuple[object, ...]:
    return (*_case_key(reading), phase, metric, launch)


def _new_session_id() -> str:
    """When it began, and a few random letters, since two may begin at once."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


@contextmanager
def _off_cpu(cpu: int | None) -> Iterator[None]:
    """Keep the controller off the CPU that launches are pinned to."""
    if cpu is None:
        yield
        return
    granted = os.sched_getaffinity(0)
    os.sched_setaffinity(0, granted - {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, granted)
