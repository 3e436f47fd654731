"""Where a function stands, said alike in every environment and on every machine."""

from __future__ import annotations

import re
from pathlib import Path

from harness.payload import payload_directory

_PACKAGES = re.compile(r".*/(?:site|dist)-packages/(.+)")
_STANDARD = re.compile(r".*/lib(?:64)?/python3\.\d+/(.+)")


def place(path: str) -> str:
    """A path from where packages are found; what stands nowhere there keeps its whole path."""
    for root in (str(payload_directory()), str(Path.cwd())):
        if path.startswith(root + "/"):
            return path[len(root) + 1 :]
    for pattern in (_PACKAGES, _STANDARD):
        found = pattern.fullmatch(path)
        if found:
            return found[1]
    return path
