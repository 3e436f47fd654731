"""py-spy: a process beside the worker that reads its stack, Python's frames and native ones.

The worker needs nothing for it, so it works in a foreign environment; while it reads, the worker
stands still. Why it, and what there is instead: docs/decisions/0029-samplers.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from harness.profiling.stack_cleaning import cleaned
from results.profiles.stacks import Frame, SampledStack

RATE_HZ: Final = 250
_READY: Final = b"Sampling process"
_READY_S: Final = 30.0
"""It reads the symbols of every library that is loaded, which takes a while for large engines."""
_ENDING_S: Final = 60.0


class CannotSample(Exception):  # noqa: N818 - the system's refusal, not ours
    """A sampler that cannot read a process; says why."""


def program() -> str | None:
    """Where py-spy is, None where it is not installed."""
    beside = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    return beside or shutil.which("py-spy")


class OutsideSampler:
    """Samples one process from `start` to `stop`."""

    def __init__(self, process_id: int, *, rate_hz: int = RATE_HZ) -> None:
        self._process_id = process_id
        self._rate_hz = rate_hz
        self._folder = Path(tempfile.mkdtemp(prefix="graphgauge-sampling-"))
        self._sampler: subprocess.Popen[bytes] | None = None

    @property
    def source(self) -> str:
        """Who samples, and how."""
        return f"py-spy, {self._rate_hz} Hz, native frames, the worker stopped for each"

    def start(self) -> None:
        """Begin; returns when the process is being sampled, else raises `CannotSample`."""
        found = program()
        if found is None:
            raise CannotSample("py-spy is not installed (pip install graphgauge[profile])")
        self._sampler = subprocess.Popen(
            [
                found, "record", "--pid", str(self._process_id), "--rate", str(self._rate_hz),
                "--native", "--idle", "--function", "--full-filenames",
                "--format", "speedscope", "--output", str(self._file), "--duration", "unlimited",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        said = _read_until(self._sampler, _READY, _READY_S)
        if _READY not in said:
            self.close()
            lines = [line.strip() for line in said.decode("utf-8", "replace").splitlines()]
            raise CannotSample("py-spy: " + " ".join(filter(None, lines))[:300])

    def stop(self) -> dict[str, list[SampledStack]]:
        """End, and tell the stacks of each phase."""
        assert self._sampler is not None, "started before"
        self._sampler.send_signal(signal.SIGINT)
        try:
            said, _ = self._sampler.communicate(timeout=_ENDING_S)
        except subprocess.TimeoutExpired:
            raise CannotSample(f"py-spy did not end within {_ENDING_S:.0f} s") from None
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            tail = said.decode("utf-8", "replace").strip()[-300:]
            raise CannotSample(f"py-spy wrote nothing: {tail}") from None
        return stacks_by_phase(found)

    def close(self) -> None:
        """End without asking for what was seen."""
        if self._sampler is not None:
            with contextlib.suppress(ProcessLookupError):
                self._sampler.kill()
            self._sampler.wait()
            if self._sampler.stdout is not None:
                self._sampler.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _file(self) -> Path:
        return self._folder / "samples.json"


def stacks_by_phase(speedscope: Any) -> dict[str, list[SampledStack]]:
    """What a speedscope file holds of stacks within phases, which the main thread's are."""
    frames = [
        Frame(name=each["name"], file=each.get("file") or "", line=each.get("line"))
        for each in speedscope["shared"]["frames"]
    ]
    counts: Counter[tuple[int, ...]] = Counter()
    weights: dict[tuple[int, ...], float] = defaultdict(float)
    for profile in speedscope["profiles"]:
        for sample, weight in zip(profile["samples"], profile["weights"], strict=True):
            counts[tuple(sample)] += 1
            weights[tuple(sample)] += weight
    found: dict[str, dict[tuple[Frame, ...], list[float]]] = {}
    for numbers, count in counts.items():
        within = cleaned(frames[number] for number in numbers)
        if within is not None:
            phase, stack = within
            known = found.setdefault(phase, {}).setdefault(stack, [0.0, 0])
            known[0] += weights[numbers]
            known[1] += count
    return {
        phase: [
            SampledStack(frames=stack, weight=weight, samples=int(count))
            for stack, (weight, count) in stacks.items()
        ]
        for phase, stacks in found.items()
    }


def _read_until(process: subprocess.Popen[bytes], wanted: bytes, timeout_s: float) -> bytes:
    """What it prints, up to what is wanted, its end, or the end of our patience."""
    assert process.stdout is not None
    said = b""
    for chunk in _chunks(process.stdout.fileno(), time.monotonic() + timeout_s):
        said += chunk
        if wanted in said:
            break
    return said


def _chunks(descriptor: int, deadline: float) -> Iterator[bytes]:
    while (left_s := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], left_s)[0]:
            return
        chunk = os.read(descriptor, 4096)
        if not chunk:
            return
        yield chunk
