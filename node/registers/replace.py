"""Full import: all entries of an item, in new versions of its partitions (design.md section 3.2).

    indexed entries + pads -> whole buckets -> those that changed are written -> versions, unpublished

The same facts give the same bytes, so a partition that is cut as before keeps its cut: only buckets that
differ are written, and a partition without any stays the version it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from matcher import buckets, pads
from node.compute.engine import Engine
from node.context import Node
from node.database.partition_versions import Redated
from node.database.partitions import PartitionRow
from node.domain.catalogue import Item
from node.index.cutting import Cutting
from node.index.entries import Pads
from node.index.layout import BuildSpec
from node.index.partition_writer import Layout, PartitionWriter, Version, links_by_bucket
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
        layouts, work = self._layouts(indexed, present), self.work
        writer = PartitionWriter(self.node, self.item.code, self.item.token_class, work.epoch)
        versions = writer.open(layouts, present)
        links = links_by_bucket(indexed.links, {code: layout.bits for code, layout in layouts.items()})
        nobody = {
            code: Pads.draw(work.pad_key, work.place, code, range(layout.pads))
            for code, layout in layouts.items()
        }
        cutting = Cutting(
            self.engine, writer, work.place, work.part_bits, versions, nobody, links, self.progress
        )
        total = sum(indexed.origins.values()) + sum(layout.pads for layout in layouts.values())
        cutting.run(indexed.entries, total=total)
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

    def _finish(self, writer: PartitionWriter, versions: Mapping[int, Version]) -> Change:
        prepared = writer.finish(version for version in versions.values() if version.changed)
        redated = [
            Redated(version.before.id, version.layout.date, version.as_of)
            for version in versions.values()
            if version.before is not None and not version.changed
        ]
        return Change(tuple(prepared), redated=redated)
