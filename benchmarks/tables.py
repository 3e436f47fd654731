"""Large tables: how long `compare` and `report` take beside pandas, pytest-benchmark and pyperf.

    python -m benchmarks.tables

Every figure is of a whole process, started for it. The page's is asked of Chromium, where it is.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from results.schema import COLUMNS, METRICS

_LAUNCHES = 20
_PATIENCE_S = 60
_SERIES = (
    *(("first_time", phase) for phase in ("construct", "differentiate", "lower", "compile")),
    *(("time", phase) for phase in ("construct", "differentiate", "lower", "compile", "evaluate")),
    *(("peak_memory", phase) for phase in ("construct", "lower", "compile", "evaluate")),
    *(("held_memory", phase) for phase in ("construct", "lower", "compile", "evaluate")),
    *(("retained_memory", phase) for phase in ("construct", "lower", "compile", "evaluate")),
    ("first_time", "first_call"),
    ("time_drift", "evaluate"),
    ("memory_drift", "evaluate"),
    ("nodes", "construct"),
)
_GRAPHGAUGE = (sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())")
_PANDAS = (sys.executable, "-c", "import sys, pandas\nfor p in sys.argv[1:]: pandas.read_csv(p)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process cost.

    Attributes:
        elapsed_s: from its start to its end.
        cpu_s: what the processor spent on it, which other work on the machine hardly changes.
        peak_bytes: the most resident memory it had.
        output_bytes: what it printed.
    """

    elapsed_s: float
    cpu_s: float
    peak_bytes: int
    output_bytes: int


def main() -> None:
    """Print a line for each thing measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compared", type=int, default=500_000, help="readings of each table")
    parser.add_argument("--reported", type=int, default=200_000, help="readings of both tables")
    parser.add_argument("--sweeps", action="store_true", help="four sizes of each case")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _compared(Path(folder), arguments.compared, arguments.rounds, sweeps=arguments.sweeps)
        _reported(Path(folder), arguments.reported, arguments.rounds, sweeps=arguments.sweeps)


def _compared(folder: Path, readings: int, rounds: int, *, sweeps: bool) -> None:
    tables = _tables(folder, readings, sweeps=sweeps)
    numbers = readings // _LAUNCHES
    print(f"compare: two tables of {readings:,} readings, {numbers:,} numbers by {_LAUNCHES}")
    costs = [
        (
            run(_PANDAS, *tables),
            run(_GRAPHGAUGE, "compare", *tables, "--format", "csv", expected=(0, 1)),
        )
        for _ in range(rounds)
    ]
    _print("pandas.read_csv", [pandas for pandas, _ in costs])
    _print("graphgauge compare", [ours for _, ours in costs])
    ratio = sorted(ours.elapsed_s / pandas.elapsed_s for pandas, ours in costs)[rounds // 2]
    print(f"  {'compare / pandas':32} {ratio:7.2f}    targets: 3 at most, 5 s, 600 MB", flush=True)
    others: tuple[tuple[str, Callable[[Path, int], Sequence[str]]], ...] = (
        ("pytest-benchmark compare", _pytest_benchmark),
        ("pyperf compare_to", _pyperf),
    )
    for name, command in others:
        if find_spec(name.split()[0].replace("-", "_")) is None:
            print(f"  {name:32} not installed")
            continue
        for count in (numbers // len(_SERIES), numbers):
            try:
                of_one = [run(command(folder, count), limit_s=_PATIENCE_S) for _ in range(rounds)]
            except TimeoutError:
                print(f"  {name}, {count:,}: not done after {_PATIENCE_S} s", flush=True)
            else:
                _print(f"{name}, {count:,}", of_one)


def _reported(folder: Path, readings: int, rounds: int, *, sweeps: bool) -> None:
    tables = _tables(folder, readings // 2, sweeps=sweeps)
    page = folder / "report.html"
    print(f"report: {readings:,} readings")
    of_one = [run(_GRAPHGAUGE, "report", *tables, "-o", str(page)) for _ in range(rounds)]
    _print("graphgauge report", of_one)
    print(f"  {'file':32} {page.stat().st_size / 1e6:7.2f} MB    targets: 10 s, 15 MB")
    if find_spec("selenium") is None or not shutil.which("chromium"):
        print("  page in Chromium: not measured, chromium or selenium is absent")
        return
    loaded = sorted(_seconds_until_interactive(page) for _ in range(rounds))
    print(f"  {'interactive in Chromium':32} {loaded[rounds // 2]:7.2f} s     target 2 s")


def run(
    command: Sequence[str],
    *arguments: str,
    expected: Sequence[int] = (0,),
    limit_s: float | None = None,
) -> Cost:
    """Run a command to its end.

    Raises:
        RuntimeError: if its exit code is not one of `expected`.
        TimeoutError: if it is not done after `limit_s`; it is ended then.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen([*command, *arguments], stdout=output, stderr=said)
        alarm = threading.Timer(limit_s or threading.TIMEOUT_MAX, process.kill)
        alarm.start()
        _, status, usage = os.wait4(process.pid, 0)
        alarm.cancel()
        elapsed_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if limit_s is not None and elapsed_s >= limit_s:
            raise TimeoutError
        if process.returncode not in expected:
            said.seek(0)
            message = f"{command} gave {process.returncode}: {said.read().decode()[-500:]}"
            raise RuntimeError(message)
        size = os.fstat(output.fileno()).st_size
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(
        elapsed_s=elapsed_s, cpu_s=cpu_s, peak_bytes=usage.ru_maxrss * 1024, output_bytes=size
    )


