"""What goes to standard output for programs: exact in a file or a pipe, harmless on a terminal."""

from __future__ import annotations

import sys

from results.formats.wording import without_controls


def write_out(text: str) -> None:
    """Write `text`; where standard output is a terminal, control characters are shown, not obeyed.

    CSV and JSON carry texts of tables as they are, and a terminal would run what it takes for
    commands in them. `ls` makes the same distinction.
    """
    sys.stdout.write(without_controls(text) if sys.stdout.isatty() else text)
