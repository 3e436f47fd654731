"""Which versions of a table are compared, and how tables that share a label are told apart."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from results.errors import ComparisonError, NothingToCompareError
from results.frames import merged, row_ids
from results.schema import KEY_COLUMNS, YARDSTICK


def labels_of(frame: pd.DataFrame) -> list[str]:
    """The labels of a frame, in order of appearance."""
    return [str(label) for label in frame["label"].unique()]


def label_by_file(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Several tables as one frame in which no two tables share a label.

    A label that stands in more than one table becomes `label (name)` in each; others stay. The
    first table's labels are the first to appear, and so the baseline unless one is named.

    Args:
        frames: the tables by a name that people know them by, such as the file's.

    Raises:
        ValueError: if there is no table.
        ComparisonError: if one table's version is a copy out of another table: the same launches
            cannot stand for two versions.
    """
    names = names_by_file(frames)
    _refuse_copies(frames)
    return merged([_renamed(frame, names[name]) for name, frame in frames.items()])


def names_by_file(frames: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, str]]:
    """What `label_by_file` calls the labels of each table: table -> its label -> the new one."""
    holders = [label for frame in frames.values() for label in labels_of(frame)]
    return {
        name: {
            label: f"{label} ({name})" if holders.count(label) > 1 else label
            for label in labels_of(frame)
        }
        for name, frame in frames.items()
    }


def evaluators_as_versions(frame: pd.DataFrame) -> pd.DataFrame:
    """The readings with all evaluators under one name, where it is evaluators that are compared.

    The case is then the same in all versions. Yardsticks are left out, since pairs do without them.
    Any other table stays as it is.
    """
    name = evaluators_compared(frame)
    if name is None:
        return frame
    measured = frame[frame["evaluator"] != YARDSTICK]
    return measured.assign(evaluator=pd.Categorical([name] * len(measured), categories=[name]))


def evaluators_compared(frame: pd.DataFrame) -> str | None:
    """The evaluators that are compared, in one name; None where versions are.

    Evaluators are, where each label is the name of the only evaluator that was measured under it,
    as `graphgauge versus planned straightline` writes them.
    """
    measured = frame[frame["evaluator"] != YARDSTICK]
    of_labels = measured[["label", "evaluator"]].drop_duplicates().astype("str")
    is_named_alike = (of_labels["label"] == of_labels["evaluator"]).all()
    return " vs ".join(of_labels["label"]) if len(of_labels) > 1 and is_named_alike else None


def chosen_labels(
    frame: pd.DataFrame, baseline_label: str | None, candidate_labels: Sequence[str] | None
) -> tuple[str, tuple[str, ...]]:
    """The baseline and the candidates, as asked for or by order of appearance.

    Args:
        frame: readings.
        baseline_label: None for the first label to appear.
        candidate_labels: None for all labels but the baseline's.

    Raises:
        ComparisonError: if a label is not there, or is asked for twice.
        NothingToCompareError: if there is only one label, or none.
    """
    present = labels_of(frame)
    asked = ([] if baseline_label is None else [baseline_label]) + list(candidate_labels or ())
    for label in asked:
        if label not in present:
            message = f"no reading has label {label!r}; there are {_listed(present)}"
            raise ComparisonError(message)
    if len(set(asked)) < len(asked):
        message = f"a label is named twice in {_listed(asked)}; name each version once"
        raise ComparisonError(message)
    left = [label for label in present if label not in asked]
    baseline = baseline_label if baseline_label is not None else next(iter(left), "")
    candidates = tuple(candidate_labels or (label for label in left if label != baseline))
    if not baseline or not candidates:
        message = (
            f"found {_listed(present)}; expected readings of a baseline and of a candidate. "
            "Measure a second version with another --label, or name a second table."
        )
        raise NothingToCompareError(message)
    return baseline, candidates


def _refuse_copies(frames: Mapping[str, pd.DataFrame]) -> None:
    holders = Counter(label for frame in frames.values() for label in labels_of(frame))
    shared = {label for label, count in holders.items() if count > 1}
    if not shared:
        return
    everything = merged(list(frames.values()))
    ids = row_ids(everything, (*KEY_COLUMNS, "value", "status"))
    names = np.repeat(list(frames), [len(frame) for frame in frames.values()])
    labels = everything["label"].to_numpy()
    for label in shared:
        found = {name: set(ids[(names == name) & (labels == label)]) for name in frames}
        for one, other in permutations(frames, 2):
            if found[one] and found[one] <= found[other]:
                message = (
                    f"{one}: every reading of label {label!r} stands in {other} as well; expected "
                    "another measurement, since the same launches cannot stand for two versions. "
                    "Name one of the two files only"
                )
                raise ComparisonError(message)


def _renamed(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    new = {label: name for label, name in names.items() if label != name}
    return frame.assign(label=frame["label"].cat.rename_categories(new)) if new else frame


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(repr(label) for label in labels) or "no readings"
