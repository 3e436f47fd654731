"""The result table's columns, and what makes a reading valid.

The order of `COLUMNS`, the names, units and phases are a contract with outside programs.
`first_problem` is the one place that says what a valid reading is; the writer and the reader of
tables both ask it.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, Literal

from results.errors import shown

SCHEMA_VERSION: Final = 1

PHASES: Final = (
    "construct",
    "differentiate",
    "lower",
    "compile",
    "first_call",
    "evaluate",
    "teardown",
)
PREPARE_PHASES: Final = PHASES[:4]
MODES: Final = ("output", "gradient")
OK: Final = "ok"
STATUSES: Final = (
    OK,
    "refused",
    "wrong",
    "error",
    "timeout",
    "crash",
    "out_of_memory",
    "recursion",
)

MAX_TEXT_LENGTH: Final = 32_767
"""Characters a text cell may hold: what spreadsheets can hold too."""

Kind = Literal["time", "memory", "drift", "count", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What a reading measures.

    Attributes:
        name: as in the column `metric`.
        unit: as in the column `unit`: s, B, 1, 1/kcall (per 1,000 calls) or B/call.
        phases: the phases it is read in.
        kind: how its values behave, and so how versions are compared by it.
    """

    name: str
    unit: str
    phases: tuple[str, ...]
    kind: Kind


def _metrics() -> Mapping[str, Metric]:
    repeated = (*PREPARE_PHASES, "evaluate", "teardown")
    first = (*PREPARE_PHASES, "first_call")
    rows: list[tuple[str, str, tuple[str, ...], Kind]] = [
        ("first_time", "s", first, "time"),
        ("time", "s", repeated, "time"),
        ("time_drift", "1/kcall", ("evaluate",), "drift"),
        ("peak_memory", "B", PHASES, "memory"),
        ("held_memory", "B", PHASES, "memory"),
        ("retained_memory", "B", PHASES, "memory"),
        ("memory_drift", "B/call", PHASES, "drift"),
        ("nodes", "1", PHASES, "count"),
        ("gradient_nodes", "1", PHASES, "count"),
        ("engine_nodes", "1", PHASES, "count"),
        ("live_objects", "1", PHASES, "count"),
        ("cache_entries", "1", PHASES, "count"),
        ("recompilations", "1", PHASES, "count"),
        ("optimised_nodes", "1", PHASES, "count"),
        ("kernels", "1", PHASES, "count"),
        ("max_relative_error", "1", ("first_call",), "error"),
    ]
    return MappingProxyType(
        {
            name: Metric(name=name, unit=unit, phases=phases, kind=kind)
            for name, unit, phases, kind in rows
        }
    )


METRICS: Final = _metrics()

_EXACT_SOURCES: Final = ("mallinfo2", "getallocatedblocks", "tracemalloc")


