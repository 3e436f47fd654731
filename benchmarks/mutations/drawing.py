"""Mutations of real tables, of the files beside them, and of what they are exported to."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st

ORIGINAL = Path(__file__).parents[2] / "tests" / "results" / "tables" / "versus.csv"
"""As `graphgauge versus` wrote it, with two labels renamed and some rows left out."""

Cells = list[list[str]]

COSMETIC = "order and dress"
VALUES = "other values"
CELLS = "awkward cells"
ROWS = "rows"
STRUCTURE = "columns and encodings"
BYTES = "bytes"
BESIDE = "files beside it"

_AWKWARD = (
    *("", " ", "nan", "NaN", "inf", "-inf", "-1", "-0.0", "1e999", "1e-400", "0x10", "1_000"),
    *("1,5", "1.5", "True", "None", "NA", "٣", "2", "01", "1e30", "99999999999999999999"),
    *("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "'=1", "''", "＝1"),
    *("<script>alert(1)</script>", "</script>", "]]>", "&lt;", "`x`", "|", "[a](javascript:b)"),
    *("\x1b[2J", "\x9b31m", "\u202eabc", "\x07", "\x00", "\r", "\n", "a\r\nb", "\ufeff", "\ufffe"),
    *("::error::x", "##[error]x", "..", "../../etc/passwd", "/etc/passwd", "--plugin=/x.py", "-x"),
    *("git:HEAD#../..", "git:--upload-pack=x", "log_ratio=nan", "log_ratio=1e999", "a=1;a=1"),
    *("depth=1", "depth=99999999999999999999999", "b=1;a=2", "=", ";", "x" * 32_767, "x" * 32_768),
    *("x" * 140_000, "🙈" * 1_000, "ok", "crash", "regressed", "output", "evaluate", "time", "s"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """A table that was changed, and what that may change.

    Attributes:
        kind: one of the names above.
        table: the table's file.
        beside: files beside it, by the end of their name; the original ones where not named.
        touched: for VALUES, the rows of the original whose value is another one.
    """

    kind: str
    table: bytes
    beside: dict[str, bytes]
    touched: tuple[int, ...] = ()


def original() -> Cells:
    """The original's records, its header first."""
    return list(csv.reader(io.StringIO(ORIGINAL.read_text(encoding="utf-8"), newline="")))


