"""The pytest plugin: a fixture `phases` on top of pytest-benchmark, inactive unless it is used.

Loaded into every pytest that graphgauge is installed beside, so it imports next to nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.pytest_phases import Phases
    from harness.pytest_table import Table

_TABLE: pytest.StashKey[Table] = pytest.StashKey()
_XDIST = (
    "graphgauge measures time and memory of this process, and pytest-xdist's workers would disturb "
    "each other. Run without it (-p no:xdist or -n 0), or with --benchmark-disable to run each "
    "phase once without measuring"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("graphgauge", "graphgauge")
    group.addoption(
        "--graphgauge",
        type=Path,
        metavar="FILE.csv",
        help="append what the fixture `phases` measures to this result table",
    )
    group.addoption(
        "--graphgauge-label",
        default="current",
        metavar="TEXT",
        help="the version that is measured (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and refuse at once what cannot be measured."""
    config.addinivalue_line(
        "markers",
        "phases(evaluator, version, scenario, mode): what the fixture `phases` measures, as it is "
        "to stand in a result table",
    )
    if config.getoption("graphgauge") and _is_distributed(config) and not _is_disabled(config):
        raise pytest.UsageError(f"--graphgauge: {_XDIST}")


@pytest.fixture
def phases(request: pytest.FixtureRequest, benchmark: Any) -> Iterator[Phases]:
    """Measure the phases of an evaluator: each is a row of pytest-benchmark's table.

    See docs/pytest.md of graphgauge.
    """
    from harness.pytest_phases import Phases  # noqa: PLC0415 - only who measures pays for it

    config = request.config
    if _is_distributed(config) and not _is_disabled(config):
        pytest.fail(_XDIST, pytrace=False)
    yield Phases(request.node, benchmark, _table(config))
    benchmark.skipped = True  # pytest-benchmark would complain that its own fixture was not used


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, if one was asked for; a table that cannot be written fails the session."""
    path = session.config.getoption("graphgauge")
    table = session.config.stash.get(_TABLE, None)
    if path is not None and table is not None:
        table.write(path)
        if table.problem and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what became of the table that was asked for."""
    path = config.getoption("graphgauge")
    if path is None:
        return
    table = config.stash.get(_TABLE, None)
    if table is not None and table.problem:
        terminalreporter.write_line(f"graphgauge: {table.problem}", red=True)
    elif table is not None and table.written:
        terminalreporter.write_line(f"graphgauge: {table.written} readings appended to {path}")
    else:
        why = (
            "benchmarks are disabled; add --benchmark-enable"
            if _is_disabled(config)
            else "no test used the fixture `phases`"
        )
        terminalreporter.write_line(f"graphgauge: nothing written to {path}: {why}", yellow=True)


def _table(config: pytest.Config) -> Table:
    """The session's one table, made when the first test asks for it."""
    from harness.pytest_table import Table  # noqa: PLC0415 - as above

    table = config.stash.get(_TABLE, None)
    if table is None:
        table = config.stash[_TABLE] = Table(label=config.getoption("graphgauge_label"))
    return table


def _is_distributed(config: pytest.Config) -> bool:
    return config.getoption("dist", "no") != "no" or hasattr(config, "workerinput")


def _is_disabled(config: pytest.Config) -> bool:
    """Whether a person disabled benchmarks; under xdist pytest-benchmark does so itself."""
    disabled: bool = config.getoption("benchmark_disable", False)
    return disabled and not config.getoption("benchmark_enable", False)
