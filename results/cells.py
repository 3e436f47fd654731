"""How text stands in a table's cell, so that a spreadsheet shows it and never runs it.

A text that a spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV
Injection"). Texts that already have apostrophes before such a character get one more, so that
`unprotected(protected(text)) == text` for every text.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def protected(text: str) -> str:
    """`text` with an apostrophe in front if a spreadsheet could take it for a formula."""
    return "'" + text if _FORMULA.match(text) else text


def unprotected(cell: str) -> str:
    """The text that `protected` made `cell` from; other cells as they are."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
