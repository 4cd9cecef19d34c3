"""The way to a peer: gRPC with mutual TLS, deadlines, and errors rebuilt (design.md section 8)."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from heqiao.peer.v1 import aggregate_pb2, match_pb2, service_pb2_grpc

from keys import target_name
from keys.succession import Succession
from matcher import SUITE
from node import wire
from node.aggregate import wire as sums_wire
from node.aggregate.exchange import CohortStart, OpenRequest, RowsRequest, RowsSlice, SumAnswer
from node.errors import DishonestPeerError, NodeError, UnavailableError
from node.exchange import (
    BucketRequest,
    BucketSlice,
    EvaluatedChunk,
    EvaluateDone,
    EvaluateStart,
    FilterRequest,
)
from node.idle import IdleGuard
from node.node import Node
from node.probe import server_certificate
from node.status import from_rpc_error
from node.store.peers import PeerRow

Count = Callable[[int, int], None]
OFFER_S = 60.0  # how long a manifest is used for further queries on one connection
_KEEPALIVE = (
    ("grpc.keepalive_time_ms", 30_000),  # a peer whose host vanished is noticed in the middle of a stream
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)
_HEALTH_BYTES = 65_536


class Offer:
    """The manifest that a peer gave last, for the next queries of a caller that keeps its connection.

    It may be outdated by a new epoch or new versions: the peer then refuses the query, and the requester's
    steps ask for the manifest again, which is never answered from here.
    """

    def __init__(self, fresh_s: float = OFFER_S) -> None:
        self._fresh_s = fresh_s
        self._kept: tuple[float, bytes, bytes] | None = None
        self.successions: tuple[Succession, ...] = ()

    def keep(self, manifest: bytes, signature: bytes, successions: tuple[Succession, ...]) -> None:
        """A manifest that just came, with the chain beside it."""
        self._kept = (time.monotonic(), manifest, signature)
        self.successions = successions

    def read(self) -> tuple[bytes, bytes] | None:
        """Manifest and signature, None when they are older than a minute."""
        kept = self._kept
        if kept is None or time.monotonic() - kept[0] > self._fresh_s:
            return None
        return kept[1], kept[2]


class PeerLink:
    """node.session.Link over gRPC. Bytes of all messages go to `count(up, down)`.

    A call, or a stream's next message, may take `call_s`; all calls of a link together `part_s`. With
    `offer`, the first manifest of the link may be one that an earlier link was given. `salts` are the
    versions that manifests are asked for.
    """

    def __init__(
        self,
        line: "Line",
        call_s: float,
        part_s: float,
        count: Count,
        stopped: Callable[[], bool],
        offer: Offer | None = None,
        salts: Callable[[], Iterable[int]] = tuple,
    ) -> None:
        self._line, self._call_s, self._stopped = line, call_s, stopped
        self._offer, self._is_first = offer, True
        self._salts = salts
        self._ends = time.monotonic() + part_s
        self._counter, self._lock = count, threading.Lock()
        self.successions: tuple[Succession, ...] = ()

    @classmethod
    @contextmanager
    def open(
        cls,
        node: Node,
        peer: PeerRow,
        count: Count = lambda _up, _down: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> "Iterator[PeerLink]":
        """Connect as this node to a peer; the peer's certificate must name the peer's province.

        Streams are given up soon after `stopped()` holds. Raises as Line does.
        """
        with Line(node, peer) as line:
            yield cls.over(line, node, count, stopped)

    @classmethod
    def over(
        cls,
        line: "Line",
        node: Node,
        count: Count,
        stopped: Callable[[], bool] = lambda: False,
        offer: Offer | None = None,
    ) -> "PeerLink":
        """A link over a connection that is kept for several queries; its time begins now."""
        limits = node.config.limits
        return cls(
            line,
            limits.call_timeout_s,
            limits.part_timeout_s,
            count,
            stopped,
            offer,
            lambda: node.keys.salts,
        )

    def get_manifest(self) -> tuple[bytes, bytes]:
        """See node.session.Link."""
        kept = self._offer.read() if self._offer and self._is_first else None
        self._is_first = False
        if kept is not None and self._offer:
            self.successions = self._offer.successions
            return kept
        found = self._manifest(with_sums=False)
        if self._offer:
            self._offer.keep(*found, self.successions)
        return found

    def _manifest(self, *, with_sums: bool) -> tuple[bytes, bytes]:
        request = match_pb2.GetManifestRequest(
            suites=[SUITE], with_sums=with_sums, salt_versions=sorted(self._salts())
        )
        try:
            response = self._line.stub.GetManifest(request, timeout=self._call_s)
        except grpc.RpcError as error:
            raise self._line.rebuild(error) from None
        self._count(request.ByteSize(), response.ByteSize())
        self.successions = wire.parse_successions(response.successions)
        return response.signed_manifest.manifest, response.signed_manifest.signature

    def evaluate(
        self, start: EvaluateStart, chunks: Iterable[bytes]
    ) -> Iterator[EvaluatedChunk | EvaluateDone]:
        """See node.session.Link. Raises DishonestPeerError when the stream is out of step."""

        def send() -> Iterator[match_pb2.EvaluateRequest]:
            opening = wire.start_message(start)
            self._count(opening.ByteSize(), 0)
            yield opening
            for sequence, points in enumerate(chunks):
                message = match_pb2.EvaluateRequest(
                    chunk=match_pb2.EvaluateChunk(sequence=sequence, points=points)
                )
                self._count(message.ByteSize(), 0)
                yield message

        accepted = False
        for response in self._receive(self._line.stub.Evaluate(send(), timeout=self._left())):
            kind = response.WhichOneof("message")
            if kind == "accepted" and not accepted:
                if response.accepted.suite != SUITE or response.accepted.epoch != start.epoch:
                    raise DishonestPeerError(
                        "the peer accepts another suite or epoch than was asked", details={"check": "stream"}
                    )
                accepted = True
            elif kind == "chunk" and accepted:
                yield EvaluatedChunk(response.chunk.sequence, response.chunk.points)
            elif kind == "done" and accepted:
                yield EvaluateDone(response.done.transcript)
            else:
                raise DishonestPeerError("the peer's stream is out of step", details={"check": "stream"})

    def fetch_filter(self, request: FilterRequest) -> Iterator[tuple[int, bytes]]:
        """See node.session.Link."""
        message = wire.filter_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._receive(self._line.stub.FetchFilter(message, timeout=self._left())):
            yield response.offset, response.data

    def fetch_buckets(self, request: BucketRequest) -> Iterator[BucketSlice]:
        """See node.session.Link."""
        message = wire.bucket_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._receive(self._line.stub.FetchBuckets(message, timeout=self._left())):
            yield from wire.parse_slices(response)

    def get_sum_manifest(self) -> tuple[bytes, bytes]:
        """See node.aggregate.request.SumLink."""
        return self._manifest(with_sums=True)

    def evaluate_cohort(self, start: CohortStart, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """See node.aggregate.request.SumLink."""

        def send() -> Iterator[aggregate_pb2.EvaluateCohortRequest]:
            opening = sums_wire.start_message(start)
            self._count(opening.ByteSize(), 0)
            yield opening
            for sequence, points in enumerate(chunks):
                chunk = aggregate_pb2.CohortChunk(sequence=sequence, points=points)
                message = aggregate_pb2.EvaluateCohortRequest(chunk=chunk)
                self._count(message.ByteSize(), 0)
                yield message

        for response in self._receive(self._line.stub.EvaluateCohort(send(), timeout=self._left())):
            yield response.chunk.sequence, response.chunk.points

    def fetch_rows(self, request: RowsRequest, ciphertext_size: int) -> Iterator[RowsSlice]:
        """See node.aggregate.request.SumLink."""
        message = sums_wire.rows_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._receive(self._line.stub.FetchRows(message, timeout=self._left())):
            yield sums_wire.parse_slice(response, ciphertext_size)

    def open_sums(self, request: OpenRequest) -> tuple[SumAnswer, ...]:
        """See node.aggregate.request.SumLink."""
        message = sums_wire.open_request_message(request)
        try:
            response = self._line.stub.OpenSums(message, timeout=self._call_s)
        except grpc.RpcError as error:
            raise self._line.rebuild(error) from None
        self._count(message.ByteSize(), response.ByteSize())
        return sums_wire.parse_answers(response, request.items)

    def _receive(self, stream: Any) -> Iterator[Any]:
        try:
            with IdleGuard(stream.cancel, self._call_s, self._stopped) as guard:
                for response in stream:
                    self._count(0, response.ByteSize())
                    guard.moved()
                    yield response
                    guard.moved()
        except grpc.RpcError as error:
            raise self._line.rebuild(error) from None
        finally:
            stream.cancel()  # no effect on a stream that has ended

    def _left(self) -> float:
        return max(self._ends - time.monotonic(), 0.001)

    def _count(self, up: int, down: int) -> None:
        # gRPC sends from a thread of its own while this one receives.
        with self._lock:
            self._counter(up, down)


class Line:
    """A connection as this node to a peer, whose certificate must name the peer's province.

    Where there is a revocation list, the peer's certificate is asked for first, and is the only one that the
    connection trusts. So a peer that is away is asked again at the next call, and so is one whose
    connection failed: it may have renewed its certificate meanwhile. So it is where our own certificate or
    the roots that we trust are no longer those the connection began with.
    """

    def __init__(self, node: Node, peer: PeerRow) -> None:
        """Connect, if the peer is there. Raises StrangerError for a revoked certificate."""
        self._node, self._peer = node, peer
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._stub: service_pb2_grpc.PeerServiceStub | None = None
        self._pinned, self._identity = False, self._now()
        with suppress(UnavailableError):  # the first call says so, and may be made again
            self._stub = self._dial()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def stub(self) -> service_pb2_grpc.PeerServiceStub:
        """The peer's calls. Raises StrangerError as `__init__`, UnavailableError while the peer is away."""
        with self._lock:
            if self._stub is None:
                self._stub = self._dial()
            return self._stub

    def rebuild(self, error: grpc.RpcError) -> NodeError:
        """The error of a call that failed."""
        found = from_rpc_error(error)
        if isinstance(found, UnavailableError) and (self._pinned or self._identity != self._now()):
            self.close()
        return found

    def close(self) -> None:
        """End the connection; a later call makes another."""
        with self._lock:
            self._stub = None
            self._stack.close()

    def _now(self) -> tuple[bytes, bytes]:
        keys = self._node.keys
        return keys.ca, keys.certificate

    def _dial(self) -> service_pb2_grpc.PeerServiceStub:
        node, peer = self._node, self._peer
        check = _PeerCheck(node, peer)
        keys = node.keys
        identity = (check.certificate or keys.ca, keys.tls_key, keys.certificate)
        most = node.config.limits.max_message_bytes
        channel = self._stack.enter_context(
            secure_channel(peer.address, target_name(peer.code), identity, most)
        )
        self._pinned, self._identity = bool(check.certificate), (keys.ca, keys.certificate)
        return service_pb2_grpc.PeerServiceStub(grpc.intercept_channel(channel, check))


