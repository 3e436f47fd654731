"""`graphgauge export`: a table in another tool's format."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from harness.commits import commit_of, commit_of_label
from harness.errors import UsageError
from harness.exits import OK
from harness.printing import write_out
from harness.progress import say
from results.exchange.asv import merged_benchmarks
from results.exchange.catalog import FORMATS
from results.exchange.format import Exported, Format
from results.exchange.loading import loaded
from results.labels import labels_of
from results.schema import METRICS, PHASES, Reading
from results.tables import read_many, readings


class Export:
    """Write what a table says of one version in another tool's format."""

    name = "export"
    summary = "write a table in another tool's format"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `export` takes."""
        parser.add_argument("tables", nargs="+", type=Path, metavar="FILE.csv")
        parser.add_argument("--to", required=True, choices=tuple(FORMATS), help="the format")
        parser.add_argument(
            "-o", "--out", type=Path, metavar="PATH", help="default: stdout; asv's is a folder"
        )
        parser.add_argument("--label", metavar="LABEL", help="of the version, where there are many")
        parser.add_argument(
            "--metric", action="extend", nargs="+", choices=tuple(METRICS), help="these only"
        )
        parser.add_argument(
            "--phase", action="extend", nargs="+", choices=PHASES, help="these only"
        )
        parser.add_argument(
            "--commit",
            metavar="REV",
            help="what was measured; default: what a label such as git:REV says",
        )

    def run(self, arguments: argparse.Namespace) -> int:
        """Write the file, and say what did not fit."""
        form = FORMATS[arguments.to]
        if form.is_folder and arguments.out is None:
            raise UsageError(f"--out is missing; {form.name} is a folder of files")
        label, chosen = _chosen(read_many(arguments.tables), arguments)
        commit = commit_of(arguments.commit) if arguments.commit else commit_of_label(label)
        exported = form.exported(chosen, commit)
        for reason, count in exported.left_out.items():
            say(f"left out {count} of {len(chosen)} readings: {reason}")
        _write(exported, form, arguments.out)
        return OK


def _chosen(frame: pd.DataFrame, arguments: argparse.Namespace) -> tuple[str, Sequence[Reading]]:
    """One version's readings, of the metrics and phases that were asked for."""
    labels = labels_of(frame)
    if arguments.label is None and len(labels) > 1:
        raise UsageError(
            f"found labels {', '.join(labels)}; these formats hold one version a file: choose one "
            "with --label"
        )
    label = arguments.label or next(iter(labels), "")
    if label not in labels:
        raise UsageError(f"--label {label}: expected one of {', '.join(labels) or 'no readings'}")
    frame = frame[frame["label"] == label]
    for column in ("metric", "phase"):
        wanted = getattr(arguments, column)
        if wanted:
            frame = frame[frame[column].isin(wanted)]
    chosen = tuple(readings(frame))
    if not chosen:
        raise UsageError("no reading of that label is of those metrics and phases")
    return label, chosen


def _write(exported: Exported, form: Format, out: Path | None) -> None:
    if out is None:
        write_out(exported.files[""])
        return
    try:
        for name, content in exported.files.items():
            path = out / name if form.is_folder else out
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_joined(path, content), encoding="utf-8")
            say(f"written: {path}")
    except OSError as error:
        raise UsageError(f"--out {out}: {error.strerror or error}") from None


def _joined(path: Path, content: str) -> str:
    """Of asv's benchmarks.json, what the folder's other commits have as well."""
    if path.name != "benchmarks.json" or not path.is_file():
        return content
    together = merged_benchmarks(loaded(path), json.loads(content))
    return json.dumps(together, indent=1) + "\n"
