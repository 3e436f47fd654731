"""Launches that are sampled by function: where the time goes is named."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest

from harness.cases import Case, parse_spec
from harness.cli import main
from harness.plan import Version
from harness.profiling import outside
from harness.profiling.functions import OUTSIDE, SIGNAL, Wish, sample_functions
from harness.worker.sampling import MARK, SignalSampler, marked
from results.profiles.functions import rows_by_function

_PLUGIN = str(Path(__file__).with_name("spending.py"))
HERE = Version(label="here", interpreter=sys.executable)


def spending() -> Case:
    """A case of the plugin's evaluator."""
    spec = parse_spec("chain:depth=2,width=2")
    return Case(
        scenario=spec.scenario.name, params=spec.params, evaluator="spending", mode="gradient"
    )


def wish(sampler: str | None, **chosen: object) -> Wish:
    """To sample one launch's compile, unless chosen otherwise."""
    asked = {"phases": ("compile",), "launches": 1, "budget_s": 1.0, **chosen}
    return Wish(sampler=sampler, plugins=(_PLUGIN,), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("sampler", [SIGNAL, OUTSIDE])
def test_functions_have_their_shares(sampler: str) -> None:
    """Three quarters and one quarter of compile, by either sampler, and they add up."""
    if sampler == OUTSIDE and outside.program() is None:
        pytest.skip("py-spy is not installed: pip install '.[profile]'")

    sampled = sample_functions(spending(), [HERE], wish(sampler))

    assert not sampled.failures
    (profile,) = sampled.profiles
    much, little = rows_by_function(sampled.profiles)[:2]
    assert (much.name, little.name) == ("spend_much", "spend_little")
    assert much.file.endswith("spending.py")
    assert much.shares["here"] == pytest.approx(0.75, abs=0.15)
    assert sum(row.seconds for row in profile.readings()) == pytest.approx(profile.seconds)
    assert sampler in profile.source


def test_without_py_spy_the_worker_samples_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so: which sampler, and why not the other."""
    monkeypatch.setattr(outside, "program", lambda: None)

    sampled = sample_functions(spending(), [HERE], wish(None, budget_s=0.3))

    (profile,) = sampled.profiles
    assert profile.source.startswith("timer signal")
    assert any("py-spy is not installed" in remark for remark in sampled.remarks)


def test_a_sampler_that_is_wanted_and_absent_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is put in its place."""
    monkeypatch.setattr(outside, "program", lambda: None)

    sampled = sample_functions(spending(), [HERE], wish(OUTSIDE, budget_s=0.1))

    assert not sampled.profiles
    assert "py-spy is not installed" in sampled.failures["here"].detail


def test_the_first_time_alone_is_one_repeat() -> None:
    """With `first`, each launch goes the road once."""
    sampled = sample_functions(spending(), [HERE], wish(SIGNAL, first=True, launches=2))

    assert [each.repeats for each in sampled.profiles] == [1, 1]
    assert all(each.seconds == each.sampled_seconds for each in sampled.profiles)


def test_a_version_that_cannot_start_drops_out(tmp_path: Path) -> None:
    """The others go on, and its failure is told."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    versions = [HERE, Version(label="broken", interpreter=str(broken))]

    sampled = sample_functions(spending(), versions, wish(SIGNAL, budget_s=0.1))

    assert [each.label for each in sampled.profiles] == ["here"]
    assert sampled.failures["broken"].status == "crash"


def test_two_versions_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what changed, and writes drawings of both and of the difference."""
    asked = ["profile", "chain:depth=2,width=2", "--by", "function", "--evaluator", "spending"]
    sides = ["--sides", f"python:{sys.executable}", f"python:{sys.executable}"]
    effort = ["--phase", "compile", "--launches", "2", "--seconds", "0.3", "--sampler", "signal"]

    code = main([*asked, *sides, *effort, "--plugin", _PLUGIN, "--out", str(tmp_path)])

    shown = capsys.readouterr().out
    assert code == 0
    assert "spend_much" in shown
    assert "difference of the phase" in shown
    assert len(list(tmp_path.glob("*.difference-*.svg"))) == 2
    (file,) = tmp_path.glob("*.speedscope.json")
    profiles = json.loads(file.read_text(encoding="utf-8"))["profiles"]
    assert len(profiles) == 2


def test_a_timeline_has_every_phase(tmp_path: Path) -> None:
    """Phases one after the other, blocks within evaluate, and memory along them."""
    asked = ["profile", "chain:depth=2,width=2", "--timeline", "--evaluator", "straightline"]

    assert main([*asked, "--out", str(tmp_path)]) == 0

    (file,) = tmp_path.glob("*.trace.json")
    events = json.loads(file.read_text(encoding="utf-8"))["traceEvents"]
    spans = [each for each in events if each["ph"] == "X"]
    phases = [each for each in spans if each["cat"] == "phases"]
    assert [each["name"] for each in phases] == [
        "construct", "differentiate", "lower", "compile", "first_call", "evaluate", "teardown",
    ]  # fmt: skip
    for before, after in itertools.pairwise(phases):
        assert before["ts"] + before["dur"] <= after["ts"]
    evaluate = phases[-2]
    for block in (each for each in spans if each["cat"] == "blocks"):
        assert evaluate["ts"] <= block["ts"]
        assert block["ts"] + block["dur"] <= evaluate["ts"] + evaluate["dur"]
    assert sum(each["ph"] == "C" for each in events) > len(phases)


class _Ticks:
    """A clock that goes on by one at each look."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


def test_a_stack_ends_at_its_phase() -> None:
    """The worker's sampler keeps what is below the phase's frame, that frame being outermost."""
    sampler = SignalSampler(1_000, _Ticks())

    def step() -> int:
        turns = 0
        while not sampler.counts and turns < 10**9:
            turns += 1
        return turns

    with sampler:
        assert marked("lower")(step) > 0

    (stack,) = sampler.counts
    assert stack[-1].co_name == f"{MARK}lower"
    assert stack[0] is step.__code__
    assert sampler.weights_ns[stack] > 0
