"""The subcommands, each imported when it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.commands.catalog import NAMES, command


@pytest.mark.parametrize("name", NAMES)
def test_a_command_is_found_by_its_own_name(name: str) -> None:
    """What help lists is what the command calls itself."""
    assert command(name).name == name


def test_a_command_imports_no_other() -> None:
    """`compare` does without the module of `versus`."""
    script = (
        "import sys; from harness.cli import _parser; _parser(['compare']);"
        "print('harness.commands.compare' in sys.modules, 'harness.commands.versus' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == ["True", "False"]


def test_versus_starts_without_what_judges() -> None:
    """It is imported while the first processes start, and takes about as long as they do."""
    script = (
        "import sys; from harness.cli import _parser; _parser(['versus']);"
        "print({'pandas', 'scipy.special', 'harness.commands.judging'} & sys.modules.keys())"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "set()"
