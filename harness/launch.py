"""Launches: one fresh process each, asked and answered over its own pipes.

`Launcher` is the interface. Local processes are the one kind there is; a cluster's would start the
same worker elsewhere, keep both sides of a pair on one machine, and run one launch at a time there.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import secrets
import select
import shutil
import signal
import subprocess
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from harness.awake import awake_now
from harness.interruption import put_off
from harness.memory_watch import MemoryWatch
from harness.output_tail import OutputTail
from harness.payload import payload_directory
from harness.scratch import VARIABLE, Scratch, clear_left_behind, descendants_of
from harness.worker.messages import LOST_PIPES_EXIT, Failure, Message, decode, encode

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",
    "NUMBA_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TORCHINDUCTOR_COMPILE_THREADS",
)
_DYING_S = 5.0
"""How long a process whose pipes are closed may take to end."""
_LOOK_S = 0.5
"""So often is looked whether a process lives that does not answer: its children may hold a pipe."""


_PAGE = 4096
_MOST_MAPPED_PAGES = 1 << 14
_MOST_HEAP_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLayout:
    """Where a process lies in memory, as far as that can be chosen before it starts.

    The kernel draws it anew for every process, so that two launches of the same code differ by
    several per cent. Here it is drawn for a pair: both sides have the same luck, which falls out of
    their ratio, and the next pair has another (docs/decisions/0025-one-layout-for-a-pair.md).
    """

    environment_bytes: int
    """Added to the environment, and as much to the arguments: they move the stack (Mytkowicz et
    al., ASPLOS 2009)."""
    mapped_pages: int
    """Reserved before anything is imported: they move libraries and large blocks."""
    heap_bytes: int
    """Allocated before anything is imported: they move what is on the heap."""

    @classmethod
    def drawn(cls, rng: random.Random) -> StartLayout:
        """One at random."""
        return cls(
            environment_bytes=rng.randrange(_PAGE),
            mapped_pages=rng.randrange(_MOST_MAPPED_PAGES),
            heap_bytes=rng.randrange(_MOST_HEAP_BYTES),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the harness fixes for a launch, on top of the environment it inherits."""

    interpreter: str
    hash_seed: int
    """The same for both sides of a pair."""
    cpu: int | None
    """The CPU that the process stays on; None leaves it to the system."""
    starting_cpus: tuple[int, ...] = ()
    """Where it may run until it is ready, so that the sides of a pair start at once."""
    threads: int = 1
    layout: StartLayout | None = None
    """None leaves it to the kernel."""
    memory_limit_bytes: int | None = None
    exact_memory: bool = False
    """Whether the C library does without what would blur its count of allocated bytes."""


