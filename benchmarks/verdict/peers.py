"""The peers: each asked through its own command line, each by its own rule.

    python -m benchmarks.verdict.peers chain 5

asks every one of them about a workload with 5 % planted. Settings are chosen so that a comparison
takes about 7 s on a quiet core; otherwise everything is as the tool has it.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import tempfile
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Protocol

from benchmarks.verdict.findings import IMPROVED, REGRESSED, UNCHANGED, Finding, beyond
from benchmarks.verdict.places import PEERS, ROOT, RUNS, interpreter_of, last_cpu
from benchmarks.verdict.planting import planted_name
from benchmarks.verdict.processes import CommandFailed, Done, run_command
from benchmarks.verdict.subject import VARIABLE
from benchmarks.verdict.workloads import Workload, call_of, workload_named

FACTOR = 1.05
_SETUP = "from benchmarks.verdict.subject import chosen_call; call = chosen_call()"
_CALL = "call()"
_SIDES = ("base", "candidate")


class Peer(Protocol):
    """A tool that compares."""

    name: str

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """What it says of the candidate against the baseline, by each of its rules.

        `folder` is empty, and the tool's own. `CommandFailed` where the tool fails, `ValueError`
        where its output is not what it used to be.
        """
        ...


class PytestBenchmark:
    """pytest with pytest-benchmark, once a side; the tables of `pytest-benchmark compare`."""

    name = "pytest-benchmark"

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """Changed by the mean, and by the median, if that differs by more than 5 %."""
        lines = (
            "from benchmarks.verdict.subject import chosen_call",
            "def test_evaluate(benchmark):",
            "    benchmark(chosen_call())",
        )
        (folder / "test_evaluate.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for side, evaluator in zip(_SIDES, evaluators, strict=True):
            options = ["--benchmark-max-time=2.6", f"--benchmark-json={side}.json"]
            _run(
                ["pytest", "-q", "-p", "no:cacheprovider", "test_evaluate.py", *options],
                workload,
                evaluator,
                folder,
            )
        files = [f"{side}.json" for side in _SIDES]
        columns = ["--columns=mean,median", "--time-unit=us"]
        done = _run(["pytest-benchmark", "compare", *columns, *files], workload, "", folder)
        mean, median = pytest_benchmark_ratios(done.stdout)
        return [
            Finding(rule="pytest-benchmark, mean > 5 %", verdict=beyond(mean, FACTOR), ratio=mean),
            Finding(
                rule="pytest-benchmark, median > 5 %", verdict=beyond(median, FACTOR), ratio=median
            ),
        ]


def pytest_benchmark_ratios(printed: str) -> tuple[float, float]:
    """Candidate / baseline of the mean and of the median, from the table that it prints."""
    cell = r"([\d,]+\.\d+) \([^)]*\)"
    found = {
        side: (float(mean.replace(",", "")), float(median.replace(",", "")))
        for side, mean, median in re.findall(
            rf"^test_evaluate \((\w+)\) +{cell} +{cell}", printed, re.MULTILINE
        )
    }
    if set(found) != set(_SIDES):
        raise ValueError(f"pytest-benchmark compare: expected two lines, found {printed!r}")
    base, candidate = (found[side] for side in _SIDES)
    return candidate[0] / base[0], candidate[1] / base[1]


class Pyperf:
    """`pyperf timeit` once a side, then `pyperf compare_to` with its t-test."""

    name = "pyperf"

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """Changed if its t-test calls the difference significant."""
        effort = ["-q", "--copy-env", "-p", "4", "-n", "3", "-w", "1", "--name", "evaluate"]
        for side, evaluator in zip(_SIDES, evaluators, strict=True):
            asked = ["pyperf", "timeit", *effort, "-o", f"{side}.json", "-s", _SETUP, _CALL]
            _run(asked, workload, evaluator, folder)
        files = [f"{side}.json" for side in _SIDES]
        done = _run(["pyperf", "compare_to", *files], workload, "", folder)
        base, candidate = (_pyperf_mean_s(folder / file) for file in files)
        return [
            Finding(
                rule="pyperf, its t-test",
                verdict=pyperf_verdict(done.stdout),
                ratio=candidate / base,
            )
        ]


def pyperf_verdict(printed: str) -> str:
    """What `pyperf compare_to` says."""
    if "not significant" in printed or "no change" in printed:
        return UNCHANGED
    found = re.search(r": [\d.]+x (slower|faster)", printed)
    if found is None:
        raise ValueError(f"pyperf compare_to: expected a verdict, found {printed!r}")
    return REGRESSED if found[1] == "slower" else IMPROVED


def _pyperf_mean_s(path: Path) -> float:
    (benchmark,) = json.loads(path.read_text(encoding="utf-8"))["benchmarks"]
    return statistics.fmean(value for run in benchmark["runs"] for value in run.get("values", ()))


class Hyperfine:
    """`hyperfine BASE CANDIDATE`: whole processes, each with enough calls to outweigh its start."""

    name = "hyperfine"
    _RUN_S = 0.55
    _RUNS = 5

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """Changed if the ratio that it prints, more or less its σ, excludes 1."""
        calls = str(_calls_within(workload, self._RUN_S))
        command = ["hyperfine", "--style=basic", "-N", f"--runs={self._RUNS}"]
        for side, evaluator in zip(_SIDES, evaluators, strict=True):
            subject = [interpreter_of(PEERS), "-m", "benchmarks.verdict.subject"]
            asked = [*subject, workload.name, evaluator, "--calls", calls]
            command += ["-n", side, " ".join(f"'{each}'" for each in asked)]
        done = run_command(command, cwd=folder, cpu=last_cpu())
        return [hyperfine_finding(done.stdout)]


def hyperfine_finding(printed: str) -> Finding:
    """The summary at the end of its output."""
    found = re.search(
        r"'?(base|candidate)'? ran\s+([\d.]+) ± ([\d.]+) times faster than '?(\w+)'?", printed
    )
    if found is None:
        raise ValueError(f"hyperfine: expected a summary, found {printed!r}")
    factor, sigma = float(found[2]), float(found[3])
    is_slower = found[1] == "base"
    changed = REGRESSED if is_slower else IMPROVED
    return Finding(
        rule="hyperfine, ratio ± σ excludes 1",
        verdict=changed if factor - sigma > 1 else UNCHANGED,
        ratio=factor if is_slower else 1 / factor,
    )


class Timeit:
    """`python -m timeit`, once a side: the best of five."""

    name = "timeit"
    _REPEATS = 5
    _REPEAT_S = 0.6

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """Changed if the minima differ by more than 5 %."""
        number = str(_calls_within(workload, self._REPEAT_S))
        best_us = []
        for evaluator in evaluators:
            effort = ["-n", number, "-r", str(self._REPEATS), "-u", "usec"]
            asked = ["python", "-m", "timeit", *effort, "-s", _SETUP, _CALL]
            best_us.append(timeit_us(_run(asked, workload, evaluator, folder).stdout))
        ratio = best_us[1] / best_us[0]
        rule = f"timeit, minimum of {self._REPEATS}, > 5 %"
        return [Finding(rule=rule, verdict=beyond(ratio, FACTOR), ratio=ratio)]


def timeit_us(printed: str) -> float:
    """The best, in µs."""
    found = re.search(r"best of \d+: ([\d.e+]+) usec per loop", printed)
    if found is None:
        raise ValueError(f"timeit: expected the best time, found {printed!r}")
    return float(found[1])


class Asv:
    """`asv continuous BASE CANDIDATE` in a repository of its own, with one commit a side."""

    name = "asv"
    _ROUNDS = 4

    @property
    def _repository(self) -> Path:
        """One for each CPU: two trials at once must not move each other's branch."""
        return RUNS / f"asv-on-cpu{last_cpu()}"

    def compare(
        self, workload: Workload, evaluators: tuple[str, str], folder: Path
    ) -> list[Finding]:
        """Changed if it marks the benchmark by factor 1.05 and its own test."""
        self._set_up()
        shutil.rmtree(self._repository / "results" / "machine", ignore_errors=True)
        commits = [self._commit(workload, evaluator, folder) for evaluator in evaluators]
        factor = ["--factor", str(FACTOR)]
        affinity = ["--cpu-affinity", str(last_cpu())]
        self._asv("continuous", *factor, *affinity, "-a", f"rounds={self._ROUNDS}", *commits)
        done = self._asv("compare", *factor, *commits)
        return [asv_finding(done.stdout)]

    def _set_up(self) -> None:
        """The repository, its configuration and its machine; once."""
        repository = self._repository
        if (repository / "ready").exists():
            return
        shutil.rmtree(repository, ignore_errors=True)
        (repository / "cases").mkdir(parents=True)
        (repository / "cases" / "__init__.py").touch()
        (repository / "cases" / "evaluate.py").write_text(_ASV_CASE, encoding="utf-8")
        (repository / "put.py").write_text(_ASV_PUT, encoding="utf-8")
        configuration = json.dumps(_asv_configuration(), indent=1)
        (repository / "asv.conf.json").write_text(configuration, encoding="utf-8")
        _git(repository, "init", "--quiet")
        _git(repository, "add", "asv.conf.json", "put.py", "cases")
        self._asv("machine", "--yes", "--machine", "machine")
        (repository / "ready").touch()

    def _commit(self, workload: Workload, evaluator: str, folder: Path) -> str:
        """A commit that says which function is meant; never the same one twice."""
        text = f"SUBJECT = {f'{workload.name} {evaluator}'!r}  # {folder.name}\n"
        (self._repository / "subject_under_test.py").write_text(text, encoding="utf-8")
        _git(self._repository, "add", "subject_under_test.py")
        _git(self._repository, "commit", "--quiet", "--allow-empty", "-m", evaluator)
        return _git(self._repository, "rev-parse", "HEAD").stdout.strip()

    def _asv(self, command: str, *arguments: str) -> Done:
        machine = [] if command == "machine" else ["--machine", "machine"]
        asked = [_program("asv"), command, *machine, *arguments]
        # It ends with 1 when something has changed.
        return run_command(asked, cwd=self._repository, exit_codes=(0, 1), cpu=last_cpu())


