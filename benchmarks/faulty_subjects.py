r"""Evaluators that each do one bad thing in one phase, and a scenario for them: a plugin file.

    graphgauge run --plugin benchmarks/faulty_subjects.py --scenario tiny_faulty \\
        --evaluator segfault-in-compile

Each is the plain interpreter otherwise. `FAULTS` says of each what must come of it;
`benchmarks/faults.py` tries them all.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluators import catalog
from evaluators.protocol import Data, Function, Weights
from harness.worker import preparation
from networks import Builder, Network
from scenarios.scenario import scenario

PHASES = (
    "construct",
    "differentiate",
    "lower",
    "compile",
    "first_call",
    "evaluate",
    "teardown",
)
CALLS = ("first_call", "evaluate")
MARK = "31557600"
"""What processes that are left behind sleep for, in seconds: they can be found by it."""
SCENARIO = "tiny_faulty"
HONEST = "honest"

_HONEST = catalog.get("interpreter")
_TALK_BYTES = 50_000_000
_SHARED_BYTES = 3 * 2**30


# What is done


class OddError(BaseException):
    """No Exception."""


class UnprintableError(Exception):
    """Neither of its texts can be had."""

    def __str__(self) -> str:
        raise OddError

    __repr__ = __str__


def _raise(error: BaseException) -> None:
    raise error


def _recurse() -> None:
    _recurse()


class _Endless:
    """Its text is made in C, and so on the machine's stack."""

    def __repr__(self) -> str:
        return repr([self])


def _overflow_stack() -> None:
    sys.setrecursionlimit(2**31 - 1)
    repr(_Endless())


def _segfault() -> None:
    ctypes.string_at(0)


def _loop_for_ever() -> None:
    while True:
        pass


def _sleep_in_c() -> None:
    ctypes.PyDLL(None).sleep(int(MARK))  # with the interpreter's lock held


def _match_for_ever() -> None:
    re.match(r"(a|a)*$", "a" * 64 + "b")


def _leave_child() -> None:
    subprocess.Popen(["sleep", MARK])


def _leave_fork() -> None:
    if os.fork() == 0:
        time.sleep(int(MARK))
        os._exit(0)


def _leave_daemon() -> None:
    """The classic one: forked twice, in a session of its own, all its parents gone."""
    first = os.fork()
    if first == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", MARK])
        os._exit(0)
    os.waitpid(first, 0)


def _leave_nameless_daemon() -> None:
    """In a session of its own, and without the environment that it was given."""
    subprocess.Popen(["sleep", MARK], env={"PATH": os.environ["PATH"]}, start_new_session=True)


def _leave_fork_and_crash() -> None:
    _leave_fork()
    _segfault()


def _return_twice() -> None:
    os.fork()


def _fork_all_the_time() -> None:
    if os.fork() == 0:
        while True:
            with contextlib.suppress(OSError):
                subprocess.Popen(["sleep", MARK], start_new_session=True)
            time.sleep(0.005)


def _take_memory() -> None:
    kept = []
    while True:
        kept.append(np.ones(2**21))


def _take_shared_memory() -> None:
    """Under a name that is no text, which stands in the files that tell what a process holds."""
    with open("/proc/self/comm", "wb") as name:
        name.write(b"\xff\xfe")
    shared = mmap.mmap(-1, _SHARED_BYTES)
    for start in range(0, _SHARED_BYTES, mmap.PAGESIZE):
        shared[start] = 1


def _take_memory_in_children() -> None:
    for _ in range(8):
        if os.fork() == 0:
            kept = np.ones(2**26)  # 512 MiB, within the limit of each
            time.sleep(int(MARK))
            os._exit(int(kept[0]))
    time.sleep(int(MARK))


def _print_for_ever() -> None:
    while True:
        os.write(1, b"all work and no play\n" * 100)


