"""Real tables, mutated: a result or a refusal, never anything else (benchmarks/mutations)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.mutations.drawing import Mutation, mutations
from benchmarks.mutations.oracle import rows_of, same
from benchmarks.mutations.trial import Trial, alarmed
from results.frames import readings
from results.tables import read

FOLDER = Path(__file__).parent / "tables"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """What sends mutations through the commands, without this machine's calibrations."""
    folder = tmp_path_factory.mktemp("mutations")
    before = signal.signal(signal.SIGALRM, alarmed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAPHGAUGE_CACHE", str(folder / "cache"))
        yield Trial(folder)
    signal.signal(signal.SIGALRM, before)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutation=mutations())
def test_a_mutated_table_gives_a_result_or_a_refusal(trial: Trial, mutation: Mutation) -> None:
    """Never a traceback, a hang, a control character, or a number that is not in the file.

    `python -m benchmarks.mutations` tries ten thousand.
    """
    trial.tally.failures.clear()

    trial.attempt(mutation)

    assert trial.tally.failures == []


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_tables_of_earlier_graphgauges_are_read(path: Path) -> None:
    """Schema 1 only ever widens: what was written once is read for good, cell by cell.

    `first` is by da8e7a5, the first commit that could run: chain:depth=10, output, --quick.
    """
    assert same(rows_of(path.read_bytes()), list(readings(read(path))))