def _print(name: str, costs: Sequence[Cost]) -> None:
    elapsed = sorted(cost.elapsed_s for cost in costs)
    peak = max(cost.peak_bytes for cost in costs) / 1e6
    print(
        f"  {name:32} {elapsed[len(elapsed) // 2]:7.2f} s ({elapsed[0]:.2f}–{elapsed[-1]:.2f}), "
        f"{sorted(cost.cpu_s for cost in costs)[len(costs) // 2]:6.2f} s of processor, "
        f"{peak:5.0f} MB, printed {costs[0].output_bytes / 1e6:.2f} MB",
        flush=True,
    )


def _tables(folder: Path, readings: int, *, sweeps: bool) -> list[str]:
    """Two tables of so many readings each, the second a little slower in every tenth case.

    A process of their own makes them: what this process ever held, Linux counts in the peaks of
    the processes that it starts.
    """
    paths = []
    for label, slower in (("old", 1.0), ("new", 1.1)):
        path = folder / f"{label}-{readings}.csv"
        maker = get_context("spawn").Process(
            target=_write, args=(path, label, readings, slower, sweeps)
        )
        maker.start()
        maker.join()
        if maker.exitcode != 0:
            message = f"making {path} failed"
            raise RuntimeError(message)
        paths.append(str(path))
    return paths


def _write(path: Path, label: str, readings: int, slower: float, sweeps: bool) -> None:
    table(label, readings, slower, sweeps=sweeps).to_csv(path, index=False, lineterminator="\r\n")


