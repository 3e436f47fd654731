"""A launch of one side that is profiled, pinned and with its memory layout left as it is."""

from __future__ import annotations

from harness.cases import Case
from harness.conversation import PREPARED_PHASES, Side, checked, open_request
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
    exact_memory: bool = False,
) -> tuple[Launch, Side]:
    """The process, which is the caller's to close, and who talks with it; nothing is open yet."""
    launch = launcher.start(
        Surroundings(
            interpreter=version.interpreter,
            hash_seed=launch_number,
            cpu=usable_cpu(),
            exact_memory=exact_memory,
        )
    )
    request = open_request(case, seed=seed, plugins=plugins, fixed_layout=True)
    return launch, Side(launch, request, lambda *_: None, timeout_s=timeout_s)


def prepare_and_check(side: Side) -> None:
    """Go through the phases up to the first call, and compare its result with the golden one."""
    for phase in PREPARED_PHASES:
        if phase in side.phases:
            side.ask(m.RunPhase(phase=phase), m.Elapsed, phase)
    checked(side)
