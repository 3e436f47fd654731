"""Runs that are interrupted for real: signals, kills, halts, and what their tables hold."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from benchmarks.kills import Counts, kill_until_complete, uninterrupted
from harness.awake import AwakeClock
from harness.cli import main
from harness.interruption import Interrupted, Interruption, put_off
from results.schema import YARDSTICK, Reading
from results.tables import read, readings
from tests.harness.processes import lives

_PLUGIN = str(Path(__file__).parent / "subjects" / "misbehaving.py")
_QUICK = ("--quick", "--no-memory", "--mode", "output", "--launches", "200")
_KILLS = 5
_LISTENING = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job has it ignored
from harness.cli import main
sys.exit(main(sys.argv[1:]))
"""


def _started(out: Path, *command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _LISTENING, *_arguments(out, *command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _arguments(out: Path, *command: str) -> list[str]:
    return [*command, "--scenario", "tiny", "--plugin", _PLUGIN, *_QUICK, "--out", str(out)]


def _wait_for(process: subprocess.Popen[bytes], is_so: Callable[[], bool]) -> None:
    while process.poll() is None and not is_so():
        os.sched_yield()
    assert process.poll() is None


def _rows(out: Path) -> list[Reading]:
    return list(readings(read(out)))


def _has_rows(out: Path) -> bool:
    return out.exists() and out.read_bytes().count(b"\n") > 1


def test_ctrl_c_once_finishes_the_launch_and_summarises(tmp_path: Path) -> None:
    """The launch under way is whole in the table, the summary is on stdout, and 130 returned."""
    out = tmp_path / "a.csv"
    process = _started(out, "run", "--evaluator", "honest")
    _wait_for(process, lambda: _has_rows(out))

    process.send_signal(signal.SIGINT)
    said, messages = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"--resume" in messages
    assert b"tiny width=4 output" in said
    of_launches = {
        launch: {(row.phase, row.metric) for row in _rows(out) if row.launch == launch}
        for launch in {row.launch for row in _rows(out)}
    }
    assert all(("teardown", "time") in found for found in of_launches.values())
    assert len(of_launches) < 200


def test_ctrl_c_once_finishes_the_pair_and_compares_and_resuming_goes_on(tmp_path: Path) -> None:
    """In `versus` both sides are whole, what they say is told, and --resume adds whole pairs."""
    out = tmp_path / "a.csv"
    asked = ("versus", "honest", "interpreter")
    process = _started(out, *asked)
    _wait_for(process, lambda: _has_rows(out))

    process.send_signal(signal.SIGINT)
    said, messages = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"--resume" in messages
    assert b"honest" in said
    assert b"interpreter" in said
    pairs = _whole_pairs(out)
    assert pairs == set(range(1, len(pairs) + 1))
    assert len(pairs) < 200

    more = len(pairs) + 1
    code = main([*_arguments(out, *asked), "--launches", str(more), "--resume"])
    assert code in (0, 1)  # what a pair says of two equal evaluators is chance
    assert _whole_pairs(out) == set(range(1, more + 1))
    assert len({row.session for row in _rows(out)}) == 1
    keys = [
        (row.evaluator, row.scenario, row.params, row.phase, row.metric, row.launch)
        for row in _rows(out)
    ]
    assert len(keys) == len(set(keys))


def _whole_pairs(out: Path) -> set[int | None]:
    """The pairs in the table, every one of which has all readings of both sides."""
    found: dict[int | None, dict[str, set[tuple[str, str]]]] = {}
    for row in _rows(out):
        if row.evaluator != YARDSTICK:
            sides = found.setdefault(row.launch, {})
            sides.setdefault(row.evaluator, set()).add((row.phase, row.metric))
    for sides in found.values():
        assert sides["honest"] == sides["interpreter"]
        assert ("teardown", "time") in sides["honest"]
    return set(found)


@pytest.mark.parametrize("signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGTERM]])
@pytest.mark.parametrize(
    "command", [("run", "--evaluator", "hanging"), ("versus", "honest", "hanging")]
)
def test_who_insists_is_obeyed_at_once(
    tmp_path: Path, command: tuple[str, ...], signals: list[signal.Signals]
) -> None:
    """Ctrl-C twice, or SIGTERM, ends a run whose subject hangs, and leaves no process."""
    process = _started(tmp_path / "a.csv", *command)
    us = psutil.Process(process.pid)
    facts = tmp_path / "a.environment.json"  # written before the first launch
    _wait_for(process, lambda: facts.exists() and bool(us.children()))
    children = us.children(recursive=True)

    process.send_signal(signals[0])
    for each in signals[1:]:
        assert process.stderr is not None
        assert b"once more" in process.stderr.readline() + process.stderr.readline()
        process.send_signal(each)
    process.communicate(timeout=60)

    assert process.returncode == 130
    assert not any(map(lives, children))


def test_a_signal_that_is_ignored_stays_so() -> None:
    """Under nohup, or in the background of a shell, nothing is taken over."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted_in_work(done: list[str]) -> None:
    with put_off():
        with put_off():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("inner")
        done.append("outer")


def test_what_must_be_done_whole_is() -> None:
    """A signal that ends a run does so after the work that puts it off, outermost and once."""
    done: list[str] = []
    with Interruption():
        with pytest.raises(KeyboardInterrupt):
            _interrupted_in_work(done)
        with put_off():
            done.append("later")
    assert done == ["inner", "outer", "later"]


def test_the_work_of_other_threads_puts_nothing_off() -> None:
    """The main thread is stopped at once, whatever they are at."""
    begun, may_end = threading.Event(), threading.Event()

    def work() -> None:
        with put_off():
            begun.set()
            may_end.wait()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    try:
        with Interruption(), pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        may_end.set()
        thread.join()


def test_the_first_ctrl_c_is_a_wish() -> None:
    """It raises nothing until it is asked for; a second one does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored, see above
    try:
        with Interruption() as interruption:
            interruption.check()
            os.kill(os.getpid(), signal.SIGINT)
            with pytest.raises(Interrupted):
                interruption.check()
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_kills_lose_nothing(tmp_path: Path) -> None:
    """Killed at random points and resumed, a plan becomes what it is uninterrupted.

    `benchmarks/kills.py` kills hundreds of times.
    """
    expected, whole_s = uninterrupted(tmp_path, "--no-memory")
    counts = Counts()
    rng = random.Random(1)

    while counts.kills < _KILLS:
        plan = tmp_path / str(counts.plans)
        most = _KILLS - counts.kills
        kill_until_complete(plan, expected, whole_s, rng, most, counts, "--no-memory")

    assert counts.kills == _KILLS
    assert counts.is_good, counts


def test_time_that_nobody_could_look_at_the_clock_does_not_count() -> None:
    """An hour between two looks is a halt; half a second is not."""
    now = 0.0
    clock = AwakeClock(lambda: now)

    now = 0.5
    assert clock() == 0.5
    now = 3600.5
    assert clock() == 0.5
    now = 3601.0
    assert clock() == 1.0
    assert clock.halted_s == 3600.0