_ASV_CASE = f"""\
import os
import sys

sys.path.insert(0, {str(ROOT)!r})

import subject_under_test


class Evaluate:
    def setup(self):
        os.environ[{VARIABLE!r}] = subject_under_test.SUBJECT
        from benchmarks.verdict.subject import chosen_call
        self.call = chosen_call()

    def time_evaluate(self):
        self.call()
"""

_ASV_PUT = """\
import shutil, sysconfig
shutil.copy("subject_under_test.py", sysconfig.get_path("purelib"))
"""


def _asv_configuration() -> dict[str, object]:
    from benchmarks.verdict.installing import measured_packages  # noqa: PLC0415 - once

    requirements = dict(each.split("==") for each in measured_packages())
    return {
        "version": 1,
        "project": "subject",
        "repo": ".",
        "branches": ["HEAD"],
        "environment_type": "virtualenv",
        "matrix": {"req": {name: [release] for name, release in requirements.items()}},
        "build_command": [],
        "install_command": ["in-dir={build_dir} python put.py"],
        "uninstall_command": ["return-code=any python -c pass"],
        "benchmark_dir": "cases",
        "env_dir": "env",
        "results_dir": "results",
        "html_dir": "html",
    }


def asv_finding(printed: str) -> Finding:
    """The table of `asv compare`."""
    found = re.search(
        r"^\| (.) +\|[^|]+\|[^|]+\| +~?([\d.]+) +\| +evaluate\.Evaluate\.time_evaluate",
        printed,
        re.MULTILINE,
    )
    if found is None:
        raise ValueError(f"asv compare: expected a line of the benchmark, found {printed!r}")
    verdict = {"+": REGRESSED, "-": IMPROVED}.get(found[1], UNCHANGED)
    return Finding(rule="asv continuous, factor 1.05", verdict=verdict, ratio=float(found[2]))


