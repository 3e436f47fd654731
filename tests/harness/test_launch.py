"""Real worker processes: what they answer, and what becomes of those that die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from harness import launch as launch_module
from harness.blocks import Series, judge_blocks
from harness.launch import LocalLaunch, LocalLauncher, Surroundings, usable_cpu, usable_cpus
from harness.scratch import VARIABLE, Scratch
from harness.worker import messages as m
from harness.worker.evidence import Evidence
from tests.harness.processes import lives, wait_until_dead

_PLUGIN = str(Path(__file__).parent / "subjects" / "misbehaving.py")


@contextmanager
def _launched(evaluator: str, **fixed: object) -> Iterator[LocalLaunch]:
    surroundings = Surroundings(
        interpreter=sys.executable,
        hash_seed=1,
        cpu=usable_cpu(),
        **fixed,  # type: ignore[arg-type]
    )
    launch = LocalLauncher().start(surroundings)
    request = m.Open("tiny", {}, evaluator, "gradient", None, 1, [_PLUGIN], False)
    try:
        assert isinstance(launch.ask(request, timeout_s=60), m.Opened)
        yield launch
    finally:
        launch.close()


def _until(launch: LocalLaunch, last: str, timeout_s: float = 60) -> m.Message:
    answer: m.Message = m.Check()
    for phase in ("construct", "differentiate", "lower", "compile", "first_call"):
        # The limit is for the last phase: the others are quick, but not on every machine.
        limit_s = timeout_s if phase == last else 60
        answer = launch.ask(m.RunPhase(phase=phase), timeout_s=limit_s)
        if isinstance(answer, m.Failure) or phase == last:
            break
    return answer


@pytest.mark.parametrize(
    ("evaluator", "status", "words"),
    [
        ("raising", "error", "ValueError: first line (misbehaving.py:"),
        ("recursing", "recursion", "RecursionError"),
        ("crashing", "crash", "SIGSEGV"),
        ("exiting", "crash", "exited with 0"),
        ("leaving", "error", "SystemExit: 3"),
        ("killing", "crash", "SIGKILL"),
        ("refusing", "refused", "not today"),
    ],
)
def test_whatever_a_subject_does_is_an_answer(evaluator: str, status: str, words: str) -> None:
    """Exceptions, crashes, exits and refusals become a failure with a status and a detail."""
    with _launched(evaluator) as launch:
        answer = _until(launch, "compile")

    assert isinstance(answer, m.Failure)
    assert answer.status == status
    assert words in answer.detail


def test_a_subject_that_closes_our_pipes_is_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given a while to die, as one that crashed does, and then ended."""
    monkeypatch.setattr("harness.launch._DYING_S", 0.1)

    with _launched("closing") as launch:
        answer = _until(launch, "compile")

    assert isinstance(answer, m.Failure)
    assert (answer.status, answer.detail) == (
        "crash",
        "it closed our pipes and lives on; ended by us",
    )


def test_a_subject_that_hangs_is_given_up_on() -> None:
    """Without an answer in time there is a timeout, and the process is ended."""
    with _launched("hanging") as launch:
        answer = _until(launch, "compile", timeout_s=1.0)
        process = psutil.Process(launch.process.pid)

    assert isinstance(answer, m.Failure)
    assert (answer.phase, answer.status) == ("compile", "timeout")
    assert not lives(process)


def test_a_memory_limit_holds_without_cgroups() -> None:
    """A subject that allocates without end is stopped by the limit and says so."""
    with _launched("greedy", memory_limit_bytes=2**30) as launch:
        answer = _until(launch, "compile")

    assert isinstance(answer, m.Failure)
    assert (answer.phase, answer.status) == ("compile", "out_of_memory")


def test_where_memory_runs_out_the_kernel_takes_the_launch() -> None:
    """The launch volunteers; the controller stays as it is."""
    with _launched("honest") as launch:
        score = Path(f"/proc/{launch.process.pid}/oom_score_adj").read_text(encoding="ascii")

    assert score == "1000\n"
    assert Path("/proc/self/oom_score_adj").read_text(encoding="ascii") != score


