"""What a row says of an exception."""

from __future__ import annotations

import pytest

from harness.worker.exceptions import one_line


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no such name\nmore of it", "ValueError: no such name"),
        (
            "Exception from a/core.cpp:117:\nfrom plugin.cpp:54:\n"
            "Check 'n < size' failed at b/assign.cpp:201:\n  No room:\n\nno registers\nmore of it",
            "ValueError: Check 'n < size' failed at b/assign.cpp:201: No room: no registers",
        ),
        ("Exception from core.cpp:117:", "ValueError: Exception from core.cpp:117:"),
        ("only this:", "ValueError: only this:"),
        ("", "ValueError"),
    ],
    ids=["first line", "introduced", "a place alone", "nothing follows", "empty"],
)
def test_a_message_is_told_until_it_says_something(message: str, expected: str) -> None:
    """Its first line that is no place, and what follows as long as a line ends with a colon."""
    assert one_line(ValueError(message)) == expected
