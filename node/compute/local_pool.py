"""The engine of one machine: tasks on its cores, bounded queues, results in order, no orphan process.

Workers receive keys through a pipe, never through arguments or the environment. A small run works in this
process.
"""

import gc
import os
import resource
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import (
    connection,
    forkserver,
    get_context,
    parent_process,
    set_forkserver_preload,
    util,
)
from multiprocessing.queues import SimpleQueue
from typing import Any, Literal, Self, TypeVar

from node.compute.scratch import SealedScratch
from node.compute.types import Shared, Usage
from node.errors import UnavailableError

Chunk = TypeVar("Chunk")
Result = TypeVar("Result")
Start = Literal["fork", "forkserver", "spawn"]
Task = Callable[[Any, SealedScratch, Chunk], Result]
_AHEAD = 2  # chunks queued for each worker


def own_usage() -> Usage:
    """Usage of this process."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Usage(time.process_time(), size if sys.platform == "darwin" else size * 1024)


def start_server(modules: Sequence[str]) -> None:
    """Start the process that forks workers: without a key, and with their modules loaded.

    It ends with this process. Raises OSError where its socket cannot be made.
    """
    # Python 3.11.0 makes a socket that every account may use (CVE-2022-42919), later ones a private one.
    util.abstract_sockets_supported = False  # type: ignore[misc]
    set_forkserver_preload(list(modules))
    forkserver.ensure_running()


class LocalWorkers:
    """Worker processes that wait for the shared data of their run; `count` may be 0."""

    def __init__(self, count: int, start: Start = "spawn") -> None:
        """Start them; without `spawn` no module is loaded again.

        `fork` needs a process without threads and keys, `forkserver` a `start_server` before any key is read.
        """
        self.count = count
        self.executor: ProcessPoolExecutor | None = None
        if count:
            context = get_context("spawn" if start == "fork" and sys.platform != "linux" else start)
            self._shared: SimpleQueue[Shared | None] = context.SimpleQueue()
            self.executor = ProcessPoolExecutor(
                count, mp_context=context, initializer=_begin, initargs=(self._shared,)
            )
            for _ in range(count):
                self.executor.submit(_idle)
            self._waiting = count

    def share(self, shared: Shared | None) -> None:
        """Give each worker the shared data of the run, once; None shuts the waiting workers down."""
        while self.executor is not None and self._waiting:
            self._shared.put(shared)
            self._waiting -= 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for running tasks, and end the processes; does nothing when they have ended."""
        self.share(None)
        if self.executor is not None:
            self.executor.shutdown(wait=True, cancel_futures=True)


class LocalEngine:
    """Runs tasks in worker processes, or in this one where there are none (node.compute.engine.Engine)."""

    def __init__(self, shared: Shared, workers: LocalWorkers) -> None:
        """Use workers that have not worked yet. The engine ends them."""
        self._workers, self._shared = workers, shared
        workers.share(shared)
        self.workers, self._executor = workers.count, workers.executor
        self.scratch = SealedScratch(shared.folder, shared.scratch_key)
        self._usage: dict[int, Usage] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._workers.close()
        self.scratch.close()

    def map(self, task: "Task[Chunk, Result]", chunks: Iterable[Chunk]) -> Iterator[Result]:
        """See Engine."""
        if self._executor is None:
            for chunk in chunks:
                yield task(self._shared, self.scratch, chunk)
            return
        waiting: deque[Future[tuple[int, Usage, Result]]] = deque()
        try:
            for chunk in chunks:
                waiting.append(self._executor.submit(_run, task, chunk))
                if len(waiting) > _AHEAD * self.workers:
                    yield self._take(waiting.popleft())
            while waiting:
                yield self._take(waiting.popleft())
        except BrokenProcessPool:
            raise UnavailableError(
                "a worker process was killed, most likely for lack of memory",
                "nothing was published; free some memory, then run the command again",
            ) from None
        finally:
            for future in waiting:
                future.cancel()

    def usage(self) -> Usage:
        """See Engine."""
        every = [own_usage(), *self._usage.values()]
        return Usage(sum(each.cpu_s for each in every), sum(each.peak for each in every))

    def _take(self, future: "Future[tuple[int, Usage, Result]]") -> Result:
        process, usage, result = future.result()
        self._usage[process] = usage
        return result


# ---- in the worker

_own: list[Any] = []  # shared data of the run, and the temporary file of this process


def _begin(queue: "SimpleQueue[Shared | None]") -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends the run and its workers
    gc.disable()  # tasks make millions of cells and no cycles: collection took a tenth of the time
    threading.Thread(target=_end_with_parent, daemon=True).start()
    shared = queue.get()
    if shared is None:  # the run ended before it began
        os._exit(0)
    _own[:] = [shared, SealedScratch(shared.folder, shared.scratch_key)]


def _end_with_parent() -> None:
    # A worker waits on a queue whose two ends it has open, so it would survive a killed parent.
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _idle() -> tuple[int, Usage, None]:
    return os.getpid(), own_usage(), None


def _run(task: "Task[Chunk, Result]", chunk: Chunk) -> tuple[int, Usage, Result]:
    shared, scratch = _own
    result = task(shared, scratch, chunk)
    return os.getpid(), own_usage(), result
