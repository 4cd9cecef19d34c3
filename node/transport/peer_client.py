"""The calls to a peer: gRPC, deadlines, and errors rebuilt (design.md section 8)."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import Message
from heqiao.peer.v1 import aggregate_pb2, match_pb2

from keys.signing_chain import Succession
from matcher import SUITE
from matcher.bucket_changes import BucketChange
from matcher.suites.x25519 import POINT_SIZE
from node.context import Node
from node.domain.peers import PeerRow
from node.telemetry.request_id import current_request, new_request_id, request_metadata
from node.transport.channel import PeerChannel
from node.transport.deadlines import shortened
from node.transport.idle_timeout import BYTES_A_SECOND, POINTS_A_SECOND, IdleGuard
from node.wire import catalogue, match, mirror
from node.wire import sums as sums_wire
from node.wire.match_messages import (
    BucketRequest,
    BucketSlice,
    EvaluatedChunk,
    EvaluateStart,
)
from node.wire.mirror_messages import DeltaRequest, PartitionPiece, PartitionRequest
from node.wire.sum_messages import CohortStart, OpenRequest, RowsRequest, RowsSlice, SumAnswer

Count = Callable[[int, int], None]
POINTS_PACE = POINTS_A_SECOND * POINT_SIZE  # bytes a second
MANIFEST_S = 60.0  # how long a manifest is used for further queries on one connection


class ManifestCache:
    """The last manifest of a peer, for the next queries of a caller that keeps its connection.

    It may be outdated by a new epoch or new versions: the peer then refuses the query, and the requester's
    steps ask for the manifest again, which is never taken from this cache.
    """

    def __init__(self, fresh_s: float = MANIFEST_S) -> None:
        self._fresh_s = fresh_s
        self._kept: tuple[float, bytes, bytes] | None = None
        self.successions: tuple[Succession, ...] = ()

    def keep(self, manifest: bytes, signature: bytes, successions: tuple[Succession, ...]) -> None:
        """Store a manifest that just came, with its chain."""
        self._kept = (time.monotonic(), manifest, signature)
        self.successions = successions

    def read(self) -> tuple[bytes, bytes] | None:
        """Manifest and signature, None when they are older than a minute."""
        kept = self._kept
        if kept is None or time.monotonic() - kept[0] > self._fresh_s:
            return None
        return kept[1], kept[2]


class PeerClient:
    """node.requester.context.PeerCalls over gRPC. Bytes of all messages go to `count(up, down)`.

    A call, or a stream's next message, may take `call_s`; all calls of a client together `part_s`, and where
    `allowed_s` is given, no more than that and a second for each 64 KiB received. With `manifests`, the first
    manifest may be one that an earlier client received. `salts` are the salt versions that this node has. All
    calls carry one request id: the current one, or a new one.
    """

    def __init__(
        self,
        channel: PeerChannel,
        call_s: float,
        part_s: float,
        count: Count,
        stopped: Callable[[], bool],
        manifests: ManifestCache | None = None,
        salts: Callable[[], Iterable[int]] = tuple,
        allowed_s: float = math.inf,
    ) -> None:
        self._channel, self._call_s, self._stopped = channel, call_s, stopped
        self._manifests, self._is_first = manifests, True
        self._salts = salts
        self._began = time.monotonic()
        self._part_s, self._allowed_s, self._received = part_s, allowed_s, 0
        self._counter, self._lock = count, threading.Lock()
        self._metadata = request_metadata(current_request() or new_request_id())
        self.successions: tuple[Succession, ...] = ()

    @classmethod
    @contextmanager
    def open(
        cls,
        node: Node,
        peer: PeerRow,
        count: Count = lambda _up, _down: None,
        stopped: Callable[[], bool] = lambda: False,
        allowed_s: float = math.inf,
    ) -> "Iterator[PeerClient]":
        """Connect as this node to a peer; the peer's certificate must name the peer's province.

        Streams are cancelled soon after `stopped()` holds. Raises as PeerChannel does.
        """
        with PeerChannel(node, peer) as channel:
            yield cls.over(channel, node, count, stopped, allowed_s=allowed_s)

    @classmethod
    def over(
        cls,
        channel: PeerChannel,
        node: Node,
        count: Count,
        stopped: Callable[[], bool] = lambda: False,
        manifests: ManifestCache | None = None,
        allowed_s: float = math.inf,
    ) -> "PeerClient":
        """A client over a connection that is kept for several queries; its time begins now."""
        limits = node.config.limits
        return cls(
            channel,
            limits.call_timeout_s,
            limits.part_timeout_s,
            count,
            stopped,
            manifests,
            lambda: node.keys.salts,
            allowed_s,
        )

    def get_manifest(self, epoch: int = 0) -> tuple[bytes, bytes]:
        """See node.requester.context.PeerCalls."""
        if epoch:
            return self._manifest(with_sums=False, epoch=epoch)
        kept = self._manifests.read() if self._manifests and self._is_first else None
        self._is_first = False
        if kept is not None and self._manifests:
            self.successions = self._manifests.successions
            return kept
        found = self._manifest(with_sums=False)
        if self._manifests:
            self._manifests.keep(*found, self.successions)
        return found

    def _manifest(self, *, with_sums: bool, epoch: int = 0) -> tuple[bytes, bytes]:
        request = match_pb2.GetManifestRequest(
            suites=[SUITE], with_sums=with_sums, salt_versions=sorted(self._salts()), epoch=epoch
        )
        response = self._call("GetManifest", request)
        self.successions = match.parse_successions(response.successions)
        return response.signed_manifest.manifest, response.signed_manifest.signature

    def evaluate(self, start: EvaluateStart, chunks: Iterable[bytes]) -> Iterator[EvaluatedChunk]:
        """See node.requester.context.PeerCalls. Raises DishonestPeerError when the stream is out of step."""

        def send() -> Iterator[match_pb2.EvaluateRequest]:
            opening = match.start_message(start)
            self._count(opening.ByteSize(), 0)
            yield opening
            for sequence, points in enumerate(chunks):
                message = match_pb2.EvaluateRequest(
                    chunk=match_pb2.EvaluateChunk(sequence=sequence, points=points)
                )
                self._count(message.ByteSize(), 0)
                yield message

        for response in self._stream("Evaluate", send(), POINTS_PACE):
            yield match.parse_answer(response)

    def fetch_partition(self, request: PartitionRequest) -> Iterator[PartitionPiece]:
        """See node.requester.context.PeerCalls."""
        message = mirror.partition_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._stream("FetchPartition", message):
            yield mirror.parse_piece(response)

    def fetch_delta(self, request: DeltaRequest) -> Iterator[tuple[BucketChange, ...]]:
        """See node.requester.context.PeerCalls."""
        message = mirror.delta_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._stream("FetchDelta", message):
            yield mirror.parse_changes(response)

    def fetch_buckets(self, request: BucketRequest) -> Iterator[BucketSlice]:
        """See node.requester.context.PeerCalls."""
        message = match.bucket_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._stream("FetchBuckets", message):
            yield from match.parse_slices(response)

    def get_sum_manifest(self) -> tuple[bytes, bytes]:
        """See node.requester.sum_context.SumCalls."""
        return self._manifest(with_sums=True)

    def evaluate_cohort(self, start: CohortStart, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """See node.requester.sum_context.SumCalls."""

        def send() -> Iterator[aggregate_pb2.EvaluateCohortRequest]:
            opening = sums_wire.start_message(start)
            self._count(opening.ByteSize(), 0)
            yield opening
            for sequence, points in enumerate(chunks):
                chunk = aggregate_pb2.CohortChunk(sequence=sequence, points=points)
                message = aggregate_pb2.EvaluateCohortRequest(chunk=chunk)
                self._count(message.ByteSize(), 0)
                yield message

        for response in self._stream("EvaluateCohort", send(), POINTS_PACE):
            yield response.chunk.sequence, response.chunk.points

    def fetch_rows(self, request: RowsRequest, ciphertext_size: int) -> Iterator[RowsSlice]:
        """See node.requester.sum_context.SumCalls."""
        message = sums_wire.rows_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._stream("FetchRows", message):
            yield sums_wire.parse_slice(response, ciphertext_size)

    def open_sums(self, request: OpenRequest) -> tuple[SumAnswer, ...]:
        """See node.requester.sum_context.SumCalls."""
        message = sums_wire.open_request_message(request)
        response = self._call("OpenSums", message)
        return sums_wire.parse_answers(response, request.items)

    def describe_items(self, items: Sequence[str]) -> tuple[bytes, ...]:
        """The definitions of at most MOST_DESCRIBED items of the peer's catalogue, to be checked against its
        manifest; empty for one that it lacks.
        """
        response = self._call("DescribeItems", catalogue.request_message(items))
        return catalogue.parse_response(response, items)

    def _call(self, method: str, message: Message) -> Any:
        timeout = min(self._call_s, self._left())
        try:
            response = getattr(self._channel.stub, method)(message, timeout=timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._channel.rebuild(error) from None
        self._count(message.ByteSize(), response.ByteSize())
        return response

    def _stream(
        self, method: str, sent: Message | Iterator[Message], pace: int = BYTES_A_SECOND
    ) -> Iterator[Any]:
        call = getattr(self._channel.stub, method)
        most = shortened(max(self._part_s - self._age(), 0.001))
        stream = call(sent, timeout=most, metadata=self._metadata)
        try:
            with IdleGuard(stream.cancel, self._call_s, self._must_end, pace=pace) as guard:
                for response in stream:
                    size = response.ByteSize()
                    self._count(0, size)
                    guard.moved(size)
                    yield response
                    guard.moved()
        except grpc.RpcError as error:
            raise self._channel.rebuild(error) from None
        finally:
            stream.cancel()  # no effect on a stream that has ended

    def _left(self) -> float:
        return shortened(max(min(self._part_s, self._allowed()) - self._age(), 0.001))

    def _age(self) -> float:
        return time.monotonic() - self._began

    def _allowed(self) -> float:
        return self._allowed_s + self._received / BYTES_A_SECOND

    def _must_end(self) -> bool:
        return self._stopped() or self._age() > self._allowed()

    def _count(self, up: int, down: int) -> None:
        # gRPC sends from another thread while this one receives.
        with self._lock:
            self._received += down
            self._counter(up, down)