def table(label: str, readings: int, slower: float, *, sweeps: bool = False) -> pd.DataFrame:
    """A table as `graphgauge run` writes it, its values drawn.

    Args:
        label: of all readings.
        readings: how many.
        slower: how much slower every tenth case is than the scenario's own time.
        sweeps: make four sizes of each case, so that orders of growth are fitted as well.
    """
    rng = np.random.default_rng(len(label))
    names = pd.DataFrame(_SERIES, columns=["metric", "phase"])
    cases = -(-readings // (_LAUNCHES * len(names)))
    case, launch, series = np.meshgrid(
        np.arange(cases), np.arange(_LAUNCHES), np.arange(len(names)), indexing="ij"
    )
    case, launch, series = (each.ravel()[:readings] for each in (case, launch, series))
    metric = names["metric"].to_numpy()[series]
    kind = np.array([METRICS[name].kind for name in names["metric"]])[series]
    factor = np.where(case % 10 == 0, slower, 1.0)
    level = np.exp(np.sin(case + series))
    noise = np.exp(rng.normal(0, 0.02, readings))
    value = np.select(
        [kind == "time", kind == "memory", kind == "count"],
        [1e-3 * level * factor * noise, np.round(5e7 * level * noise / 4096) * 4096, 300.0 + case],
        rng.normal(0, 1e-3, readings),
    )
    columns = {
        "schema": 1,
        "session": f"20261122T120000Z-{label}",
        "recorded_at": "2026-11-22T12:00:00Z",
        "label": label,
        "evaluator": np.array(["planned", "straightline"])[case % 2],
        "evaluator_version": "0.1.0",
        "scenario": np.array(["chain", "mlp", "rnn", "gmm"])[case // 2 % 4],
        "params": [_params(each, sweeps=sweeps) for each in case],
        "mode": np.array(["output", "gradient"])[case // 8 % 2],
        "phase": names["phase"].to_numpy()[series],
        "metric": metric,
        "unit": [METRICS[name].unit for name in metric],
        "source": np.where(kind == "time", "perf_counter_ns", "VmHWM"),
        "launch": launch,
        "pair": "",
        "value": value,
        "spread": np.where(kind == "time", value / 50, np.nan),
        "blocks": 20,
        "calls": 2_000,
        "status": "ok",
        "detail": "",
        "machine": "m1",
        "environment": f"e-{label}",
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def _params(case: int, *, sweeps: bool) -> str:
    if sweeps:
        return f"depth={10 ** (1 + case // 16 % 4)};form=v{case // 64}"
    return f"depth=100;form=v{case // 16}"


def _values(count: int, seed: int) -> list[list[float]]:
    drawn: list[list[float]] = np.exp(
        np.random.default_rng(seed).normal(-7, 0.02, (count, _LAUNCHES))
    ).tolist()
    return drawn


def _pytest_benchmark(folder: Path, count: int) -> Sequence[str]:
    """Its comparison of `count` benchmarks of as many values as we have launches."""
    paths = []
    for seed in (1, 2):
        path = folder / f"000{seed}_{count}.json"
        content = {
            "machine_info": {"node": "m1"},
            "commit_info": {"id": "unversioned", "dirty": False},
            "datetime": "2026-11-22T12:00:00+00:00",
            "version": "5.0.0",
            "benchmarks": [
                _pytest_benchmark_entry(number, values)
                for number, values in enumerate(_values(count, seed))
            ],
        }
        path.write_text(json.dumps(content))
        paths.append(str(path))
    return (sys.executable, "-m", "pytest_benchmark", "compare", *paths)


def _pytest_benchmark_entry(number: int, values: Sequence[float]) -> dict[str, object]:
    low, median, high = np.percentile(values, [25, 50, 75]).tolist()
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    return {
        "group": None,
        "name": f"test_{number}",
        "fullname": f"test_file.py::test_{number}",
        "params": None,
        "param": None,
        "extra_info": {},
        "options": {"disable_gc": False, "timer": "perf_counter", "min_rounds": 5},
        "stats": {
            "min": min(values),
            "max": max(values),
            "mean": mean,
            "stddev": deviation,
            "rounds": len(values),
            "median": median,
            "iqr": high - low,
            "q1": low,
            "q3": high,
            "iqr_outliers": 0,
            "stddev_outliers": 0,
            "outliers": "0;0",
            "ld15iqr": min(values),
            "hd15iqr": max(values),
            "ops": 1 / mean,
            "total": sum(values),
            "iterations": 1,
            "data": list(values),
        },
    }


def _pyperf(folder: Path, count: int) -> Sequence[str]:
    """Its comparison of `count` benchmarks of as many processes as we have launches."""
    paths = []
    for seed in (1, 2):
        path = folder / f"pyperf{seed}_{count}.json"
        benchmarks = [
            {
                "metadata": {"name": f"b{number}"},
                "runs": [{"metadata": {}, "values": [value]} for value in values],
            }
            for number, values in enumerate(_values(count, seed))
        ]
        content = {"version": "1.0", "metadata": {"unit": "second"}, "benchmarks": benchmarks}
        path.write_text(json.dumps(content))
        paths.append(str(path))
    return (sys.executable, "-m", "pyperf", "compare_to", "--table", *paths)


def _seconds_until_interactive(page: Path) -> float:
    """From the start of navigation until the page has drawn itself and answers a filter."""
    from selenium import webdriver  # noqa: PLC0415  # installed only where pages are measured

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"))) as chrome:
        chrome.get(page.as_uri())
        elapsed_ms: float = chrome.execute_script(
            "const started = performance.now();"
            "const verdict = document.getElementById('verdict');"
            "verdict.value = 'regressed'; verdict.dispatchEvent(new Event('change'));"
            "if (!document.getElementById('rows').rows.length) throw Error('no rows');"
            "document.body.getBoundingClientRect();"
            "const load = performance.getEntriesByType('navigation')[0];"
            "return load.loadEventEnd + performance.now() - started;"
        )
    return elapsed_ms / 1e3


if __name__ == "__main__":
    main()
