"""Work over many cores: a task is mapped over chunks, and the results come back in the order of the chunks.

This is the only way to worker processes (docs/architecture.md): an engine over several machines would be one
more file beside node/compute/local_pool.py, chosen here.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from node.compute.local_pool import LocalEngine, LocalWorkers
from node.compute.scratch import SealedScratch
from node.compute.types import Shared, Usage

SMALL_BYTES = 1 << 20  # of a source: below this, starting processes costs more than it gains
# Started ahead of their run, and ended with the block or with the engine that used them.
Workers = LocalWorkers
Chunk = TypeVar("Chunk")
Result = TypeVar("Result")


class Engine(Protocol):
    """Maps tasks over chunks. `workers` is the number of processes, 0 where the work is done in this one."""

    @property
    def workers(self) -> int:
        """How many processes work."""

    @property
    def scratch(self) -> SealedScratch:
        """The temporary files, which every process of the run can read."""

    def map(
        self, task: Callable[[Any, SealedScratch, Chunk], Result], chunks: Iterable[Chunk]
    ) -> Iterator[Result]:
        """The results of a task, given what the run shares, in the order of the chunks.

        Only a few chunks are taken ahead. Raises what the task raises, and UnavailableError when a worker is
        ended from outside.
        """

    def usage(self) -> Usage:
        """Of all processes of the run together; the sum of peaks is at least the peak of the sum."""


def choose_workers(size: int) -> int:
    """How many processes suit a source of some size in bytes, 0 where nobody knows it."""
    return 0 if 0 < size < SMALL_BYTES else cores()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def start_workers(count: int) -> Workers:
    """Start workers before this process knows a key or runs a thread: they need not load anything again."""
    return LocalWorkers(count, fork=True)


def open_engine(shared: Shared, workers: Workers | int) -> AbstractContextManager[Engine]:
    """An engine for one run, by workers that were started ahead or by so many new ones. It ends them."""
    return LocalEngine(shared, LocalWorkers(workers) if isinstance(workers, int) else workers)
