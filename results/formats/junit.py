"""A comparison as JUnit XML: a test for each row, failed where the row regressed."""

from xml.etree import ElementTree as Xml

from results.formats.wording import plain, uncompared_text
from results.judgement import Comparison, Row


def render(comparison: Comparison) -> str:
    """`comparison` as a JUnit test suite.

    A regression is a failure, something missing an error, an inconclusive row is skipped.
    """
    regressed = sum(row.verdict == "regressed" for row in comparison.rows)
    inconclusive = sum(row.verdict == "inconclusive" for row in comparison.rows)
    suites = Xml.Element("testsuites")
    suite = Xml.SubElement(
        suites,
        "testsuite",
        name="graphgauge",
        tests=str(len(comparison.rows) + len(comparison.missing)),
        failures=str(regressed),
        errors=str(len(comparison.missing)),
        skipped=str(inconclusive),
    )
    for row in comparison.rows:
        _add_row(suite, row)
    for thing in comparison.missing:
        name = " ".join(filter(None, (thing.phase, thing.metric))) or "case"
        test = _test(suite, thing.case, name, thing.candidate_label)
        Xml.SubElement(test, "error", message=uncompared_text(thing), type="missing")
    Xml.indent(suites)
    return Xml.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add_row(suite: Xml.Element, row: Row) -> None:
    test = _test(suite, row.case, f"{row.phase} {row.metric}", row.candidate_label)
    if row.verdict == "regressed":
        Xml.SubElement(test, "failure", message=plain(row.reason), type="regression")
    elif row.verdict == "inconclusive":
        Xml.SubElement(test, "skipped", message=plain(row.reason))


def _test(suite: Xml.Element, case: str, name: str, candidate: str) -> Xml.Element:
    full_name = plain(f"{name} ({candidate})")
    return Xml.SubElement(suite, "testcase", classname=plain(case), name=full_name)
