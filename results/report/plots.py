"""Every plot of a report, in Vega-Lite: one definition for the page and for pictures.

A specification holds places such as `{unit}`, filled by `filled` here and by `filled` in
`assets/report.js`, so that the page carries each specification once, whatever its number of cases.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from results.schema import PHASES

Kind = Literal["phases", "launches", "drift", "time", "memory", "growth", "history"]

KINDS: Final[tuple[Kind, ...]] = (
    "phases",
    "launches",
    "drift",
    "time",
    "memory",
    "growth",
    "history",
)

_TIMES: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES: Final = ((1024.0**3, "GiB"), (1024.0**2, "MiB"), (1024.0, "KiB"), (1.0, "B"))
_PER_CENT: Final = ((0.01, "%"),)

_PHASE_COLOURS: Final = (
    "#0072b2",
    "#56b4e9",
    "#009e73",
    "#e69f00",
    "#cc79a7",
    "#d55e00",
    "#999999",
)
"""Okabe and Ito's, which people tell apart whatever colours they see."""

_LEGEND_COLUMNS: Final = 4

_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot, to be drawn by the specification of its kind.

    Attributes:
        kind: which specification draws it.
        title: what it shows, for people.
        x: title of its horizontal axis where the specification leaves that open; what stands
            below the title where it has none.
        base: the unit of its values, as in a table.
        unit: the unit that it is drawn in.
        scale: how much of `base` one `unit` is.
        values: the records drawn; of versions, each with its label as `version`.
    """

    kind: Kind
    title: str
    x: str
    base: str
    unit: str
    scale: float
    values: Sequence[Mapping[str, object]]


def unit_for(largest: float, base: str) -> tuple[str, float]:
    """The unit to draw values of up to `largest` in, and how much of `base` it is."""
    scales = {"s": _TIMES, "B": _BYTES, "B/call": _BYTES, "1/kcall": _PER_CENT}.get(base)
    if scales is None:
        return "", 1.0
    scale, name = next((each for each in scales if abs(largest) >= each[0]), scales[-1])
    return name + base.removeprefix("s").removeprefix("B").removeprefix("1"), scale


def filled(plot: Plot, versions: Sequence[str]) -> dict[str, Any]:
    """The plot's specification with its places filled and its data in it."""
    by = {
        "title": plot.title,
        "x": plot.x,
        "base": plot.base,
        "unit": plot.unit,
        "scale": plot.scale,
        "versions": list(versions),
        "order": list(dict.fromkeys(str(each.get("version", "")) for each in plot.values)),
        "sizes": list(dict.fromkeys(each["size"] for each in plot.values if "size" in each)),
        "columns": _LEGEND_COLUMNS,
    }
    specification: dict[str, Any] = _filled(SPECIFICATIONS[plot.kind], by)
    return {**specification, "data": {"values": list(plot.values)}}


def _filled(node: object, by: Mapping[str, object]) -> Any:
    if isinstance(node, Mapping):
        return {key: _filled(each, by) for key, each in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_filled(each, by) for each in node]
    if not isinstance(node, str):
        return node
    alone = _PLACE.fullmatch(node)
    if alone and alone[1] in by:
        return by[alone[1]]
    return _PLACE.sub(lambda found: str(by.get(found[1], found[0])), node)


def _told(field: str) -> dict[str, str]:
    """Adds `told`: a value with its unit, and as exactly as the table has it."""
    exact = f"'' + datum.{field}"
    rounded = f"format(datum.{field} / {{scale}}, ',.5~g') + ' {{unit}} ('"
    return {"calculate": f"'{{unit}}' ? {rounded} + {exact} + ' {{base}})' : {exact}", "as": "told"}


def _scaled(field: str, name: str) -> dict[str, str]:
    return {"calculate": f"datum.{field} / {{scale}}", "as": name}


_VERSION_ROWS: Final = {
    "field": "version",
    "type": "nominal",
    "title": None,
    "scale": {"domain": "{versions}"},
    "axis": {"labelLimit": 150, "ticks": False, "domain": False},
}
_VERSION_COLOUR: Final = {
    "field": "version",
    "type": "nominal",
    "title": None,
    "scale": {"domain": "{versions}"},
    "legend": {"orient": "top", "labelLimit": 300, "columns": "{columns}"},
}
_VALUE: Final = {
    "field": "shown",
    "type": "quantitative",
    "title": "{unit}",
    "scale": {"zero": False},
    "axis": {"format": ",.6~g"},
}

