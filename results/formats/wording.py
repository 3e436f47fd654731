"""The words and figures that all formats share; text from tables made harmless."""

import re
from typing import Final

from results.judgement import Comparison, GeometricMean, GrowthRow, Row, Uncompared, tally
from results.units import MISSING, percent, plain_percent, quantity

_LARGE_RATIO: Final = 2.0
_LARGE_SHARE: Final = 10.0
_WORKFLOW_COMMAND: Final = re.compile(r"(?<=^:)(?=:)|(?<=##)(?=\[)")
"""GitHub's runner takes lines that start with :: for commands, and ##[ anywhere in a line."""


def plain(text: str) -> str:
    """`text` on one line, without control characters, whatever stood in a table.

    Nor does it start a command where a log is read by GitHub's runner.
    """
    text = "".join(
        character if character.isprintable() else " " if character.isspace() else "�"
        for character in text
    )
    if "::" not in text and "##[" not in text:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    return indent + _WORKFLOW_COMMAND.sub("\u200b", text.lstrip())


def without_controls(text: str) -> str:
    """`text` with its lines as they are and every other control character spelt out."""
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode()
        for character in text.replace("\r\n", "\n")
    )


def mean_text(mean: float | None, spread: float | None, unit: str) -> str:
    """A mean with the standard deviation over launches, such as `1.23 ms ± 2.1 %`."""
    text = quantity(mean, unit)
    if not spread or mean is None:
        return text
    if spread < mean:
        return f"{text} ± {percent(spread / mean, digits=2)}"
    number, _, size = text.partition(" ")
    spread_number, _, spread_size = quantity(spread, unit).partition(" ")
    if size == spread_size:
        return f"{number} ± {spread_number} {size}".rstrip()
    return f"{text} ± {spread_number} {spread_size}"


def change_text(
    ratio: float | None, low: float | None, high: float | None, *, with_interval: bool = True
) -> str:
    """A ratio as a change with its interval, such as `+2.1 % [+1.5 %, +2.7 %]` or `3.1× [3, 3.2]`.

    Ratios of 2 and more, and of 1/2 and less, read better as factors.
    """
    if ratio is None:
        return MISSING
    is_large = ratio >= _LARGE_RATIO or ratio <= 1 / _LARGE_RATIO

    def written(value: float) -> str:
        return _factor(value) if is_large else percent(value - 1, signed=True)

    if low is None or high is None or not with_interval:
        return written(ratio)
    return f"{written(ratio)} [{written(low)}, {written(high)}]"


def _factor(value: float) -> str:
    """Three significant digits, thousands apart."""
    is_long = 1_000 <= value < 1_000_000
    return f"{float(f'{value:.3g}'):,.0f}×" if is_long else f"{value:.3g}×"


def detectable_text(row: Row) -> str:
    """The smallest detectable change, in % of the baseline where there is a ratio.

    Beyond ten times the baseline a share tells nobody anything: 1,280,000 % of 4 KiB is told as
    50 MiB, and a time as a factor.
    """
    share = row.smallest_detectable
    if row.ratio is None or share is None or row.baseline is None:
        return quantity(share, row.unit)
    if share < _LARGE_SHARE:
        return percent(share)
    return _factor(1 + share) if row.unit == "s" else quantity(share * row.baseline, row.unit)


def launches_text(row: Row) -> str:
    """How many launches each side has, and how many halve what could be seen: `12 (40 halve)`."""
    count = str(row.baseline_launches)
    if row.baseline_launches != row.candidate_launches:
        count += f"+{row.candidate_launches}"
    return count if row.launches_to_halve is None else f"{count} ({row.launches_to_halve} halve)"


def headline(comparison: Comparison) -> str:
    """What came of it in one line."""
    counts = [tally(comparison.rows)]
    if comparison.growth:
        counts.append(f"orders of growth: {tally(comparison.growth)}")
    for things, word in (
        (comparison.missing, "missing"),
        (comparison.failing, "failing on both sides"),
        (comparison.candidate_only, "only in a candidate"),
    ):
        if things:
            counts.append(f"{len(things)} {word}")
    candidates = ", ".join(map(plain, comparison.candidate_labels))
    return f"{plain(comparison.baseline_label)} → {candidates}: {', '.join(counts)}"


def promise(comparison: Comparison) -> str:
    """What the verdicts promise."""
    level = plain_percent(comparison.level)
    return (
        f"Changes beyond ±{plain_percent(comparison.threshold)} are called; the chance that any "
        f"call is wrong is at most {level} over all rows (Holm). Intervals are "
        f"{plain_percent(1 - comparison.level)}; ± is the standard deviation over launches."
    )


def mean_change_text(mean: GeometricMean, *, with_interval: bool = True) -> str:
    """A geometric mean as a change; as a verdict where its figures would tell nothing."""
    if mean.tells_nothing:
        return "inconclusive"
    return change_text(mean.ratio, mean.ratio_low, mean.ratio_high, with_interval=with_interval)


def geometric_mean_text(mean: GeometricMean) -> str:
    """A geometric mean in one line."""
    change = mean_change_text(mean)
    return (
        f"geometric mean of {mean.phase} {mean.metric} over {mean.cases} cases, "
        f"{plain(mean.candidate_label)}: {change}"
    )


def growth_subject(row: GrowthRow, *, several: bool = True) -> str:
    """What grows, in one line: case, phase, metric, and the candidate if there are several."""
    candidate = f" ({plain(row.candidate_label)})" if several else ""
    return f"{plain(row.case)}, {row.phase} {row.metric}{candidate}"


def uncompared_text(thing: Uncompared) -> str:
    """Something that was not compared, in one line."""
    what = " ".join(filter(None, (thing.phase, thing.metric)))
    where = plain(thing.case) + (f", {what}" if what else "")
    return f"{where} ({plain(thing.candidate_label)}): {plain(thing.reason)}"
