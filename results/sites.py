"""Allocation sites: where memory came from, as rows, as collapsed stacks, and by difference."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A stack that allocated, and how much of it is there.

    Attributes:
        stack: frames as `path:line`, outermost first; at least one. What a line called that is not
            told by line, such as native functions, stands below it as `function [file]`.
        text: the innermost line.
        size_bytes: what it allocated.
    """

    stack: tuple[str, ...]
    text: str
    size_bytes: int

    @property
    def weight(self) -> float:
        """Its bytes, as a flame graph draws them."""
        return float(self.size_bytes)

    @property
    def place(self) -> str:
        """The innermost line; of a stack without any, its innermost frame."""
        lines = [frame for frame in self.stack if not frame.endswith("]")]
        return lines[-1] if lines else self.stack[-1]

    @property
    def line(self) -> tuple[str, str]:
        """File and text of the innermost line: what it is in another version too."""
        place = self.place
        return place if place.endswith("]") else place.rpartition(":")[0], self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A line of code and the bytes that it has in each version, all its stacks together.

    Attributes:
        place: `path:line`, of the last version that has it.
        text: the line.
        sizes_bytes: one for each version.
    """

    place: str
    text: str
    sizes_bytes: tuple[int, ...]

    @property
    def difference_bytes(self) -> int:
        """What the last version has more than the first."""
        return self.sizes_bytes[-1] - self.sizes_bytes[0]


def rows_by_site(versions: Sequence[Iterable[Site]]) -> list[SiteRow]:
    """The lines of all versions. Of one the largest first, of several the largest difference.

    Lines are the same when file and text are, since numbers change from version to version.
    """
    places: dict[tuple[str, str], str] = {}
    sizes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(versions))
    for number, sites in enumerate(versions):
        for site in sites:
            places[site.line] = site.place
            sizes[site.line][number] += site.size_bytes
    rows = [
        SiteRow(place=places[line], text=line[1], sizes_bytes=tuple(found))
        for line, found in sizes.items()
    ]
    if len(versions) == 1:
        return sorted(rows, key=lambda row: -row.sizes_bytes[0])
    return sorted(rows, key=lambda row: -abs(row.difference_bytes))


def collapsed(sites: Iterable[Site]) -> str:
    """Collapsed stacks, `frame;frame bytes` a line, as flame graph tools read them."""
    totals: dict[str, int] = defaultdict(int)
    for site in sites:
        totals[";".join(frame.replace(";", ",") for frame in site.stack)] += site.size_bytes
    return "".join(f"{stack} {size}\n" for stack, size in sorted(totals.items()))
