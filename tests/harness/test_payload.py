"""What is sent along with a launch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from harness.payload import payload_directory

_LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import harness.worker.service
print(sorted(name for name in sys.argv[2:] if name in sys.modules))
"""


def test_a_worker_loads_nothing_of_the_controller() -> None:
    """In the worker there is no pandas, scipy or rich, and no controller-side module of ours."""
    unwanted = ["pandas", "scipy", "rich", "psutil", "results", "harness.launch", "pytest"]

    said = subprocess.run(
        [sys.executable, "-c", _LOADED, str(payload_directory()), *unwanted],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )

    assert said.stdout.strip() == "[]"


def test_the_payload_holds_the_worker_side_alone() -> None:
    """The directory has our measured packages and nothing of what judges or launches."""
    found = {path.relative_to(payload_directory()).parts[0] for path in _files()}
    harness = {path.relative_to(payload_directory()).parts[1] for path in _files("harness")}

    assert found == {"__main__.py", "networks", "evaluators", "scenarios", "harness"}
    assert harness == {"__init__.py", "worker"}


def test_the_payload_is_made_once() -> None:
    """Asked for again, it is the same directory: its bytecode is compiled once."""
    assert payload_directory() == payload_directory()


def _files(within: str = ".") -> list[Path]:
    return list((payload_directory() / within).rglob("*.py"))
