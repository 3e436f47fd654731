"""The subcommands, each imported when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from harness.commands.catalog import NAMES, command


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_found_by_its_own_name(name: str) -> None:
    """What help lists is what the command calls itself."""
    assert command(name).name == name


def test_a_command_imports_no_other() -> None:
    """`compare` does without the module of `versus`."""
    modules = ["harness.commands.compare", "harness.commands.versus"]

    assert _imported_for("compare", modules) == ["harness.commands.compare"]


def test_versus_starts_without_what_judges() -> None:
    """It is imported while the first processes start, and takes about as long as they do."""
    modules = ["harness.commands.versus", "harness.commands.judging", "pandas", "scipy.special"]

    assert _imported_for("versus", modules) == ["harness.commands.versus"]


def _imported_for(name: str, modules: Sequence[str]) -> list[str]:
    """Those of the modules that a process has imported when it knows the command's arguments."""
    script = (
        f"import sys; from harness.cli import _parser; _parser([{name!r}]);"
        "print(*(each for each in sys.argv[1:] if each in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *modules], capture_output=True, text=True, check=True
    )
    return done.stdout.split()
