"""A comparison for GitHub Actions: annotations as workflow commands, and the job's summary."""

from collections.abc import Iterator
from typing import Final

from results.formats import markdown
from results.formats.wording import change_text, growth_subject, plain, uncompared_text
from results.judgement import Comparison, Row

_ANNOTATIONS: Final = 10
"""GitHub shows ten errors of a step and drops the others."""


def render(comparison: Comparison, *, file: str | None = None, line: int | None = None) -> str:
    """Annotations and the job summary, in one text for standard output.

    Args:
        comparison: what to tell.
        file: the file that annotations point to, such as the scenario's; None for none.
        line: its line; None for none.
    """
    return annotations(comparison, file=file, line=line) + markdown.render(comparison)


def annotations(comparison: Comparison, *, file: str | None = None, line: int | None = None) -> str:
    """One `::error` for each worse order, regression and missing part, at most ten, a line each."""
    place = "".join(
        f"{name}={_property(str(value))},"
        for name, value in (("file", file), ("line", line))
        if value is not None
    )
    lines = [
        f"::error {place}title={_property(plain(title))}::{_message(plain(message))}\n"
        for title, message in _errors(comparison)
    ]
    return "".join(lines[:_ANNOTATIONS])


def _errors(comparison: Comparison) -> Iterator[tuple[str, str]]:
    for order in comparison.worse_orders:
        versions = f"{order.baseline_label} → {order.candidate_label}"
        told = f"{growth_subject(order, several=False)}, {versions}: {order.reason}"
        yield f"{order.phase} grows in a worse order", told
    for row in comparison.having("regressed"):
        yield f"{row.metric} of {row.phase} regressed", _told(row)
    for thing in comparison.missing:
        yield "not compared", uncompared_text(thing)


def _told(row: Row) -> str:
    change = change_text(row.ratio, row.ratio_low, row.ratio_high)
    figures = f"{change}; " if row.ratio is not None else ""
    return f"{row.case}, {row.baseline_label} → {row.candidate_label}: {figures}{row.reason}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
