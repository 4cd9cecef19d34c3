"""What a new epoch waits for before it can be switched to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MissingPartitions:
    """Partitions of an item that are served, and that another epoch has not; `sums`: its rows of sums too."""

    item: str
    partitions: int
    sums: bool = False
