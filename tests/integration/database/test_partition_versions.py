"""Versions of partitions: unpublished ones, shared buckets, the delta stream."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from matcher.bucket_changes import BucketChange
from node.database import deltas, open_store, partition_versions, partitions
from node.database.partition_versions import NewBucket
from node.database.tables import metadata
from tests.support.partition_versions import NOW, Part, prepare, publish


@pytest.fixture
def store(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/heqiao.db")
    yield store
    store.dispose()


def test_a_version_that_is_not_published_is_never_read_and_is_swept(store):
    with store.transaction("publish", write=True) as tx:
        publish(tx, 1, [Part()])
    with store.transaction("prepare", write=True) as tx:
        (current,) = partitions.offered_partitions(tx, 1, ["45"])
        prepare(tx, 1, Part(entries=b"n" * 68))  # a full import that was killed
        prepare(tx, 1, Part(entries=b"m" * 68), cut=current.cut)  # an upsert that was killed
    with store.transaction("look") as tx:
        assert partitions.find_partition(tx, "C21", "45", 1, 2) is None
        assert partitions.offered_version(tx, "C21", "45", 1) == 1
        assert partitions.read_buckets(tx, current.id, [0]) == [(0, b"e" * 68)]
    assert partition_versions.sweep(store) == partition_versions.Swept(versions=2, cuts=1)
    assert not partition_versions.sweep(store)
    with store.transaction("look") as tx:
        assert partitions.read_buckets(tx, current.id, [0]) == [(0, b"e" * 68)]
        for table in ("buckets", "cuts", "partitions"):
            assert len(tx.execute(select(metadata.tables[table])).all()) == 1


def test_versions_share_the_buckets_that_did_not_change(store):
    with store.transaction("publish", write=True) as tx:
        first = prepare(tx, 1, Part(), bits=1)
        (cut,) = tx.scalars(select(metadata.tables["cuts"].c.id))
        partition_versions.add_buckets(tx, cut, 1, [NewBucket(1, 20_000, b"o" * 68, b"sealed", b"")])
        partition_versions.publish(tx, [first], NOW)
    with store.transaction("publish", write=True) as tx:
        second = prepare(tx, 1, Part(entries=b"n" * 68), cut=cut, bits=1)
        partition_versions.publish(tx, [second], NOW)
    with store.transaction("look") as tx:
        assert partitions.read_buckets(tx, first, [0, 1]) == [(0, b"e" * 68), (1, b"o" * 68)]
        assert partitions.read_buckets(tx, second, [0, 1]) == [(0, b"n" * 68), (1, b"o" * 68)]
        assert partitions.oldest_days(tx, second) == {0: 20_000, 1: 20_000}
    with store.transaction("publish", write=True) as tx:
        partition_versions.publish(tx, [prepare(tx, 1, Part(entries=b"p" * 68), cut=cut, bits=1)], NOW)
    partition_versions.retire(store, "C21", 1)
    with store.transaction("look") as tx:
        rows = tx.execute(select(metadata.tables["buckets"].c["number", "version"])).all()
        assert sorted(map(tuple, rows)) == [(0, 2), (0, 3), (1, 1)]


def change(number: int, *removed: int, entries: bytes = b"") -> BucketChange:
    return BucketChange(number, b"".join(bytes([one]) * 10 for one in removed), entries)


def version(store, changes=(), *, root=b"r", size=68) -> partitions.PartitionRow:
    """A new current version, with a delta from the one before."""
    with store.transaction("publish", write=True) as tx:
        old = partitions.current_partition(tx, "C21", "45", 1)
        made = prepare(tx, 1, Part(root=root * 32))
        (new,) = partitions.read_versions(tx, [made])
        if old is not None:
            deltas.add_changes(tx, deltas.begin_delta(tx, old, new), changes)
        partition_versions.publish(tx, [made], NOW)
        deltas.settle(tx, [(part, size) for part in partitions.read_versions(tx, [made])])
        return new


def chain(store, new, old):
    with store.transaction("look") as tx:
        found = deltas.find_chain(tx, new, old.version, old.root)
        return None if found is None else deltas.read_changes(tx, found, 0, 4)


def test_deltas_are_followed_from_any_version_that_is_kept(store):
    one = version(store, root=b"1")
    two = version(store, [change(0, 1), change(2, 2)], root=b"2")
    three = version(store, [change(2, 3)], root=b"3")
    assert chain(store, three, three) == []
    assert chain(store, three, two) == [[change(2, 3)]]
    assert chain(store, three, one) == [[change(0, 1)], [change(2, 2), change(2, 3)]]
    assert chain(store, two, one) == [[change(0, 1)], [change(2, 2)]]
    assert chain(store, three, replace(one, root=b"x" * 32)) is None
    assert chain(store, three, replace(one, version=one.version - 1)) is None
    assert chain(store, one, three) is None
    with store.transaction("look") as tx:
        found = deltas.find_chain(tx, three, one.version, one.root)
        assert deltas.read_changes(tx, found, 1, 2) == []
        assert deltas.is_kept(tx, found)


def test_only_so_many_bytes_of_deltas_are_kept(store):
    one = version(store)
    two = version(store, [change(0, 1, 2)], root=b"2")
    three = version(store, [change(0, 3, 4)], root=b"3", size=40)
    assert chain(store, three, one) is not None
    four = version(store, [change(0, 5)], root=b"4", size=40)
    assert chain(store, four, one) is None
    assert chain(store, four, two) is not None
    five = version(store, [change(0, *range(6))], root=b"5", size=40)
    assert chain(store, five, four) is None
    with store.transaction("look") as tx:
        assert tx.execute(select(metadata.tables["deltas"])).all() == []
        assert tx.execute(select(metadata.tables["delta_buckets"])).all() == []


def test_a_delta_of_a_run_that_was_killed_leads_nowhere(store):
    one = version(store)
    with store.transaction("prepare", write=True) as tx:
        (lost,) = partitions.read_versions(tx, [prepare(tx, 1, Part(root=b"l" * 32))])
        deltas.add_changes(tx, deltas.begin_delta(tx, one, lost), [change(0, 9)])
    partition_versions.sweep(store)
    two = version(store, [change(0, 1)], root=b"2")
    assert chain(store, two, one) == [[change(0, 1)]]
    with store.transaction("look") as tx:
        assert len(tx.execute(select(metadata.tables["deltas"])).all()) == 1


def test_versions_are_times_and_always_rise():
    assert partition_versions.version_after(0, NOW) == int(NOW.timestamp() * 1000)
    assert partition_versions.version_after(2**50, NOW) == 2**50 + 1


def test_one_version_of_each_partition_is_published(store):
    with store.transaction("prepare", write=True) as tx:
        made = [prepare(tx, 1, Part(root=root * 32)) for root in (b"a", b"b")]
        for wrong in (made, [made[0], made[1] + 1]):
            with pytest.raises(ValueError, match="not one of each partition"):
                partition_versions.publish(tx, wrong, NOW)
        assert partitions.current_partition(tx, "C21", "45", 1) is None
