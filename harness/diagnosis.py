"""What this machine does that makes times unsure, and what to do about it: quick looks only."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from harness.environment import machine_facts, system_text
from harness.launch import has_chosen_layout, usable_cpu
from harness.payload import cache_directory
from harness.worker.yardstick import Yardstick

WATCHED_S = 0.5
"""How long the system's counters are watched."""
_REPEATED_S = 0.4
_LEAST_REPEATS = 20
"""So often the same work is timed at least, even where that takes longer."""
_UNEVEN = 1.2
"""Times as long: the 90th percentile of the same work, by the 10th."""
_BUSY_SHARE = 0.05
_STOLEN_SHARE = 0.005
_LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at.

    Attributes:
        topic: what was looked at.
        found: how it is.
        advice: what to do; empty where all is well.
        is_fatal: whether nothing can be measured like this.
    """

    topic: str
    found: str
    advice: str = ""
    is_fatal: bool = False


def diagnose(table_folder: Path) -> list[Finding]:
    """Every look, in the order of their weight."""
    watched = _watch(WATCHED_S)
    return [
        *_cpus(),
        *_load(watched),
        steadiness_of_speed(_repeated_work_ns()),
        *_clock(),
        *_frequency(),
        *_memory(),
        *_exact_memory(),
        *_layout(),
        *_disk(table_folder),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """Shares of all CPUs' time while the system was watched."""

    busy: float
    stolen: float
    busiest: str


def _watch(seconds: float) -> _Watched:
    processes = [each for each in psutil.process_iter(["name"]) if each.pid != os.getpid()]
    before_s = {each.pid: _cpu_seconds(each) for each in processes}
    share = psutil.cpu_times_percent(interval=seconds)
    used = {each: _cpu_seconds(each) - before_s[each.pid] for each in processes}
    busiest = max(used, key=lambda each: used[each], default=None)
    stolen = getattr(share, "steal", 0.0) / 100
    return _Watched(
        busy=max(0.0, 1 - share.idle / 100 - stolen),
        stolen=stolen,
        busiest=f"{busiest.info['name']} (process {busiest.pid})" if busiest else "",
    )


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _cpus() -> Iterator[Finding]:
    cpu = usable_cpu()
    if cpu is None:
        yield Finding(
            topic="CPUs",
            found=f"one usable CPU of {psutil.cpu_count() or '?'}, or no way to stay on one",
            advice="the harness and its subjects share it: give two CPUs or more if you can",
        )
    else:
        yield Finding(topic="CPUs", found=f"subjects stay on CPU {cpu}, the harness on the others")
    quota = system_text("/sys/fs/cgroup/cpu.max").split()
    if quota and quota[0] != "max":
        yield Finding(
            topic="CPU quota",
            found=f"{int(quota[0]) / int(quota[1]):.3g} CPUs by a control group",
            advice="a quota stops subjects in the middle of blocks: lift it while measuring",
        )


def _load(watched: _Watched) -> Iterator[Finding]:
    busy = f"{watched.busy:.0%} of the CPUs' time is used by others"
    if watched.busy > _BUSY_SHARE:
        yield Finding(
            topic="load",
            found=f"{busy}, most by {watched.busiest}",
            advice="stop it while measuring, or expect to need more pairs",
        )
    else:
        yield Finding(topic="load", found=busy)
    if watched.stolen > _STOLEN_SHARE:
        yield Finding(
            topic="steal",
            found=f"{watched.stolen:.1%} of the time was given to other virtual machines",
            advice="measure when the host is quieter, or on a machine of your own",
        )
    else:
        yield Finding(topic="steal", found=f"{watched.stolen:.1%}")


def steadiness_of_speed(times_ns: Sequence[int]) -> Finding:
    """Whether the same work takes as long from one moment to the next.

    Args:
        times_ns: CPU time that it took, again and again: waiting for the CPU is no part of it.
    """
    low, high = np.percentile(times_ns, (10, 90))
    advice = (
        "who shares the core slows it down, which no counter tells (on a virtual machine, the "
        "neighbour on its other thread), or its frequency changes: give a larger --budget, or "
        "measure at another time"
    )
    return Finding(
        topic="speed",
        found=f"the same work takes {high / low:.2f} × as long at one moment as at another",
        advice=advice if high >= _UNEVEN * low else "",
    )


