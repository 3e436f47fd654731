"""What is written beside a profile's tables: flame graphs and files that viewers open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.cases import Case
from results.flame import differential_flame_graph, flame_graph
from results.profiles.speedscope import speedscope_file
from results.profiles.stacks import PhaseProfile, WeighedStack, mean_of


def file_stem(*parts: str) -> str:
    """A file's name made of what it is about, with nothing in it that a system forbids."""
    return "".join(c if c.isalnum() or c in "-_=." else "-" for c in "-".join(parts))


def write_pictures(case: Case, profiles: Sequence[PhaseProfile], folder: Path) -> list[Path]:
    """A flame graph for each version, one for the difference of two, and a speedscope file."""
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, str] = {}
    name = file_stem(case.evaluator, case.scenario, case.mode)
    for phase in dict.fromkeys(each.phase for each in profiles):
        of_phase = [each for each in profiles if each.phase == phase]
        labels = list(dict.fromkeys(each.label for each in of_phase))
        stacks = {
            label: mean_of(each.weighed() for each in of_phase if each.label == label)
            for label in labels
        }
        title = f"{case}, {phase}"
        for label in labels:
            drawn = flame_graph(stacks[label], f"{label}, {title}", "s")
            written[f"{name}-{phase}-{file_stem(label)}.svg"] = drawn
        if len(labels) > 1:
            written |= _differences(f"{name}-{phase}", title, labels[0], labels[-1], stacks)
        written[f"{name}-{phase}.speedscope.json"] = speedscope_file(stacks, title)
    for file, text in written.items():
        (folder / file).write_text(text, encoding="utf-8")
    return [folder / file for file in written]


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
