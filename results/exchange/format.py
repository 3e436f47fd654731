"""What every format offers, and what goes in and out of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from results.schema import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit that the readings belong to, for tools that arrange results by commits.

    Attributes:
        revision: the full hash.
        committed_at_ms: milliseconds since 1970.
    """

    revision: str
    committed_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote.

    Attributes:
        files: content by file name, relative to the folder; for a format of one file, that file.
        left_out: how many readings the format cannot hold, by the reason in words.
    """

    files: Mapping[str, str]
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import found.

    Attributes:
        readings: valid readings, in the file's order.
        left_out: how many of the file's results no metric of ours fits, by the reason in words.
    """

    readings: tuple[Reading, ...]
    left_out: Counter[str] = field(default_factory=Counter)


class Format(Protocol):
    """A format of another tool."""

    name: str
    is_folder: bool
    """Whether it is a folder of files; else it is one file."""

    def exported(self, readings: Sequence[Reading], commit: Commit | None) -> Exported:
        """The readings of one version in this format.

        Raises:
            ComparisonError: if the format needs something that is not given, or nothing of the
                readings fits it.
        """
        ...

    def imported(self, path: Path, label: str | None) -> Imported:
        """The readings in a file (or folder) of this format.

        Args:
            path: what to read.
            label: the version they belong to; None for what the file says, else its name.

        Raises:
            TableError: if the file is not what the format wants.
        """
        ...

    def recognises(self, content: object) -> bool:
        """Whether the content of a JSON file is of this format."""
        ...
