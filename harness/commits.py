"""What git says of revisions: the commit that a label means, and when it was made."""

from __future__ import annotations

import re
import subprocess

from harness.errors import UsageError
from results.exchange.format import Commit


def commit_of(revision: str) -> Commit:
    """The commit of a revision of the repository we are in; `UsageError` when there is none."""
    # "--end-of-options": a revision must not be read as an option.
    told = git(
        "show", "--no-patch", "--format=%H %ct", "--end-of-options", f"{revision}^{{commit}}"
    )
    found, seconds = told.split()
    return Commit(revision=found, committed_at_ms=int(seconds) * 1000)


def commit_of_label(label: str) -> Commit | None:
    """The commit that a label means (`git:REV`, or a hash), None if it means none."""
    revision = label.removeprefix("git:").partition("#")[0]
    if revision == label and not re.fullmatch(r"[0-9a-f]{7,40}", label):
        return None
    try:
        return commit_of(revision)
    except UsageError:
        return None


def commits_between(before: str, after: str) -> tuple[str, ...]:
    """The commits that `after` has and `before` has not, oldest first; the last is `after`.

    Of merges only the first parent's line is followed, which is the branch as it was.
    """
    told = git("rev-list", "--reverse", "--first-parent", f"{before}..{after}", "--")
    return tuple(told.split())


def git(*arguments: str) -> str:
    """What git prints; `UsageError` repeats what it complains of."""
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - git is found as the user's shell finds it
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or "it failed without a word"
        raise UsageError(f"git {' '.join(arguments)}: {said}")
    return done.stdout.strip()
