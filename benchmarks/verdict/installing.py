"""Makes the environments that trials need: `python -m benchmarks.verdict.installing`.

One holds the peers, and two, in different folders, hold the same NumPy and autograd as the Python
that this is run by. hyperfine is no Python package: `apt-get install hyperfine`, or as the system
has it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path

from benchmarks.verdict.places import HERE, PEERS, THERE, interpreter_of

PEER_PACKAGES = ("pytest", "pytest-benchmark", "pyperf", "asv", "virtualenv")


def measured_packages() -> tuple[str, ...]:
    """What the workloads need, in the releases that are installed here."""
    return tuple(f"{name}=={version(name)}" for name in ("numpy", "autograd"))


def main() -> None:
    """Make those that are missing."""
    for environment, packages in (
        (HERE, measured_packages()),
        (THERE, measured_packages()),
        (PEERS, (*measured_packages(), *PEER_PACKAGES)),
    ):
        _make(environment, packages)
    if shutil.which("hyperfine") is None:
        sys.exit("hyperfine is missing: apt-get install hyperfine")


def _make(environment: Path, packages: tuple[str, ...]) -> None:
    complete = environment / "complete"
    if complete.exists():
        return
    print(f"{environment}: {' '.join(packages)}", flush=True)
    venv.create(environment, with_pip=True, clear=True, symlinks=True)
    command = [str(interpreter_of(environment)), "-m", "pip", "install", "--quiet", *packages]
    subprocess.run(command, check=True)
    complete.touch()


if __name__ == "__main__":
    main()
