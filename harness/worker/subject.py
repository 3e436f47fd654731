"""The subject of a launch: one case, taken through its phases on the controller's word."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import numpy as np

from evaluators import catalog
from evaluators.protocol import Evaluator, Function
from harness.worker.agreement import disagreement
from harness.worker.evidence import Evidence, Witness, threads_here, was_halted
from harness.worker.inputs import Fingerprints
from harness.worker.layout import Layout, Places
from harness.worker.messages import (
    Blocks,
    Calibrated,
    Checked,
    CheckedAgain,
    Counts,
    Elapsed,
    Multiplied,
    Open,
    Opened,
    Repeats,
    RunBlocks,
    YardstickRead,
)
from harness.worker.preparation import Preparation
from harness.worker.timing import Clock, calls_per_block, time_block, time_rounds
from harness.worker.yardstick import Yardstick
from networks import Network
from scenarios import scenario as scenario_catalogue
from scenarios.scenario import CALLS, COLLECTOR, COUNTED_UP, KEPT, SHAPES, Scenario

_POOL_SETS = 16
"""How many different sets of data the timed calls rotate through…"""
_POOL_BYTES = 64 * 2**20
"""…or fewer, so that they stay within this, but at least two."""
_SETTLING_CALLS = 8
"""Of each further instance, so that the interpreter has specialised its code as the first one's."""
_CHECKED_AGAIN = 2
"""Calls at least that are looked at once more when `evaluate` is over."""


