"""The roofline's roofs of this machine, measured by a worker that is alone on its CPU."""

from __future__ import annotations

import sys

from harness.errors import UsageError
from harness.launch import Launcher, Surroundings, usable_cpu
from harness.worker import messages as m
from results.roofline import Peaks

_TIMEOUT_S = 120.0


def measured_peaks(launcher: Launcher) -> Peaks:
    """What this machine can do at most; `UsageError` when the worker cannot tell."""
    surroundings = Surroundings(interpreter=sys.executable, hash_seed=0, cpu=usable_cpu())
    launch = launcher.start(surroundings)
    try:
        answer = launch.ask(m.MeasurePeaks(), timeout_s=_TIMEOUT_S)
    finally:
        launch.close()
    if isinstance(answer, m.PeaksMeasured):
        return Peaks(
            flops_per_s=answer.flops_per_s,
            bytes_per_s=tuple((int(size), float(rate)) for size, rate in answer.bytes_per_s),
        )
    detail = answer.detail if isinstance(answer, m.Failure) else type(answer).__name__
    raise UsageError(f"the machine's peaks cannot be measured: {detail}")
