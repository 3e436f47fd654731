"""Exports read back: what each format keeps, and that bad files are told as such."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from results.errors import ComparisonError, TableError
from results.exchange.catalog import FORMATS, recognised
from results.exchange.format import Commit, Imported
from results.exchange.naming import parsed, series_of
from results.schema import METRICS, OK, Reading, first_problem
from tests.results.samples import distinct, reading, suite, texts, valid_readings, version

COMMIT = Commit(revision="0123456789abcdef" * 2 + "01234567", committed_at_ms=1_700_000_000_000)
SUMMARIES = ("bencher", "github-action-benchmark")

# Files are overwritten by each example, which is what the fixture's folder is for.
drawn = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def there_and_back(name: str, readings: Sequence[Reading], folder: Path) -> Imported:
    """The readings after an export to a file and an import from it."""
    form = FORMATS[name]
    exported = form.exported(readings, COMMIT)
    target = folder / name
    for file, content in exported.files.items():
        path = target / file if form.is_folder else target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return form.imported(target, None)


def nearly(readings: Sequence[Reading]) -> list[Reading]:
    """Values to 14 digits: formats in nanoseconds round the last one."""
    return [
        replace(one, value=None if one.value is None else float(f"{one.value:.13e}"))
        for one in readings
    ]


def in_order(readings: Sequence[Reading]) -> list[Reading]:
    """The readings in one order, whatever order they come in."""
    return sorted(readings, key=repr)


@pytest.mark.parametrize("name", ["pytest-benchmark", "google-benchmark"])
@drawn
@given(drawn_readings=st.lists(valid_readings(), max_size=12))
def test_formats_with_room_for_everything_keep_everything(
    name: str, drawn_readings: list[Reading], tmp_path: Path
) -> None:
    """Whatever a table holds comes back, in any text and any number, failures too."""
    # pytest-benchmark holds nothing without a time, and no version is measured without one.
    times = [replace(one, label="x") for one in [*drawn_readings, reading(value=1e-3)]]
    # Nanoseconds beyond what a float holds are no time that anyone measured.
    times = [one for one in times if one.value is None or abs(one.value) < 1e250]
    readings = distinct(times)

    found = there_and_back(name, readings, tmp_path)

    assert in_order(nearly(found.readings)) == in_order(nearly(readings))
    assert not found.left_out


def test_pyperf_keeps_processes_and_what_is_above_zero(tmp_path: Path) -> None:
    """Each launch is a run; drifts, zeros and failures are left out, counted by their reason."""
    readings = [*suite("a", seed=1), *version("a", [0.0], metric="retained_memory")]

    exported = FORMATS["pyperf"].exported(readings, None)
    found = there_and_back("pyperf", readings, tmp_path)

    fit = [one for one in readings if one.status == OK and one.unit in "sB1" and one.value]
    runs = [len(one["runs"]) for one in json.loads(exported.files[""])["benchmarks"]]
    assert in_order(found.readings) == in_order(fit)
    assert set(runs) == {8}
    assert sum(exported.left_out.values()) == len(readings) - len(fit)
    assert set(exported.left_out) == {
        "pyperf has no unit for drifts and errors",
        "pyperf has no place for failures",
        "pyperf holds values above 0 only",
    }


@drawn
@given(detail=texts(), source=texts())
def test_pyperf_keeps_any_text(detail: str, source: str, tmp_path: Path) -> None:
    """Empty texts, quotes and line breaks survive pyperf's metadata."""
    readings = version("a", [1.0, 2.0], detail=detail, source=source, params="")

    assert list(there_and_back("pyperf", readings, tmp_path).readings) == readings


def test_asv_keeps_cases_metrics_and_launches(tmp_path: Path) -> None:
    """Every value comes back under its case, phase, metric and number of the launch's order."""
    readings = [*suite("a", seed=1), *version("a", [3.0, 4.0], params="depth=7;width=64")]
    readings = [replace(one, scenario="a.b/c", machine="m 1") for one in readings]

    found = there_and_back("asv", readings, tmp_path).readings

    def told(rows: Sequence[Reading]) -> list[tuple[object, ...]]:
        return sorted(
            (one.evaluator, one.scenario, one.params, one.mode, one.phase, one.metric, one.value)
            for one in rows
            if one.status == OK
        )

    assert told(found) == told(readings)
    assert {one.label for one in found} == {COMMIT.revision[:12]}
    assert {one.recorded_at for one in found} == {"2026-01-31T12:00:00Z"}


