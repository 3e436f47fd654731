"""A report as one HTML file: no network, a content security policy, every text escaped."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from importlib.resources import files
from typing import Final
from urllib.parse import urlencode

from results.formats.wording import (
    change_text,
    detectable_text,
    growth_subject,
    headline,
    launches_text,
    mean_text,
    plain,
    promise,
)
from results.judgement import VERDICTS, Comparison, Row
from results.report.cases import Case, Number
from results.report.content import Content
from results.report.profiles import Profile, section

PLOTTERS: Final = ("vega.min.js", "vega-lite.min.js", "vega-interpreter.js")
"""In the order they run in, once the first plot is drawn; until then they are mere text."""
SCRIPTS: Final = (*PLOTTERS, "report.js")
"""All that the page may run; each is a script of its own in it."""

_DRAWN: Final[Mapping[type, frozenset[str]]] = {
    Case: frozenset({"phases", "memory", "time"}),
    Number: frozenset({"plot", "history"}),
}
"""What is read only when a case is opened: it stands apart from the rest, a line for each case."""

_WORST_SHOWN: Final = 12
_MARKS: Final = {"regressed": "▲", "improved": "▼", "inconclusive": "?", "unchanged": "="}
_HEADINGS: Final = ("case", "number", "baseline", "candidate", "change", "could see", "launches")


def render(
    content: Content,
    comparison: Comparison | None,
    *,
    title: str,
    profiles: Sequence[Profile] = (),
) -> str:
    """The page.

    Args:
        content: what it tells.
        comparison: the same one that `content` was made from; None where there was none.
        title: of the page; any text.
        profiles: that stand below the summary.
    """
    style = _asset("report.css")
    scripts = [_asset(name) for name in SCRIPTS]
    places = {
        "policy": _policy(style, scripts),
        "title": escape(plain(title)),
        "style": style,
        "summary": _summary(content, comparison) + section(profiles),
        "promise": "" if comparison is None else escape(promise(comparison)),
        "licence": escape(_asset("LICENSE")),
        "content": _as_json(content),
        "drawings": "\n".join(_as_json(_drawings(case)) for case in content.cases),
        "scripts": "\n".join(map(_script, SCRIPTS, scripts)),
    }
    page = _asset("page.html")
    # One pass over the template's own parts: no text that is put in is looked at again.
    parts = page.split("@@")
    return "".join(places[part] if at % 2 else part for at, part in enumerate(parts))


def _script(name: str, script: str) -> str:
    kept = ' type="text/plain"' if name in PLOTTERS else ""
    return f"<script{kept}>{script}</script>"


def _asset(name: str) -> str:
    return files("results.report").joinpath("assets", name).read_text(encoding="utf-8")


def _policy(style: str, scripts: Iterable[str]) -> str:
    """Nothing may be loaded or sent; only these very scripts and this style are obeyed."""
    allowed = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _as_json(content: Content | Mapping[str, object]) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(
        content, default=_fields, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _fields(thing: object) -> dict[str, object]:
    if not is_dataclass(thing):
        message = f"{type(thing).__name__} has no JSON"
        raise TypeError(message)
    apart = _DRAWN.get(type(thing), frozenset())
    return {
        field.name: getattr(thing, field.name) for field in fields(thing) if field.name not in apart
    }


def _drawings(case: Case) -> Mapping[str, object]:
    """What a case's plots show."""
    return _apart(case) | {"numbers": [_apart(number) for number in case.numbers]}


def _apart(thing: Case | Number) -> dict[str, object]:
    return {name: getattr(thing, name) for name in sorted(_DRAWN[type(thing)])}


def _summary(content: Content, comparison: Comparison | None) -> str:
    if comparison is None:
        version = escape(plain(content.versions[0])) if content.versions else "no readings"
        return (
            f"<p class='headline'>{version}: {len(content.cases)} cases of one version. "
            "Name a second table, or one with two labels, to see what changed.</p>"
        )
    worst = comparison.having("regressed")
    return "\n".join(
        (
            f"<p class='headline'>{escape(headline(comparison))}</p>",
            _tiles(comparison),
            "<h2>What got worse</h2>",
            _worse_orders(comparison),
            _table(worst[:_WORST_SHOWN], comparison) if worst else _nothing_worse(comparison),
            _rest(len(worst)),
            _notes(comparison),
        )
    )


