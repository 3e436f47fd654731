"""`graphgauge history`: order, output, and which versions bisecting measures."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from packaging.version import Version

from harness.cli import main
from harness.commands import bisecting
from harness.errors import UsageError
from harness.ordering import ordered
from harness.releases import releases_between
from results.frames import frame_of
from results.tables import TableWriter, read
from tests.results.samples import reading, version


def _labelled(labels: Sequence[str], **changes: object) -> pd.DataFrame:
    return frame_of(reading(label=label, session=label, **changes) for label in labels)


def test_releases_are_numbers_not_words() -> None:
    """1.10 comes after 1.9, and a release candidate before its release."""
    labels = ["x==1.10", "x==1.9", "x==2.0rc1", "x==2.0"]

    assert ordered(_labelled(labels), "auto") == ("x==1.9", "x==1.10", "x==2.0rc1", "x==2.0")


def test_the_evaluator_s_version_serves_where_labels_tell_none() -> None:
    """Labels such as `laptop` are ordered by what the evaluator says of itself."""
    rows = [
        reading(label="new", session="1", evaluator_version="1.10"),
        reading(label="old", session="2", evaluator_version="1.9"),
    ]

    assert ordered(frame_of(rows), "release") == ("old", "new")


def test_else_by_when_they_were_measured() -> None:
    """auto falls back to the first reading's time."""
    rows = [
        reading(label="b", evaluator_version="", recorded_at="2026-02-01T00:00:00Z"),
        reading(label="a", evaluator_version="", recorded_at="2026-01-01T00:00:00Z"),
    ]

    assert ordered(frame_of(rows), "auto") == ("a", "b")
    assert ordered(frame_of(rows), "appearance") == ("b", "a")


@pytest.mark.parametrize("by", ["release", "commit"])
def test_an_order_that_labels_do_not_tell_is_an_error(by: str) -> None:
    """It names the labels that lack it."""
    with pytest.raises(UsageError, match=f"--order {by}: laptop"):
        ordered(_labelled(["laptop"], evaluator_version=""), by)


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Eight commits, a day apart, of a repository that we are in."""
    monkeypatch.chdir(tmp_path)
    git = shutil.which("git")
    assert git is not None
    who = {
        f"GIT_{role}_{key}": "x@y" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")
    }
    subprocess.run([git, "init", "--quiet"], check=True)
    made = []
    for day in range(8):
        dates = dict.fromkeys(
            ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"2026-01-0{day + 1}T00:00:00"
        )
        subprocess.run(
            [git, "commit", "--quiet", "--allow-empty", "-m", str(day)],
            check=True,
            env=os.environ | who | dates,
        )
        told = subprocess.run(
            [git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        )
        made.append(told.stdout.strip())
    return made


def test_commits_are_ordered_by_date(commits: list[str]) -> None:
    """Whatever order they were measured in; a folder after # belongs to the label."""
    labels = [f"git:{commits[5]}", f"git:{commits[2]}#lib", commits[7][:10]]

    assert ordered(_labelled(labels, evaluator_version=""), "auto") == (
        labels[1],
        labels[0],
        labels[2],
    )


def _table(name: str, labels: Sequence[str], levels: Sequence[float], seed: int = 1) -> None:
    rng = np.random.default_rng(seed)
    with TableWriter(Path(name)) as table:
        for label, level in zip(labels, levels, strict=True):
            values = level * np.exp(rng.normal(0, 0.01, 8))
            table.write(
                replace(one, unit="s") for one in version(label, values.tolist(), paired=True)
            )


