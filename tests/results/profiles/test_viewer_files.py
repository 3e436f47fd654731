"""Files for viewers: speedscope, Perfetto, and differential flame graphs."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, strategies as st

from results.flame import differential_flame_graph, flame_graph
from results.profiles.speedscope import speedscope_file
from results.profiles.stacks import WeighedStack
from results.profiles.trace_events import LaunchTimeline, Span, trace_file

_SVG = "{http://www.w3.org/2000/svg}"
_SCHEMA = Path(__file__).with_name("speedscope-1.25.0.schema.json")
"""Of the npm package speedscope 1.25.0 (MIT licence, Copyright (c) 2018 Jamie Wong)."""

STACKS = st.lists(
    st.builds(
        WeighedStack,
        stack=st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple),
        weight=st.floats(0, 10),
    ),
    max_size=10,
)


@given(STACKS)
def test_a_speedscope_file_says_what_it_was_given(stacks: list[WeighedStack]) -> None:
    """Samples name their frames by number, and weights are theirs, up to the end of the profile."""
    found = json.loads(speedscope_file({"one": stacks}, "title", "s"))

    (profile,) = found["profiles"]
    names = [frame["name"] for frame in found["shared"]["frames"]]
    read = [
        WeighedStack(stack=tuple(names[at] for at in sample), weight=weight)
        for sample, weight in zip(profile["samples"], profile["weights"], strict=True)
    ]
    assert read == stacks
    assert profile["endValue"] == pytest.approx(sum(each.weight for each in stacks))


@given(STACKS, st.sampled_from(["s", "B"]))
def test_a_speedscope_file_is_of_its_published_format(
    stacks: list[WeighedStack], unit: str
) -> None:
    """The schema that speedscope publishes accepts it."""
    jsonschema = pytest.importorskip(
        "jsonschema", reason="jsonschema is not installed: pip install '.[test]'"
    )

    jsonschema.validate(
        json.loads(speedscope_file({"one": stacks, "two": stacks}, "title", unit)),
        json.loads(_SCHEMA.read_text(encoding="utf-8")),
    )


def _boxes(svg: str) -> dict[str, str]:
    """Colour by frame."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{_SVG}g"):
        title, rect = group.find(f"{_SVG}title"), group.find(f"{_SVG}rect")
        assert title is not None
        assert rect is not None
        found[(title.text or "").partition(":")[0]] = rect.get("fill", "")
    return found


def _is_red(colour: str) -> bool:
    return int(colour[1:3], 16) > int(colour[5:7], 16)


def test_what_grew_is_red_and_what_shrank_is_blue() -> None:
    """And what is as before is neither; what is gone is in the other drawing."""
    before = [_stack("same", 4), _stack("grew", 1), _stack("shrank", 3), _stack("gone", 1)]
    after = [_stack("same", 4), _stack("grew", 3), _stack("shrank", 1), _stack("new", 1)]

    drawn = _boxes(differential_flame_graph(after, before, "after against before"))

    assert drawn.keys() == {"all", "same", "grew", "shrank", "new"}
    assert _is_red(drawn["grew"])
    assert _is_red(drawn["new"])
    assert not _is_red(drawn["shrank"])
    assert drawn["same"] == drawn["all"] == "#eeeeee"
    assert "gone" in _boxes(differential_flame_graph(before, after, "before against after"))


def test_a_difference_of_nothing_is_a_drawing() -> None:
    """No stacks are no boxes, and no division by zero."""
    assert _boxes(differential_flame_graph([], [], "nothing")) == {}
    assert _boxes(flame_graph([], "nothing", "s")) == {}


def _stack(frame: str, weight: float) -> WeighedStack:
    return WeighedStack(stack=(frame,), weight=weight)


def test_a_timeline_is_of_the_trace_event_format() -> None:
    """Spans are complete events in microseconds on named tracks, memory is a counter."""
    launch = LaunchTimeline(
        name="base",
        spans=[
            Span(track="phases", name="compile", start_s=0.5, duration_s=1.5),
            Span(track="collector", name="generation 2", start_s=1, duration_s=0.1),
        ],
        resident_bytes=[(0.75, 2_000), (0.25, 1_000)],
    )

    events = json.loads(trace_file([launch, launch]))["traceEvents"]

    for process in (1, 2):
        own = [each for each in events if each["pid"] == process]
        names = {
            (each["name"], each["tid"]): each["args"]["name"]
            for each in own
            if each["ph"] == "M" and each["name"].endswith("_name")
        }
        assert names == {
            ("process_name", 0): "base",
            ("thread_name", 1): "phases",
            ("thread_name", 2): "collector",
        }
        spans = [(e["tid"], e["name"], e["ts"], e["dur"]) for e in own if e["ph"] == "X"]
        assert spans == [(1, "compile", 5e5, 1.5e6), (2, "generation 2", 1e6, pytest.approx(1e5))]
        counted = [(e["ts"], e["args"]["bytes"]) for e in own if e["ph"] == "C"]
        assert counted == [(250_000, 1_000), (750_000, 2_000)]
