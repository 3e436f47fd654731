"""Reading tables, strictly."""

import codecs
import gzip
import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from results.comparison import compare
from results.errors import ComparisonError, TableError
from results.formats import delimited, github, junit, markdown, structured
from results.frames import readings
from results.schema import COLUMNS, Reading
from results.summary import summarise
from results.tables import TableWriter, read, read_many
from results.writing import encoded
from tests.results.samples import distinct, reading, suite, valid_readings

HEADER = ",".join(COLUMNS).encode() + b"\r\n"
ROWS = [reading(launch=launch, value=0.001 + launch) for launch in range(3)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of ROWS."""
    return written(tmp_path / "a.csv", HEADER + encoded(ROWS))


def written(path: Path, content: bytes) -> Path:
    """A file of `content`."""
    path.write_bytes(content)
    return path


def refusal(path: Path) -> TableError:
    """What reading `path` is refused with."""
    with pytest.raises(TableError) as caught:
        read(path)
    return caught.value


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(valid_readings(), max_size=4).map(distinct))
def test_what_is_written_is_read(tmp_path: Path, rows: list[Reading]) -> None:
    """Writing and reading is the identity: newlines, quotes, formulas, last digits and all."""
    path = tmp_path / "a.csv"
    path.unlink(missing_ok=True)
    with TableWriter(path) as table:
        table.write(rows)

    assert list(readings(read(path))) == rows


def test_texts_stay_texts(tmp_path: Path) -> None:
    """A label 007 is not the number 7, and `nan` is not a missing value."""
    rows = [reading(label="007", pair="03", evaluator_version="1.10", detail="nan", machine="")]

    assert list(readings(read(written(tmp_path / "a.csv", HEADER + encoded(rows))))) == rows


def test_columns_stand_in_any_order(table: Path) -> None:
    """Columns are found by name; further ones are kept as text."""
    frame = pd.read_csv(table, dtype="str", keep_default_na=False).assign(colour="red")
    frame[list(reversed(frame.columns))].to_csv(table, index=False)

    assert list(readings(read(table))) == ROWS
    assert read(table)["colour"].tolist() == ["red"] * 3


@pytest.mark.parametrize(
    "change",
    [
        lambda content: codecs.BOM_UTF8 + content,
        lambda content: content.replace(b"\r\n", b"\n"),
        lambda content: content.replace(b"\r\n", b"\r"),
        lambda content: content.replace(b"\r\n", b"\r\n\r\n"),
        lambda content: b"\n" + content,
        gzip.compress,
    ],
    ids=["mark", "lf", "cr", "blank lines", "blank start", "gzip"],
)
def test_the_same_table_in_other_clothes(table: Path, change: object) -> None:
    """A byte-order mark, other line ends, blank lines and compression change nothing."""
    written(table, change(table.read_bytes()))  # type: ignore[operator]

    assert list(readings(read(table))) == ROWS


def test_a_header_alone_is_a_table(tmp_path: Path) -> None:
    """A run that has measured nothing yet can be read."""
    assert len(read(written(tmp_path / "a.csv", HEADER))) == 0


def test_a_bad_cell_is_found_by_its_true_line(tmp_path: Path) -> None:
    """Cells with newlines and blank lines before it do not shift the line."""
    rows = [replace(ROWS[0], detail='two\nlines, "quoted"'), ROWS[1]]
    content = HEADER + encoded(rows) + b"\r\n" + encoded([ROWS[2]]).replace(b",2.001,", b",abc,")

    error = refusal(written(tmp_path / "a.csv", content))

    assert (error.line, error.column) == (6, "value")
    assert str(error) == (
        f"{tmp_path}/a.csv:6: value is 'abc'; expected a number in s. "
        "Delete this line or measure its case again."
    )


@pytest.mark.parametrize("cell", [b"nan", b"0x10", b"1_000", b"1,5", b"--1", b" ", b"True"])
def test_what_is_no_number_is_refused(table: Path, cell: bytes) -> None:
    """Numbers are plain decimals; what other readers take for numbers or gaps is an error."""
    written(table, table.read_bytes().replace(b",1.001,", b',"' + cell + b'",'))

    assert refusal(table).line == 3


@pytest.mark.parametrize("cell", [b"1.5", b"1e30", b"x"])
def test_what_is_no_whole_number_is_refused(table: Path, cell: bytes) -> None:
    """Launches are counted."""
    written(table, table.read_bytes().replace(b",1,,1.001", b"," + cell + b",,1.001"))

    assert (refusal(table).line, refusal(table).column) == (3, "launch")


@pytest.mark.parametrize("cell", [b"inf", b"-1.0", b"1e999"])
def test_impossible_times_are_refused(table: Path, cell: bytes) -> None:
    """A time is finite and not negative."""
    written(table, table.read_bytes().replace(b",1.001,", b"," + cell + b","))

    assert (refusal(table).line, refusal(table).column) == (3, "value")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"e1\r\n", b"e1,\r\n"), (b"e1\r\n", b"e1,x,y\r\n"), (b",e1\r\n", b"\r\n")],
)
@pytest.mark.parametrize("count", [1, -1], ids=["first line", "every line"])
def test_lines_of_another_length_are_refused(
    table: Path, old: bytes, new: bytes, count: int
) -> None:
    """A cell too many or too few, in one line or in all, is told with the first such line."""
    written(table, table.read_bytes().replace(old, new, count))

    assert refusal(table).line == 2
    assert "cells" in str(refusal(table))


def test_a_cell_too_many_is_seen_where_every_number_still_parses(table: Path) -> None:
    """pandas would shift such lines by one column in silence."""
    numbers = ["launch", "blocks", "calls", "value", "spread"]
    frame = pd.read_csv(table, dtype="str", keep_default_na=False).assign(value="1", spread="")
    frame = frame[[name for name in frame if name not in numbers] + numbers]
    lines = frame.to_csv(index=False).splitlines()
    written(table, "\n".join([lines[0], *(line + "," for line in lines[1:]), ""]).encode())

    assert str(refusal(table)).startswith(f"{table}:2: 24 cells; expected 23")


def test_a_newer_schema_is_refused(table: Path) -> None:
    """A table of a later version says so."""
    written(table, table.read_bytes().replace(b"\r\n1,", b"\r\n2,"))

    assert "schema is '2'; expected 1" in str(refusal(table))


def test_a_newer_schema_with_other_columns_is_newer(table: Path) -> None:
    """What a later version renames is not told as missing, but the version is."""
    content = table.read_bytes().replace(b"spread", b"iqr", 1).replace(b"\r\n1,", b"\r\n12,")
    error = refusal(written(table, content))

    assert (error.line, error.column) == (2, "schema")
    assert "expected 1, the newest that this graphgauge knows" in str(error)


@pytest.mark.parametrize("cell", [b"0", b"1.0", b"x", b"", b"-1"])
def test_there_never_was_another_schema_before(table: Path, cell: bytes) -> None:
    """1 is the first."""
    written(table, table.read_bytes().replace(b"\r\n1,", b"\r\n" + cell + b","))

    assert "expected 1, the first that there was" in str(refusal(table))


def test_a_nul_is_found_by_its_line(table: Path) -> None:
    """Wherever it stands."""
    written(table, table.read_bytes().replace(b",1.001,", b",1.0\x0001,"))

    assert refusal(table).line == 3


def test_missing_columns_are_named(table: Path) -> None:
    """The error says which."""
    written(table, table.read_bytes().replace(b"spread", b"width", 1))

    assert "no column spread" in str(refusal(table))


def test_a_column_named_twice_is_refused(table: Path) -> None:
    """Nobody could say which one counts."""
    written(table, table.read_bytes().replace(b"\r\n", b",label\r\n", 1))

    assert "more than once" in str(refusal(table))


@pytest.mark.parametrize("cut", [2, 3, 40, 200])
def test_a_last_line_cut_short_is_refused(table: Path, cut: int) -> None:
    """What a killed copy leaves is told by its line."""
    written(table, table.read_bytes()[:-cut])

    assert refusal(table).line is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n", "no column"),
        ("schema\n1\n".encode("utf-16"), "UTF-16"),
        (HEADER + b"\0\r\n", "NUL"),
        (HEADER + b"a,\xff\r\n", "not UTF-8"),
        (HEADER + b'"a\r\n', "cells"),
        (gzip.compress(HEADER)[:-5], "gzip"),
        (HEADER + b"1," + b"x" * 200_000 + b"\r\n", "limit"),
    ],
    ids=["empty", "blank", "utf-16", "nul", "latin", "quote", "gzip", "huge"],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """Each way of being no table has its words."""
    assert words in str(refusal(written(tmp_path / "a.csv", content)))


def test_a_file_must_be_there(tmp_path: Path) -> None:
    """No file, and a folder, are told apart."""
    assert "No such file" in str(refusal(tmp_path / "absent.csv"))
    assert "not a file" in str(refusal(tmp_path))


def test_repeated_readings_count_once(table: Path) -> None:
    """The same table given twice is the table."""
    assert list(readings(read_many([table, table]))) == ROWS


def test_contradicting_readings_are_refused(table: Path, tmp_path: Path) -> None:
    """Two values for the same launch are told with both places."""
    other = written(tmp_path / "b.csv", HEADER + encoded([replace(ROWS[1], value=7.0)]))

    with pytest.raises(TableError) as caught:
        read_many([table, other])

    assert (caught.value.path, caught.value.line) == (other, 2)
    assert f"{table}:3" in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"source": "process_time"}, {"session": "s2"}, {"launch": 9}, {"phase": "compile"}]
)
def test_readings_of_another_name_do_not_contradict(
    table: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    """Another probe, session, launch or phase gives another reading."""
    other = [replace(ROWS[1], value=7.0, **change)]  # type: ignore[arg-type]
    path = written(tmp_path / "b.csv", HEADER + encoded(other))

    assert list(readings(read_many([table, path]))) == ROWS + other


SUITE = HEADER + encoded(suite("old", 1) + suite("new", 2, slower=1.05))


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A real table with a few bytes deleted, doubled, or replaced by awkward ones."""
    content = SUITE
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.sampled_from([0, 1, 2, 10, 300])), len(content))
        filling = draw(
            st.sampled_from([b"", content[start:end] * 2, b'"', b",", b"\r\n", b"-", b"1e308"])
            | st.sampled_from([b"nan", b"\xff", b"\0", b"=cmd|", b"<b>", b"\x1b[2J", b"0"])
            | st.binary(max_size=3)
        )
        content = content[:start] + filling + content[end:]
    return content


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=mutations())
def test_a_damaged_table_gives_a_result_or_a_clear_error(tmp_path: Path, content: bytes) -> None:
    """Never a traceback of another kind, and no format stumbles over what was read."""
    path = written(tmp_path / "a.csv", content)
    try:
        frame = read(path)
        comparison = compare(frame)
    except (TableError, ComparisonError):
        return
    summarise(frame)
    for form in (delimited, github, junit, markdown, structured):
        assert form.render(comparison)


def test_the_fast_and_the_plain_road_agree(table: Path) -> None:
    """A table that pandas and the plain reader both take has the same cells in both."""
    frame = pd.read_csv(io.BytesIO(table.read_bytes()), dtype="str", keep_default_na=False)

    assert frame["value"].map(float).tolist() == read(table)["value"].tolist()
