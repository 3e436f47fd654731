"""Environments of their own for what is compared: made once, reused, named by what is in them.

An environment holds the engine and what it needs, not graphgauge: the worker side comes with each
launch. Packages are installed from outside by our own pip, so that an environment holds no
installer either.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from harness.errors import UsageError
from harness.payload import cache_directory
from harness.progress import say

_LAST_WORDS = 6
"""Lines of the installer's output that an error repeats."""


class InstallationError(UsageError):
    """A requirement cannot be installed."""


def installed(requirements: Sequence[str], *, what: str) -> Path:
    """The interpreter of an environment with those requirements, made if there is none yet.

    `InstallationError` names what was asked for and repeats the installer's last words.
    """
    directory = cache_directory() / "environments" / _key(requirements)
    directory.parent.mkdir(parents=True, exist_ok=True)
    interpreter = directory / "bin" / "python"
    complete = directory / "graphgauge-environment.json"
    with FileLock(f"{directory}.lock"):
        if complete.exists():
            return interpreter
        say(f"{what}: installing {' '.join(requirements)}")
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, symlinks=True, with_pip=find_spec("pip") is None)
        _install(interpreter, requirements, what)
        complete.write_text(json.dumps({"requirements": list(requirements)}), encoding="utf-8")
    return interpreter


def _install(interpreter: Path, requirements: Sequence[str], what: str) -> None:
    installer = [sys.executable, "-m", "pip", "--python", str(interpreter)]
    if find_spec("pip") is None:
        installer = [str(interpreter), "-m", "pip"]
    options = ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--"]
    done = subprocess.run(  # the requirements are arguments of their own, never a shell's text
        [*installer, *options, *requirements],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        words = "\n    ".join(lines[-_LAST_WORDS:])
        raise InstallationError(
            f"{what}: {' '.join(requirements)} cannot be installed; the installer said\n    {words}"
        )


def _key(requirements: Sequence[str]) -> str:
    """Named by the interpreter that it is made from and by what is installed into it."""
    asked = json.dumps([sys.version, sys.base_prefix, list(requirements)])
    return hashlib.sha256(asked.encode()).hexdigest()[:16]
