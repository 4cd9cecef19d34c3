"""Versions of partitions: unpublished ones, shared buckets, the delta stream."""

import pytest
from sqlalchemy import select

from node.database import deltas, open_store, partition_versions, partitions
from node.database.deltas import Delta
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
        (current,) = partitions.current_partitions(tx, 1, ["45"])
        prepare(tx, 1, Part(entries=b"n" * 68))  # a full import that was killed
        prepare(tx, 1, Part(entries=b"m" * 68), cut=current.cut)  # an upsert that was killed
    with store.transaction("look") as tx:
        assert partitions.find_partition(tx, "C21", "45", 1, 2) is None
        assert partitions.current_version(tx, "C21", "45", 1) == 1
        assert partitions.read_buckets(tx, current.id, [0]) == [(0, b"e" * 68)]
    assert partition_versions.sweep(store) == partition_versions.Swept(versions=2, cuts=1)
    assert not partition_versions.sweep(store)
    with store.transaction("look") as tx:
        assert partitions.read_buckets(tx, current.id, [0]) == [(0, b"e" * 68)]
        for table in ("buckets", "cuts", "filters", "partitions"):
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


def test_deltas_add_up_and_restart(store):
    one, two, three = (bytes([n]) * 10 for n in (1, 2, 3))
    steps = [
        Delta(2, frozenset({one}), frozenset({two}), frozenset()),
        Delta(3, frozenset({two}), frozenset({one}), frozenset({three})),
    ]
    place = ("C21", "45", 1)
    for step in [None, *steps]:
        with store.transaction("publish", write=True) as tx:
            publish(tx, 1, [Part()])
            if step:
                deltas.append_delta(tx, *place, step)
    with store.transaction("look") as tx:
        assert deltas.read_delta(tx, *place, 3) == Delta(3)
        assert deltas.read_delta(tx, *place, 2) == steps[1]
        # One was added and removed, two was removed and added again: only its label can differ.
        assert deltas.read_delta(tx, *place, 1) == Delta(3, changed=frozenset({two, three}))
        assert deltas.read_delta(tx, *place, 0) is None
        assert deltas.read_delta(tx, *place, 4) is None
        assert deltas.read_delta(tx, "C21", "33", 1, 0) is None
    with store.transaction("restart", write=True) as tx:
        publish(tx, 1, [Part()])
        deltas.restart_deltas(tx, "C21", 1)
        assert deltas.read_delta(tx, *place, 3) is None
        assert deltas.read_delta(tx, *place, 4) == Delta(4)


def test_the_delta_stream_is_bounded(store):
    for number in range(1, deltas.KEPT_DELTAS + 3):
        with store.transaction("append", write=True) as tx:
            deltas.append_delta(tx, "C21", "45", 1, Delta(number, frozenset({bytes(10)})))
    with store.transaction("look") as tx:
        assert len(tx.execute(select(metadata.tables["deltas"])).all()) == deltas.KEPT_DELTAS
