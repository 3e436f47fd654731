"""What a row says of an exception."""

from __future__ import annotations

import pytest

from harness.worker.exceptions import one_line


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no such name\nmore of it", "ValueError: no such name"),
        (
            "from core.cpp:117:\n  from plugin.cpp:54:\n\nno registers\n",
            "ValueError: from core.cpp:117: from plugin.cpp:54: no registers",
        ),
        ("only this:", "ValueError: only this:"),
        ("", "ValueError"),
    ],
    ids=["first line", "introduced", "nothing follows", "empty"],
)
def test_a_message_is_told_until_it_says_something(message: str, expected: str) -> None:
    """Its first line, and what follows as long as a line ends with a colon."""
    assert one_line(ValueError(message)) == expected
