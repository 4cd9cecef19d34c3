"""Mirrors on disk: whole or nothing, refusal of damaged files, resumption, and the space limit."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from matcher import buckets as index
from matcher import merkle
from matcher.suites.tokens import TAG_SIZE
from node.errors import ConflictError
from node.mirror.folder import KeptManifest, MirrorFolder, State
from node.mirror.partition_file import Head, PartitionFile, UnfinishedFile, file_size, write_whole
from node.wire.manifest import PartitionOffer
from node.wire.match import manifest_bytes
from tests.support.examples import MANIFEST, NOW, PART

SIZE = PART.entry_size


def entry(number: int) -> bytes:
    return number.to_bytes(TAG_SIZE, "big") + bytes([number]) * (SIZE - TAG_SIZE)


BUCKETS = [b"".join(map(entry, (1, 5, 9))), b"", b"".join(map(entry, (2, 3))), entry(7)]


def leaves_of(buckets) -> list[bytes]:
    return [index.bucket_leaf(number, data) for number, data in enumerate(buckets)]


def offer(buckets=BUCKETS, **changes) -> PartitionOffer:
    entries = sum(map(len, buckets)) // SIZE
    root = merkle.root(leaves_of(buckets))
    return replace(PART, bits=2, entries=entries, root=root, **changes)


def keep(folder: MirrorFolder, part: PartitionOffer, buckets=BUCKETS) -> None:
    folder.folder.mkdir(parents=True, exist_ok=True)
    assert write_whole(
        folder.target(part), Head.of(part), buckets, lambda leaves: merkle.root(leaves) == part.root
    )


@pytest.fixture
def folder(tmp_path) -> MirrorFolder:
    return MirrorFolder(tmp_path / "mirror", "44", 1)


def test_what_was_kept_is_found(folder):
    part = offer()
    assert (folder.read(part), folder.state(part)) == (None, State.ABSENT)
    keep(folder, part)
    kept = folder.read(part)
    assert kept is not None
    assert folder.state(part) is State.WHOLE
    assert folder.target(part).stat().st_size == file_size(part)
    numbers = np.array([0, 0, 1, 2, 3])
    block = kept.block(numbers)
    assert block is not None
    tags = np.frombuffer(b"".join(n.to_bytes(TAG_SIZE, "big") for n in (5, 2, 1, 3, 7)), np.uint8)
    places = block.find(numbers, tags.reshape(-1, TAG_SIZE))
    assert places.tolist() == [1, -1, -1, 4, 5]
    assert block.sealed(places[places >= 0])[:, 0].tolist() == [5, 3, 7]


def test_wrong_buckets_leave_no_file(folder):
    folder.folder.mkdir(parents=True)
    part = offer()
    wrong = [*BUCKETS[:3], b""]
    is_right = lambda leaves: merkle.root(leaves) == part.root  # noqa: E731
    assert not write_whole(folder.target(part), Head.of(part), wrong, is_right)
    assert list(folder.folder.iterdir()) == []


@pytest.mark.parametrize("at", range(0, file_size(offer()), 7))
def test_a_flipped_bit_anywhere_is_noticed(folder, at):
    part = offer()
    keep(folder, part)
    path = folder.target(part)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    found = folder.read(part)
    if found is None:
        assert folder.state(part) is State.DAMAGED
        return
    damaged = found.damaged()
    # What is left are the number of the version, which a delta's responder compares, and a flag.
    assert damaged or 5 <= at <= 19
    assert not damaged or found.block(np.array(damaged)) is None


@pytest.mark.parametrize("cut", [0, 3, 60, 80, 200, file_size(offer()) - 1])
def test_a_file_cut_short_is_damaged(folder, cut):
    part = offer()
    keep(folder, part)
    folder.target(part).write_bytes(folder.target(part).read_bytes()[:cut])
    assert folder.state(part) is State.DAMAGED


def test_a_file_of_another_partition_peer_or_form_is_not_read(folder):
    part = offer()
    keep(folder, part)
    data = folder.target(part).read_bytes()
    other = offer(origin="46")
    folder.target(other).write_bytes(data)
    assert folder.read(other) is None
    newer = offer([*BUCKETS[:3], b""])
    folder.target(newer).write_bytes(data)
    assert folder.read(newer) is None
    folder.target(part).write_bytes(data[:3] + bytes([data[3] + 1]) + data[4:])
    assert folder.read(part) is None


def test_an_unfinished_file_goes_on_after_its_last_good_bucket(folder):
    part = offer()
    folder.folder.mkdir(parents=True)
    path = folder.unfinished(part)
    begun = UnfinishedFile.begin(path, Head.of(part), leaves_of(BUCKETS))
    assert [begun.add(data) for data in BUCKETS[:2]] == [True, True]
    assert not begun.add(entry(8))
    begun.save()
    assert folder.state(part) is State.PARTIAL
    begun.add(BUCKETS[2])
    begun._file.flush()  # written, but not noted: a kill between the two
    begun.close()
    again = UnfinishedFile.resume(path)
    assert again is not None
    assert (again.count, list(again.read())) == (2, BUCKETS[:2])
    for data in BUCKETS[2:]:
        assert again.add(data)
    again.publish(folder.target(part))
    again.close()
    assert not path.exists()
    found = folder.read(part)
    assert found is not None
    assert [found.bucket(number) for number in range(4)] == BUCKETS


@pytest.mark.parametrize("damage", ["bit", "short", "leaf", "nothing"])
def test_a_damaged_unfinished_file_loses_only_what_is_damaged(folder, damage):
    part = offer()
    folder.folder.mkdir(parents=True)
    path = folder.unfinished(part)
    begun = UnfinishedFile.begin(path, Head.of(part), leaves_of(BUCKETS))
    for data in BUCKETS[:3]:
        begun.add(data)
    begun.save()
    begun.close()
    data = bytearray(path.read_bytes())
    if damage == "bit":
        data[-1] ^= 1
    elif damage == "short":
        del data[-1:]
    elif damage == "leaf":
        data[70] ^= 1
    path.write_bytes(data)
    again = UnfinishedFile.resume(path)
    assert (None if again is None else again.count) == {"leaf": None, "nothing": 3}.get(damage, 2)


def test_the_base_of_a_delta_is_the_newest_older_version_of_the_epoch(folder):
    for number, epoch in ((1, 1), (2, 1), (9, 1), (3, 2)):
        buckets = [*BUCKETS[:3], entry(7) + entry(10 + number)]
        keep(folder, offer(buckets, version=number, epoch=epoch), buckets)
    part = offer(version=5)
    base = folder.base(part)
    assert base is not None
    assert (base.head.version, base.head.epoch) == (2, 1)
    assert folder.base(replace(part, bits=1)) is None
    assert folder.base(replace(part, version=1)) is None


def manifest_of(*parts: PartitionOffer, epoch: int = 1) -> KeptManifest:
    found = replace(
        MANIFEST,
        partitions=parts,
        epoch=epoch,
        issued_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
    return KeptManifest(manifest_bytes(found), bytes(64), found)


def test_a_manifest_is_used_for_a_day_and_only_where_all_partitions_are_whole(folder):
    one, two = offer(), offer(origin="46")
    keep(folder, one)
    keep(folder, two)
    folder.keep(manifest_of(one, two), NOW)
    kept = folder.usable(["C21"], NOW)
    assert kept is not None
    assert (kept.serialised, kept.signature) == (manifest_of(one, two).serialised, bytes(64))
    assert folder.usable(["C21", "C23"], NOW) is not None  # no partition of it is granted
    assert folder.usable(["C23"], NOW) is None
    assert folder.usable(["C21"], NOW + timedelta(hours=23, minutes=59)) is not None
    assert folder.usable(["C21"], NOW + timedelta(hours=24)) is None
    folder.drop(two)
    assert folder.usable(["C21"], NOW) is None


def test_a_damaged_manifest_is_not_read(folder):
    keep(folder, offer())
    folder.keep(manifest_of(offer()), NOW)
    (path,) = folder.folder.glob("*.manifest")
    path.write_bytes(path.read_bytes()[:-1])
    assert folder.manifests() == []


def test_the_old_epoch_stays_until_the_new_one_is_whole(folder):
    old = offer()
    keep(folder, old)
    folder.keep(manifest_of(old), NOW)
    other = [*BUCKETS[:3], entry(8)]
    new = offer(other, epoch=2)
    folder.keep(manifest_of(new, epoch=2), NOW)  # its partition had no room
    assert folder.usable(["C21"], NOW) is not None
    keep(folder, new, other)
    folder.keep(manifest_of(new, epoch=2), NOW)
    assert folder.target(new).exists()
    assert not folder.target(old).exists()
    assert [kept.content.epoch for kept in folder.manifests()] == [2]


def test_room_is_counted_over_all_peers_and_made_from_what_nobody_uses(folder, tmp_path):
    other = MirrorFolder(tmp_path / "mirror", "33", 1)
    keep(other, offer())
    filler = other.folder / "C21-46-x.hqm"
    filler.write_bytes(bytes(1 << 20))
    part = offer()
    assert not folder.has_room(part)
    now = datetime.now(UTC)
    for days, fits in ((6, False), (8, True)):
        then = (now - timedelta(days=days)).timestamp()
        os.utime(filler, (then, then))
        assert folder.make_room(part, now) is fits
    assert not filler.exists()
    assert other.read(offer()) is not None


def test_only_one_process_changes_a_folder(folder):
    with folder.lock(), pytest.raises(ConflictError), folder.lock():
        pass


def test_a_reader_keeps_what_it_has_open(folder):
    part = offer()
    keep(folder, part)
    found = folder.read(part)
    folder.drop_all()
    assert isinstance(found, PartitionFile)
    assert found.damaged() == []
