"""A session: a plan of launches, run one after the other, each reading written as it comes."""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from time import monotonic

from harness.conduct_memory import conduct_memory
from harness.conduct_time import conduct_time
from harness.conversation import Side
from harness.interruption import Interrupted, Interruption
from harness.lanes import on_cpus, run_on
from harness.launch import Launch, Launcher, LocalLauncher, usable_cpus
from harness.measurement import Measurement
from harness.origin import Origin
from harness.plan import MEMORY, TIME, Contender, Group, Step, Turn, plan_turns
from harness.progress import Progress, progress_on_stderr, say
from harness.settings import Settings
from harness.side_files import SideFiles
from harness.spending import Spent
from harness.starting import Starter
from harness.sweeps import Stops
from harness.timeline import Timeline
from harness.written import Written, written_before
from results.environments import write_environment
from results.pairs import LAST_PAIR_NOTE, PairRatio
from results.writing import TableWriter

_MEMORY_SHARE = 0.2
"""About what a case's memory launches take of the time of its other launches."""
AT_ONCE_NOTE = "at_once"
"""Beside a time that others were measured beside: how many pairs ran at the same time."""


class Session:
    """Runs a plan and writes what comes of it.

    A case that fails is a row, and is not launched again in this session.
    """

    def __init__(self, settings: Settings, launcher: Launcher | None = None) -> None:
        self._settings = settings
        self._starter = Starter(settings, launcher or LocalLauncher())
        self._cpus = usable_cpus(settings.at_once)
        """That are measured on; none where launches are not pinned."""
        self._at_once = 1
        self._environments: dict[str, str] = {}
        self._spent: dict[Group, Spent] = {}
        self._pair_ratios: dict[Contender, list[PairRatio]] = {}
        self._calls: dict[Contender, int] = {}
        self._running: set[Launch] = set()
        self._is_abandoned = False
        self._lock = threading.RLock()
        """Of all that steps of one turn share: held while something is written."""
        self._given_up: set[Contender] = set()
        self._stops = Stops()
        self._written = Written()
        self._side_files = SideFiles(settings.out)
        self.id = _new_session_id()

    def run(
        self, groups: Sequence[Group], *, while_starting: Callable[[], None] = lambda: None
    ) -> None:
        """Measure every group; when this returns or raises, all finished readings are on disk.

        Args:
            groups: each of contenders that are alive together, the baseline first.
            while_starting: called once, while the first processes start.

        Raises:
            Interrupted: if Ctrl-C was pressed once, between two launches.
        """
        settings = self._settings
        if all(len(group) > 1 for group in groups):
            self._at_once = max(1, len(self._cpus))
        turns = plan_turns(
            groups,
            settings.effort,
            settings.seed,
            self._is_finished,
            at_once=self._at_once,
        )
        self._spent = {group: Spent() for group in groups}
        a_group = 1.0 + (_MEMORY_SHARE if settings.effort.memory_launches else 0.0)
        with (
            Interruption() as interruption,
            TableWriter(settings.out) as table,
            on_cpus(self._other_cpus),
            ThreadPoolExecutor(max(1, len(self._cpus))) as pool,
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
                first = next(turns, ())
                for step in first:  # while nothing is measured, it may start anywhere
                    self._start_ahead(step, self._starter.cpus)
                self._probe_environments(groups, while_starting)
                for turn in chain([first] if first else [], turns):
                    interruption.check()
                    self._run_turn(turn, table, pool, progress)
            finally:
                self._starter.close()

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

    def _probe_environments(self, groups: Iterable[Group], meanwhile: Callable[[], None]) -> None:
        """Ask every interpreter for its facts before anything is measured under it."""
        interpreters = sorted({each.version.interpreter for group in groups for each in group})
        with ThreadPoolExecutor() as pool:  # each waits for a process of its own
            ask = partial(self._starter.environment_facts, cpu=self._cpu)
            answers = pool.map(ask, interpreters)
            _load_statistics()
            meanwhile()
            found = list(answers)
        for interpreter, (identity, facts) in zip(interpreters, found, strict=True):
            self._environments[interpreter] = identity
            write_environment(self._settings.out, identity, facts)

    def _run_turn(self, turn: Turn, table: TableWriter, pool: Executor, progress: Progress) -> None:
        for step in turn:
            self._stop_sweeps(step, table)
        kind, group, last = turn[0].kind, turn[0].contenders, turn[-1].launch
        effort, spent = self._settings.effort, self._spent[turn[0].contenders]
        self._starter.keep_only([*turn, *(step.following for step in turn if step.following)])
        wanted = [(step, contenders) for step in turn if (contenders := self._wanted(step))]
        progress.begin(f"{group[0].case} ({kind} {last})")
        if wanted:
            if kind == TIME:
                spent.begin(last, effort, self._settings.budget_s)
                started = monotonic()
                self._measure_at_once(wanted, table, pool)
                spent.end(monotonic() - started)
            else:
                for step, contenders in wanted:
                    self._measure(step, contenders, table, self._cpu)
            for each in wanted[-1][1]:
                if each not in self._given_up:
                    self._stops.passed(each.version, each.case, kind)
        if kind == MEMORY:
            progress.done(_MEMORY_SHARE / effort.memory_launches)
        else:
            spent.launches = last
            progress.done(spent.advance(self._share_spent(group)))

    def _measure_at_once(
        self,
        wanted: Sequence[tuple[Step, Sequence[Contender]]],
        table: TableWriter,
        pool: Executor,
    ) -> None:
        """Measure the steps of a turn, each on a CPU of its own.

        Who hands over sleeps there while they run, so it takes nothing from them; and it need not
        wait until one that starts has had its slice.
        """
        tasks = [partial(self._measure, *each, table) for each in wanted]
        run_on(self._cpus, tasks, pool, self._abandon)

    def _abandon(self) -> None:
        """Have steps that still run end, and write no more: the session ends without them."""
        with self._lock:
            self._is_abandoned = True
            for launch in self._running:
                launch.kill()

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

    @property
    def _cpu(self) -> int | None:
        """Where steps are measured one after the other; None where launches are not pinned."""
        return next(iter(self._cpus), None)

    def _measure(
        self, step: Step, wanted: Sequence[Contender], table: TableWriter, cpu: int | None
    ) -> None:
        rng = random.Random(f"{self._settings.seed} {step.kind} {step.launch}")
        launches: list[Launch] = []
        timelines: list[tuple[Contender, Timeline]] = []
        try:
            sides = []
            for contender in wanted:
                with on_cpus(self._other_cpus):
                    launch, was_ahead = self._starter.launch(step, contender, cpu)
                launches.append(launch)
                self._know(launch)
                if step.kind == MEMORY:
                    timelines.append((contender, Timeline(launch.process)))
                going_to = cpu if was_ahead else None
                sides.append(self._side(launch, contender, step, table, going_to))
            effort = self._settings.effort
            if step.kind == TIME:
                if len(sides) == 1:
                    when = {"when_open": partial(self._start_next, step, self._other_cpus)}
                else:  # what differs by little is timed with nothing starting beside it
                    cpus = self._starter.cpus if cpu is None or self._at_once == 1 else (cpu,)
                    when = {"when_timed": partial(self._start_next, step, cpus)}
                conduct_time(sides, effort, rng, **when)
            else:
                conduct_memory(sides, effort, rng, [each for _, each in timelines])
        finally:
            with self._lock:
                self._running.difference_update(launches)
            for launch in launches:
                launch.close()
        with self._lock:
            if step.kind == TIME and not self._is_abandoned:
                self._learn(step, list(zip(wanted, sides, strict=True)))
        for contender, timeline in timelines:
            self._side_files.keep_timeline(self.id, step, contender, timeline)

    def _know(self, launch: Launch) -> None:
        """So that who abandons the session can end it.

        Raises:
            Interrupted: if the session is abandoned already.
        """
        with self._lock:
            if self._is_abandoned:
                raise Interrupted
            self._running.add(launch)

    def _learn(self, step: Step, measured: Sequence[tuple[Contender, Side]]) -> None:
        """Keep the blocks, and what later launches need not find out again."""
        self._side_files.keep_blocks(
            self.id, step, [(contender, side.series) for contender, side in measured]
        )
        block_ns = self._settings.effort.block_ns
        self._calls |= {
            # A pair's sides run as many calls as the slower one's block holds: what is learned of
            # one slow spell must not stay.
            contender: side.series.calls_filling(block_ns) if step.pair else side.series.calls
            for contender, side in measured
            if not side.failed and side.series.elapsed_ns
        }
        self._starter.learn_phases({contender: side.phases for contender, side in measured})

    def _start_next(self, step: Step, cpus: Sequence[int]) -> None:
        if step.following is not None and not self._is_beyond(step.following):
            self._start_ahead(step.following, cpus)

    def _start_ahead(self, step: Step, cpus: Sequence[int]) -> None:
        """Have a step's processes start on those CPUs; where there are none they start later.

        The threads that serve them stay off the CPUs that are measured on.
        """
        if self._cpus and cpus and not self._is_abandoned:
            with on_cpus(self._other_cpus):
                self._starter.start_ahead(step, self._wanted(step), cpus)

    def _is_beyond(self, step: Step) -> bool:
        """Whether a step comes after its group's last one."""
        last = self._spent[step.contenders].last
        return last is not None and step.launch > last

    @property
    def _other_cpus(self) -> list[int]:
        """Those that nothing is measured on; none where launches are not pinned."""
        measured_on = self._cpus[: self._at_once]
        return [cpu for cpu in self._starter.cpus if measured_on and cpu not in measured_on]

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
            self._starter.request(contender, step),
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
        with self._lock:
            if self._is_abandoned:
                return
            failed = [each for each in measurements if each.status != "ok"]
            if failed and contender in self._given_up:  # beside, in the same turn: it is told once
                measurements = [each for each in measurements if each.status == "ok"]
            for each in failed:
                self._given_up.add(contender)
                self._stops.failed(contender.version, contender.case, each)
            origin = Origin(
                session=self.id,
                contender=contender,
                step=step,
                evaluator_version=evaluator_version,
                environment=self._environments[contender.version.interpreter],
            )
            rows = [origin.reading(each, self._notes(each, step)) for each in measurements]
            fresh = [
                (row, each.pair_ratio)
                for row, each in zip(rows, measurements, strict=True)
                if not self._written.has(row)
            ]
            table.write([row for row, _ in fresh])
            ratios = [ratio for _, ratio in fresh if ratio is not None]
            self._pair_ratios.setdefault(contender, []).extend(ratios)

    def _notes(self, each: Measurement, step: Step) -> dict[str, str]:
        """What the session knows of a pair: that others ran beside it, that it is the last."""
        if step.kind != TIME or not step.pair or each.status != "ok":
            return {}
        spent, notes = self._spent[step.contenders], {}
        if self._at_once > 1 and each.phase == "evaluate" and not each.yardstick:
            notes[AT_ONCE_NOTE] = str(self._at_once)
        if step.launch == spent.last:
            notes[LAST_PAIR_NOTE] = spent.why_last
        return notes


def _load_statistics() -> None:
    """Import what scipy loads when it is first used: while processes start, in one thread."""
    import scipy.special  # noqa: F401, PLC0415


def _new_session_id() -> str:
    """When it began, and a few random letters, since two may begin at once."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
