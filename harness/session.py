"""A session: a plan of launches, run one after the other, each reading written as it comes."""

from __future__ import annotations

import json
import os
import random
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from harness.cases import Case
from harness.conduct_memory import conduct_memory
from harness.conduct_time import conduct_time
from harness.conversation import Side
from harness.effort import Effort
from harness.environment import environment_facts, machine_id
from harness.launch import Launch, Launcher, LocalLauncher, Surroundings, usable_cpu
from harness.measurement import Measurement
from harness.progress import Progress, progress_on_stderr, say
from harness.sweeps import Stops, ascending
from harness.timeline import Timeline
from harness.worker import messages as m
from results.schema import METRICS, Reading, storable
from results.tables import TableWriter, read, readings, write_environment

TIME, MEMORY = "time", "memory"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Launches that are alive together: one contender alone, or a pair (or more)."""

    kind: str
    launch: int
    contenders: tuple[Contender, ...]

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
    fixed_layout: bool = False
    resume: bool = False


def plan_steps(groups: Sequence[tuple[Contender, ...]], effort: Effort, seed: int) -> list[Step]:
    """Every launch of the session: rounds over all groups, each round in an order of its own.

    So the launches of a case lie minutes apart, and what the machine does for a while cannot fall
    on one case alone. Time comes before memory.
    """
    rng = random.Random(seed)
    steps: list[Step] = []
    rounds = [(TIME, number) for number in range(1, effort.launches + 1)]
    last = effort.launches + effort.memory_launches
    rounds += [(MEMORY, number) for number in range(effort.launches + 1, last + 1)]
    for kind, number in rounds:
        shuffled = rng.sample(list(groups), len(groups))
        if number in (1, effort.launches + 1):  # later rounds know where sweeps end
            shuffled = ascending(shuffled, lambda group: group[0].case)
        for group in shuffled:
            steps.append(Step(kind=kind, launch=number, contenders=group))  # noqa: PERF401
    return steps


class Session:
    """Runs a plan and writes what comes of it.

    A case that fails is a row, and is not launched again in this session.
    """

    def __init__(self, settings: Settings, launcher: Launcher | None = None) -> None:
        self._settings = settings
        self._launcher = launcher or LocalLauncher()
        self._cpu = usable_cpu()
        self._environments: dict[str, str] = {}
        self._spent_s: dict[Case, float] = {}
        self._given_up: set[Contender] = set()
        self._stops = Stops()
        self._written = _Written()
        self.id = _new_session_id()

    def run(self, groups: Sequence[tuple[Contender, ...]]) -> None:
        """Measure every group; when this returns or raises, all finished readings are on disk."""
        settings = self._settings
        steps = plan_steps(groups, settings.effort, settings.seed)
        with (
            TableWriter(settings.out) as table,
            _off_cpu(self._cpu),
            progress_on_stderr(len(steps)) as progress,
        ):
            self._written = _written_before(settings)
            self.id = self._written.session or self.id
            self._recall_failures(groups)
            if table.cut_bytes:
                say(f"{settings.out}: cut off {table.cut_bytes} bytes of a line cut short")
            self._probe_environments(groups)
            for step in steps:
                self._run_step(step, table, progress)
                progress.done()

    def _recall_failures(self, groups: Iterable[tuple[Contender, ...]]) -> None:
        """Let sweeps end where they ended before the session was interrupted."""
        for contender in {each for group in groups for each in group}:
            row = self._written.failure(contender)
            if row is not None:
                self._stops.failed(contender.version, contender.case, row)

    def _probe_environments(self, groups: Iterable[tuple[Contender, ...]]) -> None:
        """Ask every interpreter for its facts before anything is measured under it."""
        for interpreter in {each.version.interpreter for group in groups for each in group}:
            identity, facts = environment_facts(self._launcher, interpreter, self._cpu)
            self._environments[interpreter] = identity
            write_environment(self._settings.out, identity, facts)

    def _run_step(self, step: Step, table: TableWriter, progress: Progress) -> None:
        self._stop_sweeps(step, table)
        wanted = [
            each
            for each in step.contenders
            if each not in self._given_up and not self._written.is_complete(each, step)
        ]
        if not wanted or self._is_over_budget(step):
            return
        first = step.contenders[0].case
        progress.begin(f"{first} ({step.kind} {step.launch})")
        started = monotonic()
        self._measure(step, wanted, table)
        for each in wanted:
            if each not in self._given_up:
                self._stops.passed(each.version, each.case, step.kind)
        for case in {each.case for each in wanted}:
            self._spent_s[case] = self._spent_s.get(case, 0.0) + monotonic() - started

    def _stop_sweeps(self, step: Step, table: TableWriter) -> None:
        """Write a row for each contender of which a smaller size has failed."""
        for each in step.contenders:
            row = self._stops.row_for(each.version, each.case, step.kind)
            if row and each not in self._given_up and not self._written.is_complete(each, step):
                self._write(each, step, "", [row], table)

    def _is_over_budget(self, step: Step) -> bool:
        """Whether the step's case has used its budget for time."""
        budget_s = self._settings.budget_s
        if step.kind == MEMORY or step.launch <= self._settings.effort.least_launches:
            return False
        spent_s = max(self._spent_s.get(each.case, 0.0) for each in step.contenders)
        return budget_s is not None and spent_s >= budget_s

    def _measure(self, step: Step, wanted: Sequence[Contender], table: TableWriter) -> None:
        rng = random.Random(f"{self._settings.seed} {step.kind} {step.launch}")
        launches: list[Launch] = []
        timelines: list[tuple[Contender, Timeline]] = []
        try:
            sides = []
            for contender in wanted:
                launch = self._launcher.start(self._surroundings(contender, step))
                launches.append(launch)
                if step.kind == MEMORY:
                    timelines.append((contender, Timeline(launch.process)))
                sides.append(self._side(launch, contender, step, table))
            conduct = conduct_time if step.kind == TIME else conduct_memory
            conduct(sides, self._settings.effort, rng)
        finally:
            for launch in launches:
                launch.close()
        for contender, timeline in timelines:
            self._keep_timeline(contender, step, timeline)

    def _surroundings(self, contender: Contender, step: Step) -> Surroundings:
        return Surroundings(
            interpreter=contender.version.interpreter,
            hash_seed=self._launch_seed(step) % 2**32,
            cpu=self._cpu,
            memory_limit_bytes=self._settings.memory_limit_bytes,
            exact_memory=step.kind == MEMORY,
        )

    def _launch_seed(self, step: Step) -> int:
        return self._settings.seed * 1_000 + step.launch

    def _side(self, launch: Launch, contender: Contender, step: Step, table: TableWriter) -> Side:
        case = contender.case
        request = m.Open(
            scenario=case.scenario,
            params=dict(case.params),
            evaluator=case.evaluator,
            mode=case.mode,
            dtype=case.dtype,
            seed=self._launch_seed(step),
            plugins=list(self._settings.plugins),
            fixed_layout=self._settings.fixed_layout or step.kind == MEMORY,
        )

        def emit(side: Side, measurements: Sequence[Measurement]) -> None:
            version = "" if side.opened is None else side.opened.evaluator_version
            self._write(contender, step, version, measurements, table)

        return Side(launch, request, emit, timeout_s=self._settings.effort.timeout_s)

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
                evaluator=contender.case.evaluator,
                evaluator_version=evaluator_version,
                scenario=contender.case.scenario,
                params=contender.case.params_text,
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

    def _keep_timeline(self, contender: Contender, step: Step, timeline: Timeline) -> None:
        """One JSON object a line, in NAME.timelines.jsonl beside the table."""
        samples = timeline.samples()
        if not samples:
            return
        start = samples[0].seconds
        line = {
            "session": self.id,
            "label": contender.version.label,
            "evaluator": contender.case.evaluator,
            "scenario": contender.case.scenario,
            "params": contender.case.params_text,
            "mode": contender.case.mode,
            "launch": step.launch,
            "source": "memory_profiler",
            "seconds": [round(each.seconds - start, 3) for each in samples],
            "resident_bytes": [each.resident_bytes for each in samples],
        }
        with timelines_path(self._settings.out).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


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
