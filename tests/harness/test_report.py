"""`graphgauge report`: files in, a file out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from results.report.timelines import beside
from results.schema import Reading
from results.tables import TableWriter
from tests.results.report.reports import sweep
from tests.results.samples import suite


def table(folder: Path, name: str, readings: list[Reading]) -> Path:
    """A table with these readings."""
    path = folder / name
    with TableWriter(path) as writer:
        writer.write(readings)
    return path


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    """Two tables of one label each, the second slower."""
    old = table(tmp_path, "old.csv", [*suite("old", 1), *sweep("old")])
    new = table(tmp_path, "new.csv", [*suite("new", 2, slower=1.2), *sweep("new", 1.2)])
    return [str(old), str(new)]


def content_of(page: Path) -> dict[str, object]:
    """The JSON in a page, each case with its plots."""
    text = page.read_text(encoding="utf-8")

    def of(name: str) -> str:
        start = text.index(f'id="{name}">') + len(f'id="{name}">')
        return text[start : text.index("</script>", start)]

    found: dict[str, object] = json.loads(of("content"))
    lines = [json.loads(line) for line in of("drawings").split("\n")]
    cases: list[dict[str, object]] = found["cases"]  # type: ignore[assignment]
    found["cases"] = [case | line for case, line in zip(cases, lines, strict=True)]
    return found


def test_a_page_is_written(
    tables: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 although something is worse; what came of it goes to stderr."""
    out = tmp_path / "deep" / "report.html"

    code = main(["report", *tables, "-o", str(out)])

    captured = capsys.readouterr()
    assert (code, captured.out) == (0, "")
    assert "regressed" in captured.err
    assert str(out) in captured.err
    assert content_of(out)["versions"] == ["old", "new"]


def test_tables_of_one_label_are_told_apart(tmp_path: Path) -> None:
    """By their files, and so are the timelines beside them."""
    paths = [table(tmp_path, f"{name}.csv", suite("same", ord(name))) for name in "ab"]
    line = {
        "label": "same",
        "evaluator": "planned",
        "scenario": "chain",
        "params": "depth=100;width=64",
        "mode": "output",
        "launch": 9,
        "seconds": [0.0],
        "resident_bytes": [100],
    }
    for path in paths:
        beside(path, "timelines").write_text(json.dumps(line) + "\n")
    out = tmp_path / "report.html"

    assert main(["report", *map(str, paths), "-o", str(out)]) == 0

    content = content_of(out)
    expected = [f"same ({path})" for path in paths]
    assert content["versions"] == expected
    drawn = content["cases"][0]["memory"]["values"]  # type: ignore[index]
    assert [each["version"] for each in drawn] == expected


def test_one_table_is_enough(tables: list[str], tmp_path: Path) -> None:
    """A single version is shown without verdicts."""
    out = tmp_path / "report.html"

    assert main(["report", tables[0], "-o", str(out)]) == 0
    assert content_of(out)["versions"] == ["old"]


def test_a_picture_is_written(tables: list[str], tmp_path: Path) -> None:
    """Of the kind that the file's name says."""
    pytest.importorskip("vl_convert", reason="vl-convert-python draws; nox -s tests installs it")
    out = tmp_path / "growth.svg"

    code = main(["report", *tables, "-o", str(out), "--plot", "growth", "--case", "sweep"])

    assert code == 0
    assert out.read_text(encoding="utf-8").startswith("<svg")


def test_three_versions_have_a_history(tmp_path: Path) -> None:
    """In the order of their releases, whatever the order of the tables; two have none."""
    paths = [
        str(table(tmp_path, f"{number}.csv", suite(f"lib=={number}", seed)))
        for seed, number in enumerate(("1.10", "1.9", "1.8"))
    ]
    out = tmp_path / "report.html"

    assert main(["report", *paths, "-o", str(out)]) == 0
    assert content_of(out)["order"] == ["lib==1.8", "lib==1.9", "lib==1.10"]
    assert main(["report", *paths[:2], "-o", str(out)]) == 0
    assert content_of(out)["order"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--case", "chain"], "choose a picture"),
        (["--format", "svg", "--case", "nothing"], "--case 'nothing' means 0 cases"),
        (["--baseline", "nobody"], "no reading has label 'nobody'"),
        (["-o", "/proc/nowhere/report.html"], "expected a file that can be written to"),
    ],
)
def test_what_cannot_be_done_is_an_error(
    tables: list[str],
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and one message; nothing is written."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())

    assert main(["report", *tables, *arguments]) == 2

    assert told in capsys.readouterr().err
    assert set(tmp_path.iterdir()) == before
