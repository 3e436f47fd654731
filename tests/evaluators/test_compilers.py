"""Which compiler an engine is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators.engines.compilers import clang


def executable(directory: Path, name: str) -> str:
    """A program of that name."""
    path = directory / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_clang_is_found_under_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest of those on PATH, unless one has the plain name."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    assert clang() is None
    executable(tmp_path, "clang-14")
    newest = executable(tmp_path, "clang-19")

    assert clang() == newest
    assert executable(tmp_path, "clang") == clang()


def test_cc_counts_where_it_is_a_clang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CC that is another compiler is passed over: these engines need clang's own options."""
    named, plain = executable(tmp_path, "clang-15"), executable(tmp_path, "clang")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", "gcc")
    assert clang() == plain

    monkeypatch.setenv("CC", named)

    assert clang() == named
