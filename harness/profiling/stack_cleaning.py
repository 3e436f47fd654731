"""Native stacks as a reader of Python wants them.

A sampler that sees native frames sees the interpreter's own too. What the interpreter and the C
library do is done for the function that is running, so it is counted there; the cyclic collector
is a row of its own, for it comes when it wants to; and what another library does is that library's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from harness.profiling.places import place
from harness.worker.sampling import MARK
from results.profiles.stacks import Frame

COLLECTOR: Final = Frame(name="(cyclic garbage collector)", file="", line=None)
_INTERPRETER: Final = re.compile(
    r"(libpython3[\w.]*|python3?(\.\d+)?\w?|ld-linux.*|ld-musl.*|lib(c|m|pthread|dl|rt|gcc_s|stdc\+\+)[.-].*"
    r"|linux-vdso.*|\[vdso\])"
)
_ADDRESS: Final = re.compile(r"0x[0-9a-f]+")
_COLLECTING: Final = re.compile(r"_?(py)?gc_?collect\w*", re.IGNORECASE)


def cleaned(frames: Iterable[Frame]) -> tuple[str, tuple[Frame, ...]] | None:
    """The phase that the stack is in and what stands within it; None outside every phase."""
    rest = iter(frames)
    for frame in rest:
        if frame.name.startswith(MARK):
            return frame.name.removeprefix(MARK), tuple(_within(rest))
    return None


def _within(frames: Iterable[Frame]) -> Iterator[Frame]:
    last = None
    for frame in frames:
        if _is_python(frame):
            last = Frame(name=frame.name, file=place(frame.file), line=frame.line)
            yield last
            continue
        library = PurePath(frame.file).name
        if _INTERPRETER.fullmatch(library):
            if _COLLECTING.fullmatch(frame.name):
                yield COLLECTOR
                return
            continue
        name = "(native, no symbol)" if _ADDRESS.fullmatch(frame.name) else frame.name
        native = Frame(name=name, file=library, line=None)
        if native != last:  # a library without symbols is one frame, however deep
            yield native
        last = native


def _is_python(frame: Frame) -> bool:
    return frame.file.endswith(".py") or frame.file.startswith("<")