def _print_much() -> None:
    for _ in range(_TALK_BYTES // 10_000):
        os.write(2, b"x" * 9_999 + b"\n")


def _print_from_a_thread() -> None:
    threading.Thread(target=_print_for_ever, daemon=True).start()


def _print_our_words() -> None:
    for phase in PHASES:
        sys.stdout.write('{"message": "Elapsed", "phase": "' + phase + '", "elapsed_ns": 1}\n')
    sys.stdout.flush()


def _write_everywhere() -> None:
    words = b'{"message": "Elapsed", "phase": "compile", "elapsed_ns": 1}\n'
    for fd in range(256):
        with contextlib.suppress(OSError):
            os.write(fd, words)


def _close_everything() -> None:
    os.closerange(0, 256)


def _close_and_wait() -> None:
    os.closerange(0, 256)
    time.sleep(int(MARK))


def _reuse_descriptors() -> None:
    """Close everything; what is opened next has the numbers of the harness's pipes."""
    os.closerange(0, 256)
    for _ in range(64):
        os.open(os.path.join(os.environ["TMPDIR"], "mine"), os.O_RDWR | os.O_CREAT)


def _close_output() -> None:
    for fd in (0, 1, 2):
        os.close(fd)


def _change_directory() -> None:
    gone = os.path.join(os.environ["TMPDIR"], "gone")
    os.mkdir(gone)
    os.chdir(gone)
    os.rmdir(gone)


def _ignore_signals() -> None:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)


def _leave_locked_files() -> None:
    locked = os.path.join(os.environ["TMPDIR"], "locked")
    os.makedirs(os.path.join(locked, "within"))
    os.chmod(locked, 0)


def _spin() -> None:
    threading.Thread(target=_loop_for_ever, daemon=True).start()


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


# What is returned


def _scaled(factor: float) -> Callable[[Any], Any]:
    return lambda result: [np.asarray(each) * np.float32(factor) for each in result]


