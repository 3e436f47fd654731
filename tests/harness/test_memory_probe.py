"""Exact counters: bytes that are allocated are seen, wherever they lie."""

from __future__ import annotations

import gc
import mmap

import numpy as np
import pytest

from harness.worker.memory import LinuxProbe, probe_here

_MEBIBYTE = 2**20


@pytest.fixture
def probe() -> LinuxProbe:
    """The probe of this system, with nothing left to collect."""
    gc.collect()
    found = probe_here()
    if not isinstance(found, LinuxProbe) or found.heap_source == found.resident_source:
        pytest.skip("exact counters need Linux and glibc 2.33")
    return found


def test_large_blocks_are_in_the_heap(probe: LinuxProbe) -> None:
    """64 MiB that nobody has touched are allocated, and not resident."""
    heap, in_use, resident = probe.heap(), probe.in_use(), probe.resident()
    block = np.empty(64 * _MEBIBYTE, np.uint8)

    assert probe.heap() - heap == pytest.approx(64 * _MEBIBYTE, rel=0.01)
    assert probe.in_use() - in_use == pytest.approx(64 * _MEBIBYTE, rel=0.01)
    assert probe.resident() - resident < 16 * _MEBIBYTE
    del block
    assert probe.heap() - heap < _MEBIBYTE


def test_python_s_small_objects_are_in_the_heap(probe: LinuxProbe) -> None:
    """A million tuples of one, 48 bytes each, and the list that holds them."""
    heap, in_use = probe.heap(), probe.in_use()
    kept: list[object] = [None] * 1_000_000
    for at in range(len(kept)):
        kept[at] = (kept,)

    expected = 1_000_000 * (48 + 8)
    assert probe.heap() - heap == pytest.approx(expected, rel=0.02)
    assert probe.in_use() - in_use == pytest.approx(expected, rel=0.02)
    kept.clear()


def test_what_is_mapped_beside_the_heap_is_in_use(probe: LinuxProbe) -> None:
    """Private pages that are mapped directly, as code that an engine generates."""
    heap, in_use = probe.heap(), probe.in_use()
    pages = mmap.mmap(-1, 32 * _MEBIBYTE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)

    assert probe.in_use() - in_use == pytest.approx(32 * _MEBIBYTE, rel=0.02)
    assert abs(probe.heap() - heap) < _MEBIBYTE
    pages.close()


def test_the_peak_is_since_the_last_reset(probe: LinuxProbe) -> None:
    """A spike before the reset is in no peak after it."""
    spike = b"\1" * (64 * _MEBIBYTE)
    del spike
    probe.release()
    probe.reset_peak()
    before = probe.peak()

    assert probe.peak() - before < 2 * _MEBIBYTE
    spike = b"\1" * (32 * _MEBIBYTE)
    assert probe.peak() - before == pytest.approx(32 * _MEBIBYTE, rel=0.05)
    del spike


def test_what_python_says_of_its_arenas_reaches_no_one(
    probe: LinuxProbe, capfd: pytest.CaptureFixture[str]
) -> None:
    """The report that is read goes to stderr, which is caught meanwhile."""
    probe.heap()

    assert capfd.readouterr() == ("", "")
