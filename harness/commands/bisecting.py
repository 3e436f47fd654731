"""Narrowing a change of a history down: commits or releases between two versions, measured."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluators.engines.table import ENGINES, normalised
from harness.bisection import Narrowed, Verdict, narrow
from harness.commands.measuring import measured
from harness.commands.versus import Versus
from harness.commits import commit_of, commits_between
from harness.errors import UsageError
from harness.progress import say
from harness.releases import Release, release_of_label, releases_between
from harness.sides import is_within_repository
from results.history import Change, Histories, History, histories
from results.schema import METRICS, OK

_DOUBLINGS = 2
"""A version that so many launches do not settle is measured with twice as many, so often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Two versions that a change lies between, and those between them, as sides of `versus`.

    Attributes:
        before: without the change.
        after: with it.
        between: what can be measured in between, in order.
        kind: what they are, in the plural.
    """

    before: str
    after: str
    between: tuple[str, ...]
    kind: str


def bisect(found: Histories, arguments: argparse.Namespace) -> None:
    """Tell which version the largest change for the worse entered with.

    Raises:
        UsageError: if nothing changed, or the change lies between versions of which it cannot be
            told what is between them.
    """
    changes = [(one, change) for one in found.histories for change in one.changes]
    if not changes:
        raise UsageError("--bisect: nothing changed; there is no change to narrow down")
    one, change = max(changes, key=lambda pair: (pair[1].is_worse, pair[1].ratio or 1.0))
    span = _span(change, arguments.package)
    say(f"bisecting {one.case}, {one.phase} {one.metric}: {len(span.between)} {span.kind} between")

    def has_change(side: str) -> Verdict:
        return _settled(one, (span.before, side, span.after), arguments)

    say(_told(narrow(span.before, span.after, span.between, has_change)))


def _span(change: Change, packages: Sequence[str]) -> Span:
    releases = [release_of_label(label) for label in (change.before, change.enters_at)]
    if releases[0] and releases[1]:
        _require_meant(releases[1], packages)
        return Span(
            before=releases[0].side,
            after=releases[1].side,
            between=releases_between(releases[0], releases[1]),
            kind="releases",
        )
    directory = _directory(change)
    before, after = (_commit(label) for label in (change.before, change.enters_at))
    between = commits_between(before, after)[:-1]
    return Span(
        before=f"git:{before}{directory}",
        after=f"git:{after}{directory}",
        between=tuple(f"git:{each}{directory}" for each in between),
        kind="commits",
    )


def _require_meant(release: Release, packages: Sequence[str]) -> None:
    """A label is a table's text: only an engine that we know, or what was named, is installed."""
    known = {normalised(name) for name in (*packages, *(each.distribution for each in ENGINES))}
    if normalised(release.package) not in known:
        raise UsageError(
            f"--bisect: the table names releases of {release.package!r}, which is no engine that "
            f"we have an adapter for; to have it installed say --package {release.package}"
        )


def _directory(change: Change) -> str:
    """The package's folder in the repository, as the labels have it.

    A label is a table's text: a folder outside of the repository is not followed.
    """
    _, mark, folder = change.enters_at.partition("#")
    if not is_within_repository(folder):
        raise UsageError(
            f"--bisect: label {change.enters_at!r} names a folder outside of the repository; "
            "expected one within it, as in git:REV#python"
        )
    return f"{mark}{folder}"


def _commit(label: str) -> str:
    """The commit that a label of `versus` means."""
    revision = label.partition("#")[0]
    try:
        return commit_of(revision.removeprefix("git:")).revision
    except UsageError as error:
        raise UsageError(
            f"--bisect: {label} names no commit of the repository we are in ({error}); expected "
            "versions that were measured as git:REV, or releases such as autograd==1.6.2"
        ) from None


def _settled(one: History, sides: tuple[str, str, str], arguments: argparse.Namespace) -> Verdict:
    """Whether the side in the middle has the change, by as many launches as that takes."""
    middle, launches, verdict = sides[1], arguments.launches, None
    for _ in range(1 + _DOUBLINGS):
        frame = _measured(one, sides, launches, arguments)
        if not (frame["label"] == middle).any():
            say(f"{middle} cannot be measured")
            return None
        verdict = _verdict(one, frame, sides, arguments.threshold)
        if verdict is not None:
            break
        launches *= 2
    words = {True: "has it", False: "has it not", None: "is not settled"}
    say(f"{middle} {words[verdict]}")
    return verdict


def _measured(
    one: History, sides: Sequence[str], launches: int, arguments: argparse.Namespace
) -> pd.DataFrame:
    """The readings of the history's number, all sides measured at once."""
    params = one.params.replace(";", ",")
    # With "=", a name in a table that looks like an option is a name all the same.
    asked = [f"--scenario={one.scenario}:{params}" if params else f"--scenario={one.scenario}"]
    asked += [f"--evaluator={one.evaluator}", f"--mode={one.mode}", f"--launches={launches}"]
    if METRICS[one.metric].kind == "time":
        asked += ["--no-memory"]
    if arguments.plugin:
        asked += ["--plugin", *arguments.plugin]
    frame = measured(Versus(), [*sides, *asked], arguments.out)
    is_asked = frame["status"] == OK
    for column in ("phase", "metric", "source"):
        is_asked &= frame[column] == getattr(one, column)
    return frame[is_asked]


def _verdict(one: History, frame: pd.DataFrame, sides: Sequence[str], threshold: float) -> Verdict:
    """Whether the version in the middle is like the last or like the first."""
    again = histories(frame, sides, metrics=[one.metric], threshold=threshold)
    entries = [change.enters_at for each in again.histories for change in each.changes]
    if len(entries) != 1:
        return None
    return entries[0] == sides[1]


def _told(found: Narrowed) -> str:
    if not found.between:
        return f"enters with {found.after} (after {found.before})"
    return (
        f"enters after {found.before}, with {found.after} at the latest; not settled: "
        f"{', '.join(found.between)}. More --launches may settle them"
    )
