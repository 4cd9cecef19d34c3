"""A responder that cheats with partitions and deltas, or fails midway: a mirror is right or not used."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count, islice, repeat
from pathlib import Path

import pytest
from heqiao.peer.v1 import mirror_pb2, types_pb2

from matcher import buckets as index
from matcher import identity
from matcher.suites.tokens import TAG_SIZE
from node.clock import utc_now
from node.context import Node
from node.errors import DishonestPeerError, UnavailableError
from node.index.republish import republish
from node.jobs.mirrors import mirror_of
from node.registers.importer import import_item
from node.responder import match
from node.rotation import driver
from node.rotation.kinds import OPRF
from tests.support import altered_database
from tests.support.altered_database import cook, known_tags, rows_of
from tests.support.cheating_responder import Cheat, serve_cheat
from tests.support.cluster import (
    Province,
    World,
    findings_of,
    move_peer,
    open_home,
    part_of,
    read_verification,
    run_job,
    serve_all,
)
from tests.support.federation import set_config
from tests.support.mirrors import (
    mirror_files,
    mirrored_bytes,
    served_bytes,
    sync,
    whole_fetches,
)
from tests.support.renumbered import renumbered
from tests.support.rotations import opened, rotate

Pieces = list[mirror_pb2.FetchPartitionResponse]
Changes = list[mirror_pb2.FetchDeltaResponse]
ENTRY = index.entry_size(2)  # of C21, a count


def bounded(messages: Iterator, most: int = 50_000) -> Iterator:
    """An endless stream whose reader must stop long before its end."""
    for number, message in enumerate(messages):
        assert number < most, "the requester reads on and on"
        yield message


def partition(change: Callable[[Pieces], Iterator | Pieces]) -> Cheat:
    return Cheat(partition=lambda _node, responses: bounded(iter(change(list(responses)))))


def delta(change: Callable[[Changes], Iterator | Changes]) -> Cheat:
    return Cheat(delta=lambda _node, responses: bounded(iter(change(list(responses)))))


def flip(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def piece(**fields) -> mirror_pb2.FetchPartitionResponse:
    return mirror_pb2.FetchPartitionResponse(**fields)


def last(pieces: Pieces, **fields) -> Pieces:
    for name, value in fields.items():
        field = getattr(pieces[-1], name)
        if name == "sizes":
            sizes = value(list(field))
            del field[:]
            field.extend(sizes)
        else:
            setattr(pieces[-1], name, value(field))
    return pieces


PARTITIONS: dict[str, tuple[Cheat, str]] = {
    "an entry altered": (partition(lambda p: last(p, data=flip)), "bucket_digest"),
    "a leaf altered": (partition(lambda p: [piece(leaves=flip(p[0].leaves)), *p[1:]]), "partition_root"),
    "leaves without end": (partition(lambda p: repeat(p[0])), "partition_root partition_stream"),
    "leaves twice": (partition(lambda p: [p[0], *p]), "partition_stream"),
    "no leaves": (partition(lambda p: p[1:]), "partition_stream"),
    "empty messages without end": (partition(lambda p: [p[0]] + [piece()] * 9), "partition_stream"),
    "empty leaves without end": (partition(lambda _p: repeat(piece())), "partition_stream"),
    "a bucket more": (partition(lambda p: last(p, sizes=lambda s: [*s, 0])), "partition_stream"),
    "empty buckets without end": (
        partition(lambda p: iter([p[0], *([piece(sizes=[0])] * 20_000)])),
        "bucket_digest partition_stream",
    ),
    "a bucket larger than can be": (
        partition(lambda p: last(p, sizes=lambda s: [2**31, *s[1:]])),
        "bucket_size",
    ),
    "a ragged bucket": (partition(lambda p: last(p, sizes=lambda s: [s[0] + 1, *s[1:]])), "bucket_size"),
    "more bytes than announced": (partition(lambda p: last(p, data=lambda d: d + b"x")), "bucket_size"),
    "bytes without end": (partition(lambda p: iter([*p, *([piece(data=bytes(9))] * 20)])), "bucket_size"),
    "another order": (
        partition(lambda p: last(p, data=lambda d: d[ENTRY:] + d[:ENTRY])),
        "bucket_digest bucket_form",
    ),
}


def first_set(changes: Changes, change: Callable[[bytes], bytes]) -> Changes:
    one = next(c for message in changes for c in message.changes if c.set)
    one.set = change(one.set)
    return changes


def more(changes: Changes, *added: mirror_pb2.BucketChange) -> Changes:
    return [*changes, mirror_pb2.FetchDeltaResponse(changes=added)]


def of_last(changes: Changes, **fields) -> mirror_pb2.BucketChange:
    return mirror_pb2.BucketChange(bucket=changes[-1].changes[-1].bucket, **fields)


DELTAS: dict[str, Cheat] = {
    "it does not lead to the root": delta(lambda c: first_set(c, flip)),
    "it is empty": delta(lambda _c: []),
    "it has an empty message": delta(lambda c: [*c, mirror_pb2.FetchDeltaResponse()]),
    "it goes back": delta(lambda c: more(c, mirror_pb2.BucketChange(bucket=0, removed=bytes(TAG_SIZE)))),
    "it repeats a bucket": delta(lambda c: [*c, *c]),
    "it repeats a tag": delta(lambda c: first_set(c, lambda entries: entries[:ENTRY] + entries)),
    "it removes and sets a tag": delta(
        lambda c: more(c, of_last(c, removed=b"\xff" * TAG_SIZE, set=b"\xff" * ENTRY))
    ),
    "a bucket beyond the partition": delta(
        lambda c: more(c, mirror_pb2.BucketChange(bucket=2**31, removed=bytes(TAG_SIZE)))
    ),
    "a change of nothing": delta(lambda c: more(c, of_last(c))),
    "ragged tags": delta(lambda c: more(c, of_last(c, removed=b"short"))),
    "ragged entries": delta(lambda c: first_set(c, lambda entries: entries[:-1])),
    "it never ends": delta(lambda c: iter(repeat(more(c, of_last(c, removed=b"\xff" * TAG_SIZE))[-1]))),
    "empty messages never end": delta(lambda c: iter(repeat(mirror_pb2.FetchDeltaResponse()))),
}


def register_of(world: World, item: str) -> Path:
    return next(p for p in (world.data / "44" / "registers").iterdir() if f"_{item}_" in p.name)


def few_rows(world: World, folder: Path, first: int, count: int = 3) -> Path:
    """A register that names a few people of origin 45 of the one of C21."""
    head, *rows = register_of(world, "C21").read_bytes().splitlines(keepends=True)
    of_45 = [row for row in rows if b"45" in row[:4]]
    found = folder / f"few-{first}.csv"
    found.write_bytes(b"".join([head, *of_45[first : first + count]]))
    return found


def upsert(node: Node, rows: Path, turn: int) -> None:
    """The same facts in other bytes, each turn in others."""
    import_item(renumbered(node, turn + 1), "C21", [rows], mode="upsert")


@pytest.fixture
def homes(world: World, tmp_path: Path) -> dict[str, Path]:
    return world.copy(tmp_path)


@pytest.fixture
def requester(homes: dict[str, Path]) -> Iterator[Province]:
    with serve_all({"45": homes["45"]}) as provinces:
        yield provinces["45"]


def assert_equal(requester: Node, home: Path) -> None:
    """The mirror of 44 is what 44 serves."""
    node = open_home(home)
    assert mirrored_bytes(requester) == served_bytes(node, "45")
    node.store.dispose()


@pytest.mark.parametrize("name", PARTITIONS)
def test_cheating_with_a_partition(name, world, homes, requester, tmp_path) -> None:
    cheat, check = PARTITIONS[name]
    with serve_cheat(homes["44"], cheat, world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(DishonestPeerError) as caught:
            sync(requester.node)
        assert caught.value.details["check"] in check.split()
        report = run_job(requester, "asked", read_verification(world.data, ("C21",), ("44",), most=9))
        assert part_of(report, "44")[0] == "distrusted"
    assert mirror_files(homes["45"]) == []
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
        assert_equal(requester.node, homes["44"])


def test_a_partition_that_stops_early_goes_on(world, homes, requester, monkeypatch) -> None:
    monkeypatch.setattr(match, "SLICE_BYTES", 2_000)
    stops = Cheat(partition=lambda _node, responses: iter(list(responses)[:4]))
    with serve_cheat(homes["44"], stops, world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)  # each attempt brings some more
        assert_equal(requester.node, homes["44"])
    nothing = Cheat(partition=lambda _node, _responses: iter(()))
    shutil.rmtree(homes["45"] / "mirror")
    with serve_cheat(homes["44"], nothing, world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(UnavailableError):
            sync(requester.node)


@pytest.mark.parametrize("name", DELTAS)
def test_a_wrong_delta_is_one_whole_fetch_and_the_next_is_not_forgiven(
    name, world, homes, requester, tmp_path
) -> None:
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
    for turn in range(2):
        node = open_home(homes["44"])
        upsert(node, few_rows(world, tmp_path, 5 * turn), turn)
        node.store.dispose()
        before = mirror_files(homes["45"])
        with serve_cheat(homes["44"], DELTAS[name], world) as port:
            move_peer(requester.node, "44", port)
            if turn == 0:
                with whole_fetches() as whole:
                    sync(requester.node)
                assert whole == ["C21/45"]
                assert_equal(requester.node, homes["44"])
            else:
                with pytest.raises(DishonestPeerError) as caught:
                    sync(requester.node)
                assert caught.value.details == {"check": "delta"}
                assert mirror_files(homes["45"]) == before


def test_an_honest_delta_restores_trust(world, homes, requester, tmp_path) -> None:
    cheats = (Cheat(), DELTAS["it is empty"], Cheat(), DELTAS["it is empty"])
    for turn, cheat in enumerate(cheats):
        node = open_home(homes["44"])
        upsert(node, few_rows(world, tmp_path, 4 * turn), turn)
        node.store.dispose()
        with serve_cheat(homes["44"], cheat, world) as port:
            move_peer(requester.node, "44", port)
            sync(requester.node)
            assert_equal(requester.node, homes["44"])


def meddling(act: Callable[[Node], None], times: int = 1) -> Cheat:
    """The responder's partitions change while a partition is sent, after its leaves."""
    left = [times]

    def alter(node: Node, responses: Iterator) -> Iterator:
        for number, message in enumerate(responses):
            yield message
            if number == 2 and left[0]:
                left[0] -= 1
                act(node)

    return Cheat(partition=alter)