class Launch(Protocol):
    """A process that runs one subject."""

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process, for who follows its memory from outside."""
        ...

    def ask(self, question: Message, *, timeout_s: float) -> Message:
        """The answer; a `Failure` when the process dies or does not answer in time."""
        ...

    def post(self, question: Message) -> None:
        """Put a question that will be asked later, in the same order, so that it is worked on."""
        ...

    def kill(self) -> None:
        """End the process now, from another thread: whoever waits for an answer finds it dead."""
        ...

    def close(self) -> None:
        """End the process and everything that it started."""
        ...


class Launcher(Protocol):
    """Starts launches."""

    def start(self, surroundings: Surroundings) -> Launch:
        """A process that waits for its first question."""
        ...


class LocalLauncher:
    """Starts workers as processes of this machine."""

    def __init__(self) -> None:
        clear_left_behind()

    def start(self, surroundings: Surroundings) -> LocalLaunch:
        """A worker under that interpreter, in a process group and scratch directory of its own."""
        with put_off():
            return LocalLaunch(surroundings)


_running: set[LocalLaunch] = set()
"""Started and not closed; whoever forgets one, or is interrupted before, leaves it to the exit."""


@atexit.register
def _close_all() -> None:
    # Not one registration for each launch: those that are taken back keep their places for ever.
    for launch in list(_running):
        launch.close()


class LocalLaunch:
    """A worker process, its two pipes, its scratch directory, and the end of its output."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._scratch = Scratch()
        self._tokens: deque[bytes] = deque()
        """Of the questions that are not answered yet; their answers begin with them."""
        self._memory_limit_bytes = surroundings.memory_limit_bytes
        self._memory_watch: MemoryWatch | None = None
        self._is_closed = False
        self._answers = b""
        self._posted: deque[Message] = deque()
        self._killed_before = _killed_for_memory()
        questions_read, self._questions = os.pipe()
        self._replies, replies_write = os.pipe()
        layout = surroundings.layout
        command = [
            *(_without_randomisation() if layout else ()),
            surroundings.interpreter,
            str(payload_directory()),
            str(questions_read),
            str(replies_write),
            str(-1 if surroundings.cpu is None else surroundings.cpu),
            str(surroundings.memory_limit_bytes or 0),
            ",".join(map(str, surroundings.starting_cpus)),
            str(layout.mapped_pages if layout else 0),
            str(layout.heap_bytes if layout else 0),
            "x" * (layout.environment_bytes if layout else 0),
        ]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(surroundings, self._scratch.path),
                pass_fds=(questions_read, replies_write),
                start_new_session=True,
            )
        except OSError:
            os.close(self._questions)
            os.close(self._replies)
            self._scratch.close()
            raise
        finally:
            os.close(questions_read)
            os.close(replies_write)
        # Whatever interrupts the controller between here and `close`, the launch is ended.
        _running.add(self)
        self._output = OutputTail(self.process.stdout)
        if self._memory_limit_bytes is not None:
            self._memory_watch = MemoryWatch(
                self.process.pid, self._memory_limit_bytes, self._kill_group
            )

    def ask(self, question: Message, *, timeout_s: float) -> Message:
        """The answer; a `Failure` when the process dies or does not answer in time."""
        phase = getattr(question, "phase", "")
        if self._posted:
            posted = self._posted.popleft()
            if type(posted) is not type(question) or posted != question:
                raise RuntimeError(f"posted {posted}, then asked {question}")
        else:
            try:
                self._send(question)
            except BrokenPipeError:
                return self._death(phase)
        deadline = awake_now() + timeout_s
        while b"\n" not in self._answers:
            left_s = deadline - awake_now()
            received = self._received(min(max(0.0, left_s), _LOOK_S))
            if received is None and left_s <= 0:
                return Failure(
                    phase=phase, status="timeout", detail=f"no answer within {timeout_s:.3g} s"
                )
            if received == b"" or (received is None and self.process.poll() is not None):
                return self._death(phase)
            self._answers += received or b""
        line, _, self._answers = self._answers.partition(b"\n")
        token, _, content = line.partition(b" ")
        if token != self._tokens.popleft():
            detail = f"something else wrote into the harness's pipe: {line[:80]!r}"
            return Failure(phase=phase, status="error", detail=detail)
        try:
            return decode(content)
        except ValueError as error:
            return Failure(phase=phase, status="error", detail=str(error))

    def post(self, question: Message) -> None:
        """Put a question that will be asked later, in the same order, so that it is worked on."""
        with contextlib.suppress(BrokenPipeError):  # whoever asks will find it dead
            self._send(question)
            self._posted.append(question)

    def kill(self) -> None:
        """End the process now, from another thread: whoever waits for an answer finds it dead."""
        if self.process.poll() is None:
            self._kill_group()

    def close(self) -> None:
        """Hang up, end everything that was started, and remove the scratch directory."""
        with put_off():
            self._close()

    def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        _running.discard(self)
        if self._memory_watch is not None:
            self._memory_watch.close()
        for fd in (self._questions, self._replies):
            os.close(fd)
        # A subject's children may outlive it: engines leave compiler processes behind.
        was_alive = self.process.poll() is None
        descendants = descendants_of(self.process.pid)
        self._kill_group()
        self.process.wait()
        self._scratch.close(descendants, has_children=bool(descendants) or not was_alive)
        self._output.close()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def _send(self, question: Message) -> None:
        token = secrets.token_hex(4).encode()
        os.write(self._questions, token + b" " + encode(question))
        self._tokens.append(token)

    def _received(self, wait_s: float) -> bytes | None:
        """What has come meanwhile; nothing when the pipe is closed, None when it is silent."""
        if not select.select([self._replies], [], [], wait_s)[0]:
            return None
        return os.read(self._replies, 1 << 20)

    def _death(self, phase: str) -> Failure:
        try:
            code = self.process.wait(timeout=_DYING_S)
        except subprocess.TimeoutExpired:
            return Failure(
                phase=phase, status="crash", detail="it closed our pipes and lives on; ended by us"
            )
        if self._memory_watch is not None and self._memory_watch.held_bytes:
            held_mb, limit_mb = self._memory_watch.held_bytes / 1e6, self._limit_mb()
            detail = f"held {held_mb:,.0f} MB of the {limit_mb:,.0f} MB allowed; ended by us"
            return Failure(phase=phase, status="out_of_memory", detail=detail)
        words = self._output.last_words()
        said = f"; {words}" if words else ""
        if code == LOST_PIPES_EXIT:
            detail = f"it closed the harness's pipes, or put other files in their place{said}"
            return Failure(phase=phase, status="crash", detail=detail)
        if code >= 0:
            return Failure(
                phase=phase, status="crash", detail=f"the process exited with {code}{said}"
            )
        known = {each.value: each.name for each in signal.Signals}
        name = known.get(-code, f"signal {-code}")
        by_kernel = name == "SIGKILL" and _killed_for_memory() > self._killed_before
        by_limit = self._memory_limit_bytes is not None and "bad_alloc" in words
        status = "out_of_memory" if by_kernel or by_limit else "crash"
        return Failure(phase=phase, status=status, detail=f"{name}{said}")

    def _limit_mb(self) -> float:
        return (self._memory_limit_bytes or 0) / 1e6