def held(name: str, readings: Sequence[Reading]) -> list[Reading]:
    """The readings that a summary has room for: no failures, and for the action no drifts."""
    no_drifts = name == "github-action-benchmark"
    return [
        one
        for one in readings
        if one.status == OK and not (no_drifts and METRICS[one.metric].kind == "drift")
    ]


@pytest.mark.parametrize("name", SUMMARIES)
def test_summaries_keep_medians(name: str, tmp_path: Path) -> None:
    """One reading for each series: the median over launches, in our own units again."""
    readings = suite("a", seed=1)

    found = there_and_back(name, readings, tmp_path).readings

    expected = {}
    for one in series_of(held(name, readings)):
        values = sorted(each.value or 0.0 for each in one.readings)
        middle = (values[3] + values[4]) / 2
        expected[one.name] = pytest.approx(middle, rel=1e-12)
    assert {one.name: one.first.value for one in series_of(found)} == expected
    assert all(first_problem(one) is None for one in found)


@pytest.mark.parametrize("name", SUMMARIES)
@drawn
@given(drawn_readings=st.lists(valid_readings(), max_size=12))
def test_summaries_keep_what_each_median_is_of(
    name: str, drawn_readings: list[Reading], tmp_path: Path
) -> None:
    """Case, phase, metric and, where a metric was read by several, the source; in any text."""
    readings = held(name, distinct([*drawn_readings, reading(value=1e-3)]))
    # What floats of nanoseconds hold: nobody measured more.
    readings = [one for one in readings if one.value is None or abs(one.value) < 1e250]

    found = there_and_back(name, readings, tmp_path)

    def told(one: Reading) -> tuple[str, ...]:
        return (one.evaluator, one.scenario, one.params, one.mode, one.phase, one.metric)

    assert sorted(map(told, found.readings)) == sorted(
        told(one.first) for one in series_of(readings)
    )
    sources = {one.first.source for one in series_of(readings) if one.shows_source}
    assert sources <= {one.source for one in found.readings} | {""}
    assert not found.left_out


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_is_recognised(name: str, tmp_path: Path) -> None:
    """A file need not be named by its format."""
    there_and_back(name, suite("a", seed=1), tmp_path)

    assert recognised(tmp_path / name).name == name


@pytest.mark.parametrize("name", list(FORMATS))
@pytest.mark.parametrize("content", ["", "[", "{}", "[1]", '{"benchmarks": [{}]}', "null", "7"])
def test_what_is_no_such_file_is_an_error(name: str, content: str, tmp_path: Path) -> None:
    """Never a traceback: a TableError names the file and says what was expected."""
    path = tmp_path / "x.json"
    path.write_text(content)

    with pytest.raises(TableError, match=r"x\.json"):
        FORMATS[name].imported(path, None)


@pytest.mark.parametrize("name", list(FORMATS))
def test_nothing_that_fits_is_an_error(name: str) -> None:
    """A table of failures alone makes no file that looks like a measurement, but for one format."""
    failed = [replace(reading(status="crash"), value=None, spread=None)]

    if name == "google-benchmark":  # has errors of its own
        assert "error_occurred" in FORMATS[name].exported(failed, COMMIT).files[""]
    else:
        with pytest.raises(ComparisonError):
            FORMATS[name].exported(failed, COMMIT)


def test_asv_needs_a_commit() -> None:
    """Without one the message says how to name it."""
    with pytest.raises(ComparisonError, match="--commit"):
        FORMATS["asv"].exported(version("a", [1.0]), None)


def test_an_export_that_was_changed_is_told(tmp_path: Path) -> None:
    """A round that someone deleted from an export of ours is noticed."""
    there_and_back("pytest-benchmark", version("a", [1.0, 2.0]), tmp_path)
    path = tmp_path / "pytest-benchmark"
    content = json.loads(path.read_text())
    content["benchmarks"][0]["stats"]["data"].pop()
    path.write_text(json.dumps(content))

    with pytest.raises(TableError, match="columns of different lengths"):
        FORMATS["pytest-benchmark"].imported(path, None)


@given(
    parts=st.tuples(texts(1), texts(1)),
    metric=st.sampled_from(sorted(METRICS)),
    source=texts(1),
)
def test_names_can_be_read_back(parts: tuple[str, str], metric: str, source: str) -> None:
    """Separators within a name's parts are told from those between them."""
    one = reading(evaluator=parts[0], scenario=parts[1], metric=metric, source=source)
    other = replace(one, source=source + "2")
    series = series_of([one, other])[0]

    name = parsed(series.name)

    assert name is not None
    assert (name.evaluator, name.scenario, name.params, name.metric, name.source) == (
        *parts,
        one.params,
        metric,
        source,
    )
