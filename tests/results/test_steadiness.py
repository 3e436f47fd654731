"""How launches ran, told from their notes."""

from results.comparison import compare
from results.frames import frame_of
from results.steadiness import steadiness, told
from results.summary import summarise
from tests.results.samples import lognormal, reading, version


def launches(label: str, kinds: list[str]) -> list:  # type: ignore[type-arg]
    """A launch of each kind; "" for one without a note."""
    values = lognormal(len(label), len(kinds))
    return [
        reading(
            label=label, launch=i, value=value, detail=f"set_aside=0; steady={kind}" if kind else ""
        )
        for i, (kind, value) in enumerate(zip(kinds, values, strict=True))
    ]


def test_launches_are_counted_by_kind() -> None:
    """Those without a note, or with another word, are left out."""
    frame = frame_of(launches("old", ["flat", "flat", "warm-up", "", "wobbly"]))

    ((key, kinds),) = steadiness(frame).items()

    assert key == ("old", ("planned", "chain", "depth=100;width=64", "output"))
    assert kinds == {"flat": 2, "warm-up": 1}
    assert told(kinds) == "flat 2, warm-up 1"


def test_the_summary_tells_how_launches_ran() -> None:
    """In a word where they agree."""
    frame = frame_of(
        launches("old", ["flat"] * 3) + version("new", lognormal(1, 3), evaluator="jax")
    )

    assert [one.steady for one in summarise(frame)] == ["flat", None]


def test_sides_that_run_in_different_ways_are_a_warning() -> None:
    """Most launches of one warm up, and of the other do not."""
    old = launches("old", ["flat"] * 4 + ["warm-up"])
    new = launches("new", ["warm-up", "warm-up", "warm-up", "flat", "flat"])

    (note,) = compare(frame_of(old + new)).notes

    assert "old run flat 4, warm-up 1, of new flat 2, warm-up 3" in note


def test_sides_that_run_alike_are_none() -> None:
    """Whatever single launches do."""
    old = launches("old", ["flat"] * 4 + ["warm-up"])
    new = launches("new", ["flat"] * 3 + ["slowdown", "no steady state"])

    assert compare(frame_of(old + new)).notes == ()
