"""The directory that is sent to a foreign interpreter: our own worker-side packages, nothing else.

A worker must see its own environment's packages and not the controller's, so it is started on a
directory that holds copies of just what it imports. The directory is named by what is in it and
kept, so that its bytecode is compiled once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

_HALF_FILLED = "half-filled-"
_LONG_AGO_S = 3600.0
_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("networks", "evaluators", "scenarios", "harness/worker")
_MAIN = """\
import gc
import mmap
import os
import sys

if sys.argv[5]:
    os.sched_setaffinity(0, map(int, sys.argv[5].split(",")))
pages, heap_bytes = map(int, sys.argv[6:8])
padding = mmap.mmap(-1, pages * mmap.PAGESIZE) if pages else None, bytearray(heap_bytes)

gc.disable()
from harness.worker.service import main
gc.enable()

main(sys.argv[1:])
"""
"""Imports take most of a worker's start, so it is let off its parent's CPU before them, and spared
collections that find nothing. The padding moves all that comes after it; it is never touched."""


@cache
def payload_directory() -> Path:
    """A directory that a worker can be started on with `python DIRECTORY`; made if it is new."""
    files = _files()
    directory = cache_directory() / "payload" / _digest(files)
    if not directory.is_dir():
        _fill(directory, files)
    return directory


def cache_directory() -> Path:
    """Where things are kept that can be made again: $GRAPHGAUGE_CACHE, or the user's cache."""
    named = os.environ.get("GRAPHGAUGE_CACHE")
    if named:
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "graphgauge"


def _files() -> dict[str, bytes]:
    """Content by path within the directory."""
    found = {"__main__.py": _MAIN.encode(), "harness/__init__.py": b""}
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            found[path.relative_to(_ROOT).as_posix()] = path.read_bytes()
    return found


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0" + content + b"\0")
    return digest.hexdigest()[:20]


def _fill(directory: Path, files: dict[str, bytes]) -> None:
    """Write the files beside their place and move them there at once: two runs may do it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    _clear_half_filled(directory.parent)
    fresh = Path(tempfile.mkdtemp(prefix=_HALF_FILLED, dir=directory.parent))
    try:
        for name, content in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        fresh.chmod(0o755)
        fresh.rename(directory)
    except OSError:
        if not directory.is_dir():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _clear_half_filled(parent: Path) -> None:
    """Remove what was being filled when it was killed."""
    for path in parent.glob(f"{_HALF_FILLED}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LONG_AGO_S:
                shutil.rmtree(path)
