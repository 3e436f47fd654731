"""A launch of one side that is profiled, pinned and with its memory layout left as it is."""

from __future__ import annotations

from harness.cases import Case
from harness.conversation import PREPARED_PHASES, Side, checked
from harness.launch import Launch, Launcher, Surroundings, usable_cpu
from harness.plan import Version
from harness.worker import messages as m


def started(
    case: Case,
    version: Version,
    launcher: Launcher,
    *,
    plugins: tuple[str, ...],
    timeout_s: float,
    launch_number: int = 1,
    seed: int = 1,
) -> tuple[Launch, Side]:
    """The process, which is the caller's to close, and who talks with it; nothing is open yet."""
    launch = launcher.start(
        Surroundings(interpreter=version.interpreter, hash_seed=launch_number, cpu=usable_cpu())
    )
    request = m.Open(
        scenario=case.scenario,
        params=dict(case.params),
        evaluator=case.evaluator,
        mode=case.mode,
        dtype=case.dtype,
        seed=seed,
        plugins=list(plugins),
        fixed_layout=True,
    )
    return launch, Side(launch, request, lambda *_: None, timeout_s=timeout_s)


def prepare_and_check(side: Side) -> None:
    """Go through the phases up to the first call, and compare its result with the golden one."""
    for phase in PREPARED_PHASES:
        if phase in side.phases:
            side.ask(m.RunPhase(phase=phase), m.Elapsed, phase)
    checked(side)
