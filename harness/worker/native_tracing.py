"""Attribution of native allocations too: memray sees every call of malloc, mmap and their kin.

memray (docs/decisions/0043-memray.md) is imported from the subject's own environment, where it may
be absent. It knows the Python stack and the native one, and puts the native frames where they were.
"""

from __future__ import annotations

import gc
import linecache
import os
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from harness.worker.places import shortened

_MOST_FRAMES = 96
_MOST_NAME = 80
"""Letters of a native function's name: C++ has long ones."""
_INTERPRETER = ("Objects/", "Python/", "Modules/", "./Include/", "Parser/")
"""Where CPython's own sources lie: its frames stand between any two of Python."""
_GLUE = ("pybind11::", "nanobind::", "_Py", "Py", "cfunction_", "vectorcall_", "method_", "type_")
"""Functions that only lead from Python into an engine."""

Site = tuple[list[str], str, int]
_Sizes = Counter[tuple[tuple[str, ...], str]]
"""Bytes by stack, outermost first, and by what the line says."""


class NativeTrace(NamedTuple):
    """Sites of a first round's peak, of what it left behind, and of what each later one did."""

    peak: list[Site]
    once: list[Site]
    each: list[Site]
    peak_bytes: int
    seen_bytes: int


def trace_natively(a_round: Callable[[], None], rounds: int, most: int) -> NativeTrace:
    """Trace a first round, then so many rounds, and then twice as many.

    What a round leaves behind is the difference of the last two: something that each round
    replaces is there once at the end of both.

    Args:
        a_round: takes the whole road and drops everything.
        rounds: after the first.
        most: how many sites to tell of each kind, the largest.
    """
    first = _traced(a_round, 1)
    some, twice = _traced(a_round, rounds), _traced(a_round, 2 * rounds)
    growth = Counter(
        {site: (size - some.left[site]) // rounds for site, size in twice.left.items()}
    )
    return NativeTrace(
        peak=_largest(first.peak, most),
        once=_largest(first.left, most),
        each=_largest(growth, most),
        peak_bytes=first.peak_bytes,
        seen_bytes=sum(first.peak.values()),
    )


class _Traced(NamedTuple):
    peak: _Sizes
    left: _Sizes
    peak_bytes: int


def _traced(a_round: Callable[[], None], rounds: int) -> _Traced:
    import tempfile  # noqa: PLC0415 - slow to import, and every launch would have to

    import memray  # noqa: PLC0415 - optional, and of the subject's environment

    gc.collect()
    with tempfile.TemporaryDirectory(prefix="graphgauge-memray-") as folder:
        file = os.path.join(folder, "allocations.bin")
        with memray.Tracker(
            file,
            native_traces=True,
            trace_python_allocators=True,
            file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS,
        ):
            for _ in range(rounds):
                a_round()
            gc.collect()
        with memray.FileReader(file) as reader:
            return _Traced(
                peak=_by_site(reader.get_high_watermark_allocation_records(merge_threads=True)),
                left=_by_site(reader.get_leaked_allocation_records(merge_threads=True)),
                peak_bytes=reader.metadata.peak_memory,
            )


def _by_site(records: Iterable[Any]) -> _Sizes:
    sizes: _Sizes = Counter()
    for record in records:
        sizes[_site(record)] += record.size
    return sizes


def _site(record: Any) -> tuple[tuple[str, ...], str]:
    """The stack, and the text of its innermost line with the native function that it led to.

    Frames below that line, native ones and those of numpy, are told as `function [file]`.
    """
    python = set(record.stack_trace(_MOST_FRAMES))
    frames = record.hybrid_stack_trace(_MOST_FRAMES)[::-1]
    lines = [at for at, frame in enumerate(frames) if frame in python and not _is_numpy(frame)]
    innermost = lines[-1] if lines else -1
    stack = []
    natives = []
    for at, frame in enumerate(frames):
        function, path, number = frame
        if frame in python and at <= innermost:
            stack.append(f"{shortened(path)}:{number}")
        elif not path.startswith(_INTERPRETER):
            stack.append(f"{function[:_MOST_NAME]} [{_file(path)}]")
            if at > innermost and not function.startswith(_GLUE):
                natives.append(function[:_MOST_NAME])
    text = ""
    if lines:
        _, path, number = frames[innermost]
        text = linecache.getline(path, number).strip()
    entry = f" → {natives[0]}" if natives else ""
    return tuple(stack) or ("(no frame)",), f"{text}{entry}".strip()


def _is_numpy(frame: tuple[str, str, int]) -> bool:
    return shortened(frame[1]).startswith("numpy/")


def _file(path: str) -> str:
    return "native" if path == "<unknown>" else shortened(path)


def _largest(sizes: _Sizes, most: int) -> list[Site]:
    found = [(site, size) for site, size in sizes.items() if size > 0]
    found.sort(key=lambda each: each[1], reverse=True)
    return [(list(stack), text, size) for (stack, text), size in found[:most]]
