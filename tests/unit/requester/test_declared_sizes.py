"""Attack M4: a size that a responder declares costs no memory of its size."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat

import pytest

from matcher.bucket_changes import BucketChange
from node.errors import DishonestPeerError
from node.requester.download import largest_bucket, whole_buckets
from node.requester.partition_fetch import WrongDeltaError, read_buckets, whole_changes
from node.requester.trusted_manifest import MAX_BUCKET_BYTES, require_geometry
from node.wire.match_messages import BucketSlice
from node.wire.mirror_messages import PartitionPiece
from tests.support.examples import MANIFEST, PART

SIZE = 200 << 20
PIECE = bytes(1 << 20)
LARGE = replace(PART, entries=SIZE // PART.entry_size, bits=0)


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """The block takes at most so many bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_m4_a_manifest_with_a_bucket_of_200_mib_is_refused():
    with pytest.raises(DishonestPeerError) as caught:
        require_geometry(replace(MANIFEST, partitions=(LARGE,)), 1, 24)
    assert caught.value.details == {"check": "manifest_geometry"}


@pytest.mark.parametrize("bits", [0, 7, 13])
def test_buckets_of_the_largest_setting_are_accepted(bits):
    """65,536 entries on average, and 2.5 times as many before a partition is cut again."""
    part = replace(PART, entries=int(2.5 * 65_536) << bits, bits=bits)
    require_geometry(replace(MANIFEST, partitions=(part,)), 65_536, 13)
    assert largest_bucket(part) > (1.5 if bits else 0.99) * 2.5 * 65_536 * part.entry_size


def test_m4_a_bucket_that_is_announced_too_large_is_not_read():
    with bounded(4 << 20), pytest.raises(DishonestPeerError, match="larger bucket"):
        list(read_buckets(iter([PartitionPiece(sizes=(SIZE,), data=PIECE)]), LARGE, 1))
    pieces = repeat(BucketSlice(0, SIZE, 0, PIECE, ()))
    with bounded(4 << 20), pytest.raises(DishonestPeerError, match="larger bucket"):
        list(whole_buckets(pieces, LARGE, (0,)))


def test_m4_a_bucket_of_the_largest_size_is_all_that_is_held():
    size = MAX_BUCKET_BYTES - MAX_BUCKET_BYTES % LARGE.entry_size

    def pieces():
        yield PartitionPiece(sizes=(size,), data=PIECE)
        yield from repeat(PartitionPiece(data=PIECE))

    with bounded(4 * MAX_BUCKET_BYTES), pytest.raises(DishonestPeerError, match="more bytes"):
        list(read_buckets(pieces(), LARGE, 1))


def test_m4_a_change_of_one_bucket_is_not_longer_than_two_buckets():
    """The rule for all changes together would allow a quarter of the partition in one."""
    part = replace(PART, entries=SIZE * 20 // PART.entry_size, bits=13)
    changes = repeat((BucketChange(1, b"", bytes(part.entry_size * 256)),))
    with bounded(8 << 20), pytest.raises(WrongDeltaError):
        list(whole_changes(changes, part))