def is_exact_source(source: str) -> bool:
    """True if `source` counts bytes exactly, as mallinfo2 does; the kernel's counters lag."""
    return any(name in source for name in _EXACT_SOURCES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One line of a result table: a launch's own value of one metric in one phase.

    Attributes:
        schema: version of the columns' meaning.
        session: id of the run it belongs to.
        recorded_at: UTC in ISO 8601, such as 2026-01-31T12:00:00Z.
        label: the version that is compared.
        evaluator: the evaluator's name.
        evaluator_version: what the evaluator says of itself.
        scenario: the scenario's name.
        params: `depth=100;width=64`, keys sorted; empty without parameters.
        mode: output or gradient.
        phase: one of PHASES.
        metric: one of METRICS.
        unit: the metric's unit.
        source: the clock or probe that gave the value.
        launch: number of the fresh process within its session; None where none was started.
        pair: id of the pair of launches, such as "3"; empty when launches were not interleaved.
        value: in `unit`; None where the status is not ok.
        spread: interquartile range within the launch, in `unit`; None where there is none.
        blocks: blocks (or repeats) the value stands on.
        calls: calls in all those blocks.
        status: ok, or what went wrong.
        detail: anything that explains the status, for people.
        machine: id of the machine.
        environment: id of the environment, whose facts stand beside the table.
    """

    schema: int = SCHEMA_VERSION
    session: str
    recorded_at: str
    label: str
    evaluator: str
    evaluator_version: str
    scenario: str
    params: str
    mode: str
    phase: str
    metric: str
    unit: str
    source: str
    launch: int | None
    pair: str = ""
    value: float | None
    spread: float | None = None
    blocks: int | None = None
    calls: int | None = None
    status: str = OK
    detail: str = ""
    machine: str
    environment: str


YARDSTICK: Final = "yardstick"
"""The evaluator of readings that tell how fast the machine was."""

YARDSTICKS: Final = ("numpy_dispatch", "matmul", "interpreter_loop")
"""What stands in the place of their scenario."""

SPEED_YARDSTICKS: Final = ("numpy_dispatch", "interpreter_loop")
"""Those that tell the speed: graphs of small arrays are made of both. A matrix product's time
followed the machine less than any case's did."""

COLUMNS: Final = tuple(field.name for field in fields(Reading))
REAL_COLUMNS: Final = ("value", "spread")
WHOLE_COLUMNS: Final = ("launch", "blocks", "calls")
TEXT_COLUMNS: Final = tuple(
    name for name in COLUMNS if name not in {"schema", *REAL_COLUMNS, *WHOLE_COLUMNS}
)
CASE_COLUMNS: Final = ("evaluator", "scenario", "params", "mode")
Case = tuple[str, str, str, str]
"""Evaluator, scenario, params and mode, as in CASE_COLUMNS."""

KEY_COLUMNS: Final = (
    "session",
    "label",
    *CASE_COLUMNS,
    "phase",
    "metric",
    "source",
    "launch",
    "pair",
)
"""What names a reading: two readings alike in these are the same reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a reading is not valid.

    Attributes:
        column: the cell's column.
        found: what the cell holds, quoted for a message.
        expected: what it should hold.
    """

    column: str
    found: str
    expected: str


def first_problem(reading: Reading) -> Problem | None:
    """The first thing that is not valid in `reading`, in the order of columns; None if all is.

    Whether a reading is valid depends on each text cell by itself, on the sign of each number and
    on whether it is whole, and on nothing finer; readers of large tables rely on that.
    """
    if reading.schema != SCHEMA_VERSION:
        return schema_problem(str(reading.schema))
    for column in TEXT_COLUMNS:
        text: str = getattr(reading, column)
        expected = expected_text(column, text)
        if expected is not None:
            return Problem(column=column, found=shown(text), expected=expected)
    return _metric_problem(reading) or _number_problem(reading)


def schema_problem(cell: str) -> Problem:
    """What is wrong with a schema that is not ours: it is newer, or there never was such a one."""
    is_newer = is_newer_schema(cell)
    age = "the newest that this graphgauge knows" if is_newer else "the first that there was"
    return Problem(column="schema", found=shown(cell), expected=f"{SCHEMA_VERSION}, {age}")


def is_newer_schema(cell: str) -> bool:
    """Whether the cell is the number of a schema that came after ours."""
    return cell.isascii() and cell.isdigit() and int(cell[:9]) > SCHEMA_VERSION


def expected_text(column: str, text: str) -> str | None:
    """What `column` should hold, if `text` is not that; None if it is."""
    if len(text) > MAX_TEXT_LENGTH:
        return f"at most {MAX_TEXT_LENGTH:,} characters"
    if "\0" in text or not _encodable(text):
        return "text without NUL characters and lone surrogates"
    form = _TEXT_FORMS.get(column)
    return None if form is None or form.holds(text) else form.expected


def storable(text: str) -> str:
    """`text` as a cell can hold it: NUL and lone surrogates escaped, cut to MAX_TEXT_LENGTH."""
    text = text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_TEXT_LENGTH else text[: MAX_TEXT_LENGTH - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    holds: Callable[[str], bool]
    expected: str


def _one_of(names: tuple[str, ...]) -> _Form:
    return _Form(holds=frozenset(names).__contains__, expected="one of " + ", ".join(names))


def _is_params(text: str) -> bool:
    keys = [item.partition("=")[0] for item in text.split(";")]
    return not text or (text.count("=") >= len(keys) and all(keys) and keys == sorted(set(keys)))


_NOT_EMPTY = _Form(holds=bool, expected="some text")
_TEXT_FORMS: Final[Mapping[str, _Form]] = {
    "session": _NOT_EMPTY,
    "recorded_at": _Form(
        holds=re.compile(
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:?00)", re.ASCII
        ).fullmatch,  # type: ignore[arg-type]  # a match is true enough
        expected="a time in UTC such as 2026-01-31T12:00:00Z",
    ),
    "label": _NOT_EMPTY,
    "evaluator": _NOT_EMPTY,
    "scenario": _NOT_EMPTY,
    "params": _Form(holds=_is_params, expected="depth=100;width=64, keys sorted, or nothing"),
    "mode": _one_of(MODES),
    "phase": _one_of(PHASES),
    "metric": _one_of(tuple(METRICS)),
    "status": _one_of(STATUSES),
}


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _metric_problem(reading: Reading) -> Problem | None:
    metric = METRICS[reading.metric]
    if reading.phase not in metric.phases:
        return Problem(
            column="phase",
            found=shown(reading.phase),
            expected=f"a phase of {metric.name}: {', '.join(metric.phases)}",
        )
    if reading.unit != metric.unit:
        return Problem(
            column="unit",
            found=shown(reading.unit),
            expected=f"{metric.unit}, the unit of {metric.name}",
        )
    return None


def _number_problem(reading: Reading) -> Problem | None:
    expected = _expected_value(reading, METRICS[reading.metric])
    if expected is not None:
        return Problem(column="value", found=_number(reading.value), expected=expected)
    for column in ("launch", "spread", "blocks", "calls"):
        number: float | None = getattr(reading, column)
        if number is not None and not (math.isfinite(number) and number >= 0):
            return Problem(
                column=column, found=_number(number), expected="a number that is not negative"
            )
    if reading.status == OK and reading.launch is None:
        return Problem(column="launch", found="empty", expected="the launch's number, status is ok")
    return None


def _expected_value(reading: Reading, metric: Metric) -> str | None:
    """What `value` should be, if it is not that."""
    value = reading.value
    if value is None:
        return f"a number in {metric.unit}, because status is ok" if reading.status == OK else None
    if reading.status != OK and metric.kind != "error":
        return f"nothing, because status is {reading.status}"
    if not math.isfinite(value):
        return f"a finite number in {metric.unit}"
    may_be_negative = metric.kind == "drift" or metric.name in {"held_memory", "retained_memory"}
    if value < 0 and not may_be_negative:
        return f"a number of at least 0 in {metric.unit}"
    if metric.kind == "count" and not float(value).is_integer():
        return "a whole number"
    return None


def _number(value: float | None) -> str:
    return "empty" if value is None else repr(value)