_PHASE_BARS: Final = {
    "transform": [_scaled("value", "shown"), _told("value")],
    "mark": {"type": "bar"},
    "encoding": {
        "y": _VERSION_ROWS,
        "x": {"field": "shown", "type": "quantitative", "title": "{unit}"},
        "color": {
            "field": "phase",
            "type": "nominal",
            "title": None,
            "scale": {"domain": PHASES, "range": _PHASE_COLOURS},
            "legend": {"orient": "top", "columns": "{columns}"},
        },
        "order": {"field": "rank"},
        "tooltip": [
            {"field": "version"},
            {"field": "phase"},
            {"field": "told", "title": "median"},
        ],
    },
    "height": {"step": 34},
}

_LOW: Final = "max(datum.value < 0 ? -1/0 : 0, datum.value - datum.spread / 2)"
"""The spread's lower end; what is not negative has none below 0."""

_LAUNCH_DOTS: Final[Mapping[str, Any]] = {
    "transform": [
        {"flatten": ["launch", "value", "spread"]},
        _scaled("value", "shown"),
        {"calculate": f"({_LOW}) / {{scale}}", "as": "low"},
        {"calculate": "(datum.value + datum.spread / 2) / {scale}", "as": "high"},
        {"window": [{"op": "row_number", "as": "order"}], "groupby": ["version"]},
        _told("value"),
    ],
    "encoding": {"y": _VERSION_ROWS},
    "layer": [
        {
            "mark": {"type": "rule", "opacity": 0.35, "aria": False},
            "transform": [{"filter": "isValid(datum.spread)"}],
            "encoding": {
                "x": {**_VALUE, "field": "low"},
                "x2": {"field": "high"},
                "yOffset": {"field": "order", "type": "ordinal"},
                "color": {**_VERSION_COLOUR, "legend": None},
            },
        },
        {
            "mark": {"type": "tick", "thickness": 2, "opacity": 0.8, "bandSize": 44},
            "encoding": {
                "x": {**_VALUE, "aggregate": "median"},
                "color": {**_VERSION_COLOUR, "legend": None},
                "tooltip": [
                    {"field": "version"},
                    {
                        "field": "shown",
                        "aggregate": "median",
                        "title": "median over launches, {unit}",
                        "format": ",.5~g",
                    },
                ],
            },
        },
        {
            "mark": {"type": "circle", "size": 46, "opacity": 0.9},
            "encoding": {
                "x": _VALUE,
                "yOffset": {"field": "order", "type": "ordinal"},
                "color": {**_VERSION_COLOUR, "legend": None},
                "tooltip": [
                    {"field": "version"},
                    {"field": "launch"},
                    {"field": "told", "title": "value"},
                    {"field": "spread", "title": "spread within the launch, {base}"},
                ],
            },
        },
    ],
    "height": {"step": 56, "for": "position"},
}

_DRIFT_DOTS: Final = {
    **_LAUNCH_DOTS,
    "layer": [
        {
            "mark": {"type": "rule", "strokeDash": [4, 3], "opacity": 0.6, "aria": False},
            "encoding": {"x": {"datum": 0}, "y": {"value": 0}, "y2": {"value": "height"}},
        },
        *_LAUNCH_DOTS["layer"],
    ],
}

_FROM_ZERO: Final = {"field": "shown", "type": "quantitative", "title": "{unit}"}

_ALONG_LAUNCHES: Final[Mapping[str, Any]] = {
    "transform": [
        {"flatten": ["seconds", "value"]},
        _scaled("value", "shown"),
        _told("value"),
    ],
    "mark": {"type": "line", "strokeWidth": 1.6, "point": {"opacity": 0, "size": 60}},
    "encoding": {
        "x": {"field": "seconds", "type": "quantitative", "title": "{x}"},
        "y": _VALUE,
        "color": _VERSION_COLOUR,
        "detail": {"field": "launch"},
        "tooltip": [
            {"field": "version"},
            {"field": "launch"},
            {"field": "seconds", "title": "{x}"},
            {"field": "told", "title": "value"},
        ],
    },
    "height": 220,
}

