"""Messages survive the pipe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from harness.worker import messages as m

_texts = st.text(max_size=20)


@given(phase=_texts, status=_texts, detail=_texts)
def test_what_is_encoded_is_decoded_whole(phase: str, status: str, detail: str) -> None:
    """A message comes back equal, on one line, whatever characters its texts hold."""
    message = m.Failure(phase=phase, status=status, detail=detail)

    line = m.encode(message)

    assert m.decode(line) == message
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    "message",
    [
        m.Open("mlp", {"depth": 2}, "planned", "output", None, 1, ["a.py"], True),
        m.Blocks(elapsed_ns=[1, 2], calls=3, evidence=[[0, 1, 2, 0, None, None]] * 2),
        m.Check(),
    ],
)
def test_every_shape_of_message_comes_back(message: m.Message) -> None:
    """Nested lists and dicts, None and empty messages come back equal."""
    assert m.decode(m.encode(message)) == message


def test_numpy_numbers_are_sent_as_numbers() -> None:
    """A NumPy scalar in a message arrives as a plain number."""
    sent = m.Checked(max_relative_error=np.float64(0.5), problem="")

    assert m.decode(m.encode(sent)) == m.Checked(max_relative_error=0.5, problem="")


@pytest.mark.parametrize("line", [b"{}", b"[]", b"loss: 3", b'{"message": "Open"}', b"\xff"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    """Anything but a message of ours is a ValueError, never a message with holes."""
    with pytest.raises(ValueError):  # noqa: PT011 - json's own messages differ
        m.decode(line)
