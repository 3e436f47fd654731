"""Every task of this project, each in an environment of its own.

    python3 noxfile.py -s bench        needs Python alone: nox is installed on the first run
    nox -s bench                       where nox is installed already

`nox -l` lists the sessions; what stands behind `--` goes to the command that a session runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

try:
    import nox
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    # Started with a Python that has no nox: make an environment that has, and go on there.
    _HOME = Path(__file__).resolve().parent / ".bootstrap"
    _PYTHON = _HOME / "bin" / "python"
    if not (_HOME / "ready").exists():
        venv.create(_HOME, with_pip=True, clear=True)
        subprocess.run([_PYTHON, "-m", "pip", "install", "--quiet", "nox>=2025.2"], check=True)
        (_HOME / "ready").touch()
    os.execv(_PYTHON, [str(_PYTHON), __file__, *sys.argv[1:]])

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
ENGINES = (
    "autograd",
    "casadi",
    "jax",
    "mlx",
    "numba",
    "numexpr",
    "onnxruntime",
    "openvino",
    "pytensor",
    "tensorflow",
    "tinygrad",
    "torch",
)
LIGHT_ENGINES = ("autograd", "casadi", "jax", "numexpr", "onnxruntime")
"""Whose tests are run by default: they install and run in a minute or two each."""

nox.options.sessions = [
    "lint",
    "types",
    "tests",
    *[f"engine_tests(engine='{engine}')" for engine in LIGHT_ENGINES],
    "browser_tests",
    "gate",
]


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the default suite with our own evaluators, or with `-- --engine NAME`; a table."""
    session.install("-e", ".")
    if "--engine" in session.posargs:
        session.run("graphgauge", "engines", *session.posargs)
        return
    session.run("graphgauge", "run", *(session.posargs or ["default", "--out", "runs/bench.csv"]))


@nox.session
def engines(session: nox.Session) -> None:
    """Measure every engine that installs, each in an environment of its own; one table."""
    session.install("-e", ".")
    posargs = session.posargs or ["default", "--quick", "--out", "runs/engines.csv"]
    session.run("graphgauge", "engines", *posargs)


@nox.session
def versions(session: nox.Session) -> None:
    """Measure versions side by side: nox -s versions -- autograd==1.6.2 autograd==1.9.1."""
    if not session.posargs:
        session.error("name two versions: nox -s versions -- autograd==1.6.2 autograd==1.9.1")
    session.install("-e", ".")
    arguments = list(session.posargs)
    if "--out" not in arguments:
        arguments += ["--out", "runs/versions.csv"]
    # A comparison that finds a difference has done its work: only 2 and above are failures here.
    session.run("graphgauge", "versus", *arguments, success_codes=[0, 1, 4])


@nox.session
def compare(session: nox.Session) -> None:
    """Compare tables: nox -s compare -- A.csv B.csv."""
    session.install("-e", ".")
    session.run("graphgauge", "compare", *session.posargs)


@nox.session
def check(session: nox.Session) -> None:
    """Be the gate: nox -s check -- CANDIDATE.csv --baseline baselines/FILE.csv."""
    session.install("-e", ".")
    session.run("graphgauge", "check", *session.posargs)


@nox.session
def gate(session: nox.Session) -> None:
    """Be our own gate: counts against baselines/counts.csv; --renew for a change that is meant."""
    session.install("-e", ".")
    session.run("graphgauge", "check", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test that needs no engine."""
    session.install("-e", ".[test,tools,pictures,profile,memray]")
    # Two at a time, each file by one of them: most tests wait for processes of their own.
    session.run("pytest", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session
@nox.parametrize("engine", ENGINES)
def engine_tests(session: nox.Session, engine: str) -> None:
    """Run the tests that need a real engine, in an environment that has it."""
    session.install("-e", f".[test,{engine}]")
    session.run("pytest", "tests/evaluators", "tests/benchmarks", "-k", engine, *session.posargs)


@nox.session
def browser_tests(session: nox.Session) -> None:
    """Open reports in a real headless Chromium; skipped, and said so, where there is none."""
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        session.skip("chromium is absent: apt-get install chromium chromium-driver")
    session.install("-e", ".[test,browser]")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, and which package may import which."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types, strictly."""
    session.install("-e", ".[types]")
    session.run("mypy")


@nox.session
def figures(session: nox.Session) -> None:
    """Print the figures that docs/figures.md claims; nothing else should run meanwhile."""
    session.install("-e", ".[autograd,browser]", "pyperf")
    for module in ("construction", "floor", "containers", "overhead", "pairs", "tables"):
        session.run("python", "-m", f"benchmarks.{module}")


@nox.session
def verdict(session: nox.Session) -> None:
    """Plant extra work and see who finds it: nox -s verdict -- --only aa planted."""
    session.install("-e", ".[autograd]")
    for module in ("installing", "truth"):
        session.run("python", "-m", f"benchmarks.verdict.{module}")
    session.run("python", "-m", "benchmarks.verdict.trial", *session.posargs)
    session.run("python", "-m", "benchmarks.verdict.table")


if __name__ == "__main__":
    nox.main()