_LOG: Final = {"type": "log", "nice": False, "padding": 14}

_GROWTH_LINES: Final = {
    "transform": [_scaled("value", "shown"), _told("value")],
    "mark": {"type": "line", "point": {"size": 50}},
    "encoding": {
        "x": {
            "field": "size",
            "type": "quantitative",
            "title": "{x}",
            "scale": _LOG,
            "axis": {"values": "{sizes}", "format": ",~g"},
        },
        "y": {
            "field": "shown",
            "type": "quantitative",
            "title": "{unit}",
            "scale": _LOG,
            "axis": {"tickCount": 5},
        },
        "color": _VERSION_COLOUR,
        "tooltip": [
            {"field": "version"},
            {"field": "size", "title": "{x}"},
            {"field": "told", "title": "median"},
            {"field": "launches"},
        ],
    },
    "height": 240,
}

_IN_ORDER: Final = {
    "field": "version",
    "type": "ordinal",
    "title": None,
    "scale": {"type": "band", "domain": "{order}"},
    "axis": {"labelAngle": -35, "labelLimit": 130, "labelOverlap": True},
}
_ENTERING: Final = {
    "field": "verdict",
    "type": "nominal",
    "scale": {"domain": ["regressed", "improved"], "range": ["#d1453b", "#2e8b57"]},
    "legend": None,
}
_HISTORY_TIPS: Final = [
    {"field": "version"},
    {"field": "told", "title": "mean"},
    {"field": "range", "title": "99 % interval, {unit}"},
    {"field": "launches"},
    {"field": "change"},
]

_HISTORY: Final = {
    "transform": [
        _scaled("value", "shown"),
        _scaled("level", "line"),
        {"calculate": "isValid(datum.low) ? datum.low / {scale} : null", "as": "from"},
        {"calculate": "isValid(datum.high) ? datum.high / {scale} : null", "as": "to"},
        {
            "calculate": "isValid(datum.low) ? format(datum.from, ',.5~g') + ' to ' + "
            "format(datum.to, ',.5~g') : ''",
            "as": "range",
        },
        {"calculate": "isValid(datum.change) ? datum.change : ''", "as": "change"},
        _told("value"),
    ],
    "encoding": {"x": _IN_ORDER},
    "layer": [
        {
            "mark": {"type": "rule", "strokeDash": [4, 3], "strokeWidth": 1.5, "aria": False},
            "transform": [{"filter": "datum.change !== ''"}],
            "encoding": {"x": {**_IN_ORDER, "bandPosition": 0}, "color": _ENTERING},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2, "opacity": 0.45, "aria": False},
            "transform": [{"filter": "isValid(datum.level)"}],
            "encoding": {
                "x": {**_IN_ORDER, "bandPosition": 0},
                "x2": {"field": "version", "bandPosition": 1},
                "y": {**_VALUE, "field": "line"},
            },
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.5, "aria": False},
            "transform": [{"filter": "isValid(datum.low)"}],
            "encoding": {"y": {**_VALUE, "field": "from"}, "y2": {"field": "to"}},
        },
        {
            "mark": {"type": "circle", "size": 60, "opacity": 1},
            "encoding": {"y": _VALUE, "tooltip": _HISTORY_TIPS},
        },
        {
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "bottom",
                "dx": 4,
                "y": -3,
                "fontSize": 12,
                "limit": 260,
            },
            "transform": [{"filter": "datum.change !== ''"}],
            "encoding": {"x": {**_IN_ORDER, "bandPosition": 0}, "text": {"field": "size"}},
        },
    ],
    "height": 220,
}

_BY_KIND: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "phases": _PHASE_BARS,
    "launches": _LAUNCH_DOTS,
    "drift": _DRIFT_DOTS,
    "time": _ALONG_LAUNCHES,
    "memory": {**_ALONG_LAUNCHES, "encoding": {**_ALONG_LAUNCHES["encoding"], "y": _FROM_ZERO}},
    "growth": _GROWTH_LINES,
    "history": _HISTORY,
}

SPECIFICATIONS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    kind: {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": "{title}",
        "width": "container",
        **specification,
    }
    for kind, specification in _BY_KIND.items()
}
"""The specification of each kind, its places open and without data."""
