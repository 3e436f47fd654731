"""A plugin: `straightline-planted`, which does some of the work of one kind of operator twice.

    GRAPHGAUGE_PLANT=tanh:77 graphgauge profile rnn --sides straightline straightline-planted …

`tanh:77` has 77 % of the statements that call `tanh` preceded by another call of it on the same
operands, evenly spread over them. The source that is generated stays as it is otherwise; in the
instrumented source the call lies within the step that it belongs to.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace

import numpy as np

from evaluators import catalog
from evaluators.protocol import Function
from evaluators.strategies.straightline import Source, Straightline

VARIABLE = "GRAPHGAUGE_PLANT"


class PlantedOperator(Straightline):
    """`straightline` with a share of an operator's statements twice."""

    name = "straightline-planted"

    def __init__(self, operator: str, percent: float) -> None:
        super().__init__()
        self._operator = operator
        self._percent = percent

    def compile(self, lowered: Source) -> Function:
        """The function of the planted source."""
        return super().compile(planted(lowered, self._operator, self._percent))


def planted(source: Source, operator: str, percent: float) -> Source:
    """The source with extra calls of the operator before so many per cent of its statements."""
    operands = getattr(np, operator).nin
    statement = re.compile(rf"    (?:\w+ = )?{operator}\((.*)\)")
    functions = []
    owed = 0.0
    for text in source.functions:
        lines = []
        for line in text.split("\n"):
            found = statement.fullmatch(line)
            if found:
                owed += percent / 100
                if owed >= 1:
                    owed -= 1
                    given = ", ".join(found[1].split(", ")[:operands])
                    lines.append(f"    _ = {operator}({given})")
            lines.append(line)
        functions.append("\n".join(lines))
    return replace(source, functions=functions)


_operator, _, _percent = os.environ.get(VARIABLE, "tanh:0").partition(":")
catalog.register(PlantedOperator(_operator, float(_percent)))
