"""One plot of a report as a picture, for a README or slides."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from results.errors import ComparisonError
from results.formats.wording import plain
from results.report.cases import Case, Number
from results.report.content import Content
from results.report.plots import KINDS, Kind, Plot, filled

PictureFormat = Literal["svg", "png"]
"""What a picture can be written as."""

_WIDTH: Final = 640
_PNG_SCALE: Final = 2.0
_VEGA_LITE_VERSION: Final = "6.4"
_EXPLAINED: Final = {"phases", "history"}
"""Plots without a horizontal axis to give a title to: it stands below the plot's own."""
_CONFIG: Final[Mapping[str, object]] = {
    "background": "white",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 12},
    "title": {
        "fontSize": 13,
        "fontWeight": "normal",
        "subtitleFontSize": 11,
        "anchor": "start",
        "limit": _WIDTH,
    },
    "range": {
        "category": [
            "#4c78a8",
            "#d9621a",
            "#3c8c4a",
            "#8a5bb0",
            "#a8842c",
            "#c2458b",
            "#2f9296",
            "#7a6a5d",
        ]
    },
}


_LACKING: Final[Mapping[Kind, str]] = {
    "launches": "measure it",
    "drift": "measure it with memory launches and more calls",
    "history": "name tables of three versions at least",
}
"""What to do for a kind of plot that a case has none of."""


class PictureError(ComparisonError):
    """No picture can be drawn as asked for."""


def render(plot: Plot, versions: Sequence[str], form: PictureFormat) -> bytes:
    """The plot as SVG text (UTF-8) or as PNG.

    Raises:
        PictureError: if vl-convert-python, which draws, is not installed.
    """
    try:
        import vl_convert  # noqa: PLC0415  # 90 MB that nothing else needs
    except ModuleNotFoundError:
        message = (
            f"{form} needs vl-convert-python, which is not installed; install it with "
            "`pip install 'graphgauge[pictures]'`, or write an HTML report"
        )
        raise PictureError(message) from None
    specification = {
        **filled(plot, versions),
        "title": {
            "text": plot.title,
            "subtitle": plot.x if plot.kind in _EXPLAINED else "",
        },
        "width": _WIDTH,
        "config": _CONFIG,
    }
    text = json.dumps(_printable(specification))
    if form == "svg":
        picture: str = vl_convert.vegalite_to_svg(text, vl_version=_VEGA_LITE_VERSION)
        return picture.encode()
    drawn: bytes = vl_convert.vegalite_to_png(text, vl_version=_VEGA_LITE_VERSION, scale=_PNG_SCALE)
    return drawn


def _printable(node: Any) -> Any:
    """The same without control characters in its texts: vl-convert ends the process at some."""
    if isinstance(node, Mapping):
        return {key: _printable(each) for key, each in node.items()}
    if isinstance(node, list | tuple):
        return [_printable(each) for each in node]
    return plain(node) if isinstance(node, str) else node


def chosen_plot(content: Content, *, case: str | None, kind: Kind, number: str | None) -> Plot:
    """The one plot that is asked for.

    Args:
        content: the report's.
        case: words of the case's name; None where there is only one case.
        kind: of plot.
        number: phase and metric, such as `evaluate time`; None for the usual one.

    Raises:
        PictureError: if no case, or more than one, has all these words, or it has no such plot.
    """
    if kind == "growth":
        return _growth(content, case, number or "evaluate time")
    found = _only(content.cases, case)
    of_case = {"phases": found.phases, "time": found.time, "memory": found.memory}
    if kind in of_case:
        plot = of_case[kind]
        if plot is None:
            message = f"{found.name} has nothing to draw {kind} of; choose one of {_listed(KINDS)}"
            raise PictureError(message)
        return plot
    usual = None if kind == "drift" else "evaluate time"
    return _number(found, number or usual, kind)


def _only(cases: Sequence[Case], words: str | None) -> Case:
    found = [each for each in cases if _has(each.name, words)]
    exact = [each for each in found if each.name == words]
    if len(found) == 1 or len(exact) == 1:
        return (exact or found)[0]
    asked = "no --case" if words is None else f"--case {words!r}"
    names = _listed([each.name for each in found or cases])
    message = f"{asked} means {len(found)} cases; expected words of one of {names}"
    raise PictureError(message)


def _number(case: Case, name: str | None, kind: Kind) -> Plot:
    drawn = [(each, each.history if kind == "history" else each.plot) for each in case.numbers]
    fitting = [(each, plot) for each, plot in drawn if plot is not None and plot.kind == kind]
    for each, plot in fitting:
        if name is None or name in (_name(each), f"{_name(each)} ({each.source})"):
            return plot
    message = f"{case.name} has no {kind} of {name or 'any number'}; " + (
        f"expected one of {_listed([*dict.fromkeys(_name(each) for each, _ in fitting)])}"
        if fitting
        else _LACKING[kind]
    )
    raise PictureError(message)


def _growth(content: Content, words: str | None, number: str) -> Plot:
    families = [each for each in content.families if _has(each.name, words)]
    if len(families) != 1:
        names = _listed([each.name for each in families or content.families])
        message = f"--case {words!r} means {len(families)} sweeps; expected words of one of {names}"
        raise PictureError(message)
    plots = {plot.title.partition(" of ")[0]: plot for plot in families[0].plots}
    if number not in plots:
        message = f"{families[0].name} has no growth of {number}; expected one of {_listed(plots)}"
        raise PictureError(message)
    return plots[number]


def _name(number: Number) -> str:
    return f"{number.phase} {number.metric}"


def _has(name: str, words: str | None) -> bool:
    return all(word in name for word in (words or "").split())


def _listed(names: "Sequence[str] | Mapping[str, object]") -> str:
    shown = [repr(name) for name in list(names)[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
