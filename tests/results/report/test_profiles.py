"""The report's section on profiles: every row that matters, and no text that is obeyed."""

import re
from html.parser import HTMLParser

from results.profiles.reading import UNEXPLAINED
from results.report.profiles import Profile, section
from tests.results.profiles.test_difference import BASE, CAND, profile, reading


class _Texts(HTMLParser):
    """Collects tags and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def _parsed(html: str) -> _Texts:
    texts = _Texts()
    texts.feed(html)
    return texts


def test_two_versions_are_a_difference_with_its_remainder() -> None:
    """Contributions in order, the unexplained, and the whole."""
    html = section([Profile(title="rnn", readings=profile("base", BASE) + profile("cand", CAND))])

    rows = re.findall(r"<th scope='row'>([^<]*)</th>", html)
    assert rows == ["tanh *", "matmul", UNEXPLAINED, "the whole"]  # the same change in both pairs
    assert "+1.000 s" in html or "+1 s" in html
    assert "in 2 pairs" in html


def test_one_version_is_what_a_call_consists_of() -> None:
    """With shares of the whole."""
    html = section([Profile(title="rnn", readings=profile("base", BASE))])

    texts = _parsed(html).texts
    assert texts[texts.index("matmul") + 2].endswith("%")
    assert "evaluate, by operator" in texts


def test_rows_beyond_the_first_are_counted() -> None:
    """None is left out without a word."""
    readings = [reading("base", f"op{at}", 1.0) for at in range(20)]

    assert "8 smaller rows are not shown" in section([Profile(title="x", readings=readings)])


def test_texts_are_escaped() -> None:
    """Names, labels and titles alike: no element comes of a table's text."""
    evil = "<script>alert('1')</script>"
    readings = [reading(evil, evil, 1.0), reading("cand", evil, 2.0)]

    found = _parsed(section([Profile(title=evil, readings=readings)]))

    assert "script" not in found.tags
    assert any("alert" in text for text in found.texts)


def test_without_profiles_there_is_no_section() -> None:
    """The page is as it was."""
    assert section([]) == ""
