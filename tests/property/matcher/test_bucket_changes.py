"""Changes of buckets: what is compared is what is applied, in steps or merged."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher import buckets as index
from matcher.bucket_changes import BucketChange, apply, compare, merge
from matcher.errors import BucketError
from matcher.suites.tokens import TAG_SIZE

SIZE = TAG_SIZE + 5
bucket = st.dictionaries(st.integers(0, 30), st.integers(0, 3), max_size=20)


def tag(number: int) -> bytes:
    return number.to_bytes(TAG_SIZE, "big")


def entry(number: int, value: int) -> bytes:
    return tag(number) + bytes([value]) * 5


def packed(content: dict[int, int]) -> bytes:
    return b"".join(entry(number, value) for number, value in sorted(content.items()))


@given(st.lists(bucket, min_size=2, max_size=6))
def test_steps_and_their_merger_lead_to_the_same(contents):
    versions = [packed(content) for content in contents]
    changes = [compare(7, before, after, SIZE) for before, after in itertools.pairwise(versions)]
    for before, change, after in zip(versions, changes, versions[1:], strict=False):
        assert apply(before, change, SIZE) == after
    merged = merge(changes, SIZE)
    assert apply(versions[0], merged, SIZE) == versions[-1]
    assert merged.length <= sum(change.length for change in changes)


@given(bucket, bucket)
def test_a_change_holds_only_what_differs(before, after):
    change = compare(0, packed(before), packed(after), SIZE)
    assert len(change.removed) == TAG_SIZE * len(before.keys() - after.keys())
    assert len(change.entries) == SIZE * len(after.items() - before.items())


@pytest.mark.parametrize(
    ("removed", "entries"),
    [
        (tag(1)[:-1], b""),
        (b"", entry(1, 1)[:-1]),
        (tag(2) + tag(1), b""),
        (tag(1) + tag(1), b""),
        (b"", entry(2, 1) + entry(1, 1)),
        (b"", entry(1, 1) + entry(1, 2)),
        (tag(1), entry(1, 1)),
    ],
)
def test_a_malformed_change_is_refused(removed, entries):
    with pytest.raises(BucketError):
        apply(packed({1: 1, 2: 2}), BucketChange(0, removed, entries), SIZE)


def test_a_tag_that_leaves_need_not_be_there():
    assert apply(b"", BucketChange(0, tag(4), entry(3, 1)), SIZE) == entry(3, 1)


@given(bucket, bucket)
def test_what_is_applied_is_sorted_and_distinct(before, after):
    size = index.entry_size(2)
    rows = [packed(one) for one in (before, after)]
    wide = [
        b"".join(row[at : at + SIZE].ljust(size, b"\0") for at in range(0, len(row), SIZE)) for row in rows
    ]
    made = apply(wide[0], compare(0, wide[0], wide[1], size), size)
    index.read_block([(0, made)], size)
