"""autograd: operator overloading on NumPy, a new tape at every call.

Two evaluators. `autograd` differentiates by itself, with `autograd.value_and_grad`;
`autograd-network` evaluates our differentiated network with `autograd.numpy`, so that it shows
what the wrapped NumPy costs without a tape.

lower: the nodes in order, each with its function of `autograd.numpy`. autograd itself has nothing
    to do before a call: it makes its graph anew whenever it differentiates.
compile: nothing.
waited for: nothing; NumPy is synchronous.
cached: nothing.

Weights are handed to autograd as one container of our own, made with `autograd.extend`: with a
list, tuple or dict, differentiating N weights is quadratic in N, since autograd describes the whole
container again for each weight that is taken out of it.

autograd computes the derivatives of `where`, `maximum`, `minimum` and `max` in float64; results are
cast to the dtype of their weight.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.extend import Box, SparseObject, VSpace, defvjp, primitive
from autograd.tracer import getval

from evaluators.engines.table import engine_named
from evaluators.engines.walk import Bind, Walk, walk
from evaluators.protocol import (
    Arrays,
    Data,
    Evaluator,
    Function,
    Weights,
    network_for,
    refusal,
)
from evaluators.results import fresh
from evaluators.strategies import kernels
from networks import Network, Node, operators as op, topological_order
from networks.inference import FLOAT64
from networks.operators import Operator, Partial, Region, Taken

_RELEASE = version("autograd")
