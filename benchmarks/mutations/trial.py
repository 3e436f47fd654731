"""One mutation through every command that reads tables, and what came of it.

A command may give a result or one message that says where; anything else is a failure: another
exception, a hang, a control character in what people read, or a number that is not in the file.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.mutations import oracle
from benchmarks.mutations.drawing import (
    COSMETIC,
    ORIGINAL,
    VALUES,
    Mutation,
    original,
    written,
)
from harness.cli import main
from results.errors import TableError
from results.exchange.catalog import FORMATS
from results.frames import readings
from results.tables import read

_HANG_S = 60
"""On a busy machine; the slowest of these commands takes a tenth of a second alone."""
_FOR_PROGRAMS = ("csv", "json")
_FORMS = ("table", "markdown", "junit", "github", *_FOR_PROGRAMS)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_FIGURES = ("baseline", "candidate", "ratio", "ratio_low", "ratio_high", "verdict")


class Hang(BaseException):
    """A command did not come back; no `except Exception` may take it for its own."""


@dataclass(slots=True)
class Tally:
    """What came of all mutations so far.

    Attributes:
        outcomes: by kind of mutation and outcome.
        placed: refusals of tables by how exactly they say where.
        commands: how often each command was run.
        failures: what must not be, in words.
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    placed: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def mutations(self) -> int:
        """How many were tried."""
        return self.outcomes.total()


