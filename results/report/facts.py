"""The environments of a report's versions, fact by fact."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from results.units import MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One fact of the environments.

    Attributes:
        name: such as `packages.numpy`.
        values: what it is, for each version.
        differs: True where the versions do not agree.
    """

    name: str
    values: list[str]
    differs: bool


def facts(
    frame: pd.DataFrame, versions: Sequence[str], environments: Mapping[str, Mapping[str, object]]
) -> list[Fact]:
    """The facts of each version's environments, those that differ first."""
    by_version = [_of_version(frame[frame["label"] == each], environments) for each in versions]
    names = list(dict.fromkeys(name for found in by_version for name in found))
    made = []
    for name in names:
        values = [found.get(name, MISSING) for found in by_version]
        made.append(Fact(name=name, values=values, differs=len(set(values)) > 1))
    return sorted(made, key=lambda fact: not fact.differs)


def _of_version(
    readings: pd.DataFrame, environments: Mapping[str, Mapping[str, object]]
) -> dict[str, str]:
    """Every value that the version's environments have, joined where there are several."""
    found: dict[str, list[str]] = {}
    for column, name in (("machine", "machine id"), ("environment", "environment id")):
        found[name] = [each for each in readings[column].astype("str").unique() if each]
    for environment in found["environment id"]:
        for name, value in _flat(environments.get(environment, {})):
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return {name: " | ".join(values) for name, values in found.items() if values}


def _flat(fact: object, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(fact, Mapping) and fact:
        for key, value in fact.items():
            yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif isinstance(fact, list):
        yield name, ", ".join(map(str, fact)) or MISSING
    elif fact not in (None, "", {}):
        yield name, str(fact)
