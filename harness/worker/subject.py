"""The subject of a launch: one case, taken through its phases on the controller's word."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import numpy as np

from evaluators import catalog
from evaluators.protocol import Evaluator
from harness.worker.agreement import disagreement
from harness.worker.layout import Layout
from harness.worker.memory import Probe, settle
from harness.worker.messages import (
    Blocks,
    Calibrated,
    Checked,
    Counts,
    Elapsed,
    FollowMemory,
    MemoryRead,
    MemorySeries,
    Open,
    Opened,
    Repeats,
    RunBlocks,
)
from harness.worker.preparation import Preparation
from harness.worker.timing import Clock, calls_per_block, time_block, time_rounds
from networks import Network
from scenarios import scenario as scenario_catalogue
from scenarios.scenario import CALLS, COLLECTOR, COUNTED_UP, KEPT, SHAPES, Scenario

_POOL_SETS = 16
"""How many different sets of data the timed calls rotate through…"""
_POOL_BYTES = 64 * 2**20
"""…or fewer, so that they stay within this, but at least two."""
_LEAST_SAMPLES = 6
"""Of memory along the calls: half of them are warm-up, and a slope needs three."""


class Subject:
    """A case that is loaded, and what its phases have produced so far."""

    def __init__(self, request: Open, *, probe: Probe, clock: Clock = perf_counter_ns) -> None:
        self._request = request
        self._scenario: Scenario = scenario_catalogue.get(request.scenario)
        self._params = self._scenario.parameters(request.params)
        self._evaluator: Evaluator = catalog.get(request.evaluator)
        self._dtype = request.dtype or getattr(self._evaluator, "dtype", None) or "float32"
        self._clock = clock
        self._probe = probe
        self._rng = np.random.default_rng(request.seed)
        self._layout = Layout(np.random.default_rng([request.seed, 1]), fixed=request.fixed_layout)
        self._preparation = self._new_preparation()
        self._weights: dict[str, np.ndarray] = {}
        self._pool: list[dict[str, np.ndarray]] = []
        self._first_result: Any = None
        self._rounds = 0
        """How often the road from `construct` to a call was gone in `evaluate`."""
        self._kept: list[Preparation] = []
        self._bytes_before_all = 0

    def opened(self) -> Opened:
        """What the controller needs to know of the subject."""
        units = self._params.get(self._scenario.lifecycle)
        return Opened(
            phases=[*self._preparation.phases, "first_call", "evaluate", "teardown"],
            evaluator_version=self._evaluator.version(),
            dtype=self._dtype,
            lifecycle=self._scenario.lifecycle,
            units=units if isinstance(units, int) else None,
        )

    def run_phase(self, phase: str) -> Elapsed:
        """Run a phase for the first time in this process, collected before and timed."""
        step = self._step(phase)
        gc.collect()
        start = self._clock()
        product = step()
        elapsed_ns = self._clock() - start
        self._keep(phase, product)
        return Elapsed(phase=phase, elapsed_ns=elapsed_ns)

    def check(self) -> Checked:
        """Compare a result with the golden evaluator's, on the same inputs.

        The result is the first call's; after teardown, where the golden evaluator would have
        stood in the way of memory readings, everything is prepared once more to have one.
        """
        if self._first_result is None:
            self._prepare_again()
        reference = catalog.get("reference")
        mode = self._request.mode
        function = reference.compile(reference.lower(self._preparation.network, mode))
        golden = function(self._weights, self._pool[0])
        tolerance = self._scenario.tolerance_at(self._params, self._dtype)
        error, problem = disagreement(self._first_result, golden, tolerance)
        self._first_result = None
        return Checked(max_relative_error=error, problem=problem)

    def calibrate(self, block_ns: int) -> Calibrated:
        """Find how many calls fill a block."""

        def time_calls(calls: int) -> int:
            return self._time_one_block(calls, untimed_calls=0)

        calls, call_ns = calls_per_block(time_calls, block_ns)
        return Calibrated(calls=calls, call_ns=call_ns)

    def run_blocks(self, request: RunBlocks) -> Blocks:
        """Time blocks of calls, each on a new memory layout and with rotating data."""
        elapsed_ns: list[int] = []
        deadline = self._clock() + request.budget_ns
        for _ in range(request.blocks):
            elapsed_ns.append(self._time_one_block(request.calls, request.untimed_calls))
            if self._clock() > deadline:
                break
        return Blocks(elapsed_ns=elapsed_ns, calls=request.calls)

    def repeat(self, most: int, budget_ns: int) -> Repeats:
        """Prepare on fresh, equal inputs, again and again, until the budget is gone."""
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

    def measure_memory(self, phase: str) -> MemoryRead:
        """Run a phase under the probes: once to be measured and dropped, once to be kept."""
        if phase == "teardown":
            return self._measure_teardown()
        step = self._step(phase)
        read = self._under_probes(phase, step)
        objects_before = len(gc.get_objects())
        self._keep(phase, step())
        gc.collect()
        return read._replace(live_objects=len(gc.get_objects()) - objects_before)

    def follow_memory(self, request: FollowMemory) -> MemorySeries:
        """Call with fresh data and read bytes in use, garbage collected, as calls go on.

        In the place of each call is what the scenario's life cycle does.
        """
        is_called = self._scenario.lifecycle == CALLS
        unit = self._fresh_call if is_called else self._round_and_settle
        collects = self._collects
        # What is read is kept in memory that is there already: a list would grow meanwhile.
        calls = np.zeros(request.samples, np.int64)
        in_use_bytes = np.zeros(request.samples, np.int64)
        samples = 0

        def evaluate() -> None:
            nonlocal samples
            done = 0
            start = self._clock()
            for sample in range(request.samples):
                target = (sample + 1) * request.calls // request.samples
                next_ns = (sample + 1) * request.budget_ns // request.samples
                while done < target:
                    unit()
                    done += 1
                    if self._clock() - start > next_ns:
                        break  # slow calls are looked at more often
                # A collection empties Python's free lists too, which fill over hundreds of calls.
                if collects:
                    gc.collect()
                calls[sample], in_use_bytes[sample] = done, self._probe.in_use()
                samples = sample + 1
                spent_ns = self._clock() - start
                enough = samples >= _LEAST_SAMPLES or spent_ns > 10 * request.budget_ns
                if spent_ns > request.budget_ns and enough:
                    break

        with self._collector():
            read = self._under_probes("evaluate", evaluate)
        return MemorySeries(
            calls=calls[:samples].tolist(),
            in_use_bytes=in_use_bytes[:samples].tolist(),
            source=self._probe.in_use_source,
            peak_bytes=read.peak_bytes,
            held_bytes=read.held_bytes,
            retained_bytes=read.retained_bytes,
            peak_source=read.peak_source,
            held_source=read.held_source,
        )

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

    def _round_and_settle(self) -> None:
        self._round()
        if self._collects:
            settle(self._probe)

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

    def _fresh_call(self) -> None:
        self._preparation.function(self._weights, self._draw_data(self._preparation.network))

    # Inputs

    def _draw(self) -> None:
        """Draw weights, and as many sets of data as fit the pool."""
        if self._pool:
            return
        network = self._preparation.network
        self._weights = self._scenario.draw_weights(network, self._rng)
        self._pool = [self._draw_data(network)]
        set_bytes = max(1, sum(array.nbytes for array in self._pool[0].values()))
        sets = max(2, min(_POOL_SETS, _POOL_BYTES // set_bytes))
        self._pool += [self._draw_data(network) for _ in range(sets - 1)]

    def _draw_data(self, network: Network) -> dict[str, np.ndarray]:
        return self._scenario.draw_data(network, self._rng)

    def _time_one_block(self, calls: int, untimed_calls: int) -> int:
        if self._scenario.lifecycle != CALLS:
            with self._collector():
                return time_rounds(self._round, calls, self._clock)
        weights = self._layout.place(self._weights)
        pool = [self._layout.place(each) for each in self._pool[: max(1, calls + untimed_calls)]]
        self._layout.shift_heap()
        function = self._preparation.function
        for _ in range(untimed_calls):
            function(weights, pool[-1])
        rounds = -(-calls // len(pool))
        return time_block(function, weights, (pool * rounds)[:calls], self._clock)

    # Memory

    def _under_probes(self, phase: str, step: Callable[[], Any]) -> MemoryRead:
        """Run a step with the marks set before it, and read them with and without its product."""
        probe = self._probe
        settle(probe)
        before = probe.resident()
        if phase == "construct":
            self._bytes_before_all = before
        probe.reset_peak()
        mark = probe.peak()
        product = step()
        # The kernel may still owe a batch of its counter to the first reading of the mark.
        peak_bytes = max(0, probe.peak() - mark)
        settle(probe)
        held_bytes = probe.resident() - before
        del product
        settle(probe)
        retained_bytes = probe.resident() - before
        return MemoryRead(
            phase=phase,
            peak_bytes=peak_bytes,
            held_bytes=held_bytes,
            retained_bytes=retained_bytes,
            live_objects=None,
            peak_source=probe.peak_source,
            held_source=probe.resident_source,
        )

    def _measure_teardown(self) -> MemoryRead:
        """What dropping everything gives back; retained is what never came back of all phases."""
        self._pool, self._weights = [], {}
        read = self._under_probes("teardown", self._tear_down)
        return read._replace(retained_bytes=self._probe.resident() - self._bytes_before_all)
