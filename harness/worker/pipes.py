"""The worker's end of its two pipes to the controller, kept apart from what a subject does to them.

A subject shares this process: it can close descriptors, have them reused by files of its own, and
fork a second process that goes on as if it were the worker. None of that may reach a file of the
user's, or pass for an answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from harness.worker.messages import LOST_PIPES_EXIT


class Pipes:
    """Questions come in as lines, and go out answered, each with its question's token."""

    def __init__(self, questions_fd: int, replies_fd: int) -> None:
        self._fds = (questions_fd, replies_fd)
        self._process = os.getpid()
        # The subject's children must not hold our pipes: their end is how the controller sees ours.
        for fd in self._fds:
            os.set_inheritable(fd, False)
        self._identities = self._identified()
        self._questions = os.fdopen(questions_fd, "rb", closefd=False)
        self._token = b""

    def questions(self) -> Iterator[bytes]:
        """Every question that comes, until the controller hangs up."""
        for line in self._questions:
            self._token, _, content = line.partition(b" ")
            yield content

    def reply(self, line: bytes) -> None:
        """Answer the question that came last; the process ends if the pipes are no longer ours."""
        if os.getpid() != self._process:
            os._exit(0)  # a fork of the subject's, which came out where it went in
        if self._identified() != self._identities:
            os._exit(LOST_PIPES_EXIT)
        view = memoryview(self._token + b" " + line)
        while view:
            view = view[os.write(self._fds[1], view) :]

    def _identified(self) -> list[tuple[int, int]] | None:
        """Which files the descriptors stand for now; None where they are closed."""
        try:
            found = [os.fstat(fd) for fd in self._fds]
        except OSError:
            return None
        return [(each.st_dev, each.st_ino) for each in found]
