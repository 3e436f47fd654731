"""A comparison for GitHub Actions: annotations as workflow commands, and the job's summary."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from results.formats import markdown
from results.formats.wording import change_text, growth_subject, plain, uncompared_text
from results.judgement import Comparison, Row

_ANNOTATIONS: Final = 10
"""GitHub shows ten errors of a step and drops the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a file of the repository that is tested.

    Attributes:
        file: relative to the repository's root.
        line: counted from 1.
    """

    file: str
    line: int


_NOWHERE: Final[Mapping[str, Place]] = MappingProxyType({})


def render(comparison: Comparison, *, places: Mapping[str, Place] = _NOWHERE) -> str:
    """Annotations and the job summary, in one text for standard output.

    Args:
        comparison: what to tell.
        places: where each scenario is defined, by its name.
    """
    return annotations(comparison, places=places) + markdown.render(comparison)


def annotations(comparison: Comparison, *, places: Mapping[str, Place] = _NOWHERE) -> str:
    """One `::error` for each worse order, regression and missing part, at most ten, a line each.

    An annotation points to the line its scenario is defined at, where `places` has that.
    """
    lines = [
        f"::error {_where(places.get(scenario))}title={_property(plain(title))}::"
        f"{_message(plain(message))}\n"
        for scenario, title, message in _errors(comparison)
    ]
    return "".join(lines[:_ANNOTATIONS])


def _where(place: Place | None) -> str:
    return "" if place is None else f"file={_property(place.file)},line={place.line},"


def _errors(comparison: Comparison) -> Iterator[tuple[str, str, str]]:
    """Scenario, title and message of each."""
    for order in comparison.worse_orders:
        versions = f"{order.baseline_label} → {order.candidate_label}"
        told = f"{growth_subject(order, several=False)}, {versions}: {order.reason}"
        yield order.scenario, f"{order.phase} grows in a worse order", told
    for row in comparison.having("regressed"):
        yield row.scenario, f"{row.metric} of {row.phase} regressed", _told(row)
    for thing in comparison.missing:
        yield thing.scenario, "not compared", uncompared_text(thing)


def _told(row: Row) -> str:
    change = change_text(row.ratio, row.ratio_low, row.ratio_high)
    figures = f"{change}; " if row.ratio is not None else ""
    return f"{row.case}, {row.baseline_label} → {row.candidate_label}: {figures}{row.reason}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