def _noisy(result: Any) -> Any:
    return [np.asarray(each) * np.float32(1 + time.perf_counter_ns() % 1_000) for each in result]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One bad thing, and what must come of it.

    Attributes:
        act: does it; nothing where the fault lies in what a call returns or writes.
        alter: makes what a call returns of what it should return.
        spoil: writes into weights and data, where a call should not write.
        status: of the row; "ok" where everything must be measured as if nothing had happened.
        words: that the row's detail must hold.
        phases: where it can be done.
        needs: "timeout" for one that is only ended by it, "limit" for one that takes memory.
    """

    act: Callable[[], object] = lambda: None
    alter: Callable[[Any], Any] | None = None
    spoil: Callable[[tuple[Weights, Data]], None] | None = None
    status: str
    words: str = ""
    phases: tuple[str, ...] = PHASES
    needs: str = ""


def _wrong(alter: Callable[[Any], Any], words: str) -> Fault:
    return Fault(alter=alter, status="wrong", words=words, phases=CALLS)


def _first_of(inputs: Weights | Data) -> Any:
    return next(iter(inputs.values()))


def _overwrite(array: Any) -> None:
    array += 1


FAULTS: dict[str, Fault] = {
    "raise": Fault(
        act=lambda: _raise(ValueError("no\nsecond")), status="error", words="ValueError: no"
    ),
    "raise-base": Fault(act=lambda: _raise(OddError("odd")), status="error", words="OddError: odd"),
    "interrupt": Fault(
        act=lambda: _raise(KeyboardInterrupt()), status="error", words="KeyboardInterrupt"
    ),
    "sys-exit": Fault(act=lambda: sys.exit(3), status="error", words="SystemExit: 3"),
    "generator-exit": Fault(act=lambda: _raise(GeneratorExit()), status="error", words="Generator"),
    "unprintable": Fault(
        act=lambda: _raise(UnprintableError()), status="error", words="cannot be printed"
    ),
    "memory-error": Fault(act=lambda: _raise(MemoryError()), status="out_of_memory"),
    "recurse": Fault(act=_recurse, status="recursion", words="RecursionError"),
    "overflow-stack": Fault(act=_overflow_stack, status="crash", words="SIGSEGV; in __repr__"),
    "segfault": Fault(act=_segfault, status="crash", words="SIGSEGV; in string_at"),
    "abort": Fault(act=os.abort, status="crash", words="SIGABRT"),
    "exit-0": Fault(act=lambda: os._exit(0), status="crash", words="exited with 0"),
    "kill-itself": Fault(
        act=lambda: os.kill(os.getpid(), signal.SIGKILL), status="crash", words="SIGKILL"
    ),
    "terminate-itself": Fault(
        act=lambda: os.kill(os.getpid(), signal.SIGTERM), status="crash", words="SIGTERM"
    ),
    "kill-group": Fault(act=lambda: os.killpg(0, signal.SIGKILL), status="crash", words="SIGKILL"),
    "stop-itself": Fault(act=_stop, status="timeout", needs="timeout"),
    "loop": Fault(act=_loop_for_ever, status="timeout", words="no answer", needs="timeout"),
    "hang-in-c": Fault(act=_sleep_in_c, status="timeout", words="no answer", needs="timeout"),
    "hang-in-regex": Fault(
        act=_match_for_ever, status="timeout", words="no answer", needs="timeout"
    ),
    "print-for-ever": Fault(act=_print_for_ever, status="timeout", needs="timeout"),
    "leave-child": Fault(act=_leave_child, status="ok"),
    "leave-fork": Fault(act=_leave_fork, status="ok"),
    "leave-daemon": Fault(act=_leave_daemon, status="ok"),
    "leave-nameless-daemon": Fault(act=_leave_nameless_daemon, status="ok"),
    "leave-fork-and-crash": Fault(act=_leave_fork_and_crash, status="crash", words="SIGSEGV"),
    "fork-all-the-time": Fault(act=_fork_all_the_time, status="ok"),
    "return-twice": Fault(act=_return_twice, status="ok"),
    "take-memory": Fault(
        act=_take_memory, status="out_of_memory", words="MemoryError", needs="limit"
    ),
    "take-shared-memory": Fault(
        act=_take_shared_memory, status="out_of_memory", words="ended by us", needs="limit"
    ),
    "take-memory-in-children": Fault(
        act=_take_memory_in_children, status="out_of_memory", words="ended by us", needs="limit"
    ),
    "print-much": Fault(act=_print_much, status="ok"),
    "print-from-thread": Fault(act=_print_from_a_thread, status="ok"),
    "print-our-words": Fault(act=_print_our_words, status="ok"),
    "write-everywhere": Fault(act=_write_everywhere, status="error", words="something else wrote"),
    "close-everything": Fault(act=_close_everything, status="crash", words="closed the harness's"),
    "close-and-wait": Fault(act=_close_and_wait, status="crash", words="closed our pipes"),
    "reuse-descriptors": Fault(act=_reuse_descriptors, status="crash", words="other files"),
    "close-output": Fault(act=_close_output, status="ok"),
    "change-directory": Fault(act=_change_directory, status="ok"),
    "ignore-signals": Fault(act=_ignore_signals, status="ok"),
    "clear-environment": Fault(act=os.environ.clear, status="ok"),
    "lock-files": Fault(act=_leave_locked_files, status="ok"),
    "spin-in-thread": Fault(act=_spin, status="ok"),
    "return-none": _wrong(lambda _: None, "NoneType"),
    "return-generator": _wrong(lambda result: (each for each in result), "generator"),
    "return-lists": _wrong(lambda result: [each.tolist() for each in result], "numpy array"),
    "return-shape": _wrong(lambda result: [np.stack([each] * 2) for each in result], "shape"),
    "return-integers": _wrong(lambda result: [each.astype(int) for each in result], "int64"),
    "return-float64": _wrong(lambda result: [each.astype(float) for each in result], "float64"),
    "return-complex": _wrong(lambda result: [each + 0j for each in result], "complex"),
    "return-objects": _wrong(lambda result: [each.astype(object) for each in result], "object"),
    "return-fewer": _wrong(lambda result: result[:-1], "returned 1 arrays"),
    "return-more": _wrong(lambda result: [*result, result[0]], "returned 3 arrays"),
    "return-nan": _wrong(_scaled(float("nan")), "golden"),
    "return-infinity": _wrong(_scaled(float("inf")), "golden"),
    "return-wrong": _wrong(_scaled(1.01), "golden"),
    "return-noise": _wrong(_noisy, "golden"),
    "write-weights": Fault(
        spoil=lambda inputs: _overwrite(_first_of(inputs[0])),
        status="wrong",
        words="wrote into its input 'w'",
        phases=CALLS,
    ),
    "write-data": Fault(
        spoil=lambda inputs: _overwrite(_first_of(inputs[1])),
        status="wrong",
        words="wrote into its input 'x'",
        phases=CALLS,
    ),
    "drop-weights": Fault(
        spoil=lambda inputs: inputs[0].clear(),
        status="wrong",
        words="'w'",
        phases=("first_call",),  # later on the next call misses them, which is an error
    ),
}


# Where it is done


class _Armed:
    """Which fault this process has to commit, and where; nothing until an evaluator is opened."""

    fault: Fault | None = None
    phase = ""
    is_done = False


def _pass(phase: str) -> None:
    """Commit the fault, once, if this is its phase."""
    if _Armed.fault is not None and _Armed.phase == phase and not _Armed.is_done:
        _Armed.is_done = True
        _Armed.fault.act()


class _Compiled:
    """The interpreter's function, and what happens when it is called and when it goes."""

    def __init__(self, function: Function, fault: Fault, phase: str, *, is_first: bool) -> None:
        self._function = function
        self._fault = fault
        self._phase = phase
        self._is_first = is_first
        self._calls = 0

    def __call__(self, weights: Weights, data: Data) -> Any:
        self._calls += 1
        phase = "first_call" if self._calls == 1 else "evaluate"
        _pass(phase)
        result = self._function(weights, data)
        if self._phase == "evaluate" and phase == "first_call":
            return result
        if self._fault.spoil is not None:
            self._fault.spoil((weights, data))
        return result if self._fault.alter is None else self._fault.alter(result)

    def __del__(self) -> None:
        if self._is_first:
            _pass("teardown")


