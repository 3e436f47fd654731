"""Makes the trials: `python -m benchmarks.verdict.trial`.

Everything that is planned is made in random order, tools and levels mixed, so that whatever the
machine does for a while happens to all of them. Each trial is a line of `runs/verdict/trials.jsonl`
when it ends; Ctrl-C or SIGTERM end the trial under way, and the next start goes on from there.

Parts of the plan, each of which `--only` can name:

    aa        identical work for graphgauge, 7 s each: the same code, the same from another text,
              from another folder, from another environment; `--count` is their number in all
    planted   extra work for graphgauge, 7 s each; `--count` is the number at each level
    long      1 % of extra work for graphgauge, 20 s each, which tell of 7 s as well (see `replay`);
              `--count` is their number
    peers     every peer: `--count` trials at each level, twice as many with identical code

The times are those of the whole command: graphgauge is given less by what its start takes.

Nothing else should run meanwhile. With `--share 1/2` and `--share 2/2`, two processes, each bound
to a CPU of its own by `taskset`, make half of the trials each.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import signal
import statistics
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from benchmarks.verdict import ours, peers
from benchmarks.verdict.findings import Finding
from benchmarks.verdict.places import HERE, RUNS, THERE, TRIALS, interpreter_of
from benchmarks.verdict.planting import LEVELS, MOVED, planted_name
from benchmarks.verdict.processes import CommandFailed
from benchmarks.verdict.records import (
    OURS,
    PLANTED,
    Record,
    Trial,
    append_record,
    read_records,
)
from benchmarks.verdict.workloads import WORKLOADS, Workload, workload_named
from results.pairs import PairRatio

PARTS = ("aa", "planted", "long", "peers")
IDENTICAL_COUNT = 400
PLANTED_COUNTS = {2: 40, 3: 24, 5: 16, 10: 8}
LONG_COUNTS = {1: 40}
PEER_COUNTS = dict.fromkeys(LEVELS, 10)
"""By level."""
BUDGET_S, LONG_BUDGET_S = 7.0, 20.0
_MOST_LOAD = 0.7

Make = Callable[[Trial], Record]


# The plan


def plan(
    parts: Sequence[str],
    *,
    count: int | None = None,
    levels: Sequence[int] = LEVELS,
    budget_s: float = BUDGET_S,
    seed: int = 1,
) -> list[Trial]:
    """All trials of those parts, in the order in which they are made."""
    makers: Mapping[str, Callable[[], Iterator[Trial]]] = {
        "aa": lambda: identical(IDENTICAL_COUNT if count is None else count, budget_s),
        "planted": lambda: planted(_counts(PLANTED_COUNTS, count, levels), budget_s),
        "long": lambda: planted(_counts(LONG_COUNTS, count, levels), LONG_BUDGET_S),
        "peers": lambda: of_peers(_counts(PEER_COUNTS, count, levels), budget_s),
    }
    trials = [trial for part in parts for trial in makers[part]()]
    random.Random(seed).shuffle(trials)
    return trials


def _counts(usual: Mapping[int, int], count: int | None, levels: Sequence[int]) -> dict[int, int]:
    return {
        level: number if count is None else count
        for level, number in usual.items()
        if level in levels
    }


def identical(count: int, budget_s: float) -> Iterator[Trial]:
    """A/A trials of graphgauge: half of them the very same code, half laid out otherwise."""
    kinds = [
        (workload, kind)
        for workload in WORKLOADS
        for other in layouts_of(workload)
        for kind in ("same", other)
    ]
    for number, (workload, kind) in enumerate(itertools.islice(itertools.cycle(kinds), count)):
        yield Trial(
            tool=OURS,
            kind=kind,
            workload=workload.name,
            percent=0,
            swapped=number // len(kinds) % 2 == 1,
            budget_s=budget_s,
            number=number,
        )


def layouts_of(workload: Workload) -> tuple[str, ...]:
    """The ways in which its code can be had from elsewhere."""
    retold = ("retold",) if workload.evaluator == "straightline" else ()
    moved = ("moved",) if workload.evaluator in MOVED else ()
    return (*retold, *moved, "folder")


def planted(counts: Mapping[int, int], budget_s: float, tool: str = OURS) -> Iterator[Trial]:
    """Trials with extra work, so many at each level; in half of them the baseline has it."""
    plantable = [each for each in WORKLOADS if each.plantable]
    for percent, count in counts.items():
        for number in range(count):
            yield Trial(
                tool=tool,
                kind=PLANTED,
                workload=plantable[number % len(plantable)].name,
                percent=percent,
                swapped=number // len(plantable) % 2 == 1,
                budget_s=budget_s,
                number=number,
            )


def of_peers(counts: Mapping[int, int], budget_s: float) -> Iterator[Trial]:
    """The same questions for every peer, and twice as many about identical code."""
    for peer in peers.ALL:
        yield from planted(counts, budget_s, peer.name)
        for number in range(2 * max(counts.values(), default=0)):
            yield Trial(
                tool=peer.name,
                kind="same",
                workload=WORKLOADS[number % len(WORKLOADS)].name,
                percent=0,
                swapped=False,
                budget_s=budget_s,
                number=number,
            )


def sides_of(trial: Trial) -> tuple[str, str]:
    """Baseline and candidate, as graphgauge is told them."""
    evaluator = workload_named(trial.workload).evaluator
    here, there = (f"python:{interpreter_of(folder)}" for folder in (HERE, THERE))
    baseline, candidate = {
        "same": (evaluator, evaluator),
        "retold": (evaluator, f"{evaluator}-retold"),
        "moved": (evaluator, f"{evaluator}-moved"),
        "folder": (here, there),
        PLANTED: (evaluator, planted_name(evaluator, trial.percent)),
    }[trial.kind]
    return (candidate, baseline) if trial.swapped else (baseline, candidate)


# Making them


def say(text: str) -> None:
    """Tell whoever watches, at once."""
    print(text, flush=True)


def make(trial: Trial) -> Record:
    """Make a trial; a tool that fails is a record too."""
    started = monotonic()
    findings: tuple[Finding, ...] = ()
    pairs: tuple[PairRatio, ...] = ()
    wall_s, error = None, ""
    try:
        if trial.tool == OURS:
            answer = _ask_ours(trial)
            findings, pairs, wall_s = (answer.finding,), answer.pairs, answer.wall_s
        else:
            findings = tuple(_ask_peer(trial))
    except (CommandFailed, ValueError) as failure:
        error = f"{type(failure).__name__}: {failure}"
    return Record(
        trial=trial,
        findings=findings,
        pairs=pairs,
        wall_s=monotonic() - started if wall_s is None else wall_s,
        recorded_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        error=error,
    )


def _ask_ours(trial: Trial) -> ours.Answer:
    return ours.ask(
        workload_named(trial.workload),
        sides_of(trial),
        budget_s=max(1.0, trial.budget_s - ours.STARTING_S),
        threshold=0.0,
        seed=zlib.crc32(trial.key.encode()) % 1_000_000,
        table=RUNS / "tables" / f"{trial.key}.csv",
    )


def _ask_peer(trial: Trial) -> list[Finding]:
    (peer,) = (each for each in peers.ALL if each.name == trial.tool)
    with tempfile.TemporaryDirectory() as folder:
        return peer.compare(workload_named(trial.workload), sides_of(trial), Path(folder))


def run(
    trials: Sequence[Trial], path: Path, *, make: Make = make, say: Callable[[str], None] = say
) -> None:
    """Make those that have no finding yet, and append each as it ends."""
    records = read_records(path)
    finished = {each.trial.key for each in records if not each.error}
    waiting = [each for each in trials if each.key not in finished]
    say(
        f"{len(trials)} trials, {len(trials) - len(waiting)} of them made; "
        f"about {minutes(waiting, records):.0f} minutes"
    )
    for number, trial in enumerate(waiting, 1):
        record = make(trial)
        append_record(path, record)
        records.append(record)
        left = minutes(waiting[number:], records)
        say(f"{number}/{len(waiting)} {trial.key}: {_told(record)}; {left:.0f} min left")


def minutes(trials: Iterable[Trial], records: Iterable[Record]) -> float:
    """How long they will take: as long as such ones took, or their budget where there were none."""
    seen: dict[tuple[str, str, float, float], list[float]] = {}
    for each in records:
        seen.setdefault(_sort_of(each.trial), []).append(each.wall_s)
    return sum(statistics.fmean(seen.get(_sort_of(each), [each.budget_s])) for each in trials) / 60


def _sort_of(trial: Trial) -> tuple[str, str, float, float]:
    return trial.tool, trial.kind, trial.percent, trial.budget_s


def _told(record: Record) -> str:
    if record.error:
        return record.error
    said = ", ".join(f"{each.verdict} {each.ratio:.4f}" for each in record.findings)
    return f"{said} in {record.wall_s:.1f} s"


def share(trials: Sequence[Trial], text: str) -> list[Trial]:
    """Of `2/3` the second of every three trials."""
    which, of = map(int, text.split("/"))
    if not 1 <= which <= of:
        raise ValueError(f"found share {text}; expected one such as 1/2")
    return list(trials[which - 1 :: of])


def _check_places(trials: Sequence[Trial]) -> None:
    missing = [
        folder
        for folder in (HERE, THERE)
        if any(each.kind == "folder" for each in trials) and not interpreter_of(folder).exists()
    ]
    if missing:
        sys.exit(f"{missing[0]} is missing; run python -m benchmarks.verdict.installing")


def main() -> None:
    """Plan, tell how long it will take, and go."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART")
    parser.add_argument("--count", type=int, help="trials of each part; see above")
    parser.add_argument("--levels", type=int, nargs="+", choices=LEVELS, default=list(LEVELS))
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="default: %(default)g s")
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--share", default="1/1", help="of the trials, such as 1/2")
    parser.add_argument(
        "--workload", nargs="+", choices=[each.name for each in WORKLOADS], help="these only"
    )
    parser.add_argument("--dry-run", action="store_true", help="tell how long it will take")
    arguments = parser.parse_args()
    trials = plan(
        arguments.only,
        count=arguments.count,
        levels=arguments.levels,
        budget_s=arguments.budget,
        seed=arguments.seed,
    )
    chosen = arguments.workload or [each.name for each in WORKLOADS]
    trials = [trial for trial in trials if trial.workload in chosen]
    mine = share(trials, arguments.share)
    _check_places(mine)
    load = os.getloadavg()[0]
    if load > _MOST_LOAD:
        print(f"load {load:.1f}: other work is running, and everything will be noisier")
    if arguments.dry_run:
        _tell(mine)
        return
    if any(each.tool == peers.Asv.name for each in mine):
        peers.Asv().prepare()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(mine, TRIALS)
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept, and the same command goes on from here")
        sys.exit(130)


def _tell(trials: Sequence[Trial]) -> None:
    records = read_records(TRIALS)
    for tool in dict.fromkeys(each.tool for each in trials):
        of_tool = [each for each in trials if each.tool == tool]
        print(f"{tool}: {len(of_tool)} trials, about {minutes(of_tool, records):.0f} minutes")
    print(f"together about {minutes(trials, records):.0f} minutes")


if __name__ == "__main__":
    main()
