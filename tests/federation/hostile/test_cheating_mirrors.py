"""A responder that cheats with partitions and deltas, or fails midway: a mirror is right or not used."""

import shutil
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path

import pytest
from heqiao.peer.v1 import mirror_pb2

from matcher import buckets as index
from matcher import identity
from matcher.suites.tokens import TAG_SIZE
from node.context import Node
from node.errors import DishonestPeerError, UnavailableError
from node.responder import match
from tests.support import altered_database
from tests.support.altered_database import cook, known_tags, rows_of
from tests.support.changing_responder import assert_equal, few_rows, upsert
from tests.support.cheating_responder import Cheat, CheatingServicer, serve_cheat, serve_cheats
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
from tests.support.mirrors import (
    forget,
    mirror_files,
    mirrored_bytes,
    served_bytes,
    sync,
    whole_fetches,
)

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


@pytest.fixture(scope="module")
def world(few: World) -> World:
    """The one of six partitions: a sync fetches every one that is granted."""
    return few


@pytest.fixture
def homes(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> dict[str, Path]:
    """Of the world, or of another that is named."""
    chosen: World = request.getfixturevalue(request.param) if hasattr(request, "param") else world
    return chosen.copy(tmp_path)


@pytest.fixture
def requester(homes: dict[str, Path]) -> Iterator[Province]:
    with serve_all({"45": homes["45"]}) as provinces:
        yield provinces["45"]


@pytest.fixture(scope="module")
def lasting(world: World, tmp_path_factory) -> Iterator[tuple[Province, CheatingServicer]]:
    """A requester and a 44 whose cheat is exchanged: no partition that it alters is kept."""
    homes = world.copy(tmp_path_factory.mktemp("lasting"))
    with serve_all({"45": homes["45"]}) as provinces, serve_cheats(homes["44"]) as (port, servicer):
        move_peer(provinces["45"].node, "44", port)
        yield provinces["45"], servicer


@pytest.mark.parametrize("name", PARTITIONS)
def test_cheating_with_a_partition(name, world, lasting) -> None:
    cheat, check = PARTITIONS[name]
    requester, servicer = lasting
    forget(requester, "44")
    servicer.cheat = cheat
    with pytest.raises(DishonestPeerError) as caught:
        sync(requester.node)
    assert caught.value.details["check"] in check.split()
    asked = read_verification(world.data, ("C21",), ("44",), most=9)
    report = run_job(requester, f"asked-{list(PARTITIONS).index(name)}", asked)
    assert part_of(report, "44")[0] == "distrusted"
    assert mirror_files(requester.home) == []
    servicer.cheat = Cheat()
    sync(requester.node)
    assert mirrored_bytes(requester.node) == served_bytes(servicer.honest_node, "45")


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


@pytest.mark.parametrize("homes", ["few_mirrored"], indirect=True)
@pytest.mark.parametrize("name", DELTAS)
def test_a_wrong_delta_is_one_whole_fetch_and_the_next_is_not_forgiven(
    name, world, homes, requester, tmp_path
) -> None:
    assert mirror_files(homes["45"])
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


@pytest.mark.parametrize("homes", ["few_mirrored"], indirect=True)
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
