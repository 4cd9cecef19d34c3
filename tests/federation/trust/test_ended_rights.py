"""A stream ends when its right ends: peer, certificate, grants and epoch are looked at at each message."""

import queue
import secrets
from collections.abc import Callable, Iterator

import grpc
import pytest
from heqiao.peer.v1 import match_pb2, service_pb2_grpc

from keys import target_name
from matcher.suites import tokens
from node.database import peers as peer_rows
from node.domain.peers import Grant
from tests.support.calls import fails, good_start
from tests.support.certificates import revoke
from tests.support.cli_runner import ok
from tests.support.cluster import Province, World, channel, serve_all

pytestmark = pytest.mark.usefixtures("keys_at_once")

Code = grpc.StatusCode
POINTS = tokens.canary_points()  # a granule


class OpenQuery:
    """An Evaluate stream of two granules, one sent and answered."""

    def __init__(self, world: World, line: grpc.Channel) -> None:
        stub = service_pb2_grpc.PeerServiceStub(line)
        signed = stub.GetManifest(match_pb2.GetManifestRequest(suites=["X25519-BLAKE3-TAI"])).signed_manifest
        start = good_start(signed)
        start.query_id, start.points_announced = secrets.token_bytes(16), 32
        self._sent: queue.Queue[match_pb2.EvaluateRequest | None] = queue.Queue()
        self._sent.put(match_pb2.EvaluateRequest(start=start))
        self._stream = stub.Evaluate(iter(self._sent.get, None), timeout=120)
        assert not self.send(0).HasField("done")

    def send(self, sequence: int) -> match_pb2.EvaluateResponse:
        chunk = match_pb2.EvaluateChunk(sequence=sequence, points=POINTS)
        self._sent.put(match_pb2.EvaluateRequest(chunk=chunk))
        return next(self._stream)

    def end(self) -> None:
        self._sent.put(None)


def nothing(_world: World, _node: Province, _certificate: bytes) -> None:
    pass


def remove(_world: World, node: Province, _certificate: bytes) -> None:
    assert ok("peers", "remove", "45", "--home", node.home)


def revoke_it(world: World, node: Province, certificate: bytes) -> None:
    revoke(world.federation, node.home, certificate)


def regrant(_world: World, node: Province, _certificate: bytes) -> None:
    with node.node.store.transaction("grant", write=True) as tx:
        peer_rows.set_grants(tx, "45", [Grant("C22", "45")])


def retire(_world: World, node: Province, _certificate: bytes) -> None:
    ok("keys", "rotate", "oprf", "--home", node.home)
    ok("keys", "retire", "oprf", "--now", "--home", node.home)


ENDS: dict[str, tuple[Callable[[World, Province, bytes], None], grpc.StatusCode | None, str]] = {
    "nothing happens": (nothing, None, ""),
    "the peer is removed": (remove, Code.UNAUTHENTICATED, "unknown_peer"),
    "its certificate is revoked": (revoke_it, Code.UNAUTHENTICATED, "unknown_peer"),
    "it is granted something else": (regrant, Code.UNAVAILABLE, "unavailable"),
    "the epoch is retired": (retire, Code.FAILED_PRECONDITION, "epoch_not_current"),
}


@pytest.fixture
def node(world: World, tmp_path) -> Iterator[Province]:
    with serve_all(world.copy(tmp_path, "44")) as provinces:
        yield provinces["44"]


@pytest.mark.parametrize("name", ENDS)
def test_an_open_stream_answers_no_more_points(world: World, node: Province, name: str) -> None:
    change, code, reason = ENDS[name]
    caller = world.federation.client("45")
    with channel(node.port, target_name("44"), caller) as line:
        query = OpenQuery(world, line)
        change(world, node, caller.certificate)
        try:
            if code is None:
                assert query.send(1).HasField("done")
            else:
                assert fails(lambda: query.send(1))[:2] == (code, reason)
        finally:
            query.end()
