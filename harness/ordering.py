"""The order of versions: by release, by commit, or as they were measured."""

from __future__ import annotations

import pandas as pd
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from harness.commits import commit_of_label
from harness.errors import UsageError
from results.labels import labels_of

ORDERS = ("auto", "release", "commit", "recorded", "appearance")


def ordered(frame: pd.DataFrame, by: str) -> tuple[str, ...]:
    """The labels of a table, first to last.

    By release: labels such as `autograd==1.6.2` or `1.6.2`, else what the evaluator says of its
    version. By commit: labels such as `git:REV` or a hash, by the committer's date. By recorded:
    when a version was first measured. auto takes the first of these that every label has.

    `UsageError` when the labels do not have what was asked for.
    """
    labels = labels_of(frame)
    if by == "appearance":
        return tuple(labels)
    keys = {
        "release": [_release(frame, label) for label in labels],
        "commit": [_committed_at_ms(label) for label in labels] if by != "release" else [None],
        "recorded": [frame.loc[frame["label"] == label, "recorded_at"].min() for label in labels],
    }
    for name in ("release", "commit", "recorded") if by == "auto" else (by,):
        found = keys[name]
        if None not in found:
            places = sorted(range(len(labels)), key=lambda place: (found[place], place))
            return tuple(labels[place] for place in places)
    lacking = [label for label, key in zip(labels, keys[by], strict=False) if key is None]
    raise UsageError(
        f"--order {by}: {', '.join(lacking) or 'a label'} tells no {by}; expected labels such as "
        f"{'autograd==1.6.2' if by == 'release' else 'git:REV'}, or another --order"
    )


def _release(frame: pd.DataFrame, label: str) -> Version | None:
    """The release that a label means, or the one version that its evaluator tells of itself."""
    text = label
    try:
        specifiers = list(Requirement(label).specifier)
    except InvalidRequirement:
        specifiers = []
    if len(specifiers) == 1 and specifiers[0].operator == "==":
        text = specifiers[0].version
    told = set(frame.loc[frame["label"] == label, "evaluator_version"])
    for candidate in (text, *(told if len(told) == 1 else ())):
        try:
            return Version(str(candidate))
        except InvalidVersion:
            continue
    return None


def _committed_at_ms(label: str) -> int | None:
    commit = commit_of_label(label)
    return None if commit is None else commit.committed_at_ms
