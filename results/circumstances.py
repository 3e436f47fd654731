"""Where readings were taken: what a comparison must refuse, and what it must mention."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from results.errors import ComparisonError, shown
from results.sessions import BetweenSessions
from results.units import plain_percent

Environments = Mapping[str, Mapping[str, object]]

_FACTS_SHOWN: Final = 8
_PARTS_SHOWN: Final = 5
"""Of a fact that has parts, such as the installed packages."""


def circumstances(
    frame: pd.DataFrame,
    baseline: str,
    candidates: Sequence[str],
    *,
    allow_other_machine: bool,
    between: BetweenSessions,
    environments: Environments,
) -> tuple[str, ...]:
    """Notes on how the circumstances of the baseline and of each candidate differ.

    Args:
        frame: readings.
        baseline: the baseline's label.
        candidates: the candidates' labels.
        allow_other_machine: note that machines differ instead of refusing.
        between: what intervals hold of the sessions' difference, to be told.
        environments: facts by environment id; ids without facts are named only.

    Raises:
        ComparisonError: if a candidate was measured on other machines than the baseline.
    """
    notes = []
    of_baseline = frame[frame["label"] == baseline]
    for candidate in candidates:
        of_candidate = frame[frame["label"] == candidate]
        pair = f"{baseline} and {candidate}"
        notes += _machine_notes(of_baseline, of_candidate, pair, allow_other_machine)
        if not set(of_baseline["session"]) & set(of_candidate["session"]):
            notes.append(
                f"{pair} were measured in different sessions: what changed on the machine between "
                "them is in the ratios, and in the intervals of times as a standard deviation of "
                f"{plain_percent(between.sd)} from session to session, or "
                f"{plain_percent(between.speed_corrected_sd)} where they are corrected for the "
                "machine's speed; `graphgauge versus` measures both at once."
            )
        notes += _environment_notes(of_baseline, of_candidate, pair, environments)
    return tuple(notes)


def _machine_notes(
    baseline: pd.DataFrame, candidate: pd.DataFrame, pair: str, allowed: bool
) -> list[str]:
    machines = [sorted(set(side["machine"])) for side in (baseline, candidate)]
    if machines[0] == machines[1]:
        return []
    found = (
        f"{pair} were measured on different machines ({_names(machines[0])}; {_names(machines[1])})"
    )
    if not allowed:
        message = (
            f"{found}; expected one. Measure both on one machine, or allow it and read times as "
            "the machines' difference."
        )
        raise ComparisonError(message)
    return [f"{found}: ratios hold the machines' difference as well as the versions'."]


def _environment_notes(
    baseline: pd.DataFrame, candidate: pd.DataFrame, pair: str, environments: Environments
) -> list[str]:
    ids = [sorted(set(side["environment"])) for side in (baseline, candidate)]
    if ids[0] == ids[1]:
        return []
    if len(ids[0]) > 1 or len(ids[1]) > 1 or not {*ids[0], *ids[1]} <= environments.keys():
        return [f"environments of {pair} differ ({_names(ids[0])}; {_names(ids[1])})."]
    facts = _differing_facts(environments[ids[0][0]], environments[ids[1][0]])
    return [f"environments of {pair} differ: {facts}."] if facts else []


def _differing_facts(baseline: Mapping[str, object], candidate: Mapping[str, object]) -> str:
    return ", ".join(_differences(baseline, candidate, _FACTS_SHOWN))


def _differences(
    baseline: Mapping[str, object], candidate: Mapping[str, object], most: int
) -> list[str]:
    names = [
        name for name in {**baseline, **candidate} if baseline.get(name) != candidate.get(name)
    ]
    told = [_difference(name, baseline.get(name), candidate.get(name)) for name in names[:most]]
    if len(names) > most:
        told.append(f"and {len(names) - most} more")
    return told


def _difference(name: str, baseline: object, candidate: object) -> str:
    """Of a fact with parts, those that differ alone."""
    if isinstance(baseline, Mapping) and isinstance(candidate, Mapping):
        return f"{name} ({', '.join(_differences(baseline, candidate, _PARTS_SHOWN))})"
    return f"{name} {_fact(baseline)} → {_fact(candidate)}"


def _fact(value: object) -> str:
    return "–" if value is None else shown(str(value))


def _names(ids: Sequence[str]) -> str:
    return ", ".join(name or "unnamed" for name in ids)
