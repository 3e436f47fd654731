"""Launches corrected by how fast the machine was."""

import numpy as np
import pandas as pd
import pytest

from results.comparison import compare
from results.frames import frame_of
from results.judgement import Row
from results.schema import SPEED_YARDSTICKS, YARDSTICKS, Reading
from results.sessions import BetweenSessions
from results.summary import summarise
from results.yardsticks import are_the_same_work
from tests.results.samples import lognormal, reading, version

ALIKE = BetweenSessions(sd=0.002, speed_corrected_sd=0.002)
"""Sessions that hardly differ but for what the yardstick tells."""

BESIDE = "evaluator=planned;params=depth:100,width:64;scenario=chain"
"""What names samples.VALID in the params of a yardstick."""


def yardstick(label: str, name: str, values: list[float], **changes: object) -> list[Reading]:
    """A yardstick's reading beside each launch."""
    return [
        reading(
            label=label,
            evaluator="yardstick",
            scenario=name,
            params=BESIDE,
            launch=i,
            value=value,
            **changes,
        )
        for i, value in enumerate(values)
    ]


def drifting(effect: float = 1.0, shift: float = 1.3) -> pd.DataFrame:
    """Two versions whose launches follow the machine, which is slower in the second session."""
    rng = np.random.default_rng(4)
    rows: list[Reading] = []
    for label, session, slower, faster in (("old", "s1", 1.0, 1.0), ("new", "s2", shift, effect)):
        machine = slower * np.exp(rng.normal(0, 0.005, 10))
        values = faster * 1e-3 * machine * np.array(lognormal(len(rows), 10, 1.0, 0.002))
        rows += version(label, values.tolist(), session=session)
        for name in YARDSTICKS:
            read = 2e-4 * machine * np.array(lognormal(len(rows), 10, 1.0, 0.002))
            rows += yardstick(label, name, read.tolist(), session=session)
    return frame_of(rows)


def only_row(frame: pd.DataFrame, threshold: float = 0.01) -> Row:
    """The one row of a comparison."""
    (row,) = compare(frame, between=ALIKE, threshold=threshold).rows
    return row


def test_a_slower_machine_is_not_a_slower_version() -> None:
    """30 % more time, of which the yardstick tells that all are the machine's."""
    row = only_row(drifting(), threshold=0.03)

    assert row.verdict == "unchanged"
    assert row.ratio == pytest.approx(1.0, abs=0.01)
    assert "corrected for the machine's speed" in row.reason


def test_a_slower_version_is_seen_on_a_slower_machine() -> None:
    """5 % more than the machine explains."""
    row = only_row(drifting(effect=1.05))

    assert row.verdict == "regressed"
    assert row.ratio == pytest.approx(1.05, abs=0.01)


def test_the_other_way_round_is_the_mirror() -> None:
    """Whichever version is corrected."""
    frame = drifting(effect=1.05)

    forward = only_row(frame)
    (backward,) = compare(frame, baseline_label="new", between=ALIKE).rows

    assert forward.ratio is not None
    assert backward.ratio == pytest.approx(1 / forward.ratio)
    assert backward.verdict == "improved"


@pytest.mark.parametrize("lost", ["numpy_dispatch", "interpreter_loop"])
def test_too_few_readings_leave_all_as_they_are(lost: str) -> None:
    """Four readings of a yardstick in a session tell no speed, and the difference stands."""
    frame = drifting()
    is_lost = (frame["scenario"] == lost) & (frame["session"] == "s2") & (frame["launch"] >= 4)

    row = only_row(frame[~is_lost].reset_index(drop=True))

    assert "speed" not in row.reason
    assert row.ratio == pytest.approx(1.3, abs=0.05)


def test_within_a_session_nothing_is_corrected() -> None:
    """What both versions share cancels, and their yardsticks' difference is noise."""
    row = only_row(drifting(shift=1.0).assign(session="s1"))

    assert "speed" not in row.reason


@pytest.mark.parametrize(
    ("numpy", "python", "same"),
    [("2.4.6", "3.11.7", True), ("1.26.4", "3.11.7", False), ("2.4.6", "3.12.1", False)],
)
def test_another_numpy_or_python_is_another_yardstick(numpy: str, python: str, same: bool) -> None:
    """A release that makes the yardstick slower is not taken for a slow machine."""
    environments = {
        "a": {"python": "3.11.7", "implementation": "CPython", "numpy": "2.4.6", "engine": "1"},
        "b": {"python": python, "implementation": "CPython", "numpy": numpy, "engine": "2"},
    }

    assert are_the_same_work(["a", "b"], environments) is same
    assert are_the_same_work(["a", "a"], {})
    assert not are_the_same_work(["a", "c"], environments)


def test_environments_nobody_knows_are_not_trusted() -> None:
    """Two environments without facts: the difference stands, and the wide interval."""
    frame = drifting()
    unknown = frame["label"].map({"old": "a", "new": "b"}).astype("category")

    (row,) = compare(frame.assign(environment=unknown)).rows

    assert "speed" not in row.reason
    assert row.verdict == "inconclusive"


@pytest.mark.parametrize("launches", [5, 10])
def test_corrected_intervals_hold_the_truth(launches: int) -> None:
    """99 % intervals miss +2 % in about 1 %, where machines differ by 20 % and yardsticks err."""
    runs = 400
    rng = np.random.default_rng(launches)
    rows: list[Reading] = []
    for run in range(runs):
        params = f"depth={run}"
        for label, truth in (("old", 0.0), ("new", 0.02)):
            session = f"{label}{run}"
            machine, own = rng.normal(0, 0.2), rng.normal(0, 0.055)
            logs = machine + own + truth + rng.normal(0, 0.01, launches)
            rows += version(label, np.exp(logs).tolist(), session=session, params=params)
            for name in SPEED_YARDSTICKS:
                read = np.exp(machine + rng.normal(0, 0.03, launches))
                rows += yardstick(label, name, read.tolist(), session=session)

    found = compare(
        frame_of(rows), between=BetweenSessions(sd=0.2, speed_corrected_sd=0.06, degrees=1_000)
    ).rows

    assert len(found) == runs
    held = [(row.ratio_low or 2) <= np.exp(0.02) <= (row.ratio_high or 0) for row in found]
    assert runs - sum(held) <= 12  # at 1 %, a binomial chance of one in a thousand


def test_yardsticks_are_no_cases() -> None:
    """They are neither judged, nor missed, nor listed in a summary."""
    frame = frame_of(
        version("old", lognormal(1, 5))
        + version("new", lognormal(2, 5))
        + yardstick("old", "matmul", [1.0] * 5)
    )

    comparison = compare(frame)

    assert [row.evaluator for row in comparison.rows] == ["planned"]
    assert comparison.missing == comparison.candidate_only == ()
    assert {one.evaluator for one in summarise(frame)} == {"planned"}