def _git(repository: Path, *arguments: str) -> Done:
    who = ["-c", "user.name=verdict", "-c", "user.email=verdict@localhost"]
    return run_command(["git", *who, *arguments], cwd=repository)


def _program(name: str) -> Path:
    found = PEERS / "bin" / name
    if not found.exists():
        raise CommandFailed(f"{found} is missing; run python -m benchmarks.verdict.installing")
    return found


def _run(asked: list[str], workload: Workload, evaluator: str, folder: Path) -> Done:
    """A program of the peers' environment, on the CPU that everything is measured on."""
    subject = {VARIABLE: f"{workload.name} {evaluator}"}
    command = [_program(asked[0]), *asked[1:]]
    return run_command(command, cwd=folder, cpu=last_cpu(), variables=subject)


@cache
def _calls_within(workload: Workload, seconds: float) -> int:
    """How many calls of the baseline fill that time."""
    call = call_of(workload, workload.evaluator)
    fastest_s = min(_elapsed_s(call) for _ in range(50))
    return max(1, round(seconds / fastest_s))


def _elapsed_s(call: object) -> float:
    assert callable(call)
    started = perf_counter()
    call()
    return perf_counter() - started


ALL: tuple[Peer, ...] = (PytestBenchmark(), Pyperf(), Hyperfine(), Timeit(), Asv())


def main() -> None:
    """Ask every peer once."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workload", type=workload_named)
    parser.add_argument("percent", type=float)
    arguments = parser.parse_args()
    workload: Workload = arguments.workload
    evaluators = (workload.evaluator, planted_name(workload.evaluator, arguments.percent))
    for peer in ALL:
        with tempfile.TemporaryDirectory() as folder:
            started = perf_counter()
            findings = peer.compare(workload, evaluators, Path(folder))
            wall_s = perf_counter() - started
        for finding in findings:
            print(f"{finding.rule:34} {finding.verdict:10} {finding.ratio:.3f}  {wall_s:.1f} s")


if __name__ == "__main__":
    main()
