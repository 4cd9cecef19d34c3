"""A responder that cheats: each way is noticed, nothing of it is used, and the others' answers stay.

The cheat is a real server with a real certificate that runs the honest steps and alters what they say.
"""

import itertools
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from harness import (
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
from heqiao.peer.v1 import match_pb2, service_pb2_grpc, types_pb2
from sqlalchemy import select, update

from matcher import LabelRecord, index, label, merkle, oprf, token
from matcher import identity as identities
from node import manifest as manifests
from node import respond
from node.importer import import_item
from node.interceptors import Edge
from node.keyring import KeyRing
from node.node import Node
from node.peer_service import PeerServicer
from node.store import tables

ITEMS = ("C21", "Z59b", "C23", "D34")
Responses = Iterator[Any]


def honest(_node: Node, answers: Any) -> Any:
    return answers


@dataclass(frozen=True)
class Cheat:
    """What is altered: the manifest's fields, the streams, the key, the database."""

    manifest: Callable[[types_pb2.Manifest], None] = lambda _manifest: None
    sign: Callable[[Node, bytes], bytes] = lambda node, serialised: manifests.sign(
        serialised, node.keys.signing
    )
    evaluate: Callable[[Node, Responses], Responses] = honest
    fetch: Callable[[Node, Responses], Responses] = honest
    packed: bool = False  # `fetch` sees responses with several buckets
    filter: Callable[[Node, Responses], Responses] = honest
    node: Callable[[Node], Node] = lambda node: node
    cook: Callable[[Node, World], None] = lambda _node, _world: None


class CheatingServicer(PeerServicer):
    def __init__(self, node: Node, cheat: Cheat) -> None:
        super().__init__(cheat.node(node))
        self.honest_node, self.cheat = node, cheat

    def GetManifest(self, request, call):  # noqa: N802
        offered = PeerServicer(self.honest_node).GetManifest(request, call)
        message = types_pb2.Manifest.FromString(offered.signed_manifest.manifest)
        self.cheat.manifest(message)
        serialised = message.SerializeToString(deterministic=True)
        signature = self.cheat.sign(self.honest_node, serialised)
        return match_pb2.GetManifestResponse(
            signed_manifest=types_pb2.SignedManifest(manifest=serialised, signature=signature)
        )

    def Evaluate(self, requests, call):  # noqa: N802
        yield from self.cheat.evaluate(self.honest_node, super().Evaluate(requests, call))

    def FetchFilter(self, request, call):  # noqa: N802
        yield from self.cheat.filter(self.honest_node, super().FetchFilter(request, call))

    def FetchBuckets(self, request, call):  # noqa: N802
        responses = super().FetchBuckets(request, call)
        yield from self.cheat.fetch(
            self.honest_node, responses if self.cheat.packed else one_bucket_each(responses)
        )


@contextmanager
def serve_cheat(home: Path, cheat: Cheat, world: World) -> Iterator[int]:
    node = open_home(home)
    cheat.cook(node, world)
    server = grpc.server(ThreadPoolExecutor(8), interceptors=(Edge(),))
    service_pb2_grpc.add_PeerServiceServicer_to_server(CheatingServicer(node, cheat), server)
    credentials = grpc.ssl_server_credentials(
        [(node.keys.tls_key, node.keys.certificate)],
        root_certificates=node.keys.ca,
        require_client_auth=True,
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield port
    finally:
        server.stop(0).wait()
        respond._tree.cache_clear()
        node.store.dispose()


# ---- ways to cheat


def manifest(**changes: Any) -> Cheat:
    def alter(message: types_pb2.Manifest) -> None:
        for name, value in changes.items():
            if name in ("suites", "items"):
                del getattr(message, name)[:]
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)

    return Cheat(manifest=alter)


def dated(issued: timedelta, expires: timedelta) -> Cheat:
    def alter(message: types_pb2.Manifest) -> None:
        now = datetime.now(UTC)
        message.issued_at.FromDatetime(now + issued)
        message.expires_at.FromDatetime(now + expires)

    return Cheat(manifest=alter)


def partitions(change: Callable[[types_pb2.Partition], None]) -> Cheat:
    def alter(message: types_pb2.Manifest) -> None:
        for part in message.partitions:
            change(part)

    return Cheat(manifest=alter)


def doubled(message: types_pb2.Manifest) -> None:
    message.partitions.add().CopyFrom(message.partitions[0])


def other_key(node: Node) -> Node:
    return replace(node, ring=KeyRing.fixed(replace(node.keys, oprf=secrets.token_bytes(32))))


def chunks(change: Callable[[Node, match_pb2.EvaluatedChunk], None]) -> Cheat:
    def alter(node: Node, responses: Responses) -> Responses:
        for response in responses:
            if response.WhichOneof("message") == "chunk":
                change(node, response.chunk)
            yield response

    return Cheat(evaluate=alter)


def every_second(node: Node, chunk: match_pb2.EvaluatedChunk) -> None:
    wrong = oprf.evaluate(secrets.token_bytes(32), chunk.points)
    mixed = bytearray(chunk.points)
    for at in range(0, len(mixed), 64):
        mixed[at : at + 32] = wrong[at : at + 32]
    chunk.points = bytes(mixed)


def set_points(points: Callable[[bytes], bytes]) -> Callable[[Node, match_pb2.EvaluatedChunk], None]:
    def change(_node: Node, chunk: match_pb2.EvaluatedChunk) -> None:
        chunk.points = points(chunk.points)

    return change


def set_sequence(_node: Node, chunk: match_pb2.EvaluatedChunk) -> None:
    chunk.sequence += 1


def wrong_transcript(_node: Node, responses: Responses) -> Responses:
    for response in responses:
        if response.WhichOneof("message") == "done":
            response.done.transcript = bytes(32)
        yield response


def without_accepted(_node: Node, responses: Responses) -> Responses:
    next(responses)
    yield from responses


def accepted_twice(_node: Node, responses: Responses) -> Responses:
    first = next(responses)
    yield first
    yield first
    yield from responses


def other_epoch(_node: Node, responses: Responses) -> Responses:
    first = next(responses)
    first.accepted.epoch += 1
    yield first
    yield from responses


def endless_chunks(_node: Node, responses: Responses) -> Responses:
    for response in responses:
        if response.WhichOneof("message") == "done":
            extra = match_pb2.EvaluatedChunk(sequence=10_000, points=token.canary_points()[:32])
            while True:
                yield match_pb2.EvaluateResponse(chunk=extra)
        yield response


def one_bucket_each(responses: Responses) -> Responses:
    """As a responder does that packs nothing."""
    for response in responses:
        others = list(response.more)
        del response.more[:]
        yield response
        for whole in others:
            yield match_pb2.FetchBucketsResponse(
                bucket=whole.bucket, size=len(whole.data), data=whole.data, path=whole.path
            )


def packed(change: Callable[[match_pb2.FetchBucketsResponse], None]) -> Cheat:
    """Changes one response with several buckets in it."""

    def alter(_node: Node, responses: Responses) -> Responses:
        response = next(responses)
        assert response.more
        change(response)
        yield response
        yield from responses

    return Cheat(fetch=alter, packed=True)


def flip_packed(response: match_pb2.FetchBucketsResponse) -> None:
    full = next(whole for whole in response.more if whole.data)
    full.data = full.data[:-1] + bytes([full.data[-1] ^ 1])


def swap_packed(response: match_pb2.FetchBucketsResponse) -> None:
    """The first bucket and the second, each under the other's number."""
    second = response.more[0]
    response.data, second.data = second.data, response.data
    response.size = len(response.data)
    here, there = list(response.path), list(second.path)
    response.path[:], second.path[:] = there, here


def forge_packed_path(response: match_pb2.FetchBucketsResponse) -> None:
    response.more[0].path[:] = [bytes(32)] * len(response.path)


def repeat_packed(response: match_pb2.FetchBucketsResponse) -> None:
    response.more.append(response.more[-1])


def pack_behind_a_part(response: match_pb2.FetchBucketsResponse) -> None:
    """The first bucket is not whole, and others follow."""
    response.data = response.data[:-68]


def slices(change: Callable[[match_pb2.FetchBucketsResponse], None]) -> Cheat:
    def alter(_node: Node, responses: Responses) -> Responses:
        for response in responses:
            change(response)
            yield response

    return Cheat(fetch=alter)


def flip(response: match_pb2.FetchBucketsResponse) -> None:
    data = bytearray(response.data)
    if data:
        data[len(data) // 2] ^= 1
    response.data = bytes(data)


def shorten(response: match_pb2.FetchBucketsResponse) -> None:
    response.data, response.size = response.data[:-68], max(response.size - 68, 0)


def lengthen(response: match_pb2.FetchBucketsResponse) -> None:
    response.size = 2**31
    response.data = bytes(65_536)


def forge_path(response: match_pb2.FetchBucketsResponse) -> None:
    response.path[:] = [bytes(32) for _ in response.path] or [bytes(32)]


def renumber(response: match_pb2.FetchBucketsResponse) -> None:
    response.bucket ^= 1


def swapped(_node: Node, responses: Responses) -> Responses:
    """The content of every bucket under the number of its neighbour."""
    kept = list(responses)
    for here, there in itertools.zip_longest(kept[::2], kept[1::2]):
        if there is not None:
            here.data, there.data = there.data, here.data
            here.size, there.size = there.size, here.size
            del_path, here_path = list(there.path), list(here.path)
            here.path[:], there.path[:] = del_path, here_path
    yield from kept


def endless_bucket(_node: Node, responses: Responses) -> Responses:
    first = next(responses)
    first.size = 2**32 - 1
    offset = 0
    while True:
        yield match_pb2.FetchBucketsResponse(
            bucket=first.bucket, size=first.size, offset=offset, data=bytes(500_000), path=first.path
        )
        offset += 500_000


def empty_parts(_node: Node, responses: Responses) -> Responses:
    first = next(responses)
    whole = first.data
    first.data = whole[:68]
    yield first
    while True:
        yield match_pb2.FetchBucketsResponse(bucket=first.bucket, size=first.size, offset=68)


def one_bucket_more(_node: Node, responses: Responses) -> Responses:
    last = None
    for last in responses:
        yield last
    last.bucket += 1
    yield last


def stops_early(_node: Node, responses: Responses) -> Responses:
    next(responses)
    yield from ()


# ---- cooked databases: the responder signs the root of what it altered


def cook(item: str, origin: str, change: Callable[[Node, bytes], bytes]) -> Callable[[Node, World], None]:
    """Alter every bucket of a partition, and the tree over them with it."""

    def write(node: Node, _world: World) -> None:
        part, rows = tables.partitions, tables.buckets
        with node.store.transaction("cook", write=True) as tx:
            identifier, cut = tx.execute(
                select(part.c.id, part.c.cut_id).where(
                    part.c.item == item, part.c.origin == origin, part.c.is_current
                )
            ).one()
            leaves = []
            for row in tx.execute(
                select(rows.c.number, rows.c.entries).where(rows.c.cut_id == cut).order_by(rows.c.number)
            ).all():
                entries = change(node, bytes(row.entries))
                leaves.append(index.bucket_leaf(row.number, entries))
                tx.execute(
                    update(rows)
                    .where(rows.c.cut_id == cut, rows.c.number == row.number)
                    .values(entries=entries)
                )
            tx.execute(
                update(part)
                .where(part.c.id == identifier)
                .values(root=merkle.root(leaves), leaves=b"".join(leaves))
            )

    return write


def rows_of(entries: bytes) -> list[bytes]:
    return [entries[at : at + 68] for at in range(0, len(entries), 68)]


def planted_tags(node: Node, item: str, origin: str) -> dict[bytes, bytes]:
    """Label keys of a partition's planted subjects by tag."""
    count = node.config.limits.planted_per_partition
    found = [identities.planted(item, origin, f"hit-{number}") for number in range(count)]
    points = oprf.evaluate_own(node.keys.oprf, token.map_batch(node.keys.salt, found))
    return dict(
        token.entry_keys(token.token_secret(points[at : at + 32]), item, 1)
        for at in range(0, len(points), 32)
    )


def drop_planted(node: Node, entries: bytes) -> bytes:
    hidden = planted_tags(node, "C21", "45")
    return b"".join(row for row in rows_of(entries) if row[:16] not in hidden)


def reseal(
    item: str, change: Callable[[LabelRecord], LabelRecord], planted: bool
) -> Callable[[Node, bytes], bytes]:
    """Seal other contents under the right keys: of planted subjects, or of the people of `known`."""

    def alter(node: Node, entries: bytes) -> bytes:
        keys = planted_tags(node, item, "45") if planted else known_tags(node, item)
        associated = label.associated_data(item, "45", 1)
        out = []
        for row in rows_of(entries):
            tag, sealed = row[:16], row[16:]
            if tag in keys:
                record = change(label.open_label(keys[tag], sealed, associated))
                sealed = label.seal(keys[tag], record, associated, secrets.token_bytes(12))
            out.append(tag + sealed)
        return b"".join(out)

    return alter


def known_tags(node: Node, item: str) -> dict[bytes, bytes]:
    """The responder knows the numbers in its own registers."""
    numbers = list(KNOWN)
    points = oprf.evaluate_own(node.keys.oprf, token.map_batch(node.keys.salt, numbers))
    return dict(
        token.entry_keys(token.token_secret(points[at : at + 32]), item, 1)
        for at in range(0, len(points), 32)
    )


KNOWN: set[Any] = set()


def spoil_labels(_node: Node, entries: bytes) -> bytes:
    return b"".join(row[:-1] + bytes([row[-1] ^ 1]) for row in rows_of(entries))


def unsort(_node: Node, entries: bytes) -> bytes:
    return b"".join(reversed(rows_of(entries)))


def double(_node: Node, entries: bytes) -> bytes:
    rows = rows_of(entries)
    return b"".join(rows[:1] + rows)


def ragged(_node: Node, entries: bytes) -> bytes:
    return entries[:-1]


def altered(**changes: Any) -> Callable[[LabelRecord], LabelRecord]:
    return lambda record: replace(record, **changes)


def serve_older(node: Node, world: World) -> None:
    """Publish a new version, then serve the old one under its name and digests' place."""
    path = next(p for p in (world.data / "44" / "registers").iterdir() if "_C21_" in p.name)
    import_item(node, "C21", [path])
    rows, part = tables.buckets, tables.partitions
    with node.store.transaction("cook", write=True) as tx:
        versions = tx.execute(
            select(part.c.id, part.c.cut_id, part.c.origin, part.c.is_current, part.c.leaves).where(
                part.c.item == "C21"
            )
        ).all()
        for origin in {row.origin for row in versions}:
            old = next(row for row in versions if row.origin == origin and not row.is_current)
            new = next(row for row in versions if row.origin == origin and row.is_current)
            for row in tx.execute(select(rows).where(rows.c.cut_id == old.cut_id)).all():
                tx.execute(
                    update(rows)
                    .where(rows.c.cut_id == new.cut_id, rows.c.number == row.number)
                    .values(entries=row.entries)
                )
            tx.execute(update(part).where(part.c.id == new.id).values(leaves=old.leaves))


CHEATS: dict[str, tuple[Cheat, str, str]] = {
    "manifest_of_another_key": (
        Cheat(sign=lambda _node, serialised: manifests.sign(serialised, secrets.token_bytes(32))),
        "distrusted",
        "manifest_signature",
    ),
    "manifest_without_signature": (
        Cheat(sign=lambda _node, _serialised: b""),
        "distrusted",
        "manifest_signature",
    ),
    "manifest_for_another_requester": (manifest(requester="46"), "distrusted", "manifest_parties"),
    "manifest_of_another_responder": (manifest(responder="33"), "distrusted", "manifest_parties"),
    "manifest_from_the_future": (dated(timedelta(hours=1), timedelta(hours=2)), "refused", "clock"),
    "manifest_expired": (dated(-timedelta(hours=30), -timedelta(hours=6)), "refused", "clock"),
    "manifest_of_another_suite": (manifest(suites=["SM2-SM3"]), "refused", "unknown_suite"),
    "manifest_of_another_salt": (manifest(salt_check=bytes(8)), "refused", "salt_not_current"),
    "manifest_of_another_salt_version": (manifest(salt_version=9), "refused", "salt_not_current"),
    "manifest_of_another_catalogue": (
        manifest(catalogue_digest=bytes(32)),
        "refused",
        "catalogue_mismatch",
    ),
    "manifest_with_short_canaries": (manifest(canaries=bytes(32)), "distrusted", "manifest_form"),
    "manifest_without_planted": (
        partitions(lambda part: part.planted.__delitem__(slice(None))),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_too_many_buckets": (
        partitions(lambda part: setattr(part, "bucket_bits", 25)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_too_many_entries": (
        partitions(lambda part: setattr(part, "entries", 2**60)),
        "distrusted",
        "manifest_form",
    ),
    "manifest_with_a_partition_twice": (Cheat(manifest=doubled), "distrusted", "manifest_form"),
    "manifest_of_mixed_epochs": (
        partitions(lambda part: setattr(part, "epoch", 7)),
        "distrusted",
        "manifest_form",
    ),
    "canaries_of_another_key": (
        manifest(canaries=oprf.evaluate_own(bytes(range(32)), token.canary_points())),
        "distrusted",
        "canary",
    ),
    "another_key_for_all": (Cheat(node=other_key), "distrusted", "canary"),
    "another_key_for_some": (chunks(every_second), "distrusted", "canary planted transcript"),
    "wrong_transcript": (Cheat(evaluate=wrong_transcript), "distrusted", "transcript"),
    "more_points_back": (
        chunks(set_points(lambda points: points + points[:32])),
        "distrusted",
        "length",
    ),
    "fewer_points_back": (chunks(set_points(lambda points: points[:-32])), "distrusted", "length"),
    "no_points_back": (chunks(set_points(lambda _points: b"")), "distrusted", "length"),
    "twist_points_back": (
        chunks(set_points(lambda points: (2).to_bytes(32, "little") + points[32:])),
        "distrusted",
        "point",
    ),
    "zero_points_back": (chunks(set_points(lambda points: bytes(len(points)))), "distrusted", "point"),
    "low_order_points_back": (
        chunks(set_points(lambda points: points[:-32] + (1).to_bytes(32, "little"))),
        "distrusted",
        "point",
    ),
    "chunks_out_of_order": (chunks(set_sequence), "distrusted", "sequence"),
    "endless_chunks": (Cheat(evaluate=endless_chunks), "distrusted", "sequence"),
    "stream_without_accepted": (Cheat(evaluate=without_accepted), "distrusted", "stream"),
    "accepted_twice": (Cheat(evaluate=accepted_twice), "distrusted", "stream"),
    "accepted_for_another_epoch": (Cheat(evaluate=other_epoch), "distrusted", "stream"),
    "stream_that_stops_early": (Cheat(evaluate=stops_early), "unavailable", "unavailable"),
    "bucket_altered": (slices(flip), "distrusted", "bucket_digest"),
    "bucket_shortened": (slices(shorten), "distrusted", "bucket_digest"),
    "bucket_larger_than_can_be": (slices(lengthen), "distrusted", "bucket_size"),
    "bucket_with_a_forged_path": (slices(forge_path), "distrusted", "bucket_digest"),
    "bucket_with_another_number": (slices(renumber), "distrusted", "bucket_order"),
    "buckets_swapped": (Cheat(fetch=swapped), "distrusted", "bucket_digest"),
    "packed_bucket_altered": (packed(flip_packed), "distrusted", "bucket_digest"),
    "packed_buckets_swapped": (packed(swap_packed), "distrusted", "bucket_digest"),
    "packed_bucket_with_a_forged_path": (packed(forge_packed_path), "distrusted", "bucket_digest"),
    "packed_bucket_twice": (packed(repeat_packed), "distrusted", "bucket_order"),
    "buckets_packed_behind_a_part": (packed(pack_behind_a_part), "distrusted", "bucket_order"),
    "bucket_without_end": (Cheat(fetch=endless_bucket), "distrusted", "bucket_size"),
    "bucket_in_empty_parts": (Cheat(fetch=empty_parts), "distrusted", "bucket_size"),
    "one_bucket_more": (Cheat(fetch=one_bucket_more), "distrusted", "bucket_order"),
    "buckets_that_stop_early": (Cheat(fetch=stops_early), "unavailable", "unavailable"),
    "buckets_of_an_older_version": (Cheat(cook=serve_older), "distrusted", "bucket_digest"),
    "planted_row_missing": (Cheat(cook=cook("C21", "45", drop_planted)), "distrusted", "planted"),
    "planted_row_altered": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(value=77), planted=True))),
        "distrusted",
        "planted",
    ),
    "planted_row_unmarked": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(planted=False), planted=True))),
        "distrusted",
        "planted",
    ),
    "bucket_unsorted": (Cheat(cook=cook("C21", "45", unsort)), "distrusted", "bucket_form"),
    "bucket_with_a_tag_twice": (
        Cheat(cook=cook("C21", "45", double)),
        "distrusted",
        "bucket_form bucket_size",
    ),
    "bucket_ragged": (Cheat(cook=cook("C21", "45", ragged)), "distrusted", "bucket_form"),
    "labels_altered": (Cheat(cook=cook("C21", "45", spoil_labels)), "distrusted", "label"),
    "label_of_an_impossible_date": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(as_of=2**32 - 1), planted=False))),
        "distrusted",
        "label_content",
    ),
    "label_of_an_enormous_count": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(value=2**64 - 1), planted=False))),
        "distrusted",
        "label_content",
    ),
    "label_of_another_level": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(level=5), planted=False))),
        "distrusted",
        "label_content label",
    ),
    "label_of_a_person_marked_planted": (
        Cheat(cook=cook("C21", "45", reseal("C21", altered(planted=True), planted=False))),
        "distrusted",
        "label_content",
    ),
    "band_beyond_the_table": (
        Cheat(cook=cook("D34", "45", reseal("D34", altered(value=9), planted=False))),
        "distrusted",
        "label_content",
    ),
}


