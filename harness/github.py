"""A comparison within GitHub Actions: annotations in the log, the summary where the job's is."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from harness.errors import UsageError
from harness.printing import write_out
from results.formats import github, markdown
from results.formats.github import Place
from results.judgement import Comparison
from scenarios import scenario
from scenarios.scenario import ScenarioError


def show(comparison: Comparison) -> None:
    """Print annotations; the summary goes to the file that GitHub names, else after them."""
    names = (
        *(row.scenario for row in comparison.rows),
        *(each.scenario for each in comparison.missing),
    )
    found = places(names, Path(os.environ.get("GITHUB_WORKSPACE") or "."))
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if not summary:
        write_out(github.render(comparison, places=found))
        return
    write_out(github.annotations(comparison, places=found))
    try:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render(comparison) + "\n")
    except OSError as error:
        raise UsageError(
            f"{summary}: {error.strerror or error}; expected the file that GITHUB_STEP_SUMMARY "
            "names. Unset it to have the summary on standard output"
        ) from error


def places(names: Iterable[str], root: Path) -> dict[str, Place]:
    """Where scenarios are defined, for those that are known here and lie in the folder `root`."""
    found = {}
    for name in dict.fromkeys(names):
        try:
            location = scenario.get(name).location
        except ScenarioError:
            continue  # of a plugin that is not loaded, or of another project
        file, _, line = location.rpartition(":")
        path = (Path(scenario.__file__).parent.parent / file).resolve()
        if path.is_relative_to(root.resolve()):
            found[name] = Place(file=path.relative_to(root.resolve()).as_posix(), line=int(line))
    return found
