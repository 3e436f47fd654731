"""JUnit."""

from xml.etree import ElementTree as Xml

from results.formats import junit
from tests.results.formats.comparisons import HOSTILE, SEVERAL, USUAL


def test_a_regression_is_a_failed_test() -> None:
    """And the counts are those of the tests."""
    suite = Xml.fromstring(junit.render(USUAL))[0]

    failed = [test for test in suite if test.find("failure") is not None]
    assert len(suite) == int(suite.get("tests", "")) == len(USUAL.rows)
    assert len(failed) == int(suite.get("failures", "")) == len(USUAL.having("regressed"))


def test_what_is_missing_is_an_error() -> None:
    """A gate that reads JUnit sees it, whatever characters its name has."""
    suite = Xml.fromstring(junit.render(HOSTILE))[0]

    assert suite.get("errors") == "1"
    assert "not in the candidate" in suite.find("testcase/error").get("message")  # type: ignore[union-attr,operator]


def test_what_is_inconclusive_is_skipped() -> None:
    """Not passed: nothing is known of it."""
    suite = Xml.fromstring(junit.render(SEVERAL))[0]

    assert len(suite.findall("testcase/skipped")) == len(SEVERAL.having("inconclusive")) == 2
