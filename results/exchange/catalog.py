"""The formats by name, and which one a file is of."""

from pathlib import Path

from results.errors import TableError
from results.exchange.asv import Asv
from results.exchange.format import Format
from results.exchange.google_benchmark import GoogleBenchmark
from results.exchange.loading import loaded
from results.exchange.pyperf import Pyperf
from results.exchange.pytest_benchmark import PytestBenchmark
from results.exchange.summaries import Bencher, GithubActionBenchmark

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        PytestBenchmark(),
        Pyperf(),
        Asv(),
        GoogleBenchmark(),
        GithubActionBenchmark(),
        Bencher(),
    )
}
"""In the order in which they are asked whether a file is theirs, the least particular one last."""


def recognised(path: Path) -> Format:
    """The format that `path` is of.

    Raises:
        TableError: if it is none of them.
    """
    if path.is_dir():
        return FORMATS["asv"]
    content = loaded(path)
    for each in FORMATS.values():
        if each.recognises(content):
            return each
    raise TableError(
        path,
        found="JSON of an unknown form",
        expected=f"that of {', '.join(FORMATS)}",
        advice="Say which one with --from.",
    )
