"""Allocation sites: by line, as collapsed stacks, as a flame graph."""

from xml.etree import ElementTree

from hypothesis import given, strategies as st

from results.flame import flame_graph
from results.sites import Site, collapsed, rows_by_site

FRAMES = st.sampled_from(["a.py:1", "b.py:2", "c.py:3", "d<&>.py:4"])
SITES = st.lists(
    st.builds(
        lambda stack, size: Site(stack=tuple(stack), text=stack[-1], size_bytes=size),
        st.lists(FRAMES, min_size=1, max_size=6),
        st.integers(1, 10**9),
    ),
    min_size=1,
    max_size=12,
)


@given(SITES)
def test_no_byte_is_lost(sites: list[Site]) -> None:
    """Rows and collapsed stacks add up to what there is."""
    total = sum(site.size_bytes for site in sites)

    assert sum(row.sizes_bytes[0] for row in rows_by_site([sites])) == total
    assert sum(int(line.rpartition(" ")[2]) for line in collapsed(sites).splitlines()) == total


@given(SITES, SITES)
def test_differences_are_mirrored(first: list[Site], second: list[Site]) -> None:
    """From the second version to the first, every line's difference has the other sign."""
    there = {row.text: row.difference_bytes for row in rows_by_site([first, second])}
    back = {row.text: row.difference_bytes for row in rows_by_site([second, first])}

    assert there == {text: -size for text, size in back.items()}


def test_a_line_is_the_same_when_its_number_changes() -> None:
    """Between versions, file and text are what a line is known by."""
    old = Site(stack=("m.py:1", "cache.py:10"), text="cache[key] = value", size_bytes=100)
    new = Site(stack=("m.py:1", "cache.py:14"), text="cache[key] = value", size_bytes=300)

    (row,) = rows_by_site([[old], [new]])

    assert (row.place, row.sizes_bytes, row.difference_bytes) == ("cache.py:14", (100, 300), 200)


@given(SITES)
def test_a_flame_graph_is_one_file_that_needs_nothing_else(sites: list[Site]) -> None:
    """It is well-formed whatever frames are called, refers to nothing, and tells large boxes."""
    text = flame_graph(sites, "a & b")

    root = ElementTree.fromstring(text)
    titles = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles[0].startswith("all: ")
    largest = max(sites, key=lambda site: site.size_bytes)
    assert any(title.startswith(largest.stack[0]) for title in titles)
    assert "href" not in text
    assert "<script" not in text


def test_a_graph_of_nothing_says_so() -> None:
    """No site is no box, and no division by zero."""
    assert "<rect" in flame_graph([], "nothing")


def test_native_frames_hang_below_their_line() -> None:
    """A site is the innermost line; what it called natively is in the stack, and in the text."""
    stack = ("a.py:1", "b.py:2", "create [native]", "grow [libengine.so]")
    site = Site(stack=stack, text="make() → create", size_bytes=1)
    of_a_thread = Site(stack=("start_thread [native]", "work [native]"), text="", size_bytes=1)

    assert site.place == "b.py:2"
    assert site.line == ("b.py", "make() → create")
    assert of_a_thread.line == ("work [native]", "")
