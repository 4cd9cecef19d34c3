"""Types shared by every engine of node/compute/engine.py and its users."""

from pathlib import Path
from typing import NamedTuple, Protocol


class Shared(Protocol):
    """Shared data of a run, given to every process: at least the folder and key of its temporary files."""

    @property
    def folder(self) -> Path:
        """The folder of temporary files."""

    @property
    def scratch_key(self) -> bytes:
        """Seals them."""


class Usage(NamedTuple):
    """CPU seconds of a process, and its peak memory in bytes."""

    cpu_s: float
    peak: int
