"""The private directory of a launch, and the end of everything that the launch has started.

Whatever a launch starts inherits an environment variable that names its directory, and so can be
found by it, wherever it has gone. The directory is locked as long as its controller lives: one that
is not locked was left behind by a controller that was killed, and the next one clears it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

VARIABLE = "GRAPHGAUGE_SCRATCH"
_PREFIX = "graphgauge-launch-"
"""Of nothing else: what has it and is not locked is removed."""
_QUIET_SWEEPS = 5
_MOST_SWEEPS = 200
_PAUSE_S = 0.02
_PROC = "/proc"
"""A plain text: a path's parts are interned, a process's number each, and make that table grow."""


class Scratch:
    """A directory that is removed with everything that carries its name."""

    def __init__(self) -> None:
        while True:
            self.path = tempfile.mkdtemp(prefix=_PREFIX)
            with contextlib.suppress(OSError):
                self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                if os.path.exists(self.path):  # nobody took it for one that was left behind
                    return
                os.close(self._lock)

    def close(self, descendants: tuple[int, ...] = (), *, has_children: bool = False) -> None:
        """End what the launch has started, remove the directory, and let go of it.

        Args:
            descendants: processes that are known to be the launch's, by their parents.
            has_children: whether there may be others that only just start.
        """
        for pid in descendants:
            _kill(pid)
        end_carriers(self.path, has_children=has_children)
        _remove(self.path)
        os.close(self._lock)


def clear_left_behind() -> None:
    """Remove the directories of controllers that are dead, and end what their launches started."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _lock_of_nobody(path):
            end_carriers(str(path))
            _remove(str(path))


def end_carriers(path: str, *, has_children: bool = True) -> None:
    """End every process whose environment names that scratch directory.

    A process that is being started has no environment for a moment, so where there were any, nobody
    may be found several times over.

    Args:
        path: the directory.
        has_children: whether the launch is known to have started processes.
    """
    quiet, enough = 0, _QUIET_SWEEPS if has_children else 1
    for _ in range(_MOST_SWEEPS):
        found = list(_carriers(path))
        for pid in found:
            _kill(pid)
        if found:
            quiet, enough = 0, _QUIET_SWEEPS
        else:
            quiet += 1
        if quiet == enough:
            return
        time.sleep(_PAUSE_S)


def descendants_of(pid: int) -> tuple[int, ...]:
    """The processes that a living one has started, and those that they have started."""
    with contextlib.suppress(psutil.Error):
        return tuple(each.pid for each in psutil.Process(pid).children(recursive=True))
    return ()


@contextlib.contextmanager
def _lock_of_nobody(path: Path) -> Iterator[None]:
    """Hold the directory's lock; BlockingIOError while somebody else holds it."""
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if os.fstat(lock).st_uid != os.getuid():
            raise PermissionError(f"{path} is somebody else's")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)


def _carriers(path: str) -> Iterator[int]:
    wanted = f"{VARIABLE}={path}"
    if not os.path.exists(f"{_PROC}/self/environ"):
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(VARIABLE) == path and process.pid != os.getpid():
                    yield process.pid
        return
    content = wanted.encode() + b"\0"
    for name in os.listdir(_PROC):
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                with open(f"{_PROC}/{name}/environ", "rb") as file:
                    is_carrier = content in file.read()
                if is_carrier:
                    yield int(name)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _remove(path: str) -> None:
    """Remove the directory, also where the subject has taken away its own rights to it."""
    shutil.rmtree(path, onerror=_with_rights)


def _with_rights(remove: Callable[..., object], path: str, _: object) -> None:
    with contextlib.suppress(OSError):
        os.chmod(os.path.dirname(path), stat.S_IRWXU)
        os.chmod(path, stat.S_IRWXU)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            remove(path)
