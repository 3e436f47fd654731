"""Try mutations and print what came of them; exit code 1 if anything did that must not.

    python -m benchmarks.mutations --count 10000 --seed 1 --tally mutations.json

With `--tally`, what came of them is kept in that file after every batch, and a run that was stopped
goes on there: the next batches are those that it would have drawn.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.mutations.drawing import Mutation, mutations
from benchmarks.mutations.trial import Tally, Trial, alarmed

_FAILURES_SHOWN = 40
_BATCH = 200
"""Hypothesis varies what it has drawn before; many batches of their own differ more."""


def main() -> int:
    """Draw, try, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--tally", type=Path, help="kept here; go on where it ended")
    arguments = parser.parse_args()
    asked = {"count": arguments.count, "seed": arguments.seed}
    signal.signal(signal.SIGALRM, alarmed)
    with tempfile.TemporaryDirectory() as folder:
        # A calibration of this machine must not change what is compared.
        os.environ["GRAPHGAUGE_CACHE"] = str(Path(folder) / "cache")
        first, tally = _kept(arguments.tally, asked)
        trial = Trial(Path(folder), tally)
        ends = time.monotonic() + arguments.seconds
        gc.freeze()  # what is imported stays; without it, each collection walks through all of it
        for batch in range(first, -(-arguments.count // _BATCH)):
            if time.monotonic() < ends:
                _try(
                    trial,
                    min(_BATCH, arguments.count - batch * _BATCH),
                    f"{arguments.seed} {batch}",
                )
                _keep(arguments.tally, asked, batch + 1, trial.tally)
        _print(trial.tally)
    return 1 if trial.tally.failures else 0


def _kept(path: Path | None, asked: Mapping[str, int]) -> tuple[int, Tally]:
    """How many batches were tried before, and what came of them."""
    if path is None or not path.exists():
        return 0, Tally()
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["asked"] != asked:
        raise SystemExit(f"{path} is of {found['asked']}, this is {asked}; name another file")
    return found["batches"], Tally(
        outcomes=Counter({(kind, outcome): count for kind, outcome, count in found["outcomes"]}),
        placed=Counter(found["placed"]),
        commands=Counter(found["commands"]),
        failures=found["failures"],
    )


def _keep(path: Path | None, asked: Mapping[str, int], batches: int, tally: Tally) -> None:
    if path is None:
        return
    found = {
        "asked": asked,
        "batches": batches,
        "outcomes": [[*key, count] for key, count in tally.outcomes.items()],
        "placed": tally.placed,
        "commands": tally.commands,
        "failures": tally.failures,
    }
    written = path.with_suffix(".new")
    written.write_text(json.dumps(found), encoding="utf-8")
    written.replace(path)


def _try(trial: Trial, count: int, drawn_from: str) -> None:
    @seed(drawn_from)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutations())
    def attempt(mutation: Mutation) -> None:
        trial.attempt(mutation)

    attempt()


def _print(tally: Tally) -> None:
    kinds = dict.fromkeys(kind for kind, _ in sorted(tally.outcomes))
    print("| mutated | tried | read | refused | failed |\n|---|---|---|---|---|")
    for kind in kinds:
        counts = [tally.outcomes[kind, outcome] for outcome in ("read", "refused", "failed")]
        print(f"| {kind} | {sum(counts)} | {' | '.join(map(str, counts))} |")
    print(f"\n{tally.mutations} mutations; {_listed(tally.commands)}")
    print(f"refusals of the table name {_listed(tally.placed)}")
    print(f"{len(tally.failures)} failures")
    for failure in tally.failures[:_FAILURES_SHOWN]:
        print(f"  {failure}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