class Faulty:
    """The interpreter, with one fault in one phase."""

    dtype = "float32"

    def __init__(self, name: str, fault: Fault, phase: str) -> None:
        self.name = name
        self._fault = fault
        self._phase = phase
        self._compiled = 0

    def version(self) -> str:
        """From here on the fault is armed: this is asked in the subject's own process."""
        _Armed.fault, _Armed.phase = self._fault, self._phase
        return "0"

    def refuse(self, _network: Network, _mode: str) -> str | None:
        """Nothing is refused."""
        return None

    def lower(self, network: Network, mode: str) -> object:
        """As the interpreter does."""
        _pass("lower")
        return _HONEST.lower(network, mode)

    def compile(self, lowered: Any) -> Function:
        """As the interpreter does; the first function made tears itself down with the fault."""
        _pass("compile")
        self._compiled += 1
        function = _HONEST.compile(lowered)
        return _Compiled(function, self._fault, self._phase, is_first=self._compiled == 1)


def _differentiate(network: Network) -> Network:
    _pass("differentiate")
    return _differentiated(network)


def _tiny(net: Builder, *, width: int) -> None:
    """One product and its sum."""
    _pass("construct")
    y = net.weight("w", (width,)) * net.data("x", (width,))
    net.output(y)
    net.loss((y * y)[0])


def _register() -> None:
    preparation.differentiate = _differentiate
    scenario(SCENARIO, defaults={"width": 4}, provenance="faults, to show what becomes of them")(
        _tiny
    )
    catalog.register(Faulty(HONEST, Fault(status="ok"), ""))
    for name, fault in FAULTS.items():
        for phase in fault.phases:
            catalog.register(Faulty(f"{name}-in-{phase}", fault, phase))


_differentiated = preparation.differentiate
if __name__.startswith("graphgauge_plugin"):  # and not where only the table of faults is wanted
    _register()
