"""The parts of an index that worker processes cut."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.compute.scratch import Piece, SealedScratch
from node.index.entries import CutBucket, Pads, StoredEntries, cut_entries, load_entries
from node.index.layout import Place, split


@dataclass(frozen=True, slots=True)
class Plants:
    """Which partitions need planted subjects: `origins` and new ones, but not those in `present`."""

    values: Sequence[tuple[str, int]]
    origins: frozenset[int]
    present: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Cut:
    """How a partition is cut: bucket bits, the pads of some buckets, and what is stored of these."""

    bits: int
    nobody: Pads
    stored: Mapping[int, StoredEntries] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartToCut:
    """Entries of one part; `deep` partitions have whole buckets in it, the others are to be set apart."""

    place: Place
    part: int
    part_bits: int
    pieces: Sequence[Piece]
    deep: Mapping[int, Cut]


@dataclass(frozen=True, slots=True)
class CutPart:
    """Whole buckets of a part, and the entries of partitions too small to have one, by origin."""

    buckets: Sequence[CutBucket]
    loose: Mapping[int, Piece]


@dataclass(frozen=True, slots=True)
class LooseToCut:
    """All entries of some buckets of a small partition."""

    place: Place
    origin: int
    numbers: range
    pieces: Sequence[Piece]
    cut: Cut


def cut_part(_work: object, scratch: SealedScratch, task: PartToCut) -> CutPart:
    """Cut one part of all entries into buckets."""
    entries = load_entries(task.place, scratch, task.pieces)
    entries = entries[entries["shown"] != 0]
    groups = {code: entries[which] for code, which in split(entries["origin"])}
    made: list[CutBucket] = []
    for code, how in task.deep.items():
        deeper = how.bits - task.part_bits
        numbers = range(task.part << deeper, (task.part + 1) << deeper)
        some = groups.pop(code, entries[:0])
        made += cut_entries(task.place, code, how.bits, numbers, some, how.nobody, how.stored)
    return CutPart(made, {code: scratch.write(some.tobytes()) for code, some in groups.items()})


def cut_loose(_work: object, scratch: SealedScratch, task: LooseToCut) -> Sequence[CutBucket]:
    """Cut some buckets of a small partition."""
    entries, how = load_entries(task.place, scratch, task.pieces), task.cut
    return cut_entries(task.place, task.origin, how.bits, task.numbers, entries, how.nobody, how.stored)
