"""The sides of a comparison as a user names them, and the versions that they become."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from evaluators import catalog
from evaluators.engines.table import ENGINES, Engine
from harness.errors import UsageError
from harness.installations import InstallationError, installed
from harness.payload import cache_directory
from harness.plan import Version
from harness.progress import say


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSide:
    """A release from the package index: `autograd==1.6.2`."""

    label: str
    requirement: Requirement

    @property
    def engine(self) -> Engine | None:
        """The engine that we have adapters for, if it is one."""
        wanted = self.requirement.name.lower().replace("_", "-")
        return next((each for each in ENGINES if each.distribution == wanted), None)

    def companions(self) -> tuple[str, ...]:
        """What this release needs beside it."""
        release = next((each.version for each in self.requirement.specifier), "")
        return self.engine.requirements(release) if self.engine and release else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionSide:
    """A revision of the repository we are in, installed: `git:REV` or `git:REV#DIR`."""

    label: str
    revision: str
    directory: str
    """Of the package to install, within the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterSide:
    """An environment that exists: `python:INTERPRETER`."""

    label: str
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorSide:
    """An evaluator, in the environment we are in."""

    label: str
    evaluator: str


Side = RequirementSide | RevisionSide | InterpreterSide | EvaluatorSide


def parse_sides(texts: Sequence[str]) -> tuple[Side, ...]:
    """Read the sides of a comparison; `UsageError` says what is wrong with them."""
    if len(texts) < 2:
        raise UsageError(
            f"found {len(texts)} side(s); expected a baseline and a candidate at least"
        )
    twice = {text for text in texts if list(texts).count(text) > 1}
    sides = []
    for position, text in enumerate(texts):
        # The same side twice is how a user asks for an A/A comparison.
        label = f"{text} ({position + 1})" if text in twice else text
        sides.append(_parse(text, label))
    evaluators = [side for side in sides if isinstance(side, EvaluatorSide)]
    if evaluators and len(evaluators) != len(sides):
        raise UsageError(
            "some sides are evaluators and some are versions; compare evaluators with each other, "
            "or name versions only and choose the evaluator with --evaluator"
        )
    return tuple(sides)


def make_versions(sides: Sequence[Side], beside: Sequence[str] = ()) -> tuple[Version, ...]:
    """An environment for each side, made where there is none yet.

    Releases are installed with each other's companions, so that they differ in nothing else: if
    one of them needs numpy<2, all of them get it. Where that cannot be installed, each side gets
    its own companions only, and the table's environment facts show the difference.

    Args:
        sides: what is compared.
        beside: requirements that releases get as well where that is possible, such as a profiler.
    """
    companions = (*_companions(sides), *beside)
    return tuple(_make_version(side, companions) for side in sides)


def make_versions_that_install(sides: Sequence[Side]) -> tuple[Version | None, ...]:
    """As `make_versions`, but None, and a line that says why, for what cannot be installed.

    `InstallationError` where nothing would be left to compare: no baseline, or nothing beside it.
    """
    companions = _companions(sides)
    versions: list[Version | None] = []
    for side in sides:
        try:
            versions.append(_make_version(side, companions))
        except InstallationError as error:
            is_last_hope = len(versions) == len(sides) - 1 and not any(versions[1:])
            if not versions or is_last_hope:
                raise
            say(f"graphgauge: {error}")
            versions.append(None)
    return tuple(versions)


def _companions(sides: Sequence[Side]) -> tuple[str, ...]:
    releases = [side for side in sides if isinstance(side, RequirementSide)]
    needed = [each for side in releases for each in side.companions()]
    return tuple(dict.fromkeys(needed))


def _make_version(side: Side, companions: Sequence[str]) -> Version:
    if isinstance(side, EvaluatorSide):
        return Version(label=side.label, interpreter=sys.executable)
    if isinstance(side, InterpreterSide):
        return Version(label=side.label, interpreter=side.interpreter)
    if isinstance(side, RevisionSide):
        return Version(label=side.label, interpreter=_install_revision(side))
    asked = (str(side.requirement), "numpy")
    try:
        interpreter = installed((*asked, *companions), what=side.label)
    except UsageError:
        own = side.companions()
        if set(own) == set(companions):
            raise
        interpreter = installed((*asked, *own), what=side.label)
    return Version(label=side.label, interpreter=str(interpreter))


def _parse(text: str, label: str) -> Side:
    kind, colon, rest = text.partition(":")
    if colon and kind == "git":
        revision, _, directory = rest.partition("#")
        if not is_within_repository(directory):
            raise UsageError(
                f"side {text!r}: {directory!r} leads out of the repository; expected a folder "
                "within it, as in git:REV#python"
            )
        return RevisionSide(label=label, revision=_commit(revision), directory=directory or ".")
    if colon and kind == "python":
        return InterpreterSide(label=label, interpreter=_interpreter(rest))
    if text in catalog.names():
        return EvaluatorSide(label=label, evaluator=text)
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"side {text!r}: expected a requirement such as autograd==1.6.2, git:REV[#DIR], "
            f"python:INTERPRETER, or an evaluator ({', '.join(catalog.names())}); {error}"
        ) from None
    if requirement.url is None and not requirement.specifier:
        raise UsageError(
            f"side {text!r}: neither an evaluator ({', '.join(catalog.names())}) nor a release; "
            f"for a release say which: {text}==1.2.3"
        )
    if requirement.url is not None and "@" in urlsplit(requirement.url).netloc:
        raise UsageError(
            f"side {requirement.name}: found a password or user in the address; expected none, as "
            "the address becomes a label of the table. Leave it to pip's keyring or to .netrc"
        )
    return RequirementSide(label=label, requirement=requirement)


def is_within_repository(directory: str) -> bool:
    """Whether a package's folder is told from the repository's root, without leading out of it."""
    path = PurePosixPath(directory)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in directory


def _interpreter(path: str) -> str:
    found = shutil.which(path)
    if found is None:
        raise UsageError(f"python:{path}: there is no such interpreter")
    return str(Path(found).absolute())


def _commit(revision: str) -> str:
    """The commit of a revision, so that a moved branch is another environment."""
    # "--end-of-options": a revision must not be read as an option.
    return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def _install_revision(side: RevisionSide) -> str:
    """An environment with the package at that revision, installed from a copy of its files."""
    checkout = cache_directory() / "checkouts" / side.revision
    if not checkout.is_dir():
        fresh = checkout.with_name(f"{side.revision}.fresh")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        archive = fresh.with_suffix(".tar")
        _git("archive", f"--output={archive}", side.revision)
        shutil.unpack_archive(archive, fresh, filter="data")
        archive.unlink()
        fresh.rename(checkout)
    package = checkout / side.directory
    if not (package / "pyproject.toml").is_file() and not (package / "setup.py").is_file():
        raise UsageError(f"{side.label}: {side.directory} holds no pyproject.toml or setup.py")
    return str(installed((str(package), "numpy"), what=side.label))


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],  # noqa: S607 - git is found as the user's shell finds it
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.strip() or "it names no commit of this repository"
        raise UsageError(f"git {' '.join(arguments)}: {said}")
    return done.stdout.strip()
