"""Notes in `detail`: what is written is what is read."""

import pytest
from hypothesis import given, strategies as st

from results.notes import format_notes, parse_notes

KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.from_regex(r"[^\s;]([^;\n\r]{0,12}[^\s;])?", fullmatch=True)
NOTES = st.dictionaries(KEYS, VALUES, max_size=4)


@given(NOTES)
def test_notes_are_read_back_as_they_were_written(notes: dict[str, str]) -> None:
    """Parsing is the inverse of formatting, in order too."""
    assert list(parse_notes(format_notes(notes)).items()) == list(notes.items())


@given(NOTES)
def test_free_text_around_notes_is_ignored(notes: dict[str, str]) -> None:
    """What a person wrote before and after stays out."""
    detail = "; ".join(filter(None, ["per rebuild", format_notes(notes), "see issue 4"]))

    assert parse_notes(detail) == notes


@pytest.mark.parametrize(
    "detail",
    ["", "per rebuild", "TypeError: f(x=3)", "=3", "x=", "Class=leak", "two words=3", ";;"],
)
def test_text_that_is_no_note_is_none(detail: str) -> None:
    """A note has a name of small letters and a value, and nothing before its name."""
    assert parse_notes(detail) == {}


def test_a_key_that_stands_twice_is_left_out() -> None:
    """Which of the two is meant cannot be told."""
    assert parse_notes("class=leak; low=1; class=flat") == {"low": "1"}


@pytest.mark.parametrize("key", ["", "Class", "a b", "a=b", "1st", "a;b"])
def test_a_key_that_could_not_be_read_back_is_refused(key: str) -> None:
    """The message names the key."""
    with pytest.raises(ValueError, match="key is"):
        format_notes({key: "1"})


@pytest.mark.parametrize("value", ["", " ", "a;b", "a\nb", " a", "a "])
def test_a_value_that_could_not_be_read_back_is_refused(value: str) -> None:
    """The message names the note."""
    with pytest.raises(ValueError, match="the note class is"):
        format_notes({"class": value})
