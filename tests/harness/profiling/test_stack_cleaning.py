"""Native stacks, as a reader of Python wants them."""

from __future__ import annotations

from harness.profiling.outside import stacks_by_phase
from harness.profiling.places import place
from harness.profiling.stack_cleaning import COLLECTOR, cleaned
from harness.worker.sampling import MARK
from results.profiles.stacks import Frame

PYTHON = "/opt/lib/libpython3.12.so.1.0"
ENGINE = "/env/lib/python3.12/site-packages/engine/_native.so"


def frame(name: str, file: str) -> Frame:
    """A frame as a sampler gives it."""
    return Frame(name=name, file=file, line=1)


MARKED = frame(f"{MARK}compile", "profiling.py")
OWN = frame("Engine.compile", "/env/lib/python3.12/site-packages/engine/core.py")


def test_a_stack_outside_every_phase_is_dropped() -> None:
    """No phase's frame, no row."""
    assert cleaned([frame("main", "a.py"), OWN]) is None


def test_what_the_interpreter_does_is_done_for_the_function() -> None:
    """Frames of the interpreter and the C library are left out; the function stays innermost."""
    found = cleaned(
        [
            frame("main", "a.py"),
            MARKED,
            OWN,
            frame("PyDict_GetItem", PYTHON),
            frame("malloc", "/usr/lib/libc.so.6"),
        ]
    )

    assert found is not None
    phase, (innermost,) = found
    assert phase == "compile"
    assert (innermost.name, innermost.file) == ("Engine.compile", "engine/core.py")


def test_what_an_engine_does_is_its_librarys() -> None:
    """Its functions are frames; without symbols they are one, whatever their addresses."""
    found = cleaned(
        [
            MARKED,
            OWN,
            frame("optimise", ENGINE),
            frame("0x7f01", ENGINE),
            frame("0x7f02", ENGINE),
            frame("memcpy", "/usr/lib/libc.so.6"),
        ]
    )

    assert found is not None
    assert [(each.name, each.file) for each in found[1]] == [
        ("Engine.compile", "engine/core.py"),
        ("optimise", "_native.so"),
        ("(native, no symbol)", "_native.so"),
    ]


def test_the_collector_is_a_row_of_its_own() -> None:
    """It comes when it wants to, so it is charged to nobody; what it calls is not told."""
    found = cleaned([MARKED, OWN, frame("gc_collect_main", PYTHON), frame("free", ENGINE)])

    assert found is not None
    assert found[1][-1] == COLLECTOR


def test_samples_of_all_threads_are_read() -> None:
    """Weights and counts of equal stacks add up; a thread outside the phases counts for nothing."""
    names = [MARKED, OWN, frame("PyDict_GetItem", PYTHON), frame("waits", "threading.py")]
    told = {
        "shared": {"frames": [{"name": e.name, "file": e.file, "line": 1} for e in names]},
        "profiles": [
            {"samples": [[0, 1], [0, 1, 2], [0]], "weights": [0.5, 0.25, 1]},
            {"samples": [[3]], "weights": [7]},
        ],
    }

    (phase, stacks), *others = stacks_by_phase(told).items()

    assert (phase, others) == ("compile", [])
    assert {each.frames[-1:]: (each.weight, each.samples) for each in stacks} == {
        (frame("Engine.compile", "engine/core.py"),): (0.75, 2),
        (): (1, 1),
    }


def test_a_place_is_said_alike_everywhere() -> None:
    """From where packages are found, in whatever environment and Python; the rest is whole."""
    for environment in ("/env/lib/python3.12/site-packages", "/usr/lib/python3/dist-packages"):
        assert place(f"{environment}/jax/core.py") == "jax/core.py"
    assert place("/usr/lib/python3.11/json/decoder.py") == "json/decoder.py"
    assert place("/somewhere/plugin.py") == "/somewhere/plugin.py"
