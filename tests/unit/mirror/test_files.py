"""Partitions kept on disk: reading, refusal of damaged files, and the space limit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher import buckets as index
from matcher import merkle
from node.mirror.files import FOLDER, PartitionCache
from node.wire.manifest import PartitionOffer
from tests.support.examples import PART

BUCKETS = [
    (0, b"".join(n.to_bytes(10, "big") + bytes([n]) * 28 for n in (1, 5, 9))),
    (1, b""),
    (2, b"".join(n.to_bytes(10, "big") + bytes([n]) * 28 for n in (2, 3))),
    (3, (7).to_bytes(10, "big") + bytes([7]) * 28),
]


def offer(buckets=BUCKETS, origin: str = "45") -> PartitionOffer:
    root = merkle.root([index.bucket_leaf(*bucket) for bucket in buckets])
    entries = sum(len(data) for _, data in buckets) // 38
    return replace(PART, origin=origin, bits=2, entries=entries, root=root)


def keep(cache: PartitionCache, part: PartitionOffer, buckets=BUCKETS) -> None:
    keeper = cache.keeper("44", part)
    assert keeper is not None
    with keeper:
        keeper.add(buckets[:1])
        keeper.add(buckets[1:])


def files(home: Path) -> list[Path]:
    return sorted((home / FOLDER).iterdir())


def test_what_was_kept_is_found(tmp_path):
    cache, part = PartitionCache(tmp_path, 1), offer()
    assert cache.read("44", part) is None
    keep(cache, part)
    kept = cache.read("44", part)
    assert kept is not None
    numbers = np.array([0, 0, 1, 2, 3])
    block = kept.block(numbers)
    assert block is not None
    tags = np.frombuffer(b"".join(n.to_bytes(10, "big") for n in (5, 2, 1, 3, 7)), np.uint8).reshape(-1, 10)
    places = block.find(numbers, tags)
    assert places.tolist() == [1, -1, -1, 4, 5]
    assert block.sealed(places[places >= 0])[:, 0].tolist() == [5, 3, 7]


def test_another_version_replaces_it_and_an_older_one_is_not_read(tmp_path):
    cache, newer = PartitionCache(tmp_path, 1), [*BUCKETS[:3], (3, b"")]
    keep(cache, offer())
    assert cache.read("44", offer(newer)) is None
    keep(cache, offer(newer), newer)
    assert cache.read("44", offer()) is None
    assert cache.read("44", offer(newer)) is not None
    keep(cache, offer(origin="50"))
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("at", [0, 3, 4, 134, -1], ids=["form", "version", "leaf", "size", "entry"])
def test_damage_is_seen(tmp_path, at):
    cache, part = PartitionCache(tmp_path, 1), offer()
    keep(cache, part)
    (file,) = files(tmp_path)
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    kept = cache.read("44", part)
    assert kept is None or kept.block(np.array([3])) is None
    if kept is not None:  # the other buckets are whole
        assert kept.block(np.array([0, 2])) is not None
    cache.drop("44", part)
    assert cache.read("44", part) is None


@pytest.mark.parametrize("size", [0, 3, 10, 147, 375])
def test_a_cut_file_is_not_read(tmp_path, size):
    cache, part = PartitionCache(tmp_path, 1), offer()
    keep(cache, part)
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:size])
    assert cache.read("44", part) is None


def test_an_unfinished_partition_leaves_nothing(tmp_path):
    cache, part = PartitionCache(tmp_path, 1), offer()
    keeper = cache.keeper("44", part)
    assert keeper is not None
    keeper.add(BUCKETS)
    keeper.__exit__(KeyError, KeyError(), None)  # the stream broke after the last bucket
    with cache.keeper("44", part) as keeper:  # type: ignore[union-attr]
        keeper.add(BUCKETS[:3])
    assert files(tmp_path) == []


def test_the_room_is_bounded(tmp_path):
    cache = PartitionCache(tmp_path, 1)
    assert cache.keeper("44", replace(offer(), entries=27_600)) is None
    keep(cache, offer())
    assert cache.keeper("44", replace(offer(origin="50"), entries=27_585)) is None
    with cache.keeper("44", replace(offer(), entries=27_585)) as keeper:  # type: ignore[union-attr]
        assert keeper is not None  # it replaces the kept one
