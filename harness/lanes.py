"""Lanes: threads that conduct steps at the same time, each on a CPU of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType
from typing import Self


class Lanes:
    """A context in which tasks are run at the same time.

    Its threads live as long as it does: the kernel ends a launch with the thread that started it,
    and one that starts ahead outlives the task that did so.
    """

    def __init__(self, cpus: Sequence[int]) -> None:
        """Make one lane for each CPU; none leaves the single lane where the caller is."""
        self._cpus: Sequence[int | None] = cpus or (None,)
        self._pool = ThreadPoolExecutor(len(self._cpus))

    def __enter__(self) -> Self:
        """Threads start when they are needed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for what still runs."""
        self._pool.shutdown()

    def run(
        self, tasks: Sequence[Callable[[int | None], None]], abandon: Callable[[], None]
    ) -> None:
        """Run every task to its end, on a CPU that it is told.

        Args:
            tasks: no more than there are lanes; a single one runs in the calling thread.
            abandon: called if a task raises, or if the calling thread is interrupted while it
                waits; it is to make the tasks that still run end soon.

        Raises:
            BaseException: what a task raised, or what interrupted the calling thread; by then
                all tasks have ended.
        """
        if len(tasks) == 1:
            _run(tasks[0], self._cpus[0])
            return
        running: list[Future[None]] = []
        try:
            for task, cpu in zip(tasks, self._cpus, strict=False):
                running.append(self._pool.submit(_run, task, cpu))
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
