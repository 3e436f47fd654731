"""Releases of a package: what a label means, and which releases lie between two of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from evaluators.engines.table import normalised
from harness.errors import UsageError

_LISTED = "Available versions:"
_LAST_WORDS = 3
"""Lines of the installer's that an error repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of a package."""

    package: str
    version: Version

    @property
    def side(self) -> str:
        """As `versus` takes it, such as `autograd==1.6.2`."""
        return f"{self.package}=={self.version}"


Lister = Callable[[str, bool], Sequence[Version]]
"""From a package's name, and whether releases before their time count, to what can be installed."""


def release_of_label(label: str) -> Release | None:
    """The release that a label such as `autograd==1.6.2` means, None if it means none."""
    try:
        asked = Requirement(label)
    except InvalidRequirement:
        return None
    specifiers = list(asked.specifier)
    if asked.url or asked.extras or asked.marker or len(specifiers) != 1:
        return None
    if specifiers[0].operator != "==":
        return None
    try:
        return Release(package=asked.name, version=Version(specifiers[0].version))
    except InvalidVersion:
        return None


def installable(package: str, with_early: bool) -> Sequence[Version]:
    """The releases of a package that pip can install under this Python, oldest first.

    Args:
        package: its name on the package index.
        with_early: name alphas, betas and release candidates too.

    Raises:
        UsageError: if pip is absent, or lists nothing; it repeats pip's last words.
    """
    if find_spec("pip") is None:
        raise UsageError(
            f"the releases of {package} are asked of pip, which this Python has not; "
            "`python -m ensurepip` brings it"
        )
    options = ["--disable-pip-version-check", "--no-input", *(["--pre"] if with_early else [])]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", *options, "--", package],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    listed = [line for line in done.stdout.splitlines() if line.startswith(_LISTED)]
    if done.returncode != 0 or not listed:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise UsageError(
            f"the releases of {package} cannot be listed; pip said\n    "
            + "\n    ".join(said[-_LAST_WORDS:])
        )
    names = listed[0].removeprefix(_LISTED).split(",")
    return sorted(Version(name.strip()) for name in names)


def releases_between(
    before: Release, after: Release, lister: Lister = installable
) -> tuple[str, ...]:
    """The releases between two of the same package, as sides, in the direction from `before`.

    Those before their time are among them only where one of the two is such a release itself.

    Raises:
        UsageError: if the two are of different packages.
    """
    if normalised(before.package) != normalised(after.package):
        raise UsageError(
            f"{before.side} and {after.side} are releases of two packages; expected one"
        )
    low, high = sorted((before.version, after.version))
    with_early = before.version.is_prerelease or after.version.is_prerelease
    found = [
        Release(package=after.package, version=each).side
        for each in lister(after.package, with_early)
        if low < each < high
    ]
    return tuple(found if before.version == low else found[::-1])
