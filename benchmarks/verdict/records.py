"""Trials and what came of them: one JSON object a line, appended as each trial ends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.verdict.findings import Finding
from results.pairs import PairRatio

OURS = "graphgauge"
PLANTED = "planted"
IDENTICAL = ("same", "retold", "moved", "folder")
"""Kinds of pairs that do the same work: the very same code, the same from another text, from a copy
of its files, and in an environment in another folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One comparison to make.

    Attributes
    ----------
    tool: `OURS`, or a peer's name.
    kind: `PLANTED`, or one of `IDENTICAL`.
    workload: its name.
    percent: what is planted; 0 for identical work.
    swapped: whether the candidate takes the place of the baseline.
    budget_s: what graphgauge may spend; what a peer's settings aim at.
    number: tells repetitions apart.
    """

    tool: str
    kind: str
    workload: str
    percent: float
    swapped: bool
    budget_s: float
    number: int

    @property
    def key(self) -> str:
        """Its name; also that of its table."""
        parts = (self.tool, self.kind, self.workload, f"{self.percent:g}", f"{self.budget_s:g}s")
        return "-".join((*parts, "swapped" if self.swapped else "straight", str(self.number)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A trial that was made.

    Attributes
    ----------
    trial: which.
    findings: by each rule of the tool; none where it failed.
    pairs: graphgauge's, in the order of measurement.
    wall_s: from the tool's start to its end.
    recorded_at: UTC, ISO 8601.
    error: why there is no finding; empty where there is.
    """

    trial: Trial
    findings: tuple[Finding, ...]
    pairs: tuple[PairRatio, ...]
    wall_s: float
    recorded_at: str
    error: str = ""


def read_records(path: Path) -> list[Record]:
    """Every trial's last record, in the order of their first; a line cut short is left out."""
    if not path.is_file():
        return []
    found: dict[str, Record] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            break  # it was being written when we were killed
        try:
            record = _record(line)
        except (ValueError, TypeError, KeyError) as error:
            message = f"{path}:{number}: {error}; expected a trial's record. Delete this line."
            raise ValueError(message) from error
        found[record.trial.key] = record
    return list(found.values())


def append_record(path: Path, record: Record) -> None:
    """Write a record, and see it on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        _cut_off_half_a_line(path)
        file.write(json.dumps(asdict(record)).encode() + b"\n")


def of_tool(records: Iterable[Record], tool: str, *kinds: str) -> list[Record]:
    """The records of that tool and those kinds that have a finding."""
    return [
        each
        for each in records
        if each.trial.tool == tool and each.trial.kind in kinds and not each.error
    ]


def _record(line: str) -> Record:
    read = json.loads(line)
    return Record(
        trial=Trial(**read["trial"]),
        findings=tuple(Finding(**each) for each in read["findings"]),
        pairs=tuple(PairRatio(**each) for each in read["pairs"]),
        wall_s=read["wall_s"],
        recorded_at=read["recorded_at"],
        error=read["error"],
    )


def _cut_off_half_a_line(path: Path) -> None:
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)
