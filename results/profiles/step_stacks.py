"""A call's steps as stacks: the scenario's line, the operator, the node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from results.profiles.reading import UNEXPLAINED, ProfileReading
from results.profiles.stacks import WeighedStack, mean_of


def step_stacks(readings: Iterable[ProfileReading], label: str) -> list[WeighedStack]:
    """Of a version, seconds of one call, mean over its launches.

    What is unexplained may be negative, and is in no stack.

    Args:
        readings: rows of nodes, and of lines for their text; others are passed over.
        label: the version.
    """
    own = [each for each in readings if each.label == label]
    texts = {(each.file, each.line): each.name for each in own if each.by == "line"}
    launches: dict[int, list[ProfileReading]] = {}
    for each in own:
        if each.by == "node" and each.name != UNEXPLAINED:
            launches.setdefault(each.launch, []).append(each)
    return mean_of(_stacks(nodes, texts) for nodes in launches.values())


def _stacks(
    nodes: Sequence[ProfileReading], texts: dict[tuple[str, int | None], str]
) -> list[WeighedStack]:
    return [WeighedStack(stack=_stack(each, texts), weight=each.seconds) for each in nodes]


def _stack(node: ProfileReading, texts: dict[tuple[str, int | None], str]) -> tuple[str, ...]:
    """The line's number is left out of its frame: it changes from version to version."""
    if node.calls is None:
        return ("call", node.name)
    operator = node.name.partition("(")[0].partition(" ")[0]
    text = texts.get((node.file, node.line), "(no line)")
    line = f"{text} ({node.file})" if node.file else text
    return ("call", line, operator, node.name)
