"""Lanes: tasks that are run at the same time, each on a CPU of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, wait
from contextlib import contextmanager


def run_on(
    cpus: Sequence[int],
    tasks: Sequence[Callable[[int | None], None]],
    pool: Executor,
    abandon: Callable[[], None],
) -> None:
    """Run every task to its end, in a thread on a CPU that it is told.

    Args:
        cpus: one for each task at least; none leaves a single task where it is.
        tasks: a single one runs in the calling thread.
        pool: whose threads run several. It is to live as long as what they start: the kernel ends
            a launch with the thread that started it.
        abandon: called if a task raises, or if the calling thread is interrupted while it waits;
            it is to make the tasks that still run end soon.

    Raises:
        BaseException: what a task raised, or what interrupted the calling thread; by then all
            tasks have ended.
    """
    if len(tasks) == 1:
        _run(tasks[0], next(iter(cpus), None))
        return
    running: list[Future[None]] = []
    try:
        for task, cpu in zip(tasks, cpus, strict=False):
            running.append(pool.submit(_run, task, cpu))
        ended, _ = wait(running, return_when=FIRST_EXCEPTION)
        for each in ended:
            each.result()
    except BaseException:
        abandon()
        wait(running)
        raise


def _run(task: Callable[[int | None], None], cpu: int | None) -> None:
    with on_cpus([] if cpu is None else [cpu]):
        task(cpu)


@contextmanager
def on_cpus(cpus: Collection[int]) -> Iterator[None]:
    """Keep this thread, and those that it starts, on those CPUs; if there are none, where it is."""
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
