"""What a process prints: read so that it never waits for us, and remembered by its end."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from typing import IO

_CHUNK_BYTES = 4096
_KEPT_BYTES = 1 << 16
_SHOWN = 300
_DUMP = b"Fatal Python error: "
_FRAME = re.compile(r'^ *File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<function>.*)$', re.M)


class OutputTail:
    """Drains a stream in a thread of its own, and keeps the end of what was there."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._kept = b""
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        assert self._stream is not None
        with contextlib.suppress(ValueError, OSError):
            while chunk := os.read(self._stream.fileno(), _CHUNK_BYTES):
                self._kept = (self._kept + chunk)[-_KEPT_BYTES:]

    def last_words(self) -> str:
        """Where Python says that it died; else the last line that is not blank."""
        self._thread.join(timeout=0.2)
        return last_words(self._kept)

    def close(self) -> None:
        """Stop reading."""
        self._thread.join(timeout=1.0)
        if self._stream is not None:
            self._stream.close()


def last_words(output: bytes) -> str:
    """What the end of a process's output says of its death; empty where it says nothing.

    A dump of `faulthandler` names the innermost frame of the thread that died.
    """
    before, found, dump = output.rpartition(_DUMP)
    frame = _FRAME.search(dump.decode("utf-8", "replace")) if found else None
    place = ""
    if frame is not None:
        place = f"in {frame['function']} ({os.path.basename(frame['file'])}:{frame['line']})"
    text = (before if found else output)[-_CHUNK_BYTES:].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = f"it last said: {lines[-1][:_SHOWN]}" if lines else ""
    return "; ".join(each for each in (place, said) if each)
