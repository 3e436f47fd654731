"""Which versions of a table are compared, and how tables that share a label are told apart."""

from collections.abc import Mapping, Sequence

import pandas as pd

from results.errors import ComparisonError, NothingToCompareError
from results.frames import merged


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
    """
    names = names_by_file(frames)
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


def _renamed(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    new = {label: name for label, name in names.items() if label != name}
    return frame.assign(label=frame["label"].cat.rename_categories(new)) if new else frame


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(repr(label) for label in labels) or "no readings"