def test_a_change_is_shown_with_its_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table marks the version that the change enters at; --all shows the others too."""
    table = str(tmp_path / "a.csv")
    _table(table, ["x==1.9", "x==1.10", "x==1.11"], [1.0, 1.0, 1.3])

    assert main(["history", table]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if "●" in line] == ["x==1.9", "x==1.10", "x==1.11"]
    assert any(line.startswith("worse from x==1.11 on: +") for line in lines)


def test_output_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV has a line for each version, the change at the one it enters at; JSON has everything."""
    table = str(tmp_path / "a.csv")
    _table(table, ["x==1", "x==2", "x==3"], [1.0, 1.3, 1.3])

    assert main(["history", table, "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert main(["history", table, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert [bool(row["change"]) for row in rows] == [False, True, False]
    assert float(rows[1]["change_low"]) < 1.3 < float(rows[1]["change_high"])
    assert told["histories"][0]["changes"][0]["enters_at"] == "x==2"


def test_bisecting_measures_commits_between_and_names_one(
    commits: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step measures the ends and the middle at once; the fifth commit has the change."""
    entered = 5
    _table("a.csv", [f"git:{commits[0]}#lib", f"git:{commits[7]}#lib"], [1.0, 1.2])
    asked: list[list[str]] = []

    def measured(_: object, arguments: Sequence[str], out: Path) -> pd.DataFrame:
        asked.append(list(arguments))
        sides = [each for each in arguments if each.startswith("git:")]
        numbers = [commits.index(each.removeprefix("git:").removesuffix("#lib")) for each in sides]
        out.unlink(missing_ok=True)
        _table(str(out), sides, [1.2 if each >= entered else 1.0 for each in numbers])
        return read(out)

    monkeypatch.setattr(bisecting, "measured", measured)

    assert main(["history", "a.csv", "--bisect", "-o", "b.csv"]) == 0

    said = capsys.readouterr().err
    assert f"enters with git:{commits[5]}#lib (after git:{commits[4]}#lib)" in said
    assert len(asked) == 3
    assert asked[0][3] == "--scenario=chain:depth=100,width=64"
    assert all(each[0] == f"git:{commits[0]}#lib" for each in asked[:1])


class FakeReleases:
    """Releases 1.0 to 1.9 of a package, measured without installing anything.

    Attributes:
        entered: the release that 20 % more time comes with.
        absent: releases that do not install.
        asked: the sides and the options of each measurement.
    """

    def __init__(self, entered: str, absent: Sequence[str] = ()) -> None:
        self.entered = Version(entered)
        self.absent = set(absent)
        self.asked: list[list[str]] = []

    def listed(self, package: str, with_early: bool) -> list[Version]:
        """What pip would list."""
        assert not with_early
        return [Version(f"1.{number}") for number in range(10)]

    def measured(self, _: object, arguments: Sequence[str], out: Path) -> pd.DataFrame:
        """What `versus` would write."""
        self.asked.append(list(arguments))
        sides = [each for each in arguments if "==" in each]
        versions = [Version(side.partition("==")[2]) for side in sides]
        there = [at for at, each in enumerate(versions) if str(each) not in self.absent]
        out.unlink(missing_ok=True)
        _table(
            str(out),
            [sides[at] for at in there],
            [1.2 if versions[at] >= self.entered else 1.0 for at in there],
        )
        return read(out)

    def bisect(self, labels: Sequence[str], monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
        """The exit code of a history between two labels that bisects."""
        _table("a.csv", labels, [1.0, 1.2])
        monkeypatch.setattr(bisecting, "measured", self.measured)
        monkeypatch.setattr(
            bisecting,
            "releases_between",
            lambda before, after: releases_between(before, after, self.listed),
        )
        return main(["history", "a.csv", "--bisect", "-o", "b.csv", *options])


def test_bisecting_measures_releases_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two labels of one package: the releases that pip lists between them, in three steps."""
    monkeypatch.chdir(tmp_path)
    releases = FakeReleases(entered="1.4")

    assert releases.bisect(["autograd==1.1", "autograd==1.8"], monkeypatch) == 0

    said = capsys.readouterr().err
    assert "6 releases between" in said
    assert "enters with autograd==1.4 (after autograd==1.3)" in said
    middles = [arguments[1] for arguments in releases.asked]
    assert middles == ["autograd==1.5", "autograd==1.3", "autograd==1.4"]
    assert all("--no-memory" in arguments for arguments in releases.asked)


def test_a_release_that_does_not_install_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is neither with the change nor without; its neighbours are asked instead."""
    monkeypatch.chdir(tmp_path)
    releases = FakeReleases(entered="1.4", absent=["1.5", "1.4"])

    assert releases.bisect(["autograd==1.1", "autograd==1.8"], monkeypatch) == 0

    said = capsys.readouterr().err
    assert "autograd==1.5 cannot be measured" in said
    assert "enters after autograd==1.3, with autograd==1.6 at the latest" in said
    assert "not settled: autograd==1.4, autograd==1.5" in said


def test_a_package_that_only_a_table_names_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Engines that we know are; any other when it is named on the command line."""
    monkeypatch.chdir(tmp_path)
    releases = FakeReleases(entered="1.4")
    labels = ["mylib==1.3", "mylib==1.4"]

    assert releases.bisect(labels, monkeypatch) == 2
    assert "--package mylib" in capsys.readouterr().err
    assert releases.asked == []
    assert releases.bisect(labels, monkeypatch, "--package", "MyLib") == 0
    assert "enters with mylib==1.4 (after mylib==1.3)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("labels", "levels", "words"),
    [
        (["laptop", "server"], [1.0, 1.3], "names no commit"),
        (["x==1", "y==2"], [1.0, 1.3], "releases of two packages"),
        (["x==1", "x==2"], [1.0, 1.0], "nothing changed"),
    ],
)
def test_what_cannot_be_bisected_is_told(
    labels: list[str],
    levels: list[float],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Neither commits nor releases of one package, or nothing to look for."""
    table = str(tmp_path / "a.csv")
    _table(table, labels, levels)

    assert main(["history", table, "--order", "appearance", "--bisect", "--package", "y"]) == 2
    assert words in capsys.readouterr().err
