"""Evaluators with one defect each, and a scenario for them: a plugin file.

    graphgauge run --plugin benchmarks/planted_defects.py --scenario tiny_planted --evaluator cycle

Each is the plain interpreter, but for what happens in one of its phases. `tests/harness` and
`benchmarks/memory.py` say what must be told of them. `PLANTED_CALL_SECONDS` in the environment
makes every call last so long, and `PLANTED_SPIKE_SECONDS` every spike (a millisecond otherwise).
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from evaluators import catalog
from evaluators.protocol import Arrays, Data, Function, Weights
from harness.worker import preparation
from networks import Builder, Network, functions as f
from scenarios.scenario import scenario

SPIKE_BYTES = 300 * 2**20
KEPT_BYTES = 50 * 2**20
NATIVE_BYTES = 8 * 2**20
CACHE_BYTES, CACHE_CALLS = 4_000_000, 50
SLOWING_PER_CALL = 1e-5
"""1 % per 1,000 calls."""

_CALL_SECONDS = float(os.environ.get("PLANTED_CALL_SECONDS", "0"))
_SPIKE_SECONDS = float(os.environ.get("PLANTED_SPIKE_SECONDS", "0.001"))
_HONEST = catalog.get("interpreter")
_kept: list[Any] = []


class _Chain:
    """Tuples that each hold the one before."""

    head: Any = None


class _Teller:
    """Spikes when it is freed."""

    def __del__(self) -> None:
        spike()


class Planted:
    """The interpreter, with something planted."""

    dtype = "float32"

    def __init__(
        self,
        name: str,
        *,
        lowering: Callable[[], None] = lambda: None,
        compiling: Callable[[], object] = lambda: None,
        calling: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.name = name
        self._lowering = lowering
        self._compiling = compiling
        self._calling = calling

    def version(self) -> str:
        """Ours."""
        return "0"

    def refuse(self, network: Network, mode: str) -> str | None:
        """Take what the interpreter takes."""
        return _HONEST.refuse(network, mode)

    def lower(self, network: Network, mode: str) -> object:
        """Lower as the interpreter does."""
        self._lowering()
        return _HONEST.lower(network, mode)

    def compile(self, lowered: Any) -> Function:
        """Compile as the interpreter does; `companion` lives as long as the function."""
        companion = self._compiling()
        function = _HONEST.compile(lowered)
        calling = self._calling
        number = 0

        def call(weights: Weights, data: Data) -> Arrays:
            nonlocal number
            number += 1
            calling(number)
            if _CALL_SECONDS:
                _spin(_CALL_SECONDS)
            return function(weights, data)

        call.companion = companion  # type: ignore[attr-defined]
        return call


def spike() -> None:
    """Touch 300 MiB, hold them for a moment, and let go."""
    pages = mmap.mmap(-1, SPIKE_BYTES)
    for at in range(0, SPIKE_BYTES, mmap.PAGESIZE):
        pages[at] = 1
    time.sleep(_SPIKE_SECONDS)
    pages.close()


def _spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


_chain = _Chain()
_libc = ctypes.CDLL(None)


def _link(_number: int) -> None:
    """80 bytes: a collector's header of 16, a tuple's of 24, and five references."""
    _chain.head = (_chain.head, None, None, None, None)


def _fill_cache(number: int) -> None:
    if number <= CACHE_CALLS:
        _kept.append(bytearray(CACHE_BYTES // CACHE_CALLS))


def _tie_a_knot(_number: int) -> None:
    knot: list[Any] = [bytearray(1_000)]
    knot.append(knot)


def _slow_down(number: int) -> None:
    for _ in range(int(5_000 * (1 + SLOWING_PER_CALL * number))):
        pass


def _keep() -> None:
    _kept.append(np.ones(KEPT_BYTES, np.uint8))


def _keep_natively() -> None:
    """In a library's own memory, of which Python knows nothing."""
    database = sqlite3.connect(":memory:")
    database.execute("create table kept (bytes blob)")
    database.execute("insert into kept values (zeroblob(?))", (NATIVE_BYTES,))
    _kept.append(database)


def _keep_once() -> None:
    if not _kept:
        _keep()


def _spike_first(number: int) -> None:
    """In the first call alone, and in the one that follows to be kept."""
    if number <= 2:
        spike()


def _spike_later(number: int) -> None:
    if number == 10:
        spike()


for evaluator in (
    Planted("nothing"),
    Planted("objects_80", calling=_link),
    Planted("numpy_65536", calling=lambda _: _kept.append(np.ones(65_536, np.uint8))),
    Planted("malloc_16", calling=lambda _: _libc.malloc(ctypes.c_size_t(16))),
    Planted("cache_4mb", calling=_fill_cache),
    Planted("cycle", calling=_tie_a_knot),
    Planted("slowing", calling=_slow_down),
    Planted("keeps_each", compiling=_keep),
    Planted("keeps_once", compiling=_keep_once),
    Planted("keeps_natively", compiling=_keep_natively),
    Planted("spike_lower", lowering=spike),
    Planted("spike_compile", compiling=spike),
    Planted("spike_first_call", calling=_spike_first),
    Planted("spike_evaluate", calling=_spike_later),
    Planted("spike_teardown", compiling=_Teller),
):
    catalog.register(evaluator)


@scenario("tiny_planted", defaults={"spiking": ""}, provenance="issue 4")
def tiny_planted(net: Builder, *, spiking: str) -> None:
    """One product and the sum of its squares; `spiking` names a phase of ours that spikes."""
    if spiking == "construct":
        spike()
    if spiking == "differentiate":
        preparation.simplify = _spiking_simplify
    y = net.weight("w", (16,)) * net.data("x", (16,))
    net.output(y)
    net.loss(f.sum(y * y))


_simplify = preparation.simplify


def _spiking_simplify(network: Network) -> Network:
    spike()
    return _simplify(network)
