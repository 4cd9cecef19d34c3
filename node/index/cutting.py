"""All entries of an item to whole buckets of new versions, over the cores (design.md section 3.2).

    entries by part -> buckets of large partitions, part by part -> written
                    `-> entries of small partitions -> their buckets -> written

An import and a rotation both end with this. The same facts give the same bytes: a bucket that the version
before holds already, links and all, is neither sealed nor written again.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from node.compute.engine import Engine
from node.compute.scratch import Piece
from node.index import tasks
from node.index.entries import CutBucket, Pads
from node.index.layout import Place
from node.index.partition_writer import PartitionWriter, Version
from node.index.tasks import Cut, LooseToCut, PartToCut
from node.telemetry.progress import Progress

Links = Mapping[tuple[int, int], bytes]  # stored links by origin and bucket number
_AT_ONCE = 16  # buckets of a small partition that one task cuts


@dataclass(frozen=True)
class Cutting:
    """One run over all entries of an item; `pads` are all of each partition, `stage` names its progress."""

    engine: Engine
    writer: PartitionWriter
    place: Place
    part_bits: int
    versions: Mapping[int, Version]
    pads: Mapping[int, Pads]
    links: Links
    progress: Progress
    stage: str = "write"

    def run(self, entries: Mapping[int, Sequence[Piece]], done: int = 0, total: int = 0) -> None:
        """Write the buckets of all versions; `done` of `total` entries were written before."""
        loose: dict[tuple[int, int], list[Piece]] = defaultdict(list)
        written = done
        for part, found in enumerate(self.engine.map(tasks.cut_part, self._parts(entries))):
            for code, piece in found.loose.items():
                loose[code, part >> (self.part_bits - self.versions[code].layout.bits)].append(piece)
            for made in found.buckets:
                self._append(made)
            written = self._report(done, total, written)
        for some in self.engine.map(tasks.cut_loose, self._loose(loose)):
            for made in some:
                self._append(made)
            written = self._report(done, total, written)
        self.writer.flush()

    def _append(self, made: CutBucket) -> None:
        links = self.links.get((made.origin, made.bucket.number), b"")
        self.writer.append(self.versions[made.origin], made, links)

    def _report(self, done: int, total: int, before: int) -> int:
        written = done + sum(version.entries for version in self.versions.values())
        if written > before:
            self.progress(self.stage, written, total)
        return written

    def _parts(self, entries: Mapping[int, Sequence[Piece]]) -> Iterator[PartToCut]:
        deep = [code for code, version in self.versions.items() if version.layout.bits >= self.part_bits]
        for part in range(1 << self.part_bits):
            cuts = {}
            for code in deep:
                deeper = self.versions[code].layout.bits - self.part_bits
                cuts[code] = self._cut(code, range(part << deeper, (part + 1) << deeper))
            yield PartToCut(self.place, part, self.part_bits, entries.get(part, ()), cuts)

    def _loose(self, loose: Mapping[tuple[int, int], Sequence[Piece]]) -> Iterator[LooseToCut]:
        for code, version in self.versions.items():
            if version.layout.bits >= self.part_bits:
                continue
            for first in range(0, 1 << version.layout.bits, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, 1 << version.layout.bits))
                pieces = [piece for number in numbers for piece in loose.get((code, number), ())]
                yield LooseToCut(self.place, code, numbers, pieces, self._cut(code, numbers))

    def _cut(self, code: int, numbers: range) -> Cut:
        version = self.versions[code]
        stored = self.writer.read_stored(version, numbers, self.links)
        return Cut(version.layout.bits, self.pads[code].within(version.layout.bits, numbers), stored)