@pytest.fixture(scope="module")
def asked(world: World):
    verification = read_verification(world.data, ITEMS)
    KNOWN.update(found for subject in verification.subjects for found in subject.identities)
    return verification


@pytest.fixture(scope="module")
def provinces(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Province]]:
    """The requester and the honest 33; 44 is the cheat."""
    with serve_all(world.copy(tmp_path_factory.mktemp("honest"), "45", "33")) as found:
        yield found


@pytest.fixture(scope="module")
def baseline(world: World, provinces: dict[str, Province], asked, tmp_path_factory: pytest.TempPathFactory):
    """The same, with a 44 that is served by the cheating server and alters nothing."""
    home = world.copy(tmp_path_factory.mktemp("honest44"), "44")["44"]
    with serve_cheat(home, Cheat(), world) as port:
        move_peer(provinces["45"].node, "44", port)
        report = run_job(provinces["45"], "baseline", asked)
    assert report.state == "done"
    assert {outcome for outcome, _, _ in findings_of(report, "44").values()} > {"FOUND", "NOT_FOUND", "OVER"}
    return findings_of(report)


@pytest.mark.parametrize("name", CHEATS)
def test_cheating(name: str, world: World, provinces: dict[str, Province], asked, baseline, tmp_path) -> None:
    cheat, state, check = CHEATS[name]
    with serve_cheat(world.copy(tmp_path, "44")["44"], cheat, world) as port:
        move_peer(provinces["45"].node, "44", port)
        report = run_job(provinces["45"], name, asked)
    found_state, reason = part_of(report, "44")
    assert found_state == state, reason
    assert reason.removeprefix("peer_answer_wrong:") in check.split()
    assert {f.outcome.value for f in report.findings if f.peer == "44"} == {
        "NOT_MANDATED",
        "REFUSED" if state == "refused" else "UNAVAILABLE",
    }
    assert all(f.value is None and f.as_of is None for f in report.findings if f.peer == "44")
    assert findings_of(report, "33") == {key: value for key, value in baseline.items() if key[2] == "33"}
    assert report.state == ("failed" if state == "distrusted" else "done")
    # The secrets of the query are erased with it.
    with provinces["45"].node.store.transaction("look") as tx:
        parts, kept = tables.parts, tables.tokens
        assert tx.execute(select(parts.c.session_sealed).where(parts.c.job == name)).scalars().all() == [
            None,
            None,
        ]
        assert tx.execute(select(kept).where(kept.c.job == name)).all() == []
