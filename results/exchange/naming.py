"""Names of benchmarks in other tools: `planned/chain/depth=100;width=64/output/evaluate/time`.

A name can be read back: what could be taken for a separator is escaped as in addresses. A source
is named only where a metric of a phase was read by several.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from results.schema import METRICS, MODES, Reading

_PLAIN = " =;,.()[]<>+*"
"""Characters that stay as they are, beside letters, digits and -_~."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The readings of one metric in one phase of one case.

    Attributes:
        readings: in the table's order, at least one.
        shows_source: whether the name must tell the source.
    """

    readings: tuple[Reading, ...]
    shows_source: bool

    @property
    def first(self) -> Reading:
        """The reading that stands for what all have in common."""
        return self.readings[0]

    @property
    def parts(self) -> tuple[str, ...]:
        """Evaluator, scenario, params, mode, phase, and metric with its source."""
        one = self.first
        metric = f"{one.metric}@{one.source}" if self.shows_source else one.metric
        return (one.evaluator, one.scenario, one.params, one.mode, one.phase, metric)

    @property
    def name(self) -> str:
        """The benchmark's name."""
        return "/".join(map(escaped, self.parts))

    @property
    def case_phase(self) -> tuple[str, ...]:
        """The case and the phase."""
        return self.parts[:5]


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a benchmark's name says."""

    evaluator: str
    scenario: str
    params: str
    mode: str
    phase: str
    metric: str
    source: str


def series_of(readings: Sequence[Reading]) -> list[Series]:
    """The readings by what they measure, in order of appearance."""
    groups: dict[tuple[str, ...], list[Reading]] = {}
    for one in readings:
        key = (one.evaluator, one.scenario, one.params, one.mode, one.phase, one.metric)
        groups.setdefault((*key, one.source), []).append(one)
    sources: dict[tuple[str, ...], int] = {}
    for *named, _ in groups:
        sources[tuple(named)] = sources.get(tuple(named), 0) + 1
    return [
        Series(readings=tuple(group), shows_source=sources[key[:-1]] > 1)
        for key, group in groups.items()
    ]


def parsed(name: str) -> Name | None:
    """What `name` says if it is one of ours, else None."""
    parts = [unquote(part) for part in name.split("/")]
    if len(parts) != 6:
        return None
    metric, _, source = parts[5].partition("@")
    known = METRICS.get(metric)
    if known is None or parts[4] not in known.phases or parts[3] not in MODES:
        return None
    return Name(
        evaluator=parts[0],
        scenario=parts[1],
        params=parts[2],
        mode=parts[3],
        phase=parts[4],
        metric=metric,
        source=source,
    )


def escaped(part: str) -> str:
    """`part` without anything that separates parts of a name."""
    return quote(part, safe=_PLAIN, errors="backslashreplace")


def params_text(params: dict[str, object]) -> str:
    """Another tool's parameters as ours, `depth=100;width=64`, keys sorted."""
    cells = {
        str(key).replace("=", "_").replace(";", "_") or "_": str(value).replace(";", ",")
        for key, value in params.items()
    }
    return ";".join(f"{key}={cells[key]}" for key in sorted(cells))