@pytest.fixture
def small_pieces(monkeypatch) -> None:
    monkeypatch.setattr(match, "SLICE_BYTES", 700)
    monkeypatch.setattr(match, "MAX_READ", 1)


@pytest.mark.usefixtures("small_pieces")
def test_a_partition_replaced_twice_during_a_sync_still_arrives(world, homes, requester, tmp_path) -> None:
    """What is there follows by deltas, the rest comes of the new version."""

    turns = count()

    def replace_twice(node: Node) -> None:
        for turn in islice(turns, 2):
            upsert(node, few_rows(world, tmp_path, 5 * (turn % 2)), turn)

    with serve_cheat(homes["44"], meddling(replace_twice, times=2), world) as port:
        move_peer(requester.node, "44", port)
        with whole_fetches() as whole:
            sync(requester.node)
        assert whole.count("C21/45") == 2
        assert_equal(requester.node, homes["44"])


def end_epoch(home: Path) -> None:
    """Rotate the OPRF key, and refuse the key before it at once."""
    rotate(home, "oprf", utc_now)
    node, store = opened(home, utc_now)
    driver.retire(OPRF, node, store, early=True)
    node.store.dispose()


@pytest.mark.usefixtures("small_pieces")
def test_an_epoch_that_ends_in_the_middle_of_a_sync(world, homes, requester) -> None:
    with serve_cheat(homes["44"], meddling(lambda _node: end_epoch(homes["44"])), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
        assert_equal(requester.node, homes["44"])
    assert {kept.content.epoch for kept in mirror_of(requester.node, "44").manifests()} == {2}
    assert mirror_files(homes["45"], ending="part") == []


def meddling_delta(act: Callable[[Node], None]) -> Cheat:
    """The responder's partitions change before the first message of a delta is sent, and after it."""
    done: list[bool] = []

    def alter(node: Node, responses: Iterator) -> Iterator:
        for message in responses:
            if not done:
                done.append(True)
                act(node)
            yield message

    return Cheat(delta=alter)


def test_a_partition_replaced_twice_while_its_delta_is_sent(world, homes, requester, tmp_path) -> None:
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)

    def replace_twice(node: Node) -> None:
        for turn in (1, 2):
            upsert(node, few_rows(world, tmp_path, 5 * turn), turn)

    node = open_home(homes["44"])
    upsert(node, few_rows(world, tmp_path, 0), 0)
    node.store.dispose()
    with serve_cheat(homes["44"], meddling_delta(replace_twice), world) as port, whole_fetches() as whole:
        move_peer(requester.node, "44", port)
        sync(requester.node)  # to the version of its manifest, which is two behind
        sync(requester.node)
        assert whole == []
        assert_equal(requester.node, homes["44"])