class Trial:
    """Tries mutations in a folder of its own."""

    def __init__(self, folder: Path, tally: Tally | None = None) -> None:
        self.tally = Tally() if tally is None else tally
        self._folder = folder
        self._table = folder / "mutated.csv"
        self._settings = folder / "settings.toml"
        self._settings.write_text("[tool.graphgauge]\n", encoding="utf-8")
        self._baseline = folder / "baseline.csv"
        header, *rows = original()
        label = header.index("label")
        kept = [[*row[:label], "base", *row[label + 1 :]] for row in rows if row[label] == "old"]
        self._baseline.write_bytes(written([header, *kept]))
        self._expected = self._figures(ORIGINAL)
        self._turn = self.tally.mutations

    def attempt(self, mutation: Mutation) -> None:
        """Send it through the commands; what must not be is added to the tally's failures."""
        self._turn += 1
        self._place(mutation)
        found: str | None = None
        before = len(self.tally.failures)
        with self._watched(mutation):
            found = self._read(mutation)
        with self._watched(mutation):
            self._commands(mutation)
        failed = len(self.tally.failures) > before
        self.tally.outcomes[mutation.kind, "failed" if failed else found or "failed"] += 1

    def _place(self, mutation: Mutation) -> None:
        self._table.write_bytes(mutation.table)
        for end in ("environment.json", "blocks.jsonl", "timelines.jsonl"):
            beside = self._folder / f"mutated.{end}"
            if end in mutation.beside:
                beside.write_bytes(mutation.beside[end])
            else:
                shutil.copyfile(ORIGINAL.with_name(f"versus.{end}"), beside)

    @contextlib.contextmanager
    def _watched(self, mutation: Mutation) -> Iterator[None]:
        signal.alarm(_HANG_S)
        try:
            yield
        except (Exception, Hang) as error:
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            where = (
                "" if place is None else f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
            )
            self._fail(mutation, f"{type(error).__name__}: {str(error)[:200]} at {where}")
        finally:
            signal.alarm(0)

    def _fail(self, mutation: Mutation, what: str) -> None:
        self.tally.failures.append(f"{mutation.kind}, number {self._turn}: {what}")

    def _read(self, mutation: Mutation) -> str:
        try:
            frame = read(self._table)
        except TableError as error:
            place = "line and column" if error.column else "line" if error.line else "the file"
            self.tally.placed[place] += 1
            if mutation.kind in {COSMETIC, VALUES}:
                self._fail(mutation, f"refused: {error}")
            return "refused"
        if not oracle.same(oracle.rows_of(mutation.table), list(readings(frame))):
            self._fail(mutation, "other readings than the csv module finds")
        return "read"

    def _commands(self, mutation: Mutation) -> None:
        """Compare always; the others take turns, report and export most of all."""
        if mutation.kind in {COSMETIC, VALUES}:
            self._check_figures(mutation)
        else:
            form = _FORMS[self._turn % len(_FORMS)]
            self._run(mutation, "compare", str(self._table), "--format", form)
        others = (self._report, self._export, self._report, self._export, self._import)
        others = (*others, self._history, self._check)
        others[self._turn % len(others)](mutation)

    def _report(self, mutation: Mutation) -> None:
        self._run(mutation, "report", str(self._table), "-o", str(self._folder / "report.html"))

    def _history(self, mutation: Mutation) -> None:
        self._run(mutation, "history", str(self._table), "--all")

    def _check(self, mutation: Mutation) -> None:
        told = ("--baseline", str(self._baseline), "--settings", str(self._settings))
        self._run(mutation, "check", str(self._table), *told)

    def _export(self, mutation: Mutation) -> None:
        form, out = self._form()
        shutil.rmtree(out, ignore_errors=True) if out.is_dir() else out.unlink(missing_ok=True)
        told = ["--to", form, "-o", str(out), "--label", "old"]
        told += ["--commit", "HEAD"] if FORMATS[form].is_folder else []
        self._run(mutation, "export", str(self._table), *told)

    def _import(self, mutation: Mutation) -> None:
        """What was exported last in this format."""
        form, out = self._form()
        again = self._folder / "imported.csv"
        again.unlink(missing_ok=True)
        if out.exists():
            self._run(mutation, "import", str(out), "--from", form, "-o", str(again))

    def _form(self) -> tuple[str, Path]:
        form = tuple(FORMATS)[self._turn // 7 % len(FORMATS)]
        return form, self._folder / (form if FORMATS[form].is_folder else f"{form}.json")

    def _run(self, mutation: Mutation, *arguments: str) -> int:
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = main(arguments)
        self.tally.commands[arguments[0]] += 1
        told = errors.getvalue()
        if code not in (0, 1, 2, 3) or (code == 2 and "graphgauge: " not in told):
            self._fail(mutation, f"{arguments[0]}: exit code {code}, {told[:200]!r}")
        is_for_programs = arguments[-1] in _FOR_PROGRAMS
        seen = told if is_for_programs else told + out.getvalue()
        control = _CONTROLS.search(seen)
        if control is not None:
            self._fail(mutation, f"{' '.join(arguments)}: {control.group()!r} in what it prints")
        if arguments[-1] == "json" and out.getvalue():
            _finite(json.loads(out.getvalue()))
        return code

    def _check_figures(self, mutation: Mutation) -> None:
        """Touched series must have the mean of what the file says; all others what they had."""
        rows = oracle.rows_of(mutation.table)
        all_rows = oracle.rows_of(ORIGINAL.read_bytes())
        touched = {oracle.series_of(all_rows[i]) for i in mutation.touched}
        found = self._figures(self._table)
        if found.keys() != self._expected.keys():
            self._fail(mutation, f"rows {sorted(found.keys() ^ self._expected.keys())}")
            return
        sides = [oracle.means(rows, label) for label in ("old", "new")]
        for key, figures in found.items():
            for side, figure in zip(sides, figures[:2], strict=True):
                if figure is None or not math.isclose(side[key], figure, rel_tol=1e-9):
                    self._fail(mutation, f"{key}: {figure}, the mean in the file is {side[key]}")
            if key not in touched and not _alike(figures, self._expected[key]):
                self._fail(mutation, f"{key}: {figures} instead of {self._expected[key]}")

    def _figures(self, table: Path) -> Mapping[oracle.Key, Sequence[Any]]:
        """What a comparison says of each series."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            main(["compare", str(table), "--format", "json"])
        rows = json.loads(out.getvalue())["rows"]
        return {oracle.series_of(row): [row[name] for name in _FIGURES] for row in rows}


def alarmed(_signal: int, _frame: FrameType | None) -> None:
    """The handler of SIGALRM that ends a hang."""
    raise Hang(f"no answer within {_HANG_S} s")


def _alike(found: Sequence[Any], expected: Sequence[Any]) -> bool:
    """Means and ratio to twelve digits; intervals and verdict hang on the other rows as well."""
    return all(
        one == other or (one is not None and other is not None and math.isclose(one, other))
        for one, other in zip(found[:3], expected[:3], strict=True)
    )


def _finite(found: object) -> None:
    if isinstance(found, dict):
        for each in found.values():
            _finite(each)
    elif isinstance(found, list):
        for each in found:
            _finite(each)
    elif isinstance(found, float) and not math.isfinite(found):
        message = "a number in JSON is not finite"
        raise ValueError(message)
