"""`graphgauge profile --memory`: which lines memory came from."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from harness.cases import Case
from harness.commands.options import positive_int
from harness.commands.profiled import profiled_groups
from harness.conversation import SubjectFailed
from harness.errors import UsageError
from harness.exits import NOTHING, OK
from harness.launch import LocalLauncher
from harness.plan import Contender, Version
from harness.profiling.opening import started
from harness.progress import say
from harness.worker import messages as m
from results.flame import flame_graph
from results.formats.terminal import console
from results.sites import Site, collapsed, rows_by_site
from results.units import quantity

_KINDS = (
    ("each", "left behind by each round"),
    ("once", "left behind by the first round"),
    ("peak", "there at the peak"),
)
_SITES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Profile:
    """What one version was traced to."""

    label: str
    case: Case
    traced: m.Traced

    def sites(self, kind: str) -> list[Site]:
        """The sites of that kind."""
        return [
            Site(stack=tuple(stack), text=text, size_bytes=size)
            for stack, text, size in getattr(self.traced, kind)
        ]


def add_memory_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a profile of memory takes."""
    parser.add_argument("--calls", type=positive_int, default=20, metavar="N", help="memory: calls")
    parser.add_argument(
        "--rounds", type=positive_int, default=3, metavar="N", help="memory: rounds"
    )
    parser.add_argument(
        "--native",
        action="store_true",
        help="memory: native allocations too, by memray in the subject's environment",
    )


def profile_memory(arguments: argparse.Namespace, plugins: tuple[str, ...]) -> int:
    """Trace, print tables and write flame graphs.

    Raises:
        UsageError: if native allocations are asked for and an environment has no memray.
    """
    groups = profiled_groups(arguments, ("memray",) if arguments.native else ())
    if arguments.native:
        for contender in groups[0]:
            _require_memray(contender.version)
    done = 0
    for group in groups:
        profiles = []
        for contender in group:
            label = contender.version.label
            answer = _traced(contender, plugins, arguments)
            if isinstance(answer, m.Failure):
                failed = f"{answer.status} in {answer.phase}: {answer.detail}"
                say(f"{contender.case} ({label}): {failed}")
            else:
                profiles.append(_Profile(label=label, case=contender.case, traced=answer))
        if len(profiles) == len(group):
            _show(profiles, arguments.top, is_native=arguments.native)
            _write(profiles, arguments.out)
            done += 1
    return OK if done else NOTHING


def _require_memray(version: Version) -> None:
    """The worker imports it, so it must be where the subject is."""
    looking = "import importlib.util as i, sys; sys.exit(i.find_spec('memray') is None)"
    done = subprocess.run([version.interpreter, "-c", looking], check=False)
    if done.returncode != 0:
        raise UsageError(
            f"--native: {version.label}: {version.interpreter} has no memray, which sees native "
            f"allocations; expected it in that environment. Install it there ("
            f"{version.interpreter} -m pip install memray), or leave --native out: allocations of "
            "Python and numpy are told without it"
        )


def _traced(
    contender: Contender, plugins: tuple[str, ...], arguments: argparse.Namespace
) -> m.Traced | m.Failure:
    launch, side = started(
        contender.case,
        contender.version,
        LocalLauncher(),
        plugins=plugins,
        timeout_s=arguments.timeout,
        exact_memory=True,
    )
    asked = m.TraceMemory(
        calls=arguments.calls, rounds=arguments.rounds, sites=_SITES, is_native=arguments.native
    )
    try:
        side.open()
        return side.ask(asked, m.Traced, "compile")
    except SubjectFailed as failed:
        return failed.failure
    finally:
        launch.close()


def _show(profiles: Sequence[_Profile], top: int, *, is_native: bool) -> None:
    to = console()
    whose = "native allocations too" if is_native else "allocations of Python and numpy alone"
    for kind, title in _KINDS:
        table = Table(title=f"{profiles[0].case}: {title}", title_justify="left")
        for profile in profiles:
            table.add_column(profile.label, justify="right")
        if len(profiles) > 1:
            table.add_column("difference", justify="right")
        table.add_column("line")
        table.add_column("code")
        rows = rows_by_site([profile.sites(kind) for profile in profiles])
        for row in rows[:top]:
            cells = [quantity(float(size), "B") for size in row.sizes_bytes]
            if len(profiles) > 1:
                sign = "+" if row.difference_bytes > 0 else ""
                cells.append(sign + quantity(float(row.difference_bytes), "B"))
            table.add_row(*cells, row.place, row.text[:76])
        to.print(table)
    for profile in profiles:
        traced = profile.traced
        seen = traced.seen_bytes / max(traced.peak_bytes, 1)
        to.print(
            f"{profile.label}: the peak shown is {seen:.0%} of the highest, "
            f"{quantity(float(traced.peak_bytes), 'B')}; {whose}"
        )


def _write(profiles: Sequence[_Profile], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for profile in profiles:
        case = profile.case
        name = "".join(
            c if c.isalnum() or c in "-_=." else "-"
            for c in f"{case.evaluator}-{case.scenario}-{case.mode}-{profile.label}"
        )
        for kind, title in _KINDS:
            sites = profile.sites(kind)
            stem = folder / f"{name}.{kind}"
            stem.with_name(f"{stem.name}.collapsed").write_text(collapsed(sites), encoding="utf-8")
            drawn = flame_graph(sites, f"{profile.label}, {case}: {title}")
            stem.with_name(f"{stem.name}.svg").write_text(drawn, encoding="utf-8")
    say(f"flame graphs (.svg) and collapsed stacks: {folder}")
