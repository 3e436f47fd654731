"""Choosing what is compared with what."""

import pytest

from results.errors import ComparisonError, NothingToCompareError
from results.frames import frame_of
from results.labels import (
    chosen_labels,
    evaluators_as_versions,
    label_by_file,
    labels_of,
)
from tests.results.samples import two_versions, version


def test_the_first_label_is_the_baseline() -> None:
    """In order of appearance, unless named."""
    frame = frame_of([*version("b", [1.0]), *version("a", [1.0]), *version("c", [1.0])])

    assert chosen_labels(frame, None, None) == ("b", ("a", "c"))
    assert chosen_labels(frame, "c", None) == ("c", ("b", "a"))
    assert chosen_labels(frame, None, ["b"]) == ("a", ("b",))
    assert chosen_labels(frame, "a", ["c"]) == ("a", ("c",))


def test_unknown_and_repeated_labels_are_refused() -> None:
    """The error lists the labels there are."""
    frame = two_versions([1.0], [1.0])

    with pytest.raises(
        ComparisonError, match="no reading has label 'newer'; there are 'old', 'new'"
    ):
        chosen_labels(frame, None, ["newer"])
    with pytest.raises(ComparisonError, match="named twice"):
        chosen_labels(frame, "old", ["old"])


def test_one_label_is_not_enough() -> None:
    """There is nothing to compare it with."""
    with pytest.raises(NothingToCompareError, match="found 'old'"):
        chosen_labels(frame_of(version("old", [1.0])), None, None)


def test_tables_that_share_a_label_are_told_apart_by_file() -> None:
    """Only the shared label is changed, and the first table stays first."""
    first = frame_of(version("main", [1.0]))
    second = frame_of(version("main", [2.0]) + version("1.9.1", [3.0]))

    frame = label_by_file({"a.csv": first, "b.csv": second})

    assert labels_of(frame) == ["main (a.csv)", "main (b.csv)", "1.9.1"]
    assert frame["value"].tolist() == [1.0, 2.0, 3.0]
    assert labels_of(first) == ["main"]


def test_tables_with_labels_of_their_own_keep_them() -> None:
    """Nothing is renamed that need not be."""
    frame = label_by_file(
        {"a": frame_of(version("old", [1.0])), "b": frame_of(version("new", [1.0]))}
    )

    assert labels_of(frame) == ["old", "new"]


@pytest.mark.parametrize("kept", [3, 2])
def test_a_copy_is_no_other_version(kept: int) -> None:
    """The same launches under two files would be "unchanged" for sure, and mean nothing."""
    rows = version("main", [1.0, 1.1, 1.2])
    frames = {"a.csv": frame_of(rows[:kept]), "b.csv": frame_of(rows)}

    with pytest.raises(ComparisonError, match=r"a\.csv: every reading of label 'main'"):
        label_by_file(frames)


def test_another_measurement_with_the_same_values_is_no_copy() -> None:
    """Counts are the same in every session; the session tells them apart."""
    frames = {
        name: frame_of(version("main", [301.0, 301.0], metric="nodes", session=name))
        for name in ("a.csv", "b.csv")
    }

    assert labels_of(label_by_file(frames)) == ["main (a.csv)", "main (b.csv)"]


def test_evaluators_that_are_versions_share_their_cases() -> None:
    """Where each label is its evaluator's name, the name of all of them stands for each."""
    rows = [
        *version("planned", [1.0, 2.0], evaluator="planned"),
        *version("straightline", [3.0, 4.0], evaluator="straightline"),
    ]

    found = evaluators_as_versions(frame_of(rows))

    assert set(found["evaluator"]) == {"planned vs straightline"}
    assert found["label"].tolist() == [row.label for row in rows]


@pytest.mark.parametrize("label", ["old", "straightline"])
def test_versions_of_an_evaluator_keep_its_name(label: str) -> None:
    """A label that is not its evaluator's name, or one label alone, makes no such table."""
    rows = [*version("planned", [1.0], evaluator="planned"), *version(label, [1.0], evaluator="x")]

    frame = frame_of(rows)

    assert evaluators_as_versions(frame)["evaluator"].tolist() == ["planned", "x"]
    assert evaluators_as_versions(frame.iloc[:1])["evaluator"].tolist() == ["planned"]
