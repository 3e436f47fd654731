"""`graphgauge import`: another tool's results as a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.exits import NOTHING, OK
from harness.progress import say
from results.exchange.catalog import FORMATS, imported_from, recognised
from results.schema import Reading
from results.tables import TableWriter


class Import:
    """Append what another tool measured to a table."""

    name = "import"
    summary = "append another tool's results to a table"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what `import` takes."""
        parser.add_argument("files", nargs="+", type=Path, metavar="PATH")
        parser.add_argument(
            "--from",
            dest="form",
            choices=tuple(FORMATS),
            help="the format; default: what the file looks like",
        )
        parser.add_argument(
            "--label", metavar="LABEL", help="of the version; default: the file's word, or its name"
        )
        parser.add_argument("-o", "--out", required=True, type=Path, metavar="FILE.csv")

    def run(self, arguments: argparse.Namespace) -> int:
        """Read all, then write; nothing is written if one of the files cannot be used."""
        found: list[Reading] = []
        for path in arguments.files:
            form = FORMATS[arguments.form] if arguments.form else recognised(path)
            imported = imported_from(path, form, arguments.label)
            found += imported.readings
            say(f"{path}: {len(imported.readings)} readings from {form.name}")
            for reason, count in imported.left_out.items():
                say(f"{path}: left out {count}: {reason}")
        with TableWriter(arguments.out) as table:
            table.write(found)
        say(f"table: {arguments.out}")
        return OK if found else NOTHING
