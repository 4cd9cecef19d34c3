"""Versions of a partition with one bucket, written as an import writes them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from matcher.types import TokenClass
from node.database import partition_versions
from node.database.partition_versions import NewBucket, NewPartition

NOW = datetime(2026, 6, 30, 8, 30, 0, 123456, tzinfo=UTC)


@dataclass
class Part:
    """A version of one bucket, to be published."""

    origin: str = "45"
    entries: bytes = b"e" * 68
    item: str = "C21"
    root: bytes = b"r" * 32


def prepare(tx, epoch, part, *, cut=None, bits=0):
    """Write a version as an import does, unpublished: its cut, bucket and row."""
    place = (part.item, part.origin, epoch)
    last = partition_versions.last_versions(tx, part.item, epoch).get(part.origin, 0)
    number = partition_versions.version_after(last, datetime.fromtimestamp(0, UTC))
    cut = cut or partition_versions.open_cut(tx, *place, bits, NOW)
    partition_versions.add_buckets(tx, cut, number, [NewBucket(0, 20_000, part.entries, b"sealed", b"")])
    new = NewPartition(
        item=part.item, token_class=TokenClass.ORDINARY, origin=part.origin, epoch=epoch, version=number,
        cut=cut, entries=1, bits=bits, root=part.root, leaves=b"l" * 32, as_of=20_000,
        date=20_100, record_size=12, pads=0, planted=(("hit-0", 1),),
    )  # fmt: skip
    return partition_versions.prepare(tx, new)


def publish(tx, epoch, parts):
    partition_versions.publish(tx, [prepare(tx, epoch, part) for part in parts], NOW)
