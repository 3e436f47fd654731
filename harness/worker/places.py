"""Where a file stands, said alike in every environment."""

from __future__ import annotations

import sys


def shortened(path: str) -> str:
    """A path from where packages are found."""
    for marker in ("site-packages/", "dist-packages/"):
        _, found, rest = path.rpartition(marker)
        if found:
            return rest
    roots = sorted((each for each in sys.path if each), key=len, reverse=True)
    for root in roots:
        if path.startswith(root.rstrip("/") + "/"):
            return path[len(root.rstrip("/")) + 1 :]
    return path
