"""Properties of buckets, labels and trees over random and hostile bytes."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from matcher import buckets as index
from matcher import label, merkle
from matcher.errors import BucketError, LabelError

KEY = bytes(range(32))

entries = st.builds(
    index.Entry,
    tag=st.binary(min_size=10, max_size=10),
    sealed=st.binary(min_size=28, max_size=28),
    record=st.binary(min_size=12, max_size=12),
    prefix=st.integers(0, 2**32 - 1),
    pointer=st.integers(0, 2**32 - 1),
)
partitions = st.lists(entries, max_size=40, unique_by=lambda entry: entry.tag)


@given(partition=partitions, bits=st.integers(0, 6))
def test_every_entry_is_in_the_bucket_of_its_prefix_and_in_no_other(partition, bits):
    buckets = list(index.build_buckets(partition, bits))
    assert [bucket.number for bucket in buckets] == list(range(2**bits))
    for bucket in buckets:
        expected = sorted(
            (e for e in partition if index.bucket_number(e.prefix, bits) == bucket.number),
            key=lambda e: e.tag,
        )
        assert bucket.entries == b"".join(e.tag + e.sealed for e in expected)
        pointers = b"".join(e.pointer.to_bytes(4, "big") for e in expected)
        assert bucket.kept == pointers + b"".join(e.record for e in expected)
        assert index.read_bucket(bucket.entries, 38) == {e.tag: e.sealed for e in expected}


@given(partition=partitions, bits=st.integers(0, 5))
def test_buckets_nest_as_bits_grow(partition, bits):
    coarse = list(index.build_buckets(partition, bits))
    fine = list(index.build_buckets(partition, bits + 1))
    for bucket in coarse:
        halves = [index.read_bucket(fine[2 * bucket.number + half].entries, 38) for half in (0, 1)]
        assert index.read_bucket(bucket.entries, 38) == {**halves[0], **halves[1]}


@given(partition=partitions)
def test_order_of_import_does_not_show(partition):
    assert list(index.build_buckets(partition, 3)) == list(index.build_buckets(partition[::-1], 3))


@given(data=st.binary(max_size=300) | st.lists(st.binary(min_size=38, max_size=38), max_size=5).map(b"".join))
def test_read_bucket_survives_any_bytes(data):
    try:
        found = index.read_bucket(data, 38)
    except BucketError:
        return
    assert b"".join(tag + sealed for tag, sealed in found.items()) == data
    assert list(found) == sorted(found)


@given(
    sealed=st.binary(max_size=80) | st.binary(min_size=28, max_size=28),
    key=st.binary(max_size=40) | st.just(KEY),
    associated=st.binary(max_size=30),
)
def test_open_label_survives_any_bytes(sealed, key, associated):
    try:
        label.open_label(key, sealed, 2, associated)
    except LabelError:
        return
    raise AssertionError("random bytes opened")


@given(st.sampled_from(label.WIDTHS), st.data())
def test_a_record_that_opens_is_the_only_encoding_of_itself(width, data):
    size = label.record_size(width)
    sealed = AESGCMSIV(KEY).encrypt(bytes(12), data.draw(st.binary(min_size=size, max_size=size)), b"")
    try:
        record = label.open_label(KEY, sealed, width, b"")
    except LabelError:
        return
    assert label.seal(KEY, record, width, b"") == sealed


@given(
    digest=st.binary(max_size=40),
    place=st.integers(-3, 80),
    count=st.integers(-3, 80) | st.integers(0, 2**70),
    path=st.lists(st.binary(max_size=40), max_size=9),
)
def test_verify_survives_anything(digest, place, count, path):
    assert merkle.verify(digest, place, count, path, merkle.root([merkle.leaf(b"x")])) is False
