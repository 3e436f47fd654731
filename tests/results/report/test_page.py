"""The page, as text; tests/browser opens it."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from results.report.page import SCRIPTS
from tests.results.formats.comparisons import EVIL
from tests.results.report.reports import TIMELINES, hostile, page_of, usual
from tests.results.samples import suite


class Elements(HTMLParser):
    """Every element of a page, with its attributes and its own text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._is_open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.found.append((tag, dict(attrs), []))
        self._is_open = True

    def handle_endtag(self, tag: str) -> None:
        """What follows is of an element further out, which no test asks for."""
        self._is_open = False

    def handle_data(self, data: str) -> None:
        """Add it to the element opened last."""
        if self._is_open:
            self.found[-1][2].append(data)


def test_scripts_and_style_are_the_policy_s() -> None:
    """The policy allows exactly what stands in the page, by hash, and nothing from elsewhere."""
    elements = Elements(page_of(usual(), TIMELINES)).found
    policy = next(a["content"] for t, a, _ in elements if "Content-Security-Policy" in a.values())
    codes = [
        "".join(text)
        for tag, attributes, text in elements
        if tag in ("script", "style") and attributes.get("type") in {None, "text/plain"}
    ]

    assert policy is not None
    assert len(codes) == len(SCRIPTS) + 1
    hashes = {base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() for code in codes}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == hashes
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_nothing_comes_from_elsewhere() -> None:
    """No element refers to another file."""
    for tag, attributes, _ in Elements(page_of(usual(), TIMELINES)).found:
        assert "src" not in attributes
        assert tag != "link"
        assert (attributes.get("href") or "#").startswith("#")


def test_every_text_from_a_table_is_text() -> None:
    """Malice makes no element, no attribute and no end of a script."""
    usual_tags = {tag for tag, _, _ in Elements(page_of(usual(), TIMELINES)).found}
    page = page_of(hostile(), title="</title><script>alert(1)</script>")
    elements = Elements(page).found

    assert {tag for tag, _, _ in elements} <= usual_tags | {"small"}
    assert sum(tag == "script" for tag, _, _ in elements) == len(SCRIPTS) + 2
    assert not any(name.startswith("on") for _, attributes, _ in elements for name in attributes)
    assert "<script>alert" not in page


def test_the_data_is_whole() -> None:
    """The JSON in the page is what the content says, malice included."""
    elements = Elements(page_of(hostile())).found
    content, drawings = (
        next("".join(t) for _, a, t in elements if a.get("id") == name)
        for name in ("content", "drawings")
    )

    told = json.loads(content)
    assert any("<script>alert(1)</script>" in version for version in told["versions"])
    assert len(told["cases"]) == 3
    lines = [json.loads(line) for line in drawings.split("\n")]
    assert [[number["source"] for number in case["numbers"]] for case in told["cases"]] == [
        [EVIL],
        ["perf_counter_ns"],
        [],
    ]
    assert [len(line["numbers"]) for line in lines] == [1, 1, 0]
    assert EVIL in lines[0]["numbers"][0]["plot"]["title"]


def test_what_got_worse_stands_in_the_page_itself() -> None:
    """Without a script: the counts, and the rows that regressed, each with a link to its case."""
    page = page_of(usual())
    body = page[page.index("<header>") : page.index("</header>")]

    assert re.search(r"<b>\d+</b> ▲ regressed", body)
    assert (
        "href='#case=planned+chain+depth%3D100%3Bwidth%3D64+output&amp;number=evaluate+time'"
        in body
    )
    assert "new failure: ok → crash in evaluate" in body


def test_one_version_says_what_is_missing() -> None:
    """No verdicts, and how to get some."""
    assert "Name a second table" in page_of(suite("only", 1))
