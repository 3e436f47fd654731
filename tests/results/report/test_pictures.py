"""One plot as a picture."""

import re
from xml.etree import ElementTree as Xml

import pytest

from results.report.content import Content
from results.report.pictures import PictureError, chosen_plot, render
from results.report.plots import KINDS, Kind
from tests.results.formats.comparisons import EVIL
from tests.results.report.reports import (
    BLOCKS,
    RELEASES,
    TIMELINES,
    history_of,
    hostile,
    releases,
    told,
    usual,
)

WORDS: dict[Kind, str] = {
    "phases": "chain",
    "launches": "chain",
    "drift": "steady",
    "time": "chain",
    "memory": "chain",
    "growth": "sweep",
    "history": "chain",
}


@pytest.fixture(scope="module")
def content() -> Content:
    """What a usual report tells."""
    return told(usual(), TIMELINES, BLOCKS)[0]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "history"])
def test_each_plot_is_drawn(content: Content, kind: Kind) -> None:
    """As SVG, with its title, both versions and marks in it."""
    pytest.importorskip("vl_convert", reason="vl-convert-python draws; nox -s tests installs it")
    plot = chosen_plot(content, case=WORDS[kind], kind=kind, number=None)

    svg = Xml.fromstring(render(plot, content.versions, "svg"))

    texts = {each.text for each in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert {plot.title, "old", "new"} <= texts
    paths = [each.get("aria-label") for each in svg.iter("{http://www.w3.org/2000/svg}path")]
    assert any(told and "new" in told for told in paths)


def test_a_history_is_drawn_in_order() -> None:
    """Versions from left to right as they are ordered, a dot each; the change names its version."""
    pytest.importorskip("vl_convert", reason="vl-convert-python draws; nox -s tests installs it")
    content, _ = told(releases(), over=history_of(releases()))
    plot = chosen_plot(content, case="chain", kind="history", number=None)

    svg = Xml.fromstring(render(plot, content.versions, "svg"))

    texts = [each.text or "" for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if text in RELEASES] == list(RELEASES)
    assert [text[:3] for text in texts if text.startswith(("▲", "▼"))] == ["▲ +"]
    dots = [
        each.get("aria-label", "")
        for each in svg.iter("{http://www.w3.org/2000/svg}path")
        if each.get("aria-roledescription") == "circle"
    ]
    assert [re.findall(r"lib==[0-9.]+", dot)[0] for dot in dots] == list(RELEASES)


def test_a_png_is_a_png(content: Content) -> None:
    """By its first bytes."""
    pytest.importorskip("vl_convert", reason="vl-convert-python draws; nox -s tests installs it")
    plot = chosen_plot(content, case="chain", kind="launches", number="evaluate time")

    assert render(plot, content.versions, "png").startswith(b"\x89PNG\r\n")


def test_malice_stays_text() -> None:
    """Whatever a table holds, the SVG has no script."""
    pytest.importorskip("vl_convert", reason="vl-convert-python draws; nox -s tests installs it")
    content, _ = told(hostile())
    plot = chosen_plot(content, case=content.cases[0].name, kind="launches", number=None)

    svg = Xml.fromstring(render(plot, content.versions, "svg"))

    assert EVIL in plot.title
    assert not [each for each in svg.iter() if each.tag.endswith("script")]


@pytest.mark.parametrize(
    ("case", "kind", "number", "told_so"),
    [
        (None, "launches", None, "no --case means 9 cases"),
        ("sweep", "launches", None, "means 4 cases"),
        ("chain", "launches", "lower time", "has no launches of lower time; expected one of"),
        ("steady", "phases", None, "has nothing to draw phases of"),
        ("mlp", "memory", None, "has nothing to draw memory of"),
        ("chain", "growth", None, "means 0 sweeps"),
        ("sweep", "growth", "lower time", "has no growth of lower time"),
        ("chain", "history", None, "name tables of three versions at least"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    content: Content, case: str | None, kind: Kind, number: str | None, told_so: str
) -> None:
    """With what there is instead."""
    with pytest.raises(PictureError, match=told_so):
        chosen_plot(content, case=case, kind=kind, number=number)
