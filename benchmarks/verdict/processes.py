"""Commands of other programs: pinned, timed, and ended with everything they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from benchmarks.verdict.places import surroundings

_TIMEOUT_S = 300.0
_DYING_S = 10.0


class CommandFailed(Exception):  # noqa: N818 - the command's failure, not ours
    """A command ended with a code that it should not end with, or did not end at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended."""

    stdout: str
    stderr: str
    exit_code: int
    wall_s: float


def run_command(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    exit_codes: Sequence[int] = (0,),
    cpu: int | None = None,
    variables: Mapping[str, str] | None = None,
) -> Done:
    """Run it to its end, on one CPU if that is given; `CommandFailed` says what went wrong.

    When we are interrupted meanwhile, so is the command, with time to put its house in order.
    """
    started = monotonic()
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=surroundings() | dict(variables or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=None if cpu is None else lambda: os.sched_setaffinity(0, {cpu}),  # noqa: PLW1509
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise CommandFailed(f"{_named(command)}: no end within {_TIMEOUT_S:g} s") from error
        except BaseException:
            _end(process)
            raise
    done = Done(
        stdout=stdout,
        stderr=stderr,
        exit_code=process.returncode,
        wall_s=monotonic() - started,
    )
    if done.exit_code not in exit_codes:
        said = (done.stderr.strip() or done.stdout.strip())[-500:]
        raise CommandFailed(f"{_named(command)}: exit code {done.exit_code}; it said: {said}")
    return done


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt the command's process group; kill what does not end by that."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=_DYING_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _named(command: Sequence[str | Path]) -> str:
    return " ".join(str(part) for part in command)[:200]
