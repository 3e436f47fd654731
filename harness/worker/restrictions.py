"""What a worker takes on itself before anything of the subject's runs."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
"""Of prctl(2)."""


def restrict(cpu: int, memory_limit_bytes: int) -> None:
    """Stay on one CPU, and below a limit of private memory; 0 or -1 mean no such limit."""
    faulthandler.enable()  # so that a crash says where
    _end_with_controller()
    if cpu >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {cpu})
    # Where memory runs out, the kernel shall choose this process and not the controller.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    if memory_limit_bytes > 0:
        # The data limit counts private memory that can be written (Linux 4.7 and later). A limit
        # of the address space would stop engines that reserve much and use little.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_limit_bytes, memory_limit_bytes))


def _end_with_controller() -> None:
    """End when the controller is killed, and be the parent of processes that lose their own.

    So the controller finds what the subject started, as long as this process lives.
    """
    if sys.platform != "linux":
        return
    controller = os.getppid()
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != controller:  # it was killed just before
        os.kill(os.getpid(), signal.SIGKILL)