def test_an_epoch_that_ends_while_a_delta_is_sent(world, homes, requester, tmp_path) -> None:
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
    node = open_home(homes["44"])
    import_item(renumbered(node, 1), "C21", [register_of(world, "C21")])
    node.store.dispose()
    with serve_cheat(homes["44"], meddling_delta(lambda _node: end_epoch(homes["44"])), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
        assert_equal(requester.node, homes["44"])
    assert {kept.content.epoch for kept in mirror_of(requester.node, "44").manifests()} == {2}


ITEMS = [
    "",
    "C99",
    "..",
    "../../escaped",
    "/escaped",
    "C21/../../escaped",
    "C21-45",
    "c21",
    "C21\n",
    "X" * 5_000,
]


@pytest.mark.parametrize("item", ITEMS)
def test_an_item_of_a_malformed_manifest_names_no_file(item, world, homes, requester) -> None:
    """An item that the catalogue does not have is refused before anything is fetched or written."""
    seen: list[str] = []

    def rename(message: types_pb2.Manifest) -> None:
        message.partitions[0].item = item

    def noted(_node: Node, responses: Iterator) -> Iterator:
        seen.append("fetched")
        return responses

    before = {path for path in homes["45"].rglob("*") if "heqiao.db" not in path.name}
    with serve_cheat(homes["44"], Cheat(manifest=rename, partition=noted), world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(DishonestPeerError) as caught:
            sync(requester.node)
    assert caught.value.details == {"check": "manifest_form"}
    assert seen == []
    after = {path for path in homes["45"].parent.rglob("*") if "escaped" in path.name}
    assert after == set()
    kept = {homes["45"] / "mirror", homes["45"] / "mirror" / "44", homes["45"] / "mirror" / "44" / "lock"}
    assert {path for path in homes["45"].rglob("*") if "heqiao.db" not in path.name} - before <= kept


def test_a_responder_restored_from_yesterday(world, homes, requester, tmp_path) -> None:
    """Its manifest goes back, so nothing of it is used; published anew it is good again."""
    yesterday = shutil.copytree(homes["44"], tmp_path / "yesterday")
    node = open_home(homes["44"])
    import_item(node, "C21", [few_rows(world, tmp_path, 0)], mode="delete")
    node.store.dispose()
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        sync(requester.node)
    shutil.rmtree(homes["44"])
    shutil.copytree(yesterday, homes["44"])
    with serve_cheat(homes["44"], Cheat(), world) as port:
        move_peer(requester.node, "44", port)
        with pytest.raises(DishonestPeerError) as caught:
            sync(requester.node)
        assert caught.value.details == {"check": "manifest_rollback"}
        node = open_home(homes["44"])
        assert republish(node) > 0
        node.store.dispose()
        sync(requester.node)
        assert_equal(requester.node, homes["44"])


@pytest.mark.parametrize("how", ["no folder", "full"])
def test_a_disk_that_takes_no_mirror(how, world, homes) -> None:
    """Blocks of buckets are fetched instead, and the job says why."""
    folder = homes["45"] / "mirror" / "44"
    asked = read_verification(world.data, ("C21",), ("44",), most=40)
    if how == "no folder":
        folder.parent.mkdir()
        folder.write_bytes(b"")
    else:
        folder.mkdir(parents=True)
        for origin in ("43", "44", "45", "46", "52", "53"):
            (folder / f"C21-{origin}-1.part").symlink_to("/dev/full")
    with serve_all(homes) as provinces:
        report = run_job(provinces["45"], "asked", asked)
        assert part_of(report, "44") == ("done", "")
        assert set(report.peers[0].plan_reason.split("; ")) == {"C21 buckets: disk"}
        set_config(homes["45"], "requester", mirror_mib=0)
        other = run_job(provinces["45"], "again", asked)
        assert findings_of(report) == findings_of(other)


def test_two_damaged_labels_are_two_answers_and_three_are_distrusted(
    world, homes, tmp_path, monkeypatch
) -> None:
    """Of people only: judged at the end, and nothing that is sent or fetched differs."""
    asked = read_verification(world.data, ("C21",), ("44",))
    with serve_all(homes) as provinces:
        honest = findings_of(run_job(provinces["45"], "honest", asked))
    alone = [
        subject
        for subject in asked.subjects
        if honest[subject.ref, "C21", "44"][0] == "FOUND"
        and len(subject.identities) == 1
        and identity.origin(subject.identities[0]) == "45"
    ]

    def spoil(node: Node, entries: bytes) -> bytes:
        keys = known_tags(node, "C21")
        return b"".join(flip(row) if row[:TAG_SIZE] in keys else row for row in rows_of(node, "C21", entries))

    for number in (1, 2, 3):
        monkeypatch.setattr(altered_database, "KNOWN", {one.identities[0] for one in alone[:number]})
        copies = world.copy(tmp_path / str(number))
        with (
            serve_all({"45": copies["45"]}) as provinces,
            serve_cheat(copies["44"], Cheat(cook=cook("C21", "45", spoil)), world) as port,
        ):
            move_peer(provinces["45"].node, "44", port)
            report = run_job(provinces["45"], "asked", asked)
        if number == 3:
            assert part_of(report, "44") == ("distrusted", "peer_answer_wrong:label_damaged")
            continue
        assert part_of(report, "44") == ("done", "")
        damaged = {(one.ref, "C21", "44"): ("UNAVAILABLE", None, "label_damaged") for one in alone[:number]}
        assert findings_of(report) == honest | damaged
