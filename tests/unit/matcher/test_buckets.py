"""Buckets: sizes, order, duplicates; the laws over random partitions are in the property tests."""

import numpy as np
import pytest

from matcher import buckets as index
from matcher import label, merkle
from matcher.errors import BucketError


def entry(tag, prefix=0):
    return index.Entry(tag.to_bytes(10, "big"), bytes([tag % 256]) * label.sealed_size(2), bytes(12), prefix)


def test_sizes():
    assert [index.entry_size(width) for width in label.WIDTHS] == [36, 37, 38, 40, 44]
    assert index.POINTER_SIZE == 4


@pytest.mark.parametrize(
    ("entries", "k_anonymity", "bits"),
    [
        (0, 1024, 0),
        (1, 1024, 0),
        (1023, 1024, 0),
        (1024, 1024, 0),
        (2047, 1024, 0),
        (2048, 1024, 1),
        (4095, 1024, 1),
        (4096, 1024, 2),
        (10_000_000, 1024, 13),
        (5, 1, 2),
        (5, 0, 2),
        (2**60, 1, index.MAX_BITS),
    ],
)
def test_bucket_bits(entries, k_anonymity, bits):
    found = index.bucket_bits(entries, k_anonymity)
    assert found == bits
    assert found == 0 or entries >> found >= k_anonymity, "fewer than k on average"


@pytest.mark.parametrize(
    ("entries", "present", "bits"),
    [
        (2047, 0, 0),
        (2048, 0, 0),
        (2559, 0, 0),
        (2560, 0, 1),  # 1.25 * 1024 * 2
        (5119, 0, 1),  # two steps are due, one is allowed
        (5120, 0, 2),
        (2048, 1, 1),
        (2047, 1, 0),  # falls at once
        (1023, 3, 0),
        (8192, 3, 3),
        (8191, 3, 2),
        (1024 * 2**13 * 5 // 4 - 1, 12, 12),
        (1024 * 2**13 * 5 // 4, 12, 13),
        (2**40, 13, 13),
    ],
)
def test_bucket_bits_fall_at_once_and_rise_late(entries, present, bits):
    assert index.bucket_bits(entries, 1024, present) == bits


@pytest.mark.parametrize(
    ("prefix", "bits", "number"),
    [(0, 0, 0), (2**32 - 1, 0, 0), (2**31, 1, 1), (2**31 - 1, 1, 0), (2**32 - 1, 24, 2**24 - 1)],
)
def test_bucket_number(prefix, bits, number):
    assert index.bucket_number(prefix, bits) == number


@pytest.mark.parametrize("bits", [0, 1, 5])
def test_empty_partition_has_all_its_buckets(bits):
    buckets = list(index.build_buckets([], bits))
    assert [(b.number, b.entries, b.kept) for b in buckets] == [(n, b"", b"") for n in range(2**bits)]


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (0, 1), (0, 2**32 - 1)], ids=["same prefix", "same bucket", "other bucket"]
)
def test_duplicate_tags_are_refused(first, second):
    entries = [entry(7, first), entry(3), entry(9, 2**31), entry(7, second)]
    for bits in (0, 1, 8):
        with pytest.raises(BucketError):
            list(index.build_buckets(entries, bits))


def test_tags_sort_as_bytes():
    tags = [0, 1, 255, 256, 2**16 - 1, 2**16, 2**16 + 1, 2**63, 2**64, 2**79, 2**80 - 1]
    (bucket,) = index.build_buckets([entry(tag) for tag in reversed(tags)], 0)
    assert [int.from_bytes(tag, "big") for tag in index.read_bucket(bucket.entries, 38)] == tags


@pytest.mark.parametrize(
    "entries",
    [bytes(1), bytes(37), bytes(39), bytes(76), bytes([1]) * 38 + bytes(38)],
    ids=["byte", "cut", "longer", "same tag twice", "out of order"],
)
def test_read_bucket_refuses(entries):
    with pytest.raises(BucketError):
        index.read_bucket(entries, 38)


def test_leaf_is_bound_to_its_number():
    entries = bytes(38)
    assert index.bucket_leaf(1, entries) == merkle.leaf(b"\0\0\0\1" + entries)
    assert index.bucket_leaf(1, entries) != index.bucket_leaf(2, entries)
    assert index.bucket_leaf(0, b"") != index.bucket_leaf(1, b"")


def test_text_of_entries_and_buckets_hides_their_bytes():
    shown = index.Entry(b"t" * 10, b"s" * 28, b"k" * 32, 12345)
    bucket = index.Bucket(3, b"e" * 68, b"p" * 36)
    for hidden in ("tttt", "ssss", "kkkk", "12345", "eeee", "pppp"):
        assert hidden not in repr(shown) + repr(bucket)


def test_a_block_finds_exactly_the_tags_that_are_there():
    def bucket(*numbers):
        return b"".join(n.to_bytes(10, "big") + n.to_bytes(10, "big") * 2 + bytes(8) for n in numbers)

    # 1, 2 and 3 share their first eight bytes, as do 2**16 and its neighbour
    held = {2: bucket(1, 2, 2**16, 2**79), 5: b"", 6: bucket(3), 7: bucket(1)}
    block = index.read_block(list(held.items()), 38)
    asked = [(2, 2**16), (2, 0), (2, 1), (2, 3), (2, 2**79), (5, 1), (6, 3), (6, 1), (7, 1), (7, 2**80 - 1)]
    numbers = np.array([number for number, _ in asked])
    tags = np.frombuffer(b"".join(tag.to_bytes(10, "big") for _, tag in asked), np.uint8).reshape(-1, 10)
    found = block.find(numbers, tags)
    assert found.tolist() == [2, -1, 0, -1, 3, -1, 4, -1, 5, -1]
    sealed = block.sealed(found[found >= 0])
    assert [row.tobytes()[:10] for row in sealed] == [row.tobytes() for row in tags[found >= 0]]
    assert block.holding(np.array([0, 2, 3, 5, 6, 8])).tolist() == [False, True, False, True, True, False]
    assert index.read_block([(0, b"")], 38).find(np.zeros(1, dtype=int), tags[:1]).tolist() == [-1]


def test_a_block_is_refused_where_a_bucket_of_it_is_not_sorted():
    rows = [number.to_bytes(10, "big") + bytes(28) for number in (1, 2)]
    index.read_block([(0, rows[1]), (1, rows[0])], 38)
    with pytest.raises(BucketError):
        index.read_block([(0, b""), (1, rows[1] + rows[0]), (2, b"")], 38)
