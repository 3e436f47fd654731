"""Releases of a package, and those between two of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given, strategies as st
from packaging.version import Version

from harness import releases
from harness.errors import UsageError
from harness.releases import Release, installable, release_of_label, releases_between


@pytest.mark.parametrize(
    ("label", "side"),
    [
        ("autograd==1.6.2", "autograd==1.6.2"),
        ("onnx_runtime==1.20", "onnx_runtime==1.20"),
        ("x == 2.0rc1", "x==2.0rc1"),
        ("autograd>=1.6", None),
        ("autograd==1.*", None),
        ("autograd==1.6,!=1.7", None),
        ("autograd[scipy]==1.6", None),
        ("git:HEAD", None),
        ("--index-url==1", None),
        ("laptop", None),
    ],
)
def test_a_label_is_a_release_or_none(label: str, side: str | None) -> None:
    """NAME==VERSION and nothing else, so that what pip is asked of is a name."""
    found = release_of_label(label)

    assert (found.side if found else None) == side


@given(numbers=st.sets(st.integers(0, 60), min_size=2), data=st.data())
def test_between_lies_what_is_listed_between(numbers: set[int], data: st.DataObject) -> None:
    """Neither end, in the direction from the first to the second; turned round it is reversed."""
    known = sorted(numbers)
    before, after = data.draw(st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True))

    def listed(package: str, with_early: bool) -> Sequence[Version]:
        return [Version(str(number)) for number in known]

    def between(first: int, second: int) -> tuple[str, ...]:
        ends = [Release(package="x", version=Version(str(each))) for each in (first, second)]
        return releases_between(ends[0], ends[1], listed)

    found = between(before, after)

    low, high = sorted((before, after))
    assert sorted(found) == sorted(f"x=={number}" for number in known if low < number < high)
    assert found == between(after, before)[::-1]


@pytest.mark.parametrize(("end", "asked"), [("2.0", False), ("2.0rc1", True)])
def test_early_releases_count_only_beside_one(end: str, asked: bool) -> None:
    """pip is asked for release candidates where one of the two is such."""
    seen = []

    def listed(package: str, with_early: bool) -> Sequence[Version]:
        seen.append(with_early)
        return []

    ends = [Release(package="x", version=Version(each)) for each in ("1.0", end)]
    releases_between(ends[0], ends[1], listed)

    assert seen == [asked]


def _pip(monkeypatch: pytest.MonkeyPatch, code: int, out: str, err: str = "") -> list[str]:
    """What pip prints; the list has its arguments afterwards."""
    given_to_pip: list[str] = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        given_to_pip.extend(command)
        return subprocess.CompletedProcess(command, code, out, err)

    monkeypatch.setattr(releases.subprocess, "run", run)
    return given_to_pip


def test_pip_is_asked_and_its_list_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest stands first with pip, the oldest with us; the name is behind `--`."""
    command = _pip(
        monkeypatch, 0, "autograd (1.9.1)\nAvailable versions: 1.10, 1.9.1, 1.6.2\n  LATEST: 1.10\n"
    )

    assert [str(each) for each in installable("autograd", False)] == ["1.6.2", "1.9.1", "1.10"]
    assert command[:5] == [sys.executable, "-m", "pip", "index", "versions"]
    assert command[-2:] == ["--", "autograd"]
    assert "--pre" not in command


@pytest.mark.parametrize("code", [0, 1])
def test_what_cannot_be_listed_is_an_error(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """With pip's last words."""
    _pip(monkeypatch, code, "", "ERROR: No matching distribution found for nothing")

    with pytest.raises(UsageError, match="No matching distribution found for nothing"):
        installable("nothing", True)