def test_what_a_killed_controller_left_is_cleared_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that nobody holds goes, with the processes that carry its name; others stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    held = Scratch()
    left = tempfile.mkdtemp(prefix="graphgauge-launch-")
    others = tempfile.mkdtemp(prefix="graphgauge-")
    orphan = subprocess.Popen(["sleep", "600"], env=os.environ | {VARIABLE: left})

    LocalLauncher()

    assert orphan.wait(timeout=60) == -signal.SIGKILL
    assert sorted(tmp_path.iterdir()) == sorted(map(Path, (held.path, others)))
    held.close()
    assert list(tmp_path.iterdir()) == [Path(others)]


def test_a_launch_ends_with_its_controller() -> None:
    """Its process is gone when the one that started it is killed, whatever it was doing."""
    code = (
        "from tests.harness.test_launch import start_hanging\n"
        "print(start_hanging(), flush=True)\n"
        "import signal; signal.pause()"
    )
    controller = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert controller.stdout is not None
    worker = psutil.Process(int(controller.stdout.readline()))

    controller.kill()
    controller.communicate(timeout=60)

    wait_until_dead(worker)


def start_hanging() -> int:
    """Start a launch, have it hang, and tell its process."""
    launch = LocalLauncher().start(
        Surroundings(interpreter=sys.executable, hash_seed=1, cpu=usable_cpu())
    )
    launch.ask(m.Open("tiny", {}, "hanging", "gradient", None, 1, [_PLUGIN], False), timeout_s=60)
    _until(launch, "lower")
    launch.post(m.RunPhase(phase="compile"))
    return launch.process.pid


def test_a_subject_may_print_what_it_likes() -> None:
    """A megabyte on stdout, our own protocol's words among it, spoils no answer."""
    with _launched("talking") as launch:
        answer = _until(launch, "compile")

    assert isinstance(answer, m.Elapsed)
    assert answer.elapsed_ns > 1


def test_a_launch_that_was_stopped_says_so_in_the_block() -> None:
    """SIGSTOP and SIGCONT within a block are seen, and the block alone is set aside."""
    with _launched("honest") as launch:
        assert isinstance(_until(launch, "first_call"), m.Elapsed)
        assert isinstance(launch.ask(m.Check(), timeout_s=60), m.Checked)
        quiet = m.RunBlocks(blocks=9, calls=100, untimed_calls=0, budget_ns=10**10)
        before = launch.ask(quiet, timeout_s=60)
        process = psutil.Process(launch.process.pid)
        busy_s = process.cpu_times().user + 0.1
        launch.post(m.RunBlocks(blocks=1, calls=100_000, untimed_calls=0, budget_ns=0))
        while process.cpu_times().user < busy_s:  # well into the block, which takes longer
            os.sched_yield()
        process.suspend()
        while process.status() != psutil.STATUS_STOPPED:
            os.sched_yield()
        process.resume()
        stopped = launch.ask(
            m.RunBlocks(blocks=1, calls=100_000, untimed_calls=0, budget_ns=0), timeout_s=60
        )

    assert isinstance(before, m.Blocks)
    assert isinstance(stopped, m.Blocks)
    series = Series(
        calls=100,
        elapsed_ns=before.elapsed_ns + stopped.elapsed_ns,
        evidence=[Evidence(*each) for each in before.evidence + stopped.evidence],
    )
    (judged,) = judge_blocks([series], warm_up_blocks=0, round_blocks=1)
    assert series.halts() == 1
    assert judged.is_set_aside[-1]


def test_children_of_a_subject_do_not_outlive_the_launch() -> None:
    """A process that the subject left behind is ended with it."""
    with _launched("parenting") as launch:
        _until(launch, "compile")
        (child,) = psutil.Process(launch.process.pid).children()

    assert not lives(child)


def test_no_scratch_directory_is_left() -> None:
    """The private cache directory of a launch is removed with it."""
    with _launched("honest") as launch:
        scratch = psutil.Process(launch.process.pid).environ()["XDG_CACHE_HOME"]
        assert os.path.isdir(scratch)

    assert not os.path.exists(scratch)


