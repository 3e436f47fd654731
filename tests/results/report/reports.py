"""Reports for tests: a usual one, one of a single version, and one made of malice."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from results.comparison import compare
from results.errors import NothingToCompareError
from results.frames import frame_of
from results.history import Histories, histories
from results.judgement import Comparison
from results.report import page
from results.report.content import Content, content
from results.report.timelines import Timeline
from results.schema import Reading
from tests.results.formats.comparisons import EVIL
from tests.results.samples import lognormal, reading, suite, version

ENVIRONMENTS = {
    "e1": {"python": "3.11.7", "packages": {"numpy": "1.26.4"}, "flags": []},
    "e2": {"python": "3.11.7", "packages": {"numpy": "2.4.6"}, "flags": []},
}

TIMELINES = tuple(
    Timeline(
        label=label,
        case=("planned", "chain", "depth=100;width=64", "output"),
        launch=9,
        seconds=(0.0, 0.5, 1.0),
        values=(10.0 * 2**20, 30.0 * 2**20, 20.0 * 2**20),
    )
    for label in ("old", "new")
)

BLOCKS = tuple(
    replace(each, launch=launch, values=(2e-3, 1e-3, 1e-3))
    for each in TIMELINES
    for launch in range(3)
)


def sweep(label: str, slower: float = 1.0, power: float = 1.0) -> list[Reading]:
    """A case at four sizes, time proportional to a power of the size."""
    return [
        one
        for number, depth in enumerate((10, 100, 1_000, 10_000))
        for one in version(
            label,
            lognormal(10 + number, 8, slower * 1e-5 * depth**power),
            scenario="sweep",
            params=f"depth={depth};width=8",
            paired=True,
        )
    ]


def drifting(label: str, slope: float) -> list[Reading]:
    """A case whose time drifts, in launches around `slope`."""
    values = [slope + 1e-4 * (i - 4) for i in range(8)]
    return version(label, values, metric="time_drift", scenario="steady", paired=True)


def told(
    readings: Sequence[Reading],
    memory: Sequence[Timeline] = (),
    blocks: Sequence[Timeline] = (),
    over: Histories | None = None,
) -> tuple[Content, Comparison | None]:
    """The content of a report on `readings`, and the comparison in it."""
    frame = frame_of(readings)
    comparison = compared(frame)
    found = content(
        frame,
        comparison,
        environments=ENVIRONMENTS,
        memory=memory,
        blocks=blocks,
        histories=over,
    )
    return found, comparison


def compared(frame: pd.DataFrame) -> Comparison | None:
    """The comparison, or None for one version."""
    try:
        return compare(frame, environments=ENVIRONMENTS)
    except NothingToCompareError:
        return None


def page_of(
    readings: Sequence[Reading],
    memory: Sequence[Timeline] = (),
    blocks: Sequence[Timeline] = (),
    title: str = "a report",
    over: Histories | None = None,
) -> str:
    """The whole page."""
    found, comparison = told(readings, memory, blocks, over)
    return page.render(found, comparison, title=title)


def usual() -> list[Reading]:
    """Two versions: the second 20 % slower, drifting, and failing in a case of its own."""
    crash = reading(label="new", scenario="fragile", status="crash", value=None, detail="SIGSEGV")
    return [
        *suite("old", 1),
        *sweep("old"),
        *drifting("old", 0.0),
        *version("old", [1.0, 1.1], scenario="fragile"),
        *suite("new", 2, slower=1.2),
        *sweep("new", 1.2),
        *drifting("new", 0.05),
        crash,
    ]


RELEASES = ("lib==1.8", "lib==1.9", "lib==1.10", "lib==1.11", "lib==2.0")


def releases() -> list[Reading]:
    """Five releases in pairs, the newest first: `chain` is 30 % slower from 1.10 on."""
    return [
        one
        for number, label in reversed(list(enumerate(RELEASES)))
        for scenario, step in (("chain", 1.3), ("mlp", 1.0))
        for one in version(
            label,
            lognormal(20 + number, 8, 1e-3 * (step if number >= 2 else 1.0)),
            scenario=scenario,
            paired=True,
        )
    ]


def history_of(readings: Sequence[Reading]) -> Histories:
    """The history of releases."""
    return histories(frame_of(readings), RELEASES)


def hostile() -> list[Reading]:
    """Two versions in which every text is malice."""
    return [
        one
        for label in (f"old {EVIL}", f"new {EVIL}")
        for one in (
            *version(label, [1.0, 1.1, 1.2], evaluator=EVIL, source=EVIL, detail=EVIL),
            *version(label, [2.0, 2.1], scenario=EVIL, params=f"a={EVIL}", machine=EVIL),
            reading(label=label, mode="gradient", status="crash", value=None, detail=EVIL),
        )
    ]
