"""What differs around the measurements."""

import pytest

from results.circumstances import circumstances
from results.errors import ComparisonError
from results.frames import frame_of
from results.sessions import BetweenSessions
from tests.results.samples import version


def notes(environments: dict[str, dict[str, object]] | None = None, **changes: object) -> list[str]:
    """The notes on `old`, and `new` measured under changed circumstances."""
    frame = frame_of(version("old", [1.0]) + version("new", [1.0], **changes))
    found = circumstances(
        frame,
        "old",
        ["new"],
        allow_other_machine=True,
        between=BetweenSessions(sd=0.04, speed_corrected_sd=0.02),
        environments=environments or {},
    )
    return list(found)


def test_equal_circumstances_need_no_note() -> None:
    """One session, one machine, one environment."""
    assert notes() == []


def test_other_sessions_are_noted() -> None:
    """With what intervals hold for it."""
    (note,) = notes(session="s2")

    assert "different sessions" in note
    assert "a standard deviation of 4 %" in note


def test_other_machines_are_noted_when_allowed() -> None:
    """And refused by default."""
    assert "different machines (m1; m2)" in notes(machine="m2")[0]
    frame = frame_of(version("old", [1.0]) + version("new", [1.0], machine="m2"))
    with pytest.raises(ComparisonError, match="expected one"):
        circumstances(
            frame,
            "old",
            ["new"],
            allow_other_machine=False,
            between=BetweenSessions(sd=0.04, speed_corrected_sd=0.02),
            environments={},
        )


def test_environments_are_named() -> None:
    """Without facts by their ids."""
    assert notes(environment="e2") == ["environments of old and new differ (e1; e2)."]


def test_differing_facts_are_told() -> None:
    """With facts, those that differ."""
    facts: dict[str, dict[str, object]] = {
        "e1": {"numpy": "1.26.4", "cpu": "x"},
        "e2": {"numpy": "2.4.6", "cpu": "x", "jax": "0.10"},
    }

    assert notes(facts, environment="e2") == [
        "environments of old and new differ: numpy '1.26.4' → '2.4.6', jax – → '0.10'."
    ]


def test_of_packages_those_that_differ_are_named() -> None:
    """A handful, and how many more; what is alike is not told."""
    alike = {"scipy": "1.17", "rich": "15.0"}
    facts: dict[str, dict[str, object]] = {
        "e1": {"packages": {**alike, "numpy": "1.26.4", "zlib": "1"}},
        "e2": {"packages": {**alike, "numpy": "2.4.6", **dict.fromkeys("abcdef", "1")}},
    }

    assert notes(facts, environment="e2") == [
        "environments of old and new differ: packages (numpy '1.26.4' → '2.4.6', zlib '1' → –, "
        "a – → '1', b – → '1', c – → '1', and 3 more)."
    ]


def test_many_facts_are_cut() -> None:
    """A note stays a note."""
    facts: dict[str, dict[str, object]] = {
        "e1": {},
        "e2": {f"package{i}": "1" for i in range(50)},
    }

    assert notes(facts, environment="e2")[0].endswith("and 42 more.")
