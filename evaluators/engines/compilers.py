"""Which of the system's compilers an engine can be given."""

from __future__ import annotations

import os
import shutil


def clang() -> str | None:
    """CC if that is a clang, else the one on PATH, under its own name or with a number; or None."""
    asked = os.environ.get("CC", "")
    named = [asked] if "clang" in asked else []
    numbered = [f"clang-{number}" for number in range(40, 10, -1)]
    return next(filter(None, map(shutil.which, [*named, "clang", *numbered])), None)