def test_launches_leave_no_descriptor_thread_or_process() -> None:
    """The controller holds after two launches what it held after one, also when they crash."""
    us = psutil.Process()
    before = us.children(recursive=True)
    held = []
    for evaluator in ("honest", "crashing"):
        with _launched(evaluator, memory_limit_bytes=2**30) as launch:
            _until(launch, "compile")
        held.append((us.num_fds(), us.num_threads()))

    assert held[0] == held[1]
    assert set(us.children(recursive=True)) <= set(before)


def test_a_spike_is_seen_in_the_phase_that_has_it_and_in_no_other() -> None:
    """300 MiB that are allocated and freed at once within compile are told within 1 %."""
    spike = 300 * 2**20
    with _launched("spiking", exact_memory=True) as launch:
        read = {}
        for phase in ("construct", "differentiate", "lower", "compile", "first_call"):
            answer = launch.ask(m.MeasureMemory(phase=phase), timeout_s=60)
            assert isinstance(answer, m.MemoryRead)
            read[phase] = answer

    assert read["compile"].peak_bytes == pytest.approx(spike, rel=0.01)
    assert all(each.peak_bytes < spike / 20 for name, each in read.items() if name != "compile")
    assert read["compile"].retained_bytes < spike / 20


def test_what_is_posted_is_worked_on_and_answered_in_its_order() -> None:
    """What was posted may be followed by what was not; each answer goes to its question."""
    with _launched("honest") as launch:
        for phase in ("construct", "differentiate"):
            launch.post(m.RunPhase(phase=phase))

        for phase in ("construct", "differentiate", "lower"):
            answer = launch.ask(m.RunPhase(phase=phase), timeout_s=60)
            assert isinstance(answer, m.Elapsed)
            assert answer.phase == phase


def test_asking_other_than_what_was_posted_is_our_own_mistake() -> None:
    """It would get another question's answer."""
    with _launched("honest") as launch:
        launch.post(m.RunPhase(phase="construct"))

        with pytest.raises(RuntimeError, match="posted"):
            launch.ask(m.Count(), timeout_s=60)


def test_a_process_that_dies_on_what_was_posted_is_found_when_that_is_asked() -> None:
    """Its death, which nobody waited for, is told as a crash."""
    with _launched("crashing") as launch:
        phases = ("construct", "differentiate", "lower", "compile", "first_call")
        for phase in phases:
            launch.post(m.RunPhase(phase=phase))
        launch.process.wait(timeout=60)

        answers = [launch.ask(m.RunPhase(phase=phase), timeout_s=60) for phase in phases]
        assert [each.status for each in answers if isinstance(each, m.Failure)][:1] == ["crash"]


@pytest.mark.skipif(usable_cpu() is None, reason="needs CPUs that processes can be bound to")
def test_a_launch_goes_with_all_its_threads_to_the_cpu_it_is_sent_to() -> None:
    """After `StayOn` the process is granted that CPU alone."""
    cpu = usable_cpu()
    assert cpu is not None
    surroundings = Surroundings(interpreter=sys.executable, hash_seed=1, cpu=None)
    launch = LocalLauncher().start(surroundings)
    try:
        assert launch.ask(m.StayOn(cpu=cpu), timeout_s=60) == m.Staying()
        granted = [
            psutil.Process(thread.id).cpu_affinity()
            for thread in psutil.Process(launch.process.pid).threads()
        ]
    finally:
        launch.close()

    assert granted
    assert all(each == [cpu] for each in granted)


def test_two_cpus_of_one_core_are_not_both_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four cores with two CPUs each the last of each is taken, as many as are asked for."""
    monkeypatch.setattr(launch_module, "granted_cpus", lambda: tuple(range(8)))
    monkeypatch.setattr(launch_module, "_core", lambda cpu: f"{cpu % 4},{cpu % 4 + 4}")

    assert usable_cpus(3) == (7, 6, 5)
    assert usable_cpus(9) == (7, 6, 5, 4)
    assert usable_cpu() == 7


def test_nothing_is_bound_where_a_single_cpu_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """There would be nowhere else to go."""
    monkeypatch.setattr(launch_module, "granted_cpus", lambda: (3,))

    assert usable_cpus(2) == ()
    assert usable_cpu() is None
