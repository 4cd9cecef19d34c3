"""Work on many cores: a task is mapped over chunks; the results are in the order of the chunks.

All worker processes are used through this interface (docs/architecture.md): an engine for several machines
would be one more file beside node/compute/local_pool.py, chosen here.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from node.compute.local_pool import LocalEngine, LocalWorkers, start_server
from node.compute.scratch import SealedScratch
from node.compute.types import Shared, Usage

SMALL_BYTES = 1 << 20  # of a source: below this, starting processes costs more than it gains
# Started before their run; the end of the block, or the engine that used them, ends them.
Workers = LocalWorkers
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


class Engine(Protocol):
    """Maps tasks over chunks. `workers` is the number of processes, 0 where this process does the work."""

    @property
    def workers(self) -> int:
        """The number of worker processes."""

    @property
    def scratch(self) -> SealedScratch:
        """The temporary files, which every process of the run can read."""

    def map(
        self, task: Callable[[Any, SealedScratch, Chunk], Result], chunks: Iterable[Chunk]
    ) -> Iterator[Result]:
        """The results of a task, which also receives the run's shared data, in the order of the chunks.

        Only a few chunks are taken ahead. Raises what the task raises, and UnavailableError when a worker is
        killed.
        """

    def usage(self) -> Usage:
        """Usage of all processes of the run together. Memory is the sum of their peaks, an upper bound."""


def choose_workers(size: int) -> int:
    """The number of processes for a source of some size in bytes (0 for an unknown size)."""
    return 0 if 0 < size < SMALL_BYTES else cores()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start_workers(count: int) -> Workers:
    """Start workers before this process knows a key or runs a thread, so that they can be forked."""
    return LocalWorkers(count, "fork")


def prepare_workers(modules: Sequence[str]) -> Callable[[int], Workers]:
    """Give a function that starts the workers of a run, for a command with many runs.

    Call this before the process knows a key; `modules` are the code of the workers, loaded once.
    """
    try:
        start_server(modules)
    except OSError:  # the folder for temporary files is full, or its path too long for a socket
        return lambda count: LocalWorkers(count, "spawn")
    return lambda count: LocalWorkers(count, "forkserver")


def open_engine(shared: Shared, workers: Workers | int) -> AbstractContextManager[Engine]:
    """An engine for one run, with started workers or with a number of new ones. It ends them."""
    return LocalEngine(shared, LocalWorkers(workers) if isinstance(workers, int) else workers)
