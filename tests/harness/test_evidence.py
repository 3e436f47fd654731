"""Counters of this very process, and counters that cannot be read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.worker import evidence
from harness.worker.evidence import Witness

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's counters")


@linux
def test_what_a_process_waits_while_another_has_its_cpu_is_counted() -> None:
    """Two busy processes on one CPU: about half of the time is waited, and more than a tenth."""
    code = """
import os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from harness.worker.evidence import Witness
us = os.getpid()
if os.fork() == 0:
    while os.getppid() == us: pass  # whoever adopts it afterwards: not everywhere is that process 1
    os._exit(0)
witness = Witness()
before = witness.read()
start = time.perf_counter_ns()
while witness.since(before).involuntary_switches < 20: pass
print(witness.since(before).waited_ns / (time.perf_counter_ns() - start))
sys.stdout.flush()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )

    assert 0.1 < float(done.stdout) < 1


def test_what_other_threads_of_the_subject_ran_is_no_waiting_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 5 µs waited, the subject's other threads ran 3: two are left."""
    monkeypatch.setattr(evidence, "_read", lambda fd, most: b"100 5000 7\n")
    monkeypatch.setattr(evidence, "process_time_ns", lambda: 4_000)
    monkeypatch.setattr(evidence, "thread_time_ns", lambda: 1_000)

    assert Witness().read().waited_ns == 2_000


def test_counters_that_a_subject_has_closed_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its files a witness has no word on waiting, steal and frequency, and goes on."""
    monkeypatch.setattr(evidence, "_opened", lambda path: None)
    witness = Witness()

    seen = witness.since(witness.read())

    assert (seen.waited_ns, seen.steal_ticks, seen.cpu_hz) == (None, None, None)
    assert seen.minor_faults >= 0