def _environment(surroundings: Surroundings, scratch: str) -> dict[str, str]:
    """The inherited environment with what the harness fixes on top.

    Engines keep compiled code on disk, which would turn the second cold compile into a warm one:
    each launch has a private cache directory.
    """
    layout = surroundings.layout
    fixed = dict.fromkeys(_THREAD_VARIABLES, str(surroundings.threads))
    caches = Path(scratch)
    fixed |= {
        "PYTHONHASHSEED": str(surroundings.hash_seed),
        "GRAPHGAUGE_PADDING": "x" * (layout.environment_bytes if layout else 0),
        "PYTHONDONTWRITEBYTECODE": "",
        VARIABLE: scratch,
        "XDG_CACHE_HOME": scratch,
        "TMPDIR": scratch,
        "JAX_COMPILATION_CACHE_DIR": "",
        "NUMBA_CACHE_DIR": str(caches / "numba"),
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
        "TRITON_CACHE_DIR": str(caches / "triton"),
        "CACHEDB": str(caches / "tinygrad.db"),
        "PYTENSOR_FLAGS": f"base_compiledir={caches / 'pytensor'}",
    }
    if surroundings.exact_memory:
        # The per-thread cache of freed blocks would count as in use.
        fixed |= {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
    return {**os.environ, **fixed}


def _killed_for_memory() -> int:
    """How many processes the kernel has killed since it started, because memory ran out."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/vmstat").read_text(encoding="ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


@cache
def _without_randomisation() -> tuple[str, ...]:
    """What a command is put behind, so that the kernel does not draw its layout.

    Nothing where the system has no such command, or forbids it, as containers may.
    """
    setarch = shutil.which("setarch")
    if setarch is None:
        return ()
    command = (setarch, "-R")
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


def has_chosen_layout() -> bool:
    """Whether layouts can be chosen here, or are the kernel's."""
    return bool(_without_randomisation())


def granted_cpus() -> tuple[int, ...]:
    """The CPUs that this process may run on; none where the system has no such notion."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def usable_cpu() -> int | None:
    """The CPU that launches are pinned to: the last one granted, since the first serves the system.

    None where the system has no such notion, or grants a single one.
    """
    return next(iter(usable_cpus(1)), None)


def usable_cpus(most: int) -> tuple[int, ...]:
    """As many CPUs of cores of their own, the one that launches are pinned to first.

    Two CPUs of one core share what makes it fast. None where the system has no notion of CPUs that
    a process may run on, or grants a single one.
    """
    granted = granted_cpus()
    if len(granted) < 2:
        return ()
    of_cores: dict[str, int] = {}
    for cpu in reversed(granted):
        of_cores.setdefault(_core(cpu), cpu)
    return tuple(of_cores.values())[:most]


def _core(cpu: int) -> str:
    """The CPUs that are of one core with it, itself among them."""
    siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        return siblings.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return str(cpu)
