"""Partitions that a new epoch lacks, and without which it cannot become active."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MissingPartitions:
    """Served partitions of an item that another epoch lacks; `sums`: its rows of sums are missing too."""

    item: str
    partitions: int
    sums: bool = False
