"""Environments that are made for what is compared."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from harness.installations import InstallationError, installed

_PROJECT = """
[project]
name = "{name}"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

_BACKEND = """
import zipfile

WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"

def build_wheel(directory, settings=None, metadata=None):
    name = "{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(directory + "/" + name, "w") as wheel:
        wheel.writestr("{name}.py", "VALUE = 42")
        info = "{name}-1.0.dist-info/"
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", WHEEL)
        wheel.writestr(info + "RECORD", "")
    return name
"""


def _project(directory: Path, name: str) -> Path:
    """A package that builds without anything from an index."""
    directory.mkdir()
    (directory / "pyproject.toml").write_text(_PROJECT.format(name=name))
    (directory / "backend.py").write_text(_BACKEND.format(name=name))
    return directory


def test_an_environment_has_what_was_asked_for_and_no_graphgauge(tmp_path: Path) -> None:
    """The interpreter imports the requirement, and nothing of the controller's."""
    interpreter = installed([str(_project(tmp_path / "engine", "engine"))], what="engine")

    code = "import engine, importlib.util as u; print(engine.VALUE, u.find_spec('harness'))"
    said = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )

    assert said.stdout.split() == ["42", "None"]


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    """The same requirements give the same environment, not installed again."""
    requirements = [str(_project(tmp_path / "once", "once"))]
    first = installed(requirements, what="once")
    marker = first.parent.parent / "graphgauge-environment.json"
    made = marker.stat().st_mtime_ns

    assert installed(requirements, what="once") == first
    assert marker.stat().st_mtime_ns == made
    assert json.loads(marker.read_text()) == {"requirements": requirements}


def test_a_failed_installation_repeats_the_installer_s_last_words(tmp_path: Path) -> None:
    """The error names the requirement and what the installer said; nothing usable is left."""
    missing = str(tmp_path / "missing")

    for _ in range(2):
        with pytest.raises(InstallationError, match="the installer said") as raised:
            installed([missing], what="side A")
        assert "side A" in str(raised.value)
        assert missing in str(raised.value)
