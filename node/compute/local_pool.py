"""Stages of an import over the cores of this machine: bounded queues, results in order, no orphan.

Keys reach a worker through a pipe, never through arguments or the environment. A small run does its work in
this process.
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
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from node.compute.scratch import SealedScratch
from node.errors import UnavailableError

Task = TypeVar("Task")
Result = TypeVar("Result")
Stage = Callable[[Any, SealedScratch, Task], Result]
SMALL_BYTES = 1 << 20  # of a source: below this, starting processes costs more than it gains
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


def own_usage() -> Usage:
    """Of this process."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Usage(time.process_time(), size if sys.platform == "darwin" else size * 1024)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_workers(size: int) -> int:
    """How many processes suit a source of some size in bytes, 0 where nobody knows it."""
    return 0 if 0 < size < SMALL_BYTES else cores()


class WorkerPool:
    """Worker processes that wait for the Work of a run; `workers` may be 0."""

    def __init__(self, workers: int, *, fork: bool = False) -> None:
        """Start them; with `fork`, loading nothing twice, only where no thread runs and no key is known."""
        self.workers = workers
        self.executor: ProcessPoolExecutor | None = None
        if workers:
            context = get_context("fork" if fork and sys.platform == "linux" else "spawn")
            self._known: SimpleQueue[Shared | None] = context.SimpleQueue()
            self.executor = ProcessPoolExecutor(
                workers, mp_context=context, initializer=_begin, initargs=(self._known,)
            )
            for _ in range(workers):
                self.executor.submit(_idle)
            self._waiting = workers

    def tell(self, work: Shared | None) -> None:
        """Give each worker what the run shares, once; None sends home those who wait for it."""
        while self.executor is not None and self._waiting:
            self._known.put(work)
            self._waiting -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the work in hand, and end the processes; nothing when they have ended."""
        self.tell(None)
        if self.executor is not None:
            self.executor.shutdown(wait=True, cancel_futures=True)


class Pool:
    """Runs stages: in the processes of a crew, or in this one when it has none."""

    def __init__(self, work: Shared, processes: WorkerPool | int) -> None:
        """Use a crew that has had no work yet, or so many new processes. The pool ends them."""
        self._crew = WorkerPool(processes) if isinstance(processes, int) else processes
        self._crew.tell(work)
        self._work = work
        self.workers, self._executor = self._crew.workers, self._crew.executor
        self.scratch = SealedScratch(work.folder, work.spill_key)
        self._usage: dict[int, Usage] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._crew.close()
        self.scratch.close()

    def map(self, stage: "Stage[Task, Result]", tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks, of which only a few are taken ahead.

        Raises UnavailableError when a worker is ended from outside, and what the stage raises.
        """
        if self._executor is None:
            for task in tasks:
                yield stage(self._work, self.scratch, task)
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


def _begin(known: "SimpleQueue[Shared | None]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run, and with it the workers
    gc.disable()  # stages make millions of cells and no cycles: looking for them took a tenth of the time
    threading.Thread(target=_end_with_parent, daemon=True).start()
    work = known.get()
    if work is None:  # the run ended before it began
        os._exit(0)
    _own[:] = [work, SealedScratch(work.folder, work.spill_key)]


def _end_with_parent() -> None:
    # A worker waits on a queue whose both ends it holds, so it would outlive a parent that is killed.
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _idle() -> tuple[int, Usage, None]:
    return os.getpid(), own_usage(), None


def _run(stage: "Stage[Task, Result]", task: Task) -> tuple[int, Usage, Result]:
    work, scratch = _own
    result = stage(work, scratch, task)
    return os.getpid(), own_usage(), result
