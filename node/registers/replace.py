"""Full import: all entries of an item, in new versions of its partitions (design.md section 3.2).

    indexed entries + pads -> whole buckets -> those that changed are written -> versions, unpublished

The same facts give the same bytes, so a partition that is cut as before keeps its cut: only buckets that
differ are written, and a partition without any stays the version it is.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcher import buckets, pads
from node.compute.engine import Engine
from node.compute.scratch import Piece
from node.context import Node
from node.database.partition_versions import Redated
from node.database.partitions import PartitionRow
from node.domain.catalogue import Item
from node.index import tasks as tasks_module
from node.index.entries import cut_buckets, join_loose, pad_entries, write_parts
from node.index.layout import BuildSpec
from node.index.partition_writer import Layout, PartitionWriter, Version, links_by_bucket
from node.index.tasks import CutPart
from node.registers.delta import Change
from node.registers.reading import IndexedRows
from node.telemetry.progress import Progress, Stopwatch


@dataclass(frozen=True)
class FullImport:
    """The second half of a full import."""

    node: Node
    item: Item
    engine: Engine
    work: BuildSpec
    planted: tuple[tuple[str, int], ...]
    watch: Stopwatch
    progress: Progress

    def replace_all(self, indexed: IndexedRows, present: Mapping[int, PartitionRow]) -> Change:
        """Cut all entries into buckets of new versions, and write what differs, unpublished."""
        layouts = self._layouts(indexed, present)
        entries = self._add_pads(indexed.entries, layouts)
        writer = PartitionWriter(self.node, self.item.code, self.item.token_class, self.work.epoch)
        versions = writer.open(layouts, present)
        bits = {code: layout.bits for code, layout in layouts.items()}
        links = links_by_bucket(map(self.engine.scratch.read, indexed.links), bits)
        loose: dict[int, list[tuple[bytes, bytes]]] = {code: [] for code in versions}
        total = sum(indexed.origins.values()) + sum(layout.pads for layout in layouts.values())
        tasks = ((part, entries.get(part, ()), bits) for part in range(self.work.parts))
        for part, found in enumerate(self.engine.map(tasks_module.cut_part, tasks)):
            for made in found.buckets:
                writer.append(versions[made.origin], made, links.get((made.origin, made.bucket.number), b""))
            self._place_loose(writer, versions, links, loose, part, found)
            self.progress("write", sum(version.entries for version in versions.values()), total)
        writer.flush()
        self.watch.lap("write")
        return self._finish(writer, versions)

    def _layouts(self, indexed: IndexedRows, present: Mapping[int, PartitionRow]) -> dict[int, Layout]:
        k, found = self.node.config.limits.k_anonymity, {}
        for code, count in sorted(indexed.origins.items()):
            padding = pads.pad_count(count, k)
            before = present[code].bits if code in present else None
            bits = buckets.bucket_bits(count + padding, k, before)
            found[code] = Layout(bits, padding, indexed.day, self.item.width, self.planted)
        return found

    def _add_pads(
        self, entries: Mapping[int, Sequence[Piece]], layouts: Mapping[int, Layout]
    ) -> dict[int, list[Piece]]:
        """The entries by part, and among them the pads of every partition."""
        found = defaultdict(list, {part: list(pieces) for part, pieces in entries.items()})
        work, item = self.work, self.item
        for code, layout in layouts.items():
            numbers = range(layout.pads)
            made = pad_entries(work.suite, work.pad_key, item.code, code, work.epoch, numbers, item.width)
            for part, piece in write_parts(work, self.engine.scratch, made, buckets.prefixes(made["kept"])):
                found[part].append(piece)
        return dict(found)

    def _finish(self, writer: PartitionWriter, versions: Mapping[int, Version]) -> Change:
        prepared = writer.finish(version for version in versions.values() if version.changed)
        redated = [
            Redated(version.before.id, version.layout.date, version.as_of)
            for version in versions.values()
            if version.before is not None and not version.changed
        ]
        return Change(tuple(prepared), redated=redated)

    def _place_loose(
        self,
        writer: PartitionWriter,
        versions: Mapping[int, Version],
        links: Mapping[tuple[int, int], bytes],
        loose: dict[int, list[tuple[bytes, bytes]]],
        part: int,
        found: CutPart,
    ) -> None:
        """Buckets that span several parts wait for the last part."""
        for code, version in versions.items():
            bits = version.layout.bits
            shallower = self.work.part_bits - bits
            if shallower <= 0:
                continue
            if code in found.loose:
                loose[code].append(found.loose[code])
            if (part + 1) % (1 << shallower) == 0:
                number = part >> shallower
                served, kept = join_loose(loose[code], self.item.width)
                loose[code] = []
                numbers = range(number, number + 1)
                for made in cut_buckets(code, served, kept, bits, numbers):
                    writer.append(version, made, links.get((code, number), b""))
