"""Whether processes live, asked without a race."""

from __future__ import annotations

import os
import time

import psutil

_PATIENCE_S = 60.0


def lives(process: psutil.Process) -> bool:
    """Not so once it is dead, though the system may still have to clear it away."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_dead(process: psutil.Process) -> None:
    """Return once it lives no more: at once, or within a minute; else fail."""
    deadline = time.monotonic() + _PATIENCE_S
    while lives(process):
        assert time.monotonic() < deadline, f"{process} lives on"
        os.sched_yield()
