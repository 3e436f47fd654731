"""What is written beside a profile's tables: flame graphs and files that viewers open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.cases import Case
from results.flame import differential_flame_graph, flame_graph
from results.profiles.reading import ProfileReading
from results.profiles.speedscope import speedscope_file
from results.profiles.stacks import PhaseProfile, WeighedStack, mean_of
from results.profiles.step_stacks import step_stacks


def file_stem(*parts: str) -> str:
    """A file's name made of what it is about, with nothing in it that a system forbids."""
    return "".join(c if c.isalnum() or c in "-_=." else "-" for c in "-".join(parts))


def write_pictures(case: Case, profiles: Sequence[PhaseProfile], folder: Path) -> list[Path]:
    """A flame graph for each version, one for the difference of two, and a speedscope file."""
    written: dict[str, str] = {}
    name = file_stem(case.evaluator, case.scenario, case.mode)
    for phase in dict.fromkeys(each.phase for each in profiles):
        of_phase = [each for each in profiles if each.phase == phase]
        stacks = {
            label: mean_of(each.weighed() for each in of_phase if each.label == label)
            for label in dict.fromkeys(each.label for each in of_phase)
        }
        written |= _drawn(f"{name}-{phase}", f"{case}, {phase}", stacks)
    return _written(folder, written)


def write_step_pictures(
    name: str, title: str, readings: Sequence[ProfileReading], folder: Path
) -> list[Path]:
    """The same of a call's lines, operators and nodes."""
    labels = dict.fromkeys(each.label for each in readings)
    stacks = {label: step_stacks(readings, label) for label in labels}
    return _written(folder, _drawn(name, title, stacks))


def _written(folder: Path, files: Mapping[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in files]


def _drawn(name: str, title: str, stacks: dict[str, list[WeighedStack]]) -> dict[str, str]:
    """Files by name."""
    files = {
        f"{name}-{file_stem(label)}.svg": flame_graph(of_label, f"{label}, {title}", "s")
        for label, of_label in stacks.items()
    }
    base, *candidates = stacks
    if candidates:
        files |= _differences(name, title, base, candidates[-1], stacks)
    files[f"{name}.speedscope.json"] = speedscope_file(stacks, title)
    return files


def _differences(
    name: str, title: str, base: str, candidate: str, stacks: dict[str, list[WeighedStack]]
) -> dict[str, str]:
    return {
        f"{name}.difference-{side}.svg": differential_flame_graph(
            stacks[shown],
            stacks[other],
            f"{shown} against {other}, {title}",
        )
        for side, shown, other in (("candidate", candidate, base), ("base", base, candidate))
    }