class _PeerCheck(
    grpc.UnaryUnaryClientInterceptor,  # type: ignore[misc]  # grpc has no types
    grpc.UnaryStreamClientInterceptor,  # type: ignore[misc]
    grpc.StreamStreamClientInterceptor,  # type: ignore[misc]
):
    """Refuses a peer whose certificate is on the revocation list, before each call.

    Where there is a list, the peer's certificate is asked for first and then the only one that the channel
    trusts: who holds a revoked key cannot take the connection over afterwards. The list is looked at again
    before each call, so that one that comes later ends what is open.
    """

    def __init__(self, node: Node, peer: PeerRow) -> None:
        """Raises StrangerError for a revoked certificate, UnavailableError when the peer does not answer."""
        self._node, self._peer = node, peer
        self._number = 0
        self.certificate = b""
        self.require_good()

    def require_good(self) -> None:
        """Raises as `__init__` does."""
        found = self._node.revocations.current
        if found.number == self._number:
            return
        self.certificate = self.certificate or self._ask()
        self._node.revocations.require_good(self.certificate, f"peer {self._peer.code}")
        self._number = found.number

    def _ask(self) -> bytes:
        timeout_s = self._node.config.limits.call_timeout_s
        return server_certificate(
            self._peer.address, target_name(self._peer.code), self._node.keys.ca, timeout_s
        )

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, request)

    def intercept_unary_stream(self, continuation: Any, details: Any, request: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, request)

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        """Check, then call."""
        self.require_good()
        return continuation(details, requests)


@contextmanager
def secure_channel(
    address: str, name: str, identity: tuple[bytes, bytes, bytes], max_message_bytes: int
) -> Iterator[grpc.Channel]:
    """A channel with mutual TLS; `identity` is CA, private key and certificate, all PEM.

    The server must hold a certificate for `name`, which stands for the province and not for the host:
    no other node of the federation can answer in its place.
    """
    ca, key, certificate = identity
    credentials = grpc.ssl_channel_credentials(ca, key, certificate)
    options = (
        *_KEEPALIVE,
        ("grpc.ssl_target_name_override", name),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
    )
    channel = grpc.secure_channel(address, credentials, options=options)
    try:
        yield channel
    finally:
        channel.close()


def check_health(
    address: str, name: str, identity: tuple[bytes, bytes, bytes], service: str, timeout_s: float
) -> bool:
    """Ask grpc.health.v1 (grpc/doc/health-checking.md) whether a service of a node serves.

    Address, name and identity are those of `secure_channel`. Raises NodeError kinds, UnavailableError
    when nobody answers in time.
    """
    with secure_channel(address, name, identity, _HEALTH_BYTES) as channel:
        try:
            response = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=service), timeout=timeout_s
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from None
    return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
