"""What every engine of node/compute/engine.py and its users know."""

from pathlib import Path
from typing import NamedTuple, Protocol


class Shared(Protocol):
    """What every process of a run knows: at least where it works, and under which key."""

    @property
    def folder(self) -> Path:
        """Of temporary files."""

    @property
    def scratch_key(self) -> bytes:
        """Seals them."""


class Usage(NamedTuple):
    """CPU seconds of a process, and the most memory it held, in bytes."""

    cpu_s: float
    peak: int