def written(cells: Cells, end: str = "\r\n", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    """Records as a file."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(cells)  # type: ignore[arg-type]
    return text.getvalue().encode("utf-8", "surrogatepass")


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """Any mutation."""
    return draw(
        st.one_of(
            *(
                each()
                for each in (
                    redressed,
                    other_values,
                    awkward_cells,
                    moved_rows,
                    restructured,
                    damaged,
                    damaged_beside,
                )
            )
        )
    )


@st.composite
def redressed(draw: st.DrawFn) -> Mutation:
    """The same readings in another order and another dress: nothing may change."""
    header, *rows = original()
    rng = random.Random(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        rows = _baseline_first(header, rng.sample(rows, len(rows)))
    if draw(st.booleans()):
        order = rng.sample(range(len(header)), len(header))
        header, rows = [header[i] for i in order], [[row[i] for i in order] for row in rows]
    if draw(st.booleans()):
        texts = draw(st.lists(_texts(), min_size=1, max_size=5))
        header, rows = [*header, "colour"], [[*row, rng.choice(texts)] for row in rows]
    if draw(st.booleans()):
        rows += [rng.choice(rows) for _ in range(3)]
    end = draw(st.sampled_from(["\r\n", "\n", "\r"]))
    # The csv module leaves a carriage return unquoted where lines do not end in one.
    usual = [csv.QUOTE_MINIMAL] if end == "\r\n" else []
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, *usual]))
    content = written([header, *rows], end, quoting)
    for dress in draw(st.lists(st.sampled_from(_DRESSES), max_size=2, unique=True)):
        content = dress(content)
    return Mutation(kind=COSMETIC, table=content, beside={})


_DRESSES: Sequence[Callable[[bytes], bytes]] = (
    lambda content: content if content.startswith(b"\x1f\x8b") else codecs.BOM_UTF8 + content,
    lambda content: content if content.startswith(b"\x1f\x8b") else gzip.compress(content, 1),
)


def _baseline_first(header: list[str], rows: Cells) -> Cells:
    """The first label to appear is the baseline, so one of its rows stays on top."""
    label = header.index("label")
    first = next(i for i, row in enumerate(rows) if row[label] == "old")
    return [rows[first], *rows[:first], *rows[first + 1 :]]


@st.composite
def other_values(draw: st.DrawFn) -> Mutation:
    """Some values of times and memory are others, all of them possible."""
    header, *rows = original()
    metric, value, evaluator = (header.index(each) for each in ("metric", "value", "evaluator"))
    able = [
        i
        for i, row in enumerate(rows)
        if row[metric] in {"time", "first_time", "peak_memory"} and row[evaluator] != "yardstick"
    ]
    touched = draw(st.lists(st.sampled_from(able), min_size=1, max_size=4, unique=True))
    for i in touched:
        factor = draw(st.floats(1e-3, 1e3))
        rows[i][value] = repr(float(rows[i][value]) * factor)
    return Mutation(
        kind=VALUES, table=written([header, *rows]), beside={}, touched=tuple(sorted(touched))
    )


@st.composite
def awkward_cells(draw: st.DrawFn) -> Mutation:
    """Cells of one row, or of one column, hold what no cell should."""
    header, *rows = original()
    for _ in range(draw(st.integers(1, 3))):
        column = draw(st.integers(0, len(header) - 1))
        text = draw(st.sampled_from(_AWKWARD) | _texts())
        if draw(st.integers(0, 3)):
            rows[draw(st.integers(0, len(rows) - 1))][column] = text
        else:
            old = rows[draw(st.integers(0, len(rows) - 1))][column]
            for row in rows:
                row[column] = text if row[column] == old else row[column]
    return Mutation(kind=CELLS, table=written([header, *rows]), beside={})


@st.composite
def moved_rows(draw: st.DrawFn) -> Mutation:
    """Rows left out, doubled, doubled with another cell, cut short, and made longer."""
    header, *rows = original()
    for _ in range(draw(st.integers(1, 4))):
        i = draw(st.integers(0, len(rows) - 1))
        j = draw(st.integers(0, len(rows) - 1))
        what = draw(st.integers(0, 6))
        if what == 0:
            del rows[min(i, j) : max(i, j)]
        elif what == 1:
            rows.insert(j, list(rows[i]))
        elif what == 2 and rows[i]:  # it may have been cut short
            other = list(rows[i])
            other[draw(st.integers(0, len(other) - 1))] = draw(st.sampled_from(_AWKWARD[:60]))
            rows.insert(j, other)
        elif what == 3:
            rows[i] = rows[i][: draw(st.integers(0, len(header)))]
        elif what == 4:
            rows[i] = rows[i] + [draw(_texts())]
        elif what == 5:
            rows.insert(i, header)
        else:
            rows[i], rows[j] = rows[j], rows[i]
        if not rows:
            break
    return Mutation(kind=ROWS, table=written([header, *rows]), beside={})


@st.composite
def restructured(draw: st.DrawFn) -> Mutation:
    """Columns dropped, doubled, renamed; other encodings, other separators, other compression."""
    header, *rows = original()
    column = draw(st.integers(0, len(header) - 1))
    what = draw(st.integers(0, 4))
    if what == 0:
        cells = [[*row[:column], *row[column + 1 :]] for row in (header, *rows)]
    elif what == 1:
        cells = [[*row, row[column]] for row in (header, *rows)]
    elif what == 2:
        header[column] = draw(_texts())
        cells = [header, *rows]
    elif what == 3:
        schema = draw(st.sampled_from(["0", "2", "10", "1.0", "x", "", "-1", "٣"]))
        cells = [header, *([schema, *row[1:]] for row in rows)]
    else:
        cells = [header, *rows]
    content = written(cells)
    reshape = draw(st.sampled_from(_SHAPES))
    return Mutation(kind=STRUCTURE, table=reshape(content), beside={})


_SHAPES: Sequence[Callable[[bytes], bytes]] = (
    lambda content: content,
    lambda content: content.decode().encode("utf-16"),
    lambda content: content.decode().encode("utf-16-le"),
    lambda content: content.decode().encode("utf-32"),
    lambda content: content.replace(b",", b";"),
    lambda content: content.replace(b",", b"\t"),
    lambda content: gzip.compress(gzip.compress(content, 1), 1),
    lambda content: gzip.compress(content, 1)[:-9],
    lambda content: gzip.compress(content[:5_000], 1) + gzip.compress(content[5_000:], 1),
    lambda content: gzip.compress(content, 1) + b"rubbish",
    lambda content: content[:-1],
    lambda content: content[: len(content) // 2],
    lambda content: codecs.BOM_UTF8 * 2 + content,
    lambda content: b"\r\n \r\n\t\r\n" + content.replace(b"\r\n", b"\r\n\r\n"),
    lambda content: content.replace(b"\r\n", b"\n\r"),
    lambda content: content.replace(b"\r\n", b"\x0b"),
    lambda content: b"sep=,\r\n" + content,
    lambda content: b"# a comment\r\n" + content,
    lambda content: content.replace(b'"', b"'"),
    lambda content: b"\x1f\x8b" + content,
)


@st.composite
def damaged(draw: st.DrawFn) -> Mutation:
    """A few bytes deleted, doubled, or replaced by awkward ones."""
    content = _damaged(draw, ORIGINAL.read_bytes())
    return Mutation(kind=BYTES, table=content, beside={})


@st.composite
def damaged_beside(draw: st.DrawFn) -> Mutation:
    """The same damage to a file that stands beside the table."""
    end = draw(st.sampled_from(["environment.json", "blocks.jsonl", "timelines.jsonl"]))
    content = ORIGINAL.with_name(f"versus.{end}").read_bytes()
    if draw(st.booleans()):
        content = _damaged(draw, content)
    else:
        old = draw(st.sampled_from([b'"old"', b"224", b"1", b"[", b"]", b'"chain"', b'"', b":"]))
        new = draw(
            st.sampled_from(
                [b"NaN", b"1e999", b"-1", b"0", b"null", b"{}", b'"\\ud800"', b"[" * 60]
            )
            | st.sampled_from([b"9" * 400, b"9" * 5_000, b"[" * 5_000, b'"\x1b[2J"', b"true"])
        )
        content = content.replace(old, new, draw(st.sampled_from([1, -1])))
    return Mutation(kind=BESIDE, table=ORIGINAL.read_bytes(), beside={end: content})


def _damaged(draw: st.DrawFn, content: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.sampled_from([0, 1, 2, 10, 300])), len(content))
        filling = draw(
            st.sampled_from(
                [b"", content[start:end] * 2, b'"', b",", b"\r\n", b"\r", b"-", b"1e308"]
            )
            | st.sampled_from(
                [b"nan", b"\xff", b"\0", b"=cmd|", b"<b>", b"\x1b[2J", b"0", b".", b"e"]
            )
            | st.binary(max_size=3)
        )
        content = content[:start] + filling + content[end:]
    return content


def _texts() -> st.SearchStrategy[str]:
    anything = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(
        st.sampled_from(list("=+-@'\",;\r\n\t <>&|`$%\x1b\u202e")) | anything, max_size=8
    )
