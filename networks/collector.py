"""The cyclic garbage collector while many nodes are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the cyclic collector, and put it back as it was.

    Networks have no cycles, so the collector can free nothing while one is built; but it would
    walk all living nodes again each time their number has grown by a quarter. At a million nodes
    that is most of the time of construction.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