def _repeated_work_ns() -> list[int]:
    """Of the yardstick's loop, on the CPU that subjects stay on."""
    cpu = usable_cpu()
    granted = os.sched_getaffinity(0) if cpu is not None else set()
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    try:
        yardstick = Yardstick(time.thread_time_ns)
        end = time.monotonic() + _REPEATED_S
        times: list[int] = []
        while time.monotonic() < end or len(times) < _LEAST_REPEATS:
            times.append(yardstick.read()["interpreter_loop"])
        return times
    finally:
        if cpu is not None:
            os.sched_setaffinity(0, granted)


def _clock() -> Iterator[Finding]:
    resolution_s = time.get_clock_info("perf_counter").resolution
    source = system_text("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    found = f"{source or 'perf_counter'}, resolution {resolution_s:.0e} s"
    slow = source in {"acpi_pm", "hpet"}
    advice = "each reading is a slow system call: boot with a TSC or kvm-clock" if slow else ""
    yield Finding(topic="clock", found=found, advice=advice)


def _frequency() -> Iterator[Finding]:
    governor = str(machine_facts()["governor"])
    if not governor:
        yield Finding(topic="frequency", found="the system does not tell; blocks cannot be watched")
    elif governor == "performance":
        yield Finding(topic="frequency", found="governor performance")
    else:
        yield Finding(
            topic="frequency",
            found=f"governor {governor}",
            advice="`cpupower frequency-set -g performance` while measuring",
        )
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is not None and not battery.power_plugged:
        yield Finding(topic="power", found="on battery", advice="plug in: the CPU is slowed down")


def _memory() -> Iterator[Finding]:
    available = psutil.virtual_memory().available
    is_short = available < _LEAST_FREE_BYTES
    yield Finding(
        topic="memory",
        found=f"{available / 2**30:.1f} GiB available",
        advice="subjects may be killed or swapped: free some" if is_short else "",
    )
    swapped = psutil.swap_memory().used
    if swapped > _LEAST_FREE_BYTES:
        yield Finding(
            topic="swap",
            found=f"{swapped / 2**30:.1f} GiB in use",
            advice="pages may be read back while something is timed: free memory",
        )


def _exact_memory() -> Iterator[Finding]:
    if sys.platform == "linux" and os.access("/proc/self/clear_refs", os.W_OK):
        yield Finding(topic="memory peaks", found="exact, by the kernel's high-water mark")
    else:
        yield Finding(
            topic="memory peaks",
            found="sampled by memory_profiler: spikes of milliseconds are missed",
            advice="measure memory on Linux",
        )


def _layout() -> Iterator[Finding]:
    if has_chosen_layout():
        yield Finding(topic="layout", found="drawn for each pair, the same for its sides")
        return
    yield Finding(
        topic="layout",
        found="the kernel's, for each process: `setarch -R` is missing or forbidden",
        advice="install util-linux, or allow personality(2) in the container: pairs agree several "
        "times better",
    )
    randomised = str(machine_facts()["address_randomisation"])
    if randomised == "0":
        yield Finding(
            topic="address randomisation",
            found="off",
            advice="launches share one layout, whose luck no repetition averages out: "
            "`sysctl kernel.randomize_va_space=2`",
        )


def _disk(folder: Path) -> Iterator[Finding]:
    for what, path in (("tables", folder), ("cache", cache_directory())):
        existing = next(each for each in (path, *path.parents) if each.exists())
        free = shutil.disk_usage(existing).free
        can_write = os.access(existing, os.W_OK)
        advice = "" if can_write else "choose another folder with --out or $GRAPHGAUGE_CACHE"
        if can_write and free < _LEAST_FREE_BYTES:
            advice = "free some space: engines need gigabytes"
        found = f"{path}: {free / 2**30:.1f} GiB free" if can_write else f"{path} is read-only"
        yield Finding(topic=what, found=found, advice=advice, is_fatal=not can_write)