def _tiles(comparison: Comparison) -> str:
    tiles = [
        f"<a class='tile {verdict}' href='#{urlencode({'verdict': verdict})}'>"
        f"<b>{len(comparison.having(verdict)):,}</b> {_MARKS[verdict]} {verdict}</a>"
        for verdict in VERDICTS
    ]
    for things, word in (
        (comparison.missing, "missing"),
        (comparison.failing, "failing on both sides"),
        (comparison.candidate_only, "only in a candidate"),
    ):
        if things:
            tiles.append(f"<a class='tile gap' href='#gaps'><b>{len(things):,}</b> {word}</a>")
    return f"<nav class='tiles' aria-label='Rows by verdict'>{''.join(tiles)}</nav>"


def _worse_orders(comparison: Comparison) -> str:
    """What grows faster with size than it did, which no single size shows."""
    several = len(comparison.candidate_labels) > 1
    items = "".join(
        f"<li><a href='#growth-section'>{escape(growth_subject(row, several=several))}</a>: "
        f"<span class='regressed'>{escape(plain(row.baseline))} → {escape(plain(row.candidate))}"
        f"</span><small> {escape(plain(row.reason))}</small></li>"
        for row in comparison.worse_orders[:_WORST_SHOWN]
    )
    return f"<p>Grows faster with size:</p><ul>{items}</ul>" if items else ""


def _nothing_worse(comparison: Comparison) -> str:
    if comparison.worse_orders:
        return ""
    if not comparison.is_complete:
        return (
            "<p class='warning'>Nothing is known to be worse, but a part of the baseline was not "
            "compared, or nothing could be put to a test.</p>"
        )
    undecided = len(comparison.having("inconclusive"))
    if undecided:
        return (
            f"<p>Nothing is shown to be worse beyond the threshold; {undecided:,} rows are "
            "inconclusive: their smallest detectable change says what would have been seen.</p>"
        )
    return "<p>Nothing got worse beyond the threshold.</p>"


def _table(rows: Sequence[Row], comparison: Comparison) -> str:
    several = len(comparison.candidate_labels) > 1
    heads = "".join(f"<th scope='col'>{heading}</th>" for heading in _HEADINGS)
    body = "".join(f"<tr>{_cells(row, several=several)}</tr>" for row in rows)
    return (
        "<div class='scroll'><table class='rows'>"
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: Row, *, several: bool) -> str:
    target = urlencode({"case": row.case, "number": f"{row.phase} {row.metric}"})
    texts = (
        f"{row.phase} {row.metric}",
        mean_text(row.baseline, row.baseline_spread, row.unit),
        mean_text(row.candidate, row.candidate_spread, row.unit),
        change_text(row.ratio, row.ratio_low, row.ratio_high)
        if row.ratio is not None
        else row.reason,
        detectable_text(row),
        launches_text(row),
    )
    link = f"<a href='#{escape(target)}'>{_breakable(row.case)}</a>"
    version = f"<small>{escape(plain(row.candidate_label))}</small>" if several else ""
    cells = [f"<th scope='row'>{link}{version}</th>"]
    cells += [
        f"<td data-label='{heading}'{_class(row, heading)}>{_together(escape(plain(text)))}</td>"
        for heading, text in zip(_HEADINGS[1:], texts, strict=True)
    ]
    return "".join(cells)


def _class(row: Row, heading: str) -> str:
    """A change has its verdict's colour; a failure's reason may take several lines."""
    if heading != "change":
        return ""
    return f" class='{row.verdict}'" if row.ratio is not None else " class='told'"


def _together(text: str) -> str:
    """A figure goes to the next line before its spread or its interval, and nowhere else."""
    return re.sub(r"(?<=[\d×%±,]) (?![±\[(])", "\N{NO-BREAK SPACE}", text)


def _breakable(name: str) -> str:
    """A case's name that may go to the next line after a parameter."""
    return ";<wbr>".join(map(escape, plain(name).split(";")))


def _rest(count: int) -> str:
    if count <= _WORST_SHOWN:
        return ""
    return f"<p><a href='#verdict=regressed'>and {count - _WORST_SHOWN:,} more</a></p>"


def _notes(comparison: Comparison) -> str:
    if not comparison.notes:
        return ""
    items = "".join(f"<li>{escape(plain(note))}</li>" for note in comparison.notes)
    return f"<h2>Notes</h2><ul>{items}</ul>"
