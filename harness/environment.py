"""Facts on the machine and on the environments that subjects run in, and ids made of them."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from harness.errors import UsageError
from harness.launch import Launcher, Surroundings
from harness.worker import messages as m
from harness.worker.facts import facts_here

_PROBE_TIMEOUT_S = 60.0


@cache
def machine_facts() -> Mapping[str, Any]:
    """What could make times of two machines differ, as far as the system tells."""
    frequency = psutil.cpu_freq()
    return {
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:8],
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cpus": psutil.cpu_count() or 0,
        "cpu_max_mhz": round(frequency.max) if frequency and frequency.max else None,
        "governor": system_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "turbo_off": system_text("/sys/devices/system/cpu/intel_pstate/no_turbo"),
        "address_randomisation": system_text("/proc/sys/kernel/randomize_va_space"),
        "transparent_hugepages": system_text("/sys/kernel/mm/transparent_hugepage/enabled"),
        "memory_bytes": psutil.virtual_memory().total,
        "libc": "-".join(platform.libc_ver()),
    }


def machine_id() -> str:
    """An id for this machine: the same as long as its hardware and name are."""
    facts = machine_facts()
    lasting = ("host", "system", "architecture", "processor", "cpus", "memory_bytes")
    return _id({name: facts[name] for name in lasting})


def environment_facts(
    launcher: Launcher, surroundings: Surroundings
) -> tuple[str, Mapping[str, Any]]:
    """The id and the facts of an interpreter's environment, told by a worker that runs in it.

    `UsageError` when no worker starts there.
    """
    interpreter = surroundings.interpreter
    try:
        launch = launcher.start(surroundings)
    except OSError as error:
        raise UsageError(f"interpreter {interpreter} does not start: {error}") from None
    try:
        answer = launch.ask(m.Describe(), timeout_s=_PROBE_TIMEOUT_S)
    finally:
        launch.close()
    if not isinstance(answer, m.Facts):
        detail = answer.detail if isinstance(answer, m.Failure) else repr(answer)
        raise UsageError(
            f"interpreter {interpreter} runs no worker: {detail}. It needs Python 3.11 or later "
            "and numpy"
        )
    facts = {**answer.facts, "interpreter": interpreter, "machine": dict(machine_facts())}
    return _id(facts), facts


def facts_of_this_process() -> tuple[str, Mapping[str, Any]]:
    """The id and the facts of the environment that we run in ourselves."""
    facts = {**facts_here(), "interpreter": sys.executable, "machine": dict(machine_facts())}
    return _id(facts), facts


def _id(facts: Mapping[str, Any]) -> str:
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _processor() -> str:
    for line in system_text("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def system_text(path: str) -> str:
    """The content of a file of the system, empty where it is not to be had."""
    if not os.access(path, os.R_OK):
        return ""
    return Path(path).read_text(encoding="utf-8", errors="replace").strip()
