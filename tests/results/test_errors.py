"""The form of error messages."""

from results.errors import TableError, shown


def test_a_message_says_where_what_and_what_to_do() -> None:
    """File, line, column, what was found, what was expected, what to do next."""
    error = TableError(
        "runs/a.csv",
        line=17,
        column="value",
        found="'abc'",
        expected="a number in s",
        advice="Delete this line or measure its case again.",
    )

    assert str(error) == (
        "runs/a.csv:17: value is 'abc'; expected a number in s. "
        "Delete this line or measure its case again."
    )


def test_a_file_as_a_whole_has_no_line() -> None:
    """Without line and column the message speaks of the file."""
    error = TableError("a.csv", found="no such file", expected="a table", advice="Check it.")

    assert str(error) == "a.csv: no such file; expected a table. Check it."


def test_what_is_shown_is_short_and_harmless() -> None:
    """Control characters are escaped, long texts cut."""
    assert shown("\x1b[31m") == r"'\x1b[31m'"
    assert len(shown("x" * 1000)) < 100
