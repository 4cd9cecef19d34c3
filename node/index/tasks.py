"""The parts of an index that worker processes cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.compute.scratch import Piece, SealedScratch
from node.index.entries import CutBucket, cut_buckets, load_entries
from node.index.layout import BuildSpec, split


@dataclass(frozen=True, slots=True)
class Plants:
    """Which partitions need planted subjects: `origins` and new ones, but not those in `present`."""

    values: Sequence[tuple[str, int]]
    origins: frozenset[int]
    present: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class CutPart:
    """Whole buckets of a part, and the entries of partitions too small to have one."""

    buckets: Sequence[CutBucket]
    loose: Mapping[int, tuple[bytes, bytes]]


def cut_part(
    work: BuildSpec, scratch: SealedScratch, task: tuple[int, Sequence[Piece], Mapping[int, int]]
) -> CutPart:
    """Cut one part of all entries into buckets; `task` ends with the bucket bits of each origin."""
    part, pieces, bits_of = task
    entries = load_entries(work, scratch, pieces)
    entries = entries[entries["shown"] != 0]
    buckets: list[CutBucket] = []
    loose: dict[int, tuple[bytes, bytes]] = {}
    groups = {code: entries[which] for code, which in split(entries["origin"])}
    for code, bits in bits_of.items():
        some = groups.get(code, entries[:0])
        deeper = bits - work.part_bits
        if deeper < 0:
            if len(some):
                loose[code] = (some["served"].tobytes(), some["kept"].tobytes())
            continue
        numbers = range(part << deeper, (part + 1) << deeper)
        buckets += cut_buckets(code, some["served"], some["kept"], bits, numbers)
    return CutPart(buckets, loose)
