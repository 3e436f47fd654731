"""What a launch's processes hold, looked at from outside."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from harness.memory_watch import _PROPORTIONAL, _RESIDENT, Counters, held

_HOLDING = """\
import sys
open("/proc/self/comm", "wb").write(bytes.fromhex(sys.argv[1]))
kept = bytearray(32 << 20)
print(flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's /proc")
@pytest.mark.parametrize("counters", [_RESIDENT, _PROPORTIONAL])
@pytest.mark.parametrize("name", [b"python", b"\xff\xfe", b"a\xc3"])
def test_a_process_is_looked_at_whatever_its_name(counters: Counters, name: bytes) -> None:
    """Its name may be any bytes, and stands among the lines that are read."""
    command = [sys.executable, "-S", "-c", _HOLDING, name.hex()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = held(psutil.Process(process.pid), counters)
        process.communicate()

    assert found > 32 * 2**20
