"""What is sent along with a launch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.payload import payload_directory

_LOADED = """
import sys
sys.path[:0] = sys.argv[1:3]
import harness.worker.service
print(sorted(name for name in sys.argv[3:] if name in sys.modules))
"""


def test_a_worker_loads_nothing_of_the_controller() -> None:
    """In the worker there is no pandas, scipy or rich, and no controller-side module of ours."""
    unwanted = ["pandas", "scipy", "rich", "psutil", "results", "harness.launch", "pytest"]

    assert _loaded_of(unwanted) == "[]"


def test_a_worker_starts_without_what_few_of_them_need() -> None:
    """Every launch starts a worker, and a verdict's budget pays for each."""
    seldom_needed = ["pathlib", "random", "tempfile", "harness.worker.steps"]

    assert _loaded_of(seldom_needed) == "[]"


def test_the_payload_holds_the_worker_side_alone() -> None:
    """The directory has our measured packages and nothing of what judges or launches."""
    found = {path.relative_to(payload_directory()).parts[0] for path in _files()}
    harness = {path.relative_to(payload_directory()).parts[1] for path in _files("harness")}

    assert found == {"__main__.py", "networks", "evaluators", "scenarios", "harness"}
    assert harness == {"__init__.py", "worker"}


def test_the_payload_is_made_once() -> None:
    """Asked for again, it is the same directory: its bytecode is compiled once."""
    assert payload_directory() == payload_directory()


def _loaded_of(names: Sequence[str]) -> str:
    """What a worker has imported of those modules when it is ready."""
    # Without `site`, which may import any of them for an installation of the development's own.
    said = subprocess.run(
        [sys.executable, "-S", "-c", _LOADED, str(payload_directory()), _packages(), *names],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    return said.stdout.strip()


def _packages() -> str:
    """Where numpy is installed."""
    return str(Path(np.__file__).parent.parent)


def _files(within: str = ".") -> list[Path]:
    return list((payload_directory() / within).rglob("*.py"))
