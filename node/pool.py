"""Stages of an import over the cores of this machine: bounded queues, results in order, no orphan.

Keys reach a worker through the pipe that starts it, never through arguments or the environment. A small
run does its work in this process.
"""

import gc
import os
import resource
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from node.errors import UnavailableError
from node.spill import Spill

Task = TypeVar("Task")
Result = TypeVar("Result")
Stage = Callable[[Any, Spill, Task], Result]
_AHEAD = 2  # tasks that wait for each worker


class Shared(Protocol):
    """What every process of a run knows: at least where it works, and under which key."""

    @property
    def folder(self) -> Path:
        """Of temporary files."""

    @property
    def spill_key(self) -> bytes:
        """Seals them."""


class Usage(NamedTuple):
    """CPU seconds of a process, and the most memory it held, in bytes."""

    cpu_s: float
    peak: int


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def own_usage() -> Usage:
    """Of this process."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Usage(time.process_time(), size if sys.platform == "darwin" else size * 1024)


class Pool:
    """Runs stages: in `workers` processes, or in this one when there are none."""

    def __init__(self, work: Shared, workers: int) -> None:
        """Start the workers at once, so that they are ready when the first block is."""
        self._work = work
        self.workers = workers
        self.spill = Spill(work.folder, work.spill_key)
        self._usage: dict[int, Usage] = {}
        self._executor: ProcessPoolExecutor | None = None
        if workers:
            self._executor = ProcessPoolExecutor(
                workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(work,)
            )
            for _ in range(workers):
                self._executor.submit(_idle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self.spill.close()

    def map(self, stage: "Stage[Task, Result]", tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks, of which only a few are taken ahead.

        Raises UnavailableError when a worker is ended from outside, and what the stage raises.
        """
        if self._executor is None:
            for task in tasks:
                yield stage(self._work, self.spill, task)
            return
        waiting: deque[Future[tuple[int, Usage, Result]]] = deque()
        try:
            for task in tasks:
                waiting.append(self._executor.submit(_run, stage, task))
                if len(waiting) > _AHEAD * self.workers:
                    yield self._take(waiting.popleft())
            while waiting:
                yield self._take(waiting.popleft())
        except BrokenProcessPool:
            raise UnavailableError(
                "a worker process was ended from outside, most likely for lack of memory",
                "nothing was published; free some memory, then run the command again",
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def usage(self) -> Usage:
        """Of this process and all workers together; the sum of peaks is at least the peak of the sum."""
        every = [own_usage(), *self._usage.values()]
        return Usage(sum(each.cpu_s for each in every), sum(each.peak for each in every))

    def _take(self, future: "Future[tuple[int, Usage, Result]]") -> Result:
        process, usage, result = future.result()
        self._usage[process] = usage
        return result


# ---- in the worker

_own: list[Any] = []  # what the run shares and this process's Spill


def _begin(work: Shared) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run, and with it the workers
    gc.disable()  # stages make millions of cells and no cycles: looking for them took a tenth of the time
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _own[:] = [work, Spill(work.folder, work.spill_key)]


def _end_with_parent() -> None:
    # A worker waits on a queue whose both ends it holds, so it would outlive a parent that is killed.
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _idle() -> tuple[int, Usage, None]:
    return os.getpid(), own_usage(), None


def _run(stage: "Stage[Task, Result]", task: Task) -> tuple[int, Usage, Result]:
    work, spill = _own
    result = stage(work, spill, task)
    return os.getpid(), own_usage(), result
