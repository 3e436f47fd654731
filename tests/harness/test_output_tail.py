"""What is told of the last words of a process."""

from __future__ import annotations

import pytest

from harness.output_tail import last_words

_DUMP = b"""
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/home/me/mine.py", line 7 in compile

Extension modules: numpy._core._multiarray_umath (total: 1)
"""


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (b"", ""),
        (b"\n \n", ""),
        (b"one\ntwo \n\n", "it last said: two"),
        (_DUMP, "in string_at (__init__.py:519)"),
        (b"loading\n" + _DUMP, "in string_at (__init__.py:519); it last said: loading"),
        (b"Fatal Python error: Aborted\n", ""),
        (b"\xff" * 400, "it last said: " + "\N{REPLACEMENT CHARACTER}" * 300),
    ],
)
def test_the_innermost_frame_or_else_the_last_line(output: bytes, told: str) -> None:
    """Python's own dump says where it died; without one, the last line that is not blank."""
    assert last_words(output) == told
