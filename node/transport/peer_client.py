"""The calls to a peer: gRPC, deadlines, and errors rebuilt (design.md section 8)."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from heqiao.peer.v1 import aggregate_pb2, match_pb2

from keys.signing_chain import Succession
from matcher import SUITE
from node.context import Node
from node.domain.peers import PeerRow
from node.errors import DishonestPeerError
from node.transport.channel import PeerChannel
from node.transport.idle_timeout import IdleGuard
from node.wire import match
from node.wire import sums as sums_wire
from node.wire.match_messages import (
    BucketRequest,
    BucketSlice,
    EvaluatedChunk,
    EvaluateDone,
    EvaluateStart,
    FilterRequest,
)
from node.wire.sum_messages import CohortStart, OpenRequest, RowsRequest, RowsSlice, SumAnswer

Count = Callable[[int, int], None]
OFFER_S = 60.0  # how long a manifest is used for further queries on one connection


class ManifestCache:
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


class PeerClient:
    """node.session.Link over gRPC. Bytes of all messages go to `count(up, down)`.

    A call, or a stream's next message, may take `call_s`; all calls of a link together `part_s`. With
    `offer`, the first manifest of the link may be one that an earlier link was given. `salts` are the
    versions that manifests are asked for.
    """

    def __init__(
        self,
        line: "PeerChannel",
        call_s: float,
        part_s: float,
        count: Count,
        stopped: Callable[[], bool],
        offer: ManifestCache | None = None,
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
    ) -> "Iterator[PeerClient]":
        """Connect as this node to a peer; the peer's certificate must name the peer's province.

        Streams are given up soon after `stopped()` holds. Raises as Line does.
        """
        with PeerChannel(node, peer) as line:
            yield cls.over(line, node, count, stopped)

    @classmethod
    def over(
        cls,
        line: "PeerChannel",
        node: Node,
        count: Count,
        stopped: Callable[[], bool] = lambda: False,
        offer: ManifestCache | None = None,
    ) -> "PeerClient":
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
        self.successions = match.parse_successions(response.successions)
        return response.signed_manifest.manifest, response.signed_manifest.signature

    def evaluate(
        self, start: EvaluateStart, chunks: Iterable[bytes]
    ) -> Iterator[EvaluatedChunk | EvaluateDone]:
        """See node.session.Link. Raises DishonestPeerError when the stream is out of step."""

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
                raise DishonestPeerError("the peer's stream is out of order", details={"check": "stream"})

    def fetch_filter(self, request: FilterRequest) -> Iterator[tuple[int, bytes]]:
        """See node.session.Link."""
        message = match.filter_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._receive(self._line.stub.FetchFilter(message, timeout=self._left())):
            yield response.offset, response.data

    def fetch_buckets(self, request: BucketRequest) -> Iterator[BucketSlice]:
        """See node.session.Link."""
        message = match.bucket_request_message(request)
        self._count(message.ByteSize(), 0)
        for response in self._receive(self._line.stub.FetchBuckets(message, timeout=self._left())):
            yield from match.parse_slices(response)

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