class Subject:
    """A case that is loaded, and what its phases have produced so far."""

    def __init__(self, request: Open, *, clock: Clock = perf_counter_ns) -> None:
        self._request = request
        self._scenario: Scenario = scenario_catalogue.get(request.scenario)
        self._params = self._scenario.parameters(request.params)
        self._evaluator: Evaluator = catalog.get(request.evaluator)
        self._dtype = request.dtype or getattr(self._evaluator, "dtype", None) or "float32"
        self._clock = clock
        self._rng = np.random.default_rng(request.seed)
        self._layout = Layout(np.random.default_rng([request.seed, 1]), fixed=request.fixed_layout)
        self._places = Places(self._layout, np.random.default_rng([request.seed, 2]))
        self._preparation = self._new_preparation()
        self._weights: dict[str, np.ndarray] = {}
        self._pool: list[dict[str, np.ndarray]] = []
        self._inputs: Fingerprints | None = None
        """Of weights and the first data, as they were drawn."""
        self._golden: Sequence[np.ndarray] = ()
        self._tolerance = 0.0
        self._threads = threads_here()
        self._first_result: Any = None
        self._rounds = 0
        """How often the road from `construct` to a call was gone in `evaluate`."""
        self._kept: list[Preparation] = []
        self._witness: Witness | None = None
        self._yardstick: Yardstick | None = None
        self._prepared_ns = 0
        """What it took to get to the first result, in this process."""
        self._further: list[Preparation] = []
        """The same prepared again, elsewhere in memory; timed blocks go round all of them."""
        self._turn = 0

    def opened(self) -> Opened:
        """What the controller needs to know of the subject."""
        units = self._params.get(self._scenario.lifecycle)
        return Opened(
            phases=[*self._preparation.phases, "first_call", "evaluate", "teardown"],
            evaluator_version=str(self._evaluator.version()),
            dtype=self._dtype,
            lifecycle=self._scenario.lifecycle,
            units=units if isinstance(units, int) else None,
        )

    def run_phase(self, phase: str, *, collects: bool = True) -> Elapsed:
        """Run a phase for the first time in this process, timed."""
        if phase == "construct":
            self._layout.shift_pools()
        elif phase == "teardown":
            self._drop_further()
        step = self._step(phase)
        if collects:
            gc.collect()
        start = self._clock()
        product = step()
        elapsed_ns = self._clock() - start
        self._keep(phase, product)
        self._prepared_ns += elapsed_ns
        return Elapsed(phase=phase, elapsed_ns=elapsed_ns)

    def check(self) -> Checked:
        """Compare a result with the golden evaluator's, on the same inputs.

        The result is the first call's; after teardown, where the golden evaluator would have
        stood in the way of memory readings, everything is prepared once more to have one.
        """
        if self._first_result is None:
            self._prepare_again()
        if problem := self._changed_input():
            return Checked(max_relative_error=None, problem=problem)
        reference = catalog.get("reference")
        mode = self._request.mode
        function = reference.compile(reference.lower(self._preparation.network, mode))
        self._golden = function(self._weights, self._pool[0])
        self._tolerance = self._scenario.tolerance_at(self._params, self._dtype)
        error, problem = self._disagreement(self._first_result)
        self._first_result = None
        return Checked(max_relative_error=error, problem=problem)

    def check_again(self) -> CheckedAgain:
        """Compare later results, on the inputs of the first call, with the golden ones."""
        problem = ""
        functions = [each.function for each in (self._preparation, *self._further)]
        for function in (functions * _CHECKED_AGAIN)[: max(_CHECKED_AGAIN, len(functions))]:
            problem = self._disagreement(function(self._weights, self._pool[0]))[1]
            if problem:
                problem = f"right at the first call, but not now: {problem}"
            problem = self._changed_input() or problem
            if problem:
                break
        return CheckedAgain(problem=problem, threads=max(0, threads_here() - self._threads))

    def _disagreement(self, result: object) -> tuple[float | None, str]:
        network = self._preparation.network
        nodes = network.outputs
        if self._request.mode == "gradient" and network.loss is not None:
            nodes = (network.loss, *network.weights)
        dtypes = [node.dtype for node in nodes]
        return disagreement(result, self._golden, self._tolerance, dtypes)

    def _changed_input(self) -> str:
        """Which input is not what it was when it was drawn; empty where none is."""
        if self._inputs is None:
            return ""
        name = self._inputs.first_changed(self._weights, self._pool[0])
        return f"it wrote into its input {name!r}, which is not its own" if name else ""

    def calibrate(self, block_ns: int, calls: int | None = None) -> Calibrated:
        """Find how many calls fill a block. With `calls`, that many are timed once."""

        def time_calls(calls: int) -> int:
            while True:
                elapsed_ns, seen = self._time_one_block(calls, untimed_calls=0)
                if not was_halted(seen):
                    return elapsed_ns

        if calls is None:
            calls, call_ns = calls_per_block(time_calls, block_ns)
        else:
            call_ns = time_calls(calls) / calls
        return Calibrated(calls=calls, call_ns=call_ns)

    def multiply(self, instances: int, budget_ns: int) -> Multiplied:
        """Prepare the same again, up to so many instances in all, as far as the budget goes.

        Where objects of the network and of the function lie is drawn once for each instance, and
        stays as it is for all of its calls. With several, a launch has several draws of it.
        """
        is_wanted = self._scenario.lifecycle == CALLS and not self._request.fixed_layout
        took_ns = self._prepared_ns
        deadline = self._clock() + budget_ns
        while (
            is_wanted and len(self._further) + 1 < instances and self._clock() + took_ns < deadline
        ):
            start = self._clock()
            self._layout.shift_pools()
            preparation = self._new_preparation()
            for phase in preparation.phases:
                preparation.keep(phase, preparation.step(phase)())
            for _ in range(_SETTLING_CALLS):
                preparation.function(self._weights, self._pool[0])
            self._further.append(preparation)
            took_ns = self._clock() - start
        return Multiplied(instances=len(self._further) + 1)

    def run_blocks(self, request: RunBlocks) -> Blocks:
        """Time blocks of calls, each on another memory layout and with rotating data."""
        elapsed_ns: list[int] = []
        evidence: list[list[Any]] = []
        deadline = self._clock() + request.budget_ns
        for place in range(request.blocks):
            untimed_calls = 0 if place else request.untimed_calls
            block_ns, seen = self._time_one_block(request.calls, untimed_calls)
            elapsed_ns.append(block_ns)
            evidence.append(list(seen))
            if self._clock() > deadline:
                break
        return Blocks(elapsed_ns=elapsed_ns, calls=request.calls, evidence=evidence)

    def read_yardstick(self) -> YardstickRead:
        """Do the fixed work once."""
        if self._yardstick is None:
            self._yardstick = Yardstick(self._clock)
        return YardstickRead(elapsed_ns=self._yardstick.read())

    def repeat(self, most: int, budget_ns: int) -> Repeats:
        """Prepare on fresh, equal inputs, again and again, until the budget is gone."""
        self._drop_further()
        elapsed_ns: dict[str, list[int]] = {phase: [] for phase in self._preparation.phases}
        deadline = self._clock() + budget_ns
        for _ in range(most):
            preparation = self._new_preparation()
            gc.collect()
            for phase in preparation.phases:
                step = preparation.step(phase)
                start = self._clock()
                product = step()
                elapsed_ns[phase].append(self._clock() - start)
                preparation.keep(phase, product)
            preparation.drop()
            if self._clock() > deadline:
                break
        return Repeats(elapsed_ns=elapsed_ns)

    def count(self) -> Counts:
        """Nodes of ours, and the evaluator's own counters."""
        counts = {"nodes": len(self._preparation.network.nodes)}
        gradient = self._preparation.gradient_network
        if gradient is not None:
            counts["gradient_nodes"] = len(gradient.nodes)
        counters = getattr(self._evaluator, "counters", None)
        if counters is not None:
            own = {name: int(value) for name, value in counters().items()}
            # Its `nodes` are those of the engine's own graph, not of ours.
            counts |= {"engine_nodes" if name == "nodes" else name: n for name, n in own.items()}
        return Counts(counts=counts)

    # What a profile is taken of

    @property
    def evaluator(self) -> Evaluator:
        """Who evaluates."""
        return self._evaluator

    @property
    def preparation(self) -> Preparation:
        """The road that was gone, and its products."""
        return self._preparation

    def preparation_with_origins(self) -> Preparation:
        """The same road once more, on which the network tells which line made each node."""
        return Preparation(
            self._scenario,
            self._params,
            self._evaluator,
            self._request.mode,
            self._dtype,
            origins=True,
        )

    def placed_inputs(self) -> tuple[dict[str, np.ndarray], list[dict[str, np.ndarray]]]:
        """Weights, and as many sets of data as are kept, on a new memory layout."""
        self._draw()
        placed = self._layout.place(self._weights), [self._layout.place(x) for x in self._pool]
        self._layout.shift_heap()
        return placed

    # Steps

    def _prepare_again(self) -> None:
        for phase in (*self._preparation.phases, "first_call"):
            self._keep(phase, self._step(phase)())

    def _step(self, phase: str) -> Callable[[], Any]:
        if phase == "first_call":
            self._draw()
            return self._first_call
        if phase == "teardown":
            return self._tear_down
        return self._preparation.step(phase)

    def _keep(self, phase: str, product: Any) -> None:
        if phase == "first_call":
            self._first_result = product
        elif phase != "teardown":
            self._preparation.keep(phase, product)
        if phase == "construct":
            self._preparation.check_refusal()

    def _first_call(self) -> Any:
        return self._preparation.function(self._weights, self._pool[0])

    def _tear_down(self) -> None:
        self._first_result = None
        self._kept.clear()
        self._preparation.drop()

    def _new_preparation(self) -> Preparation:
        return self._preparation_of(self._params)

    def _preparation_of(self, params: dict[str, Any]) -> Preparation:
        return Preparation(self._scenario, params, self._evaluator, self._request.mode, self._dtype)

    def _round(self) -> None:
        """Construct, compile and call, once; then drop, or keep alive."""
        self._rounds += 1
        same_shape = self._scenario.lifecycle != SHAPES
        counted_up = {} if same_shape else {COUNTED_UP: self._rounds}
        preparation = self._preparation_of(self._params | counted_up)
        for phase in preparation.phases:
            preparation.keep(phase, preparation.step(phase)())
        data = self._pool[0] if same_shape else self._draw_data(preparation.network)
        preparation.function(self._weights, data)
        if self._scenario.lifecycle == KEPT:
            self._kept.append(preparation)
        else:
            preparation.drop()

    @property
    def _collects(self) -> bool:
        """Whether garbage is collected in this life cycle."""
        return self._params.get(COLLECTOR) != "off"

    @contextmanager
    def _collector(self) -> Iterator[None]:
        """The cyclic collector as the scenario wants it."""
        if self._collects:
            yield
            return
        gc.disable()
        try:
            yield
        finally:
            gc.enable()

    # Inputs

    def _draw(self) -> None:
        """Draw weights, and as many sets of data as fit the pool."""
        if self._pool:
            return
        network = self._preparation.network
        self._weights = self._scenario.draw_weights(network, self._rng)
        self._pool = [self._draw_data(network)]
        self._inputs = Fingerprints(self._weights, self._pool[0])
        set_bytes = max(1, sum(array.nbytes for array in self._pool[0].values()))
        sets = max(2, min(_POOL_SETS, _POOL_BYTES // set_bytes))
        self._pool += [self._draw_data(network) for _ in range(sets - 1)]

    def _draw_data(self, network: Network) -> dict[str, np.ndarray]:
        return self._scenario.draw_data(network, self._rng)

    def _time_one_block(self, calls: int, untimed_calls: int) -> tuple[int, Evidence]:
        if self._witness is None:  # not before the process is on its CPU
            self._witness = Witness()
        witness = self._witness
        if self._scenario.lifecycle != CALLS:
            with self._collector():
                before = witness.read()
                elapsed_ns = time_rounds(self._round, calls, self._clock)
                return elapsed_ns, witness.since(before)
        weights, pool = self._places.next(
            self._weights, self._pool[: max(1, calls + untimed_calls)]
        )
        self._layout.shift_heap()
        function = self._next_function()
        rounds = -(-calls // len(pool))
        data = (pool * rounds)[:calls]
        for _ in range(untimed_calls):
            function(weights, pool[-1])
        before = witness.read()
        elapsed_ns = time_block(function, weights, data, self._clock)
        return elapsed_ns, witness.since(before)

    def _next_function(self) -> Function:
        """The function of the instance whose turn it is."""
        instances = (self._preparation, *self._further)
        self._turn = (self._turn + 1) % len(instances)
        return instances[self._turn].function

    def _drop_further(self) -> None:
        for preparation in self._further:
            preparation.drop()
        self._further.clear()
