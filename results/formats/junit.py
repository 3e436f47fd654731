"""A comparison as JUnit XML: a test for each row, failed where the row regressed."""

from xml.etree import ElementTree as Xml

from results.formats.wording import plain, uncompared_text
from results.judgement import Comparison, GrowthRow, Row


def render(comparison: Comparison) -> str:
    """`comparison` as a JUnit test suite: a test for each row and each order of growth.

    A regression is a failure, something missing an error, an inconclusive row is skipped.
    """
    everything: list[Row | GrowthRow] = [*comparison.rows, *comparison.growth]
    regressed = sum(row.verdict == "regressed" for row in everything)
    inconclusive = sum(row.verdict == "inconclusive" for row in everything)
    suites = Xml.Element("testsuites")
    suite = Xml.SubElement(
        suites,
        "testsuite",
        name="graphgauge",
        tests=str(len(everything) + len(comparison.missing)),
        failures=str(regressed),
        errors=str(len(comparison.missing)),
        skipped=str(inconclusive),
    )
    for row in everything:
        _add_row(suite, row)
    for thing in comparison.missing:
        name = " ".join(filter(None, (thing.phase, thing.metric))) or "case"
        test = _test(suite, thing.case, name, thing.candidate_label)
        Xml.SubElement(test, "error", message=uncompared_text(thing), type="missing")
    Xml.indent(suites)
    return Xml.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_row(suite: Xml.Element, row: Row | GrowthRow) -> None:
    what = f"{row.phase} {row.metric}" + (" growth" if isinstance(row, GrowthRow) else "")
    test = _test(suite, row.case, what, row.candidate_label)
    if row.verdict == "regressed":
        Xml.SubElement(test, "failure", message=plain(row.reason), type="regression")
    elif row.verdict == "inconclusive":
        Xml.SubElement(test, "skipped", message=plain(row.reason))


def _test(suite: Xml.Element, case: str, name: str, candidate: str) -> Xml.Element:
    full_name = plain(f"{name} ({candidate})")
    return Xml.SubElement(suite, "testcase", classname=plain(case), name=full_name)
