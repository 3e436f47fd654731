"""Other tools' formats: what a table gives them, and what of theirs becomes a table."""
