"""The formats by name, and which one a file is of."""

from pathlib import Path

from results.errors import TableError
from results.exchange.asv import Asv
from results.exchange.format import Format, Imported
from results.exchange.google_benchmark import GoogleBenchmark
from results.exchange.loading import loaded, unusable
from results.exchange.pyperf import Pyperf
from results.exchange.pytest_benchmark import PytestBenchmark
from results.exchange.summaries import Bencher, GithubActionBenchmark
from results.schema import first_problem

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


def imported_from(path: Path, form: Format, label: str | None) -> Imported:
    """The readings in a file (or folder) of a format, all of them valid.

    Args:
        path: what to read.
        form: what it is of.
        label: the version they belong to; None for what the file says, else its name.

    Raises:
        TableError: if the file is not what the format wants, whatever else stands in it.
    """
    try:
        imported = form.imported(path, label)
        problems = map(first_problem, imported.readings)
        problem = next((each for each in problems if each is not None), None)
    # Formats take their JSON apart by its keys; in another tool's file anything may stand there.
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError) as error:
        raise unusable(
            path, f"{type(error).__name__}: {error}", f"JSON as {form.name} writes it"
        ) from error
    if problem is not None:
        found = f"a result whose {problem.column} is {problem.found}"
        raise unusable(path, found, problem.expected)
    return imported
