"""The resident memory of a launch along its time, sampled from outside by memory_profiler."""

from __future__ import annotations

import contextlib
import io
import subprocess
import threading
from dataclasses import dataclass

import psutil

from harness.worker.memory import SAMPLING_INTERVAL_S

_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reading of a timeline."""

    seconds: float
    """Since the epoch."""
    resident_bytes: int


class Timeline:
    """Samples a process from its start until it ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._stream = io.StringIO()
        self._thread = threading.Thread(target=self._follow, args=(process,), daemon=True)
        self._thread.start()

    def samples(self) -> tuple[Sample, ...]:
        """What was seen; to be asked for when the process has ended."""
        self._thread.join()
        return self.samples_so_far()

    def samples_so_far(self) -> tuple[Sample, ...]:
        """What has been seen of a process that lives."""
        found = []
        for line in self._stream.getvalue().splitlines():
            _, mebibytes, seconds = line.split()
            resident_bytes = round(float(mebibytes) * _MEBIBYTE)
            found.append(Sample(seconds=float(seconds), resident_bytes=resident_bytes))
        return tuple(found)

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        from memory_profiler import memory_usage  # noqa: PLC0415 - slow to import, and seldom needed

        # The process may end between two looks at it; what was sampled until then stays.
        with contextlib.suppress(psutil.Error):
            memory_usage(process, interval=SAMPLING_INTERVAL_S, stream=self._stream)
