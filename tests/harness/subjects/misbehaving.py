"""Evaluators that each do one thing wrong, and a scenario for them: a plugin file."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from evaluators import catalog
from evaluators.protocol import Evaluator
from networks import Builder, Network
from scenarios.scenario import scenario

_HONEST: Evaluator = catalog.get("interpreter")


class Misbehaving:
    """The plain interpreter, but for what happens when it compiles and when it is called."""

    dtype = "float32"

    def __init__(
        self,
        name: str,
        *,
        compiling: Callable[[], None] = lambda: None,
        calling: Callable[[list[Any]], Any] = lambda result: result,
        refusal: str | None = None,
    ) -> None:
        self.name = name
        self._compiling = compiling
        self._calling = calling
        self._refusal = refusal

    def version(self) -> str:
        return "0"

    def refuse(self, network: Network, mode: str) -> str | None:
        return self._refusal

    def lower(self, network: Network, mode: str) -> object:
        return _HONEST.lower(network, mode)

    def compile(self, lowered: Any) -> Any:
        self._compiling()
        function = _HONEST.compile(lowered)
        return lambda weights, data: self._calling(function(weights, data))


def _raise() -> None:
    raise ValueError("first line\nsecond line")


def _recurse() -> None:
    _recurse()


def _segfault() -> None:
    ctypes.string_at(0)


def _allocate_without_end() -> None:
    kept = []
    while True:
        kept.append(np.ones(2**24))


def _print_our_words() -> None:
    print('{"message": "Elapsed", "phase": "compile", "elapsed_ns": 1}')
    sys.stdout.write("x" * 1_000_000 + "\n")
    sys.stdout.flush()


def _close_everything() -> None:
    os.closerange(0, 256)
    time.sleep(600)


def _leave_a_child() -> None:
    subprocess.Popen(["sleep", "600"])


def _spike() -> None:
    spike = np.ones(300 * 2**20, np.uint8)
    del spike


for evaluator in (
    Misbehaving("honest"),
    Misbehaving("raising", compiling=_raise),
    Misbehaving("recursing", compiling=_recurse),
    Misbehaving("crashing", compiling=_segfault),
    Misbehaving("exiting", compiling=lambda: os._exit(0)),
    Misbehaving("leaving", compiling=lambda: sys.exit(3)),
    Misbehaving("closing", compiling=_close_everything),
    Misbehaving("killing", compiling=lambda: os.kill(os.getpid(), signal.SIGKILL)),
    Misbehaving("hanging", compiling=lambda: time.sleep(600)),
    Misbehaving("greedy", compiling=_allocate_without_end),
    Misbehaving("talking", compiling=_print_our_words),
    Misbehaving("parenting", compiling=_leave_a_child),
    Misbehaving("spiking", compiling=_spike),
    Misbehaving("wrong", calling=lambda result: [each + 1 for each in result]),
    Misbehaving("shapeless", calling=lambda result: result[0]),
    Misbehaving("refusing", refusal="not today"),
):
    catalog.register(evaluator)


@scenario("tiny", defaults={"width": 4}, provenance="a test")
def tiny(net: Builder, *, width: int) -> None:
    """One product and its sum."""
    y = net.weight("w", (width,)) * net.data("x", (width,))
    net.output(y)
    net.loss((y * y)[0])
