"""The planted evaluators stay out of every other test's catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evaluators import catalog

_TABLES = (catalog._registered, catalog._places)
_BEFORE = tuple(map(dict, _TABLES))

from benchmarks.verdict import planting  # noqa: E402, F401 - it registers evaluators

_WITH_PLANTED = tuple(map(dict, _TABLES))


def _put(contents: tuple[dict[str, object], ...]) -> None:
    for table, content in zip(_TABLES, contents, strict=True):
        table.clear()
        table.update(content)  # type: ignore[arg-type]


_put(_BEFORE)


@pytest.fixture(autouse=True, scope="package")
def _planted_evaluators() -> Iterator[None]:
    before = tuple(map(dict, _TABLES))
    _put(tuple(here | added for here, added in zip(before, _WITH_PLANTED, strict=True)))
    yield
    _put(before)
