"""Ways for a responder to cheat: a real server that runs the honest steps and alters their results."""

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
from heqiao.peer.v1 import match_pb2, service_pb2_grpc, types_pb2

from matcher import oprf
from matcher.suites import tokens
from matcher.suites.suite import CURRENT
from matcher.types import TokenClass
from node.context import Node
from node.credentials.keyring import KeyRing
from node.database import Connection
from node.database import queries as query_rows
from node.responder import epochs
from node.services.peer import PeerServicer, peer_admission
from node.transport.interceptors import CallGuard
from node.wire import manifest as manifests
from tests.support.cluster import World, open_home

Responses = Iterator[Any]


def honest(_node: Node, answers: Any) -> Any:
    return answers


@dataclass(frozen=True)
class Cheat:
    """The alterations: of the manifest's fields, the streams, the key, the database."""

    manifest: Callable[[types_pb2.Manifest], None] = lambda _manifest: None
    sign: Callable[[Node, bytes], bytes] = lambda node, serialised: manifests.sign(
        serialised, node.keys.signing
    )
    evaluate: Callable[[Node, Responses], Responses] = honest
    fetch: Callable[[Node, Responses], Responses] = honest
    packed: bool = False  # `fetch` sees responses with several buckets
    partition: Callable[[Node, Responses], Responses] = honest
    delta: Callable[[Node, Responses], Responses] = honest
    node: Callable[[Node], Node] = lambda node: node
    cook: Callable[[Node, World], None] = lambda _node, _world: None

    @property
    def only_speaks(self) -> bool:
        """Whether it alters only what is said: neither its node nor the database."""
        return all(getattr(self, name) is getattr(Cheat, name) for name in ("node", "cook"))


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
        self._issue(call.require_peer().code, manifests.digest(serialised))
        return match_pb2.GetManifestResponse(
            signed_manifest=types_pb2.SignedManifest(manifest=serialised, signature=signature)
        )

    def _issue(self, peer: str, digest: bytes) -> None:
        """A cheat answers queries under the manifest that it made up."""
        node = self.honest_node

        def write(tx: Connection) -> None:
            if query_rows.issued_at(tx, peer, digest) is None:
                query_rows.add_manifest(tx, peer, digest, digest, node.clock())

        node.store.retry_write("issue a manifest", write)

    def Evaluate(self, requests, call):  # noqa: N802
        yield from self.cheat.evaluate(self.honest_node, super().Evaluate(requests, call))

    def FetchPartition(self, request, call):  # noqa: N802
        yield from self.cheat.partition(self.honest_node, super().FetchPartition(request, call))

    def FetchDelta(self, request, call):  # noqa: N802
        yield from self.cheat.delta(self.honest_node, super().FetchDelta(request, call))

    def FetchBuckets(self, request, call):  # noqa: N802
        responses = super().FetchBuckets(request, call)
        yield from self.cheat.fetch(
            self.honest_node, responses if self.cheat.packed else one_bucket_each(responses)
        )


@contextmanager
def serve_cheat(home: Path, cheat: Cheat, world: World) -> Iterator[int]:
    """The port of one that cheats in one way."""
    node = open_home(home)
    cheat.cook(node, world)
    with _serve(node, CheatingServicer(node, cheat)) as port:
        yield port


@contextmanager
def serve_cheats(home: Path) -> Iterator[tuple[int, CheatingServicer]]:
    """The port of one whose `cheat` can be exchanged for another that alters neither database nor node."""
    node = open_home(home)
    servicer = CheatingServicer(node, Cheat())
    with _serve(node, servicer) as port:
        yield port, servicer


@contextmanager
def _serve(node: Node, servicer: CheatingServicer) -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(8), interceptors=(CallGuard(peer_admission(node)),))
    service_pb2_grpc.add_PeerServiceServicer_to_server(servicer, server)
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
        epochs.merkle_tree.cache_clear()
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


def canaries(points: bytes) -> Cheat:
    """The same for each class."""

    def alter(message: types_pb2.Manifest) -> None:
        for each in message.canaries:
            each.points = points

    return Cheat(manifest=alter)


def same_canaries(message: types_pb2.Manifest) -> None:
    """The sensitive class pinned to the key of the ordinary one, so that one token would open both."""
    message.canaries[1].points = message.canaries[0].points


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
            change(node, response.chunk)
            yield response

    return Cheat(evaluate=alter)


def other_class(node: Node, chunk: match_pb2.EvaluatedChunk) -> None:
    """Evaluate an ordinary query under the key of sensitive items."""
    keys = CURRENT.class_keys(node.keys.oprf)
    new, old = keys[TokenClass.SENSITIVE], keys[TokenClass.ORDINARY]
    chunk.points = oprf.rekey(new, old, chunk.points)


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
        if response.HasField("done"):
            response.done.transcript = bytes(32)
        yield response


def other_points_root(_node: Node, responses: Responses, root: bytes = bytes(32)) -> Responses:
    for response in responses:
        if response.HasField("done"):
            response.done.points_root = root
        yield response


def no_points_root(node: Node, responses: Responses) -> Responses:
    return other_points_root(node, responses, b"")


def without_done(_node: Node, responses: Responses) -> Responses:
    for response in responses:
        response.ClearField("done")
        yield response


def done_alone(_node: Node, responses: Responses) -> Responses:
    for response in responses:
        yield match_pb2.EvaluateResponse(chunk=response.chunk)
        yield match_pb2.EvaluateResponse(done=response.done)


def no_answer(_node: Node, responses: Responses) -> Responses:
    for _ in responses:
        yield match_pb2.EvaluateResponse()


def endless_chunks(_node: Node, responses: Responses) -> Responses:
    for response in responses:
        response.ClearField("done")
        yield response
    extra = match_pb2.EvaluatedChunk(sequence=10_000, points=tokens.canary_points()[:32])
    while True:
        yield match_pb2.EvaluateResponse(chunk=extra)


def one_bucket_each(responses: Responses) -> Responses:
    """Sends single buckets, like a responder that packs none together."""
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
